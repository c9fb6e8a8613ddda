/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What people and programs read: one line per mistake on stderr, JSON text on stdout. */
#include "loader.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "runtime/cleanup.h"

static bool to_log;

void pold_messages_to_log(void)
{
	to_log = true;
	openlog("polload", LOG_PID, LOG_DAEMON);
}

/* Without a syslog, as early at boot and in small containers, to the kernel's own. */
static void print_to_log(const char *format, va_list args)
{
	static const char start[] = "<28>polload: ";
	POLB_FD fd = -1;
	char text[900]; /* the kernel takes up to 1,024 */

	snprintf(text, sizeof(text), "%s", start);
	vsnprintf(text + strlen(start), sizeof(text) - strlen(start), format, args);
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?'; /* one message is one line */
	if (access("/dev/log", F_OK) == 0) {
		syslog(LOG_WARNING, "%s", text + strlen(start));
		return;
	}
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)!write(fd, text, strlen(text));
}

/* Names in a bundle may be hostile: none drives the terminal, or looks like another message. */
static void put_visible(const char *text, bool lines, FILE *out)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c < 0x20 && !(lines && c == '\n')) || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else if (c == 0xc2 && (unsigned char)text[1] >= 0x80 &&
			 (unsigned char)text[1] < 0xa0) /* C1, as UTF-8 */
			fprintf(out, "\\u%04x", (unsigned char)*++text);
		else
			fputc(c, out);
	}
}

static void print_text(const char *format, bool lines, va_list args)
{
	char text[4096];

	vsnprintf(text, sizeof(text), format, args);
	fflush(stdout);
	fputs("polload: ", stderr);
	put_visible(text, lines, stderr);
	fputc('\n', stderr);
}

/* `lines`: our own words, in several lines. */
static void print(const char *format, bool lines, va_list args)
{
	if (to_log)
		print_to_log(format, args);
	else
		print_text(format, lines, args);
}

int pold_fail(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, code == POLD_USAGE, args);
	va_end(args);
	return code;
}

void pold_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, false, args);
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
