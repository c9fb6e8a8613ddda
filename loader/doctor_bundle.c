/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A bundle's part of doctor: whether it can be enforced here. What apply would do is tried, without
 * pins and without a cutover: programs are loaded, tracing programs attached for an instant, inert
 * as their generation is not in force; then all of it ends.
 */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "runtime/trace_tables.h"
#include "trace.h"

struct patient {
	struct pold_doctor *doctor;
	const struct polb_bundle *bundle;
	char node[256];
	uint32_t local; /* endpoints of this node with a place */
};

static void say(const struct patient *p, const char *id, const char *name, enum pold_is is,
	const char *detail, const char *remedy)
{
	pold_doctor_say(p->doctor, &(struct pold_finding){.id = id,
					   .name = name,
					   .is = is,
					   .need = POLD_NEEDED_BY_BUNDLE,
					   .detail = detail,
					   .without = "the bundle is refused",
					   .remedy = remedy});
}

/* --- endpoints -------------------------------------------------------------------------------- */

static void say_place(struct patient *p, uint32_t endpoint, uint32_t hook, const char *where)
{
	bool tc = hook == POLB_HOOK_TC;
	POLD_PLACE place = {.cgroup_fd = -1};
	char name[512], detail[POLD_DETAIL];
	int err;

	if (!*where)
		return;
	p->local++;
	pold_endpoint_text(p->bundle, endpoint, name, sizeof(name));
	err = tc ? pold_place_interface(where, &place) : pold_place_cgroup(where, &place);
	snprintf(detail, sizeof(detail), "%s %s%s%s", tc ? "interface" : "cgroup", where,
		err ? ": " : "", err ? strerror(-err) : "");
	say(p, "endpoint", name, err ? POLD_NO : POLD_YES, detail,
		"start it first, or apply with --absent wait");
}

static void say_endpoints(struct patient *p)
{
	const struct polb_bundle *b = p->bundle;
	char detail[POLD_DETAIL];

	for (uint32_t i = 1; i <= b->n_endpoints; i++) {
		if (!pold_endpoint_local(b, i, p->node))
			continue;
		say_place(
			p, i, POLB_HOOK_CGROUP, polb_bundle_string(b, b->endpoints[i - 1].cgroup));
		say_place(p, i, POLB_HOOK_TC, polb_bundle_string(b, b->endpoints[i - 1].interface));
	}
	if (p->local)
		return;
	snprintf(detail, sizeof(detail), "none is at a place on node '%s'", p->node);
	pold_doctor_say(p->doctor,
		&(struct pold_finding){
			.id = "endpoint", .name = "endpoints", .is = POLD_NOTE, .detail = detail});
}

/* --- network ---------------------------------------------------------------------------------- */

static void say_interface_hook(const struct patient *p)
{
	const struct pold_net *net = &p->doctor->net;
	char detail[POLD_DETAIL] = "tcx";
	enum pold_is is = POLD_YES;

	if (net->err)
		is = pold_because(
			POLD_UNKNOWN, detail, "it could not be tried: %s", strerror(-net->err));
	else if (net->tcx && net->clsact)
		is = pold_because(POLD_NO, detail, "neither tcx (%s) nor clsact (%s)",
			strerror(-net->tcx), strerror(-net->clsact));
	else if (net->tcx)
		pold_because(is, detail, "clsact, as there is no tcx (%s)", strerror(-net->tcx));
	say(p, "hook", "interfaces", is, detail, "use a kernel with CONFIG_NET_CLS_BPF");
}

static void say_network_hooks(const struct patient *p)
{
	uint32_t hooks = p->bundle->manifest.hooks;
	char detail[POLD_DETAIL] = "cgroup_skb";

	if (hooks & POLB_HOOK_CGROUP)
		say(p, "hook", "cgroups", pold_try_cgroup(detail), detail,
			"use a kernel built with CONFIG_CGROUP_BPF");
	if (hooks & POLB_HOOK_TC)
		say_interface_hook(p);
}

static struct polb_instance_options options_of(const struct patient *p)
{
	return (struct polb_instance_options){
		.local_node = p->node, .generation = 1, .control_fd = -1, .flows_fd = -1};
}

static void load_network(const struct patient *p)
{
	const struct polb_instance_options options = options_of(p);
	struct polb_instance *instance = NULL;
	char error[POLB_ERROR_TEXT] = "";
	int err = polb_instance_load(p->bundle, &options, &instance, error);

	polb_instance_free(instance);
	say(p, "load", "programs and tables", err ? POLD_NO : POLD_YES, error,
		"polc verify shows what the kernel says of each program");
}

/* --- tracing ---------------------------------------------------------------------------------- */

/* "kprobe+kretprobe, because one program ..." of what was chosen. */
static void mechanism_text(const struct pold_trace *t, uint32_t hook, char out[POLD_DETAIL])
{
	const struct polb_bundle *b = t->bundle;
	const struct polb_bundle_trace_alternative *a =
		&b->trace_alternatives[b->trace_hooks[hook].first_alternative + t->chosen[hook]];
	const char *reason = polb_bundle_string(b, a->reason);
	uint32_t said = 0;
	size_t n = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < a->n_programs && n < POLD_DETAIL; i++) {
		uint32_t mechanism = b->trace_programs[a->first_program + i].mechanism;

		if (!(said >> mechanism & 1))
			n += (size_t)snprintf(out + n, POLD_DETAIL - n, "%s%s", said ? "+" : "",
				polb_mechanism_name(mechanism));
		said |= 1u << mechanism;
	}
	if (n < POLD_DETAIL && *reason)
		snprintf(out + n, POLD_DETAIL - n, " (%s)", reason);
}

static bool has_none_left(const struct pold_trace *t, uint32_t hook)
{
	return t->next[hook] >= t->bundle->trace_hooks[hook].n_alternatives;
}

static void say_hook(
	const struct patient *p, const struct pold_trace *t, uint32_t hook, bool left_out)
{
	const char *text = polb_bundle_string(t->bundle, t->bundle->trace_hooks[hook].text);
	char detail[POLD_DETAIL];
	size_t n;

	if (!has_none_left(t, hook)) {
		mechanism_text(t, hook, detail);
		n = strlen(detail);
		if (t->why[hook][0])
			snprintf(detail + n, sizeof(detail) - n, ", as %s", t->why[hook]);
		say(p, "hook", text, POLD_YES, detail, NULL);
		return;
	}
	snprintf(detail, sizeof(detail), "%s%s", left_out ? "left out, as its policy says: " : "",
		t->why[hook]);
	say(p, "hook", text, left_out ? POLD_NOTE : POLD_NO, detail,
		"see what the kernel lacks above; or write the policy for another hook");
}

/* What tables say of every hook; those without a way are left out of what is loaded. */
static void pick_all(struct pold_trace *t, bool *left_out)
{
	for (uint32_t i = 0; i < t->bundle->n_trace_hooks; i++)
		pold_trace_pick(t, i, &left_out[i]);
}

/* Hooks that turned out to have no way left are left out, so that the others are tried. */
static uint32_t drop_refused(struct pold_trace *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->bundle->n_trace_hooks; i++)
		if (has_none_left(t, i)) {
			t->chosen[i] = POLB_NO_ALTERNATIVE;
			n++;
		}
	return n;
}

static void load_all(const struct patient *p, struct pold_trace *t)
{
	const struct polb_instance_options options = options_of(p);
	struct polb_instance *instance = NULL;
	uint32_t dropped, before;
	int code;

	do {
		before = drop_refused(t);
		code = pold_trace_load(t, &options, &instance);
		pold_trace_detach(t);
		polb_instance_free(instance);
		instance = NULL;
		dropped = drop_refused(t);
	} while (code && dropped > before);
	say(p, "load", "programs and tables", code ? POLD_NO : POLD_YES, NULL,
		"the line on standard error says what the kernel refused");
}

static void trace(const struct patient *p)
{
	POLB_FREE bool *left_out = calloc(p->bundle->n_trace_hooks + 1, sizeof(*left_out));
	struct pold_trace t = POLD_TRACE_INIT;

	if (!left_out || pold_trace_open(p->bundle, &t))
		return say(p, "load", "programs and tables", POLD_NO, "out of memory", NULL);
	pick_all(&t, left_out);
	load_all(p, &t);
	for (uint32_t i = 0; i < p->bundle->n_trace_hooks; i++)
		say_hook(p, &t, i, left_out[i]);
	pold_trace_close(&t);
}

/* --- the bundle ------------------------------------------------------------------------------- */

static void say_signature(const struct patient *p)
{
	struct pold_signer signer = {0};
	char id[POLB_KEY_ID_TEXT],
		detail[POLD_DETAIL] = "no key is trusted here, so none is needed";
	int code = pold_trust_check(
		p->doctor->options, p->doctor->options->arguments[0], p->bundle, &signer);

	if (!code && signer.is_signed) {
		polb_key_id_text(signer.key_id, id);
		snprintf(detail, sizeof(detail), "by the trusted key %s", id);
	}
	say(p, "signature", "signature", code ? POLD_NO : POLD_YES, code ? "" : detail,
		"the line on standard error says why");
}

static void say_bundle(struct patient *p)
{
	uint32_t hooks = p->bundle->manifest.hooks;

	say(p, "bundle", "bundle", POLD_YES,
		hooks & POLB_HOOK_TRACE
			? hooks & ~(uint32_t)POLB_HOOK_TRACE ? "network and tracing" : "tracing"
			: "network",
		NULL);
	say_signature(p);
	if (hooks & (POLB_HOOK_CGROUP | POLB_HOOK_TC)) {
		say_endpoints(p);
		say_network_hooks(p);
	}
	if (hooks & POLB_HOOK_TRACE)
		trace(p); /* loads the network programs as well */
	else
		load_network(p);
}

void pold_doctor_bundle(struct pold_doctor *d)
{
	struct polb_bundle bundle;
	struct patient p = {.doctor = d, .bundle = &bundle};
	const char *path = d->options->arguments[0];
	POLB_FREE void *data = NULL;
	char error[POLB_ERROR_TEXT] = "";
	size_t size = 0;
	int err = polb_file_read(path, &data, &size);

	pold_doctor_section(d, "bundle", "BUNDLE");
	if (d->options->node)
		snprintf(p.node, sizeof(p.node), "%s", d->options->node);
	else if (gethostname(p.node, sizeof(p.node) - 1))
		p.node[0] = '\0';
	if (err)
		say(&p, "bundle", path, POLD_NO, strerror(-err), NULL);
	else if (polb_bundle_read(data, size, &bundle, error))
		say(&p, "bundle", path, POLD_NO, error, "build it again");
	else
		say_bundle(&p);
}
