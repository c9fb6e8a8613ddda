/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What people and programs read: one line per mistake on stderr, JSON text on stdout. */
#include "loader.h"

#include <stdarg.h>
#include <stdio.h>

static void print(const char *format, va_list args)
{
	fflush(stdout);
	fputs("polload: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int pold_fail(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
	return code;
}

void pold_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
}

void pold_json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}
