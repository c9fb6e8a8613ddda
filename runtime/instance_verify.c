/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The verifier asked about every program of a bundle. A load ends at the first program that is
 * refused: what came before it has been accepted, it is asked again alone for the whole log, and
 * what is left is loaded without it.
 */
#include "instance_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"

#define STATISTICS 4 /* log levels, ORed: reasons are in the log with any of them */
#define INSTRUCTIONS 1
#define LOG_BYTES ((size_t)64 << 10)
#define WHOLE_LOG_BYTES ((size_t)16 << 20) /* untouched pages cost nothing */

struct candidate {
	const char *name;
	const struct polb_bundle_trace_program *trace; /* NULL: of packets */
	char *log;                                     /* LOG_BYTES */
	bool in_object, done;
};

struct round {
	const struct polb_bundle *bundle;
	const struct polb_instance_options *options;
	struct candidate *candidates;
	size_t n;
	char *whole_log;
	polb_verify_tell *tell;
	void *context;
	char *error;
};

static struct candidate *find(const struct round *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->candidates[i].name, name) == 0)
			return &r->candidates[i];
	return NULL;
}

static void refuse(struct round *r, struct candidate *c, int err, const char *log)
{
	c->done = true;
	r->tell(r->context, &(struct polb_verified){.program = c->name, .err = err, .log = log});
}

static void close_object(struct bpf_object **object)
{
	bpf_object__close(*object);
}
#define OBJECT __attribute__((cleanup(close_object))) struct bpf_object

/* False: it cannot even be asked about. */
static bool has_target(struct round *r, struct candidate *c, struct bpf_program *program)
{
	int err = c->trace ? polb_program_target(program, r->bundle, c->trace) : 0;

	if (!err)
		return true;
	snprintf(c->log, LOG_BYTES, "this kernel has nothing named %s to attach to",
		polb_bundle_string(r->bundle, c->trace->target));
	refuse(r, c, err, c->log);
	return false;
}

/* Those that are not done are to be loaded, or `only` one, with its instructions in the log. */
static int prepare(struct round *r, struct bpf_object *object, const struct candidate *only)
{
	struct bpf_program *program;
	int err;

	bpf_object__for_each_program(program, object)
	{
		struct candidate *c = find(r, bpf_program__name(program));
		bool wanted = c && (only ? c == only : !c->done && has_target(r, c, program));

		bpf_program__set_autoload(program, wanted);
		if (c)
			c->in_object = true;
		if (!wanted)
			continue;
		if (only && c->trace)
			polb_program_target(program, r->bundle, c->trace);
		bpf_program__set_log_level(program, only ? STATISTICS | INSTRUCTIONS : STATISTICS);
		bpf_program__set_log_buf(
			program, only ? r->whole_log : c->log, only ? WHOLE_LOG_BYTES : LOG_BYTES);
	}
	for (size_t i = 0; i < r->n; i++)
		if (!r->candidates[i].in_object && !r->candidates[i].done)
			refuse(r, &r->candidates[i], -EINVAL, "the bundle has no such program");
	err = polb_object_adapt(object, r->bundle, r->options, r->error);
	return err ? err : polb_object_is_ours(object, r->bundle, r->error);
}

static bool has_statistics(const char *log)
{
	return strncmp(log, "processed ", 10) == 0 || strstr(log, "\nprocessed ");
}

/* What has been loaded has its statistics; so has the program that ended the load. */
static void accept(struct round *r, struct bpf_object *object, const char *refused)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		struct candidate *c = find(r, bpf_program__name(program));

		if (!c || c->done || !has_statistics(c->log) || strcmp(c->name, refused) == 0)
			continue;
		c->done = true;
		r->tell(r->context, &(struct polb_verified){.program = c->name,
					    .log = c->log,
					    .insns = bpf_program__insns(program),
					    .n_insns = bpf_program__insn_cnt(program)});
	}
}

/* Opens, adapts and loads; the result is that of loading. */
static int load(struct round *r, const struct candidate *only, bool *asked)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "polc");
	OBJECT *object = bpf_object__open_mem(r->bundle->data, r->bundle->size, &opts);
	char refused[POLB_PROGRAM_NAME];
	int err = -EINVAL;

	*asked = false;
	if (!object) {
		snprintf(r->error, POLB_ERROR_TEXT, "libbpf cannot read the object: %.200s",
			polb_complaint());
		return err;
	}
	err = prepare(r, object, only);
	if (err)
		return err;
	*asked = true;
	err = bpf_object__load(object);
	polb_complaint_program(refused);
	if (!only)
		accept(r, object, err ? refused : "");
	return err;
}

/* The log with instructions and source lines, when the kernel gives it (it says -ENOSPC for one
 * that does not fit); for a program that is too large there is nothing in it. */
static const char *whole_log(struct round *r, const struct candidate *c)
{
	bool asked;

	if (!has_statistics(c->log) || strstr(c->log, "program is too large"))
		return c->log;
	r->whole_log[0] = '\0';
	polb_complaint_begin();
	load(r, c, &asked);
	return asked && has_statistics(r->whole_log) ? r->whole_log : c->log;
}

/* What a load that ended early tells. -errno when it tells nothing of any program. */
static int explain(struct round *r, int err)
{
	char name[POLB_PROGRAM_NAME], complaint[POLB_ERROR_TEXT];
	struct candidate *failed;

	polb_complaint_program(name);
	snprintf(complaint, sizeof(complaint), "%s", polb_complaint());
	failed = find(r, name);
	if (!failed || failed->done) {
		snprintf(r->error, POLB_ERROR_TEXT, "cannot load: %.200s%s%s", complaint,
			complaint[0] ? ": " : "", strerror(-err));
		return err;
	}
	refuse(r, failed, err, failed->log[0] ? whole_log(r, failed) : complaint);
	return 0;
}

static size_t left(const struct round *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += !r->candidates[i].done;
	return n;
}

/* Every kernel since 5.2 gives statistics; one that does not cannot be asked. */
static int silent(struct round *r)
{
	snprintf(r->error, POLB_ERROR_TEXT, "this kernel's verifier gives no statistics");
	return -EOPNOTSUPP;
}

/* Each turn is done with one program at least. */
static int run(struct round *r)
{
	while (left(r)) {
		bool asked;
		int err;

		polb_complaint_begin();
		err = load(r, NULL, &asked);
		if (err && asked)
			err = explain(r, err);
		else if (!err && left(r))
			err = silent(r);
		if (err)
			return err;
	}
	return 0;
}

static void collect(struct round *r)
{
	static const char *const packets[] = {
		"polt_cgroup_in", "polt_cgroup_out", "polt_tc_from", "polt_tc_to"};

	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++)
		if (polb_network_program(packets[i], r->bundle->manifest.hooks))
			r->candidates[r->n++].name = packets[i];
	for (size_t i = 0; i < r->bundle->n_trace_programs; i++) {
		const struct polb_bundle_trace_program *p = &r->bundle->trace_programs[i];
		const char *name = polb_bundle_string(r->bundle, p->name);

		if (!find(r, name)) /* alternatives may share programs */
			r->candidates[r->n++] = (struct candidate){.name = name, .trace = p};
	}
}

int polb_instance_verify(const struct polb_bundle *bundle,
	const struct polb_instance_options *options, polb_verify_tell *tell, void *context,
	char error[POLB_ERROR_TEXT])
{
	size_t most = POLB_N_PROGRAMS + bundle->n_trace_programs;
	POLB_FREE struct candidate *candidates = calloc(most, sizeof(*candidates));
	POLB_FREE char *logs = calloc(most, LOG_BYTES), *whole = malloc(WHOLE_LOG_BYTES);
	struct round r = {.bundle = bundle,
		.options = options,
		.candidates = candidates,
		.whole_log = whole,
		.tell = tell,
		.context = context,
		.error = error};
	libbpf_print_fn_t previous;
	int err;

	if (!candidates || !logs || !whole) {
		snprintf(error, POLB_ERROR_TEXT, "out of memory");
		return -ENOMEM;
	}
	collect(&r);
	for (size_t i = 0; i < r.n; i++)
		candidates[i].log = logs + i * LOG_BYTES;
	previous = polb_complaint_begin();
	err = run(&r);
	libbpf_set_print(previous);
	return err;
}
