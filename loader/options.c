/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The options of all subcommands; each takes those it knows, the table says which. */
#include "loader.h"
#include "runtime/trace_tables.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_ROOM 1024
#define MAX_ROOM (1u << 20)
#define MAX_PROCESSES (1u << 22)
#define MIN_RING_BYTES (64u << 10)
#define MAX_RING_BYTES (1u << 30)

static const struct option table[] = {
	{"name", required_argument, NULL, 'n'},
	{"node", required_argument, NULL, 'N'},
	{"audit", no_argument, NULL, 'a'},
	{"adopt", required_argument, NULL, 'A'},
	{"room", required_argument, NULL, 'r'},
	{"output", required_argument, NULL, 'o'},
	{"all", no_argument, NULL, 'l'},
	{"cgroup", required_argument, NULL, 'c'},
	{"interface", required_argument, NULL, 'i'},
	{"label", required_argument, NULL, 'L'},
	{"container", required_argument, NULL, 'Z'},
	{"namespace", required_argument, NULL, 's'},
	{"kind", required_argument, NULL, 'k'},
	{"count", required_argument, NULL, 'C'},
	{"timeout", required_argument, NULL, 't'},
	{"processes", required_argument, NULL, 'q'},
	{"ring", required_argument, NULL, 'Q'},
	{"avoid", required_argument, NULL, 'v'},
	{"policy", required_argument, NULL, 'P'},
	{"type", required_argument, NULL, 'T'},
	{"verdict", required_argument, NULL, 'J'},
	{"process", required_argument, NULL, 'B'},
	{"pid", required_argument, NULL, 'p'},
	{"pod", required_argument, NULL, 'O'},
	{"output-file", required_argument, NULL, 'F'},
	{"rotate", required_argument, NULL, 'R'},
	{"caps", no_argument, NULL, 'x'},
	{"namespaces", no_argument, NULL, 'y'},
	{"stack-addresses", no_argument, NULL, 'z'},
	{"callbacks", no_argument, NULL, 'w'},
	{"dry-run", no_argument, NULL, 'd'},
	{"reset", no_argument, NULL, 'X'},
	{"wait", required_argument, NULL, 'W'},
	{"confirm", required_argument, NULL, 'f'},
	{"health", required_argument, NULL, 'H'},
	{"absent", required_argument, NULL, 'b'},
	{"trusted-key", required_argument, NULL, 'K'},
	{"watch", required_argument, NULL, 'D'},
	{"ttl", required_argument, NULL, 'm'},
	{"on-expiry", required_argument, NULL, 'e'},
	{"listen", required_argument, NULL, 'G'},
	{"interval", required_argument, NULL, 'I'},
	{"compat", required_argument, NULL, 'M'},
	{"from", required_argument, NULL, 'j'},
	{"to", required_argument, NULL, 'u'},
	{"port", required_argument, NULL, 'V'},
	{"call", required_argument, NULL, 'g'},
	{"expired", no_argument, NULL, 'E'},
	{"keep-modes", no_argument, NULL, 'Y'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct {
	const char *subcommand, *letters;
} allowed[] = {
	{"apply", "YnNaArqQvdWfHbKo"},
	{"rollback", "ndWfHo"},
	{"confirm", "nWE"},
	{"status", "nol"},
	{"remove", "nW"},
	{"mode", "nPW"},
	{"endpoint", "ncioWLZ"},
	{"identity", "nLskolWme"},
	{"sync", "nNodWDme"},
	{"metrics", "nlFGIM"},
	{"report", "nlPoX"},
	{"explain", "njuVgpoP"},
	{"doctor", "oNK"},
	{"events", "noCtsPTBpOFRxyzwJ"},
	{"verify", ""},
};

static bool is_allowed(const char *subcommand, int letter)
{
	if (letter == 'h')
		return true;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (strcmp(allowed[i].subcommand, subcommand) == 0)
			return strchr(allowed[i].letters, letter);
	return false;
}

static const char *long_name(int letter)
{
	for (const struct option *o = table; o->name; o++)
		if (o->val == letter)
			return o->name;
	return "?";
}

static int number(const char *option, const char *text, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || *out > max)
		return pold_fail(POLD_USAGE, "--%s: \"%s\" is not a number from 0 to %llu", option,
			text, (unsigned long long)max);
	return POLD_OK;
}

/* A ring buffer's size: a power of two of whole pages. */
static int ring(struct pold_options *o, const char *text)
{
	uint64_t n = 0;
	int code = number("ring", text, MAX_RING_BYTES, &n);

	if (!code && (n < MIN_RING_BYTES || (n & (n - 1))))
		code = pold_fail(POLD_USAGE, "--ring: \"%s\" is not a power of two from %u to %u",
			text, MIN_RING_BYTES, MAX_RING_BYTES);
	o->ring_bytes = (uint32_t)n;
	return code;
}

static int mechanism_of(const char *word, size_t n)
{
	for (int i = 0; i < POLB_N_MECHANISMS; i++)
		if (strlen(polb_mechanism_name((uint32_t)i)) == n &&
			strncmp(polb_mechanism_name((uint32_t)i), word, n) == 0)
			return i;
	return -1;
}

/* "fentry,fexit" */
static int avoid(struct pold_options *o, const char *text)
{
	for (const char *word = text; *word;) {
		size_t n = strcspn(word, ",");
		int mechanism = mechanism_of(word, n);

		if (mechanism < 0)
			return pold_fail(
				POLD_USAGE, "--avoid: \"%.*s\" is no mechanism", (int)n, word);
		o->avoid |= 1u << mechanism;
		word += n + (word[n] == ',');
	}
	return POLD_OK;
}

static int processes(struct pold_options *o, const char *text)
{
	uint64_t n = 0;
	int code = number("processes", text, MAX_PROCESSES, &n);

	if (!code && n == 0)
		code = pold_fail(POLD_USAGE, "--processes: there is at least one");
	o->processes = (uint32_t)n;
	return code;
}

/* "90", "1.5", "60s", "5m", "2h" */
static int seconds(const char *option, const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	if (end != text && *end && !end[1] && strchr("smh", *end))
		*out *= *end == 's' ? 1 : *end == 'm' ? 60 : 3600, end++;
	if (end == text || *end || !isfinite(*out) || *out < 0 || *out > 1e9)
		return pold_fail(
			POLD_USAGE, "--%s: \"%s\" is not a time (60, 60s, 5m, 2h)", option, text);
	return POLD_OK;
}

/* A whole second at least: who would confirm sooner? */
static int confirm_time(const char *text, double *out)
{
	int code = seconds("confirm", text, out);

	return code || *out >= 1 ? code : pold_fail(POLD_USAGE, "--confirm: at least 1 s");
}

/* A value that is one of a few words, separated by blanks in `words`. */
static int word(const char *option, const char *value, const char *words, const char **out)
{
	size_t n = strlen(value);

	for (const char *at = words; n && *at; at += strcspn(at, " "), at += *at == ' ')
		if (strcspn(at, " ") == n && strncmp(at, value, n) == 0) {
			*out = value;
			return POLD_OK;
		}
	return pold_fail(POLD_USAGE, "--%s: \"%s\" is none of: %s", option, value, words);
}

static int add_trusted(struct pold_options *o, const char *path)
{
	if (o->n_trusted == sizeof(o->trusted) / sizeof(o->trusted[0]))
		return pold_fail(POLD_USAGE, "--trusted-key: too many");
	o->trusted[o->n_trusted++] = path;
	return POLD_OK;
}

static int add_label(struct pold_options *o, const char *text)
{
	if (!strchr(text, '=') || *text == '=')
		return pold_fail(POLD_USAGE, "--label: \"%s\" is not key=value", text);
	if (o->n_labels == sizeof(o->labels) / sizeof(o->labels[0]))
		return pold_fail(POLD_USAGE, "--label: too many");
	o->labels[o->n_labels++] = text;
	return POLD_OK;
}

/* A name is one directory of bpffs, which allows no dots. */
static int check_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	if (n == 0 || n > 63 || name[n])
		return pold_fail(POLD_USAGE,
			"--name: \"%s\" is not 1 to 63 letters, digits, '-' or '_'", name);
	return POLD_OK;
}

static int add_policy(struct pold_event_options *e, const char *name)
{
	if (e->n_policies == sizeof(e->policies) / sizeof(e->policies[0]))
		return pold_fail(POLD_USAGE, "--policy: too many");
	e->policies[e->n_policies++] = name;
	return POLD_OK;
}

/* What only `events` takes. */
static int take_events(struct pold_event_options *e, int letter, const char *value)
{
	switch (letter) {
	case 'P':
		return add_policy(e, value);
	case 'J':
		e->verdicts = value;
		break;
	case 'T':
		e->types = value;
		break;
	case 'B':
		e->process = value;
		break;
	case 'p':
		return number("pid", value, INT32_MAX, &e->pid);
	case 'O':
		e->pod = value;
		break;
	case 'F':
		e->output_file = value;
		break;
	case 'R':
		e->rotate = value;
		break;
	case 'x':
		e->caps = true;
		break;
	case 'y':
		e->namespaces = true;
		break;
	case 'z':
		e->stack_addresses = true;
		break;
	case 'w':
		e->callbacks = true;
		break;
	default:
		return POLD_USAGE;
	}
	return POLD_OK;
}

/* Times, words and places of applying, syncing and observing. */
static int take_node(struct pold_options *o, int letter, const char *value)
{
	switch (letter) {
	case 'X':
		o->reset = true;
		break;
	case 'd':
		o->dry_run = true;
		break;
	case 'Y':
		o->keep_modes = true;
		break;
	case 'W':
		return seconds("wait", value, &o->wait_s);
	case 'f':
		return confirm_time(value, &o->confirm_s);
	case 'H':
		o->health = value;
		break;
	case 'E':
		o->expired = true;
		break;
	case 'b':
		return word("absent", value, "refuse wait create", &o->absent);
	case 'K':
		return add_trusted(o, value);
	case 'D':
		o->watch = value;
		break;
	case 'm':
		return seconds("ttl", value, &o->ttl_s);
	case 'e':
		return word("on-expiry", value, "deny keep", &o->on_expiry);
	case 'G':
		o->listen = value;
		break;
	case 'I':
		return seconds("interval", value, &o->interval_s);
	case 'M':
		return word("compat", value, "tetragon", &o->compat);
	case 'j':
		o->from = value;
		break;
	case 'u':
		o->to = value;
		break;
	case 'V':
		o->port = value;
		break;
	case 'g':
		o->call = value;
		break;
	default:
		return take_events(&o->events, letter, value);
	}
	return POLD_OK;
}

static int take(struct pold_options *o, int letter, const char *value)
{
	uint64_t n = 0;
	int code = POLD_OK;

	switch (letter) {
	case 'n':
		o->name = value;
		o->named = true;
		return check_name(value);
	case 'N':
		o->node = value;
		break;
	case 'a':
		o->audit = true;
		break;
	case 'A':
		code = number("adopt", value, 86400, &n);
		o->adopt_s = (int64_t)n;
		break;
	case 'r':
		code = number("room", value, MAX_ROOM, &n);
		o->room = (uint32_t)n;
		break;
	case 'o':
		o->output = value;
		break;
	case 'l':
		o->all = true;
		break;
	case 'c':
		o->cgroup = value;
		break;
	case 'Z':
		o->container = value;
		break;
	case 'i':
		o->interface = value;
		break;
	case 'L':
		return add_label(o, value);
	case 's':
		o->namespace = value;
		break;
	case 'k':
		o->kind = value;
		break;
	case 'C':
		return number("count", value, UINT64_MAX, &o->count);
	case 't':
		return seconds("timeout", value, &o->timeout_s);
	case 'q':
		return processes(o, value);
	case 'Q':
		return ring(o, value);
	case 'v':
		return avoid(o, value);
	case 'h':
		o->help = true;
		break;
	default:
		return take_node(o, letter, value);
	}
	return code;
}

static bool known_format(const char *subcommand, const char *format)
{
	const char *plain = strcmp(subcommand, "events") == 0 ? "compact" : "text";
	bool policies = strcmp(subcommand, "report") == 0;

	return strcmp(format, "json") == 0 || strcmp(format, plain) == 0 ||
	       (policies && (strcmp(format, "yaml") == 0 || strcmp(format, "pol") == 0));
}

int pold_options_parse(int argc, char **argv, struct pold_options *out)
{
	const char *subcommand = argv[0];
	int letter, code;

	*out = (struct pold_options){.name = "default",
		.adopt_s = -1,
		.room = DEFAULT_ROOM,
		.timeout_s = -1,
		.wait_s = -1,
		.confirm_s = -1,
		.ttl_s = -1,
		.interval_s = -1};
	opterr = 0;
	optind = 1;
	while ((letter = getopt_long(argc, argv, ":o:h", table, NULL)) != -1) {
		if (letter == '?')
			return pold_fail(
				POLD_USAGE, "%s: unknown option %s", subcommand, argv[optind - 1]);
		if (letter == ':')
			return pold_fail(POLD_USAGE, "%s: option %s needs a value", subcommand,
				argv[optind - 1]);
		if (!is_allowed(subcommand, letter))
			return pold_fail(
				POLD_USAGE, "%s does not take --%s", subcommand, long_name(letter));
		code = take(out, letter, optarg);
		if (code)
			return code;
	}
	if (out->output && !known_format(subcommand, out->output))
		return pold_fail(
			POLD_USAGE, "%s: unknown output format %s", subcommand, out->output);
	out->arguments = argv + optind;
	out->n_arguments = argc - optind;
	return POLD_OK;
}

int pold_options_arguments(const struct pold_options *options, int min, int max, const char *usage)
{
	if (options->n_arguments >= min && options->n_arguments <= max)
		return POLD_OK;
	return pold_fail(POLD_USAGE, "usage: polload %s", usage);
}
