/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* doctor: prints what was found, as text or JSON; the exit code. */
#include "doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum pold_is pold_because(enum pold_is is, char detail[POLD_DETAIL], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(detail, POLD_DETAIL, format, args);
	va_end(args);
	return is;
}

static const char *answer(enum pold_is is)
{
	static const char *const words[] = {"yes", "no", "unknown", "note"};

	return words[is];
}

/* Names come from bundles and from other people's programs: nothing in them moves a terminal. */
static void put_text(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

void pold_doctor_section(struct pold_doctor *d, const char *id, const char *heading)
{
	if (d->json)
		printf("%s,\"%s\":[", d->any_section ? "]" : "", id);
	else
		printf("\n%s\n", heading);
	d->any_section = true;
	d->any_finding = false;
}

static void say_line(const char *what, const char *text)
{
	if (!text || !*text)
		return;
	printf("             %s", what);
	put_text(text);
	putchar('\n');
}

static void say_text(const struct pold_finding *f)
{
	bool wanting = f->is == POLD_NO || f->is == POLD_UNKNOWN;

	printf("  %-8s  ", f->is == POLD_NOTE ? "" : answer(f->is));
	put_text(f->name);
	if (f->detail && *f->detail) {
		fputs(": ", stdout);
		put_text(f->detail);
	}
	putchar('\n');
	if (wanting) {
		say_line("without it: ", f->without);
		say_line("to do: ", f->remedy);
	}
}

static void member(const char *key, const char *text)
{
	printf(",\"%s\":", key);
	pold_json_string(text ? text : "");
}

static void say_json(const struct pold_doctor *d, const struct pold_finding *f)
{
	printf("%s{\"id\":", d->any_finding ? "," : "");
	pold_json_string(f->id);
	member("name", f->name);
	member("answer", answer(f->is));
	printf(",\"needed\":%s", f->need == POLD_OPTIONAL ? "false" : "true");
	member("detail", f->detail);
	if (f->is == POLD_NO || f->is == POLD_UNKNOWN) {
		member("without", f->without);
		member("remedy", f->remedy);
	}
	putchar('}');
}

void pold_doctor_say(struct pold_doctor *d, const struct pold_finding *f)
{
	if (d->json)
		say_json(d, f);
	else
		say_text(f);
	d->any_finding = true;
	if (f->is != POLD_NO)
		return;
	d->bad_here |= f->need == POLD_NEEDED_HERE;
	d->bad_bundle |= f->need == POLD_NEEDED_BY_BUNDLE;
}

static void begin(const struct pold_doctor *d)
{
	struct utsname name = {0};

	uname(&name);
	if (d->json) {
		printf("{\"kernel_release\":");
		pold_json_string(name.release);
		member("machine", name.machine);
	} else {
		printf("Linux %s, %s\n", name.release, name.machine);
	}
}

static int end(const struct pold_doctor *d)
{
	bool asked = d->options->n_arguments;
	const char *verdict = d->bad_here              ? "this machine lacks what any bundle needs"
			      : d->bad_bundle && asked ? "the bundle cannot be enforced here"
			      : d->bad_bundle
				      ? "something of an applied bundle is no longer in place"
			      : asked ? "the bundle can be enforced here"
				      : "what any bundle needs is here";

	if (d->json) {
		printf("],\"ok\":%s", d->bad_here || d->bad_bundle ? "false" : "true");
		member("verdict", verdict);
		puts("}");
	} else {
		printf("\n%s\n", verdict);
	}
	return d->bad_here ? POLD_ENVIRONMENT : d->bad_bundle ? POLD_BAD : POLD_OK;
}

int pold_cmd_doctor(const struct pold_options *options)
{
	struct pold_doctor d = {.options = options,
		.json = options->output && strcmp(options->output, "json") == 0};
	int code = pold_options_arguments(
		options, 0, 1, "doctor [BUNDLE [--node NAME]] [-o text|json]");

	if (code)
		return code;
	if (options->n_arguments && access(options->arguments[0], R_OK))
		return pold_fail(
			POLD_ENVIRONMENT, "%s: %s", options->arguments[0], strerror(errno));
	pold_net_probe(&d.net);
	begin(&d);
	pold_doctor_kernel(&d);
	pold_doctor_applied(&d);
	pold_doctor_others(&d);
	if (options->n_arguments)
		pold_doctor_bundle(&d);
	return end(&d);
}
