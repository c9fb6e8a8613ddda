/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is printed does not drive the terminal. Labels, names and paths come from whoever may make
 * a pod or a file; on standard output every control character but the ends of our own lines is
 * written as \u00XX, which within JSON is still the same text. Texts that could pretend to be
 * further lines are printed with pold_print_visible().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader.h"

static bool after_c2; /* the last byte began one of U+0080 to U+00BF */

static int write_all(const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(STDOUT_FILENO, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* One byte, of at most six written; U+0080 to U+009F (C1) are controls in two bytes. */
static size_t put(unsigned char c, char *out)
{
	bool c1 = after_c2 && c >= 0x80 && c < 0xa0;
	size_t n = 0;

	if (after_c2 && !c1)
		out[n++] = (char)0xc2;
	after_c2 = c == 0xc2;
	if (after_c2)
		return n;
	if (c1 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
		return n + (size_t)sprintf(out + n, "\\u%04x", c);
	out[n++] = (char)c;
	return n;
}

static ssize_t write_visible(void *cookie, const char *data, size_t size)
{
	char out[4096];
	size_t n = 0;

	(void)cookie;
	for (size_t i = 0; i < size; i++) {
		n += put((unsigned char)data[i], out + n);
		if (n > sizeof(out) - 16) {
			if (write_all(out, n))
				return 0;
			n = 0;
		}
	}
	return write_all(out, n) ? 0 : (ssize_t)size;
}

void pold_stdout_protect(void)
{
	static const cookie_io_functions_t functions = {.write = write_visible};
	FILE *file = fopencookie(NULL, "w", functions);

	if (!file)
		return; /* no memory: what comes next says so */
	setvbuf(file, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFSIZ);
	stdout = file;
}

void pold_print_visible(const char *text, int width)
{
	int n = 0;

	for (; *text; text++) {
		if (*text == '\n' || *text == '\t')
			n += printf("\\u%04x", (unsigned char)*text);
		else
			n += ((unsigned char)putchar(*text) & 0xc0) != 0x80;
	}
	if (n < width)
		printf("%*s", width - n, "");
}
