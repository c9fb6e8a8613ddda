/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tracing programs on their hooks. Nothing is pinned before everything is attached: what is
 * attached does nothing until its generation is in force, and ends with this process until pinned.
 */
#include "trace.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "runtime/trace_tables.h"

#define PRESERVE_ELEMS (1u << 11) /* BPF_F_PRESERVE_ELEMS, 5.10 */

int pold_trace_open(const struct polb_bundle *bundle, struct pold_trace *out)
{
	size_t n = bundle->n_trace_hooks;
	struct pold_trace t = {.bundle = bundle};

	t.chosen = malloc((n + 1) * sizeof(*t.chosen));
	t.next = calloc(n + 1, sizeof(*t.next));
	t.why = calloc(n + 1, sizeof(*t.why));
	if (!t.chosen || !t.next || !t.why || pold_kernel_open(bundle, &t.kernel)) {
		pold_trace_close(&t);
		return pold_fail(POLD_ENVIRONMENT, "out of memory");
	}
	for (size_t i = 0; i < n; i++)
		t.chosen[i] = POLB_NO_ALTERNATIVE - 1; /* nothing chosen yet */
	*out = t;
	return POLD_OK;
}

void pold_trace_detach(struct pold_trace *t)
{
	for (size_t i = t->n_links; i-- > 0;) {
		if (t->links[i].pinned)
			bpf_link__disconnect(t->links[i].link);
		bpf_link__destroy(t->links[i].link);
	}
	free(t->links);
	t->links = NULL;
	t->n_links = 0;
}

void pold_trace_close(struct pold_trace *t)
{
	pold_trace_detach(t);
	pold_kernel_free(t->kernel);
	free(t->chosen);
	free(t->next);
	free(t->why);
	*t = (struct pold_trace)POLD_TRACE_INIT;
}

/* --- one program ------------------------------------------------------------------------------ */

/* libbpf would look for tracefs where it is mounted; the number of an event is all it is for. */
static struct bpf_link *attach_tracepoint(struct bpf_program *program, const char *target)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.wakeup_events = 1};
	char path[POLD_PATH], text[32] = "";
	POLB_FD fd = -1, event = -1;
	struct bpf_link *link;

	pold_path(path, "events/%s/id", target);
	fd = pold_kernel_file("tracefs", "/sys/kernel/tracing", path);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 1) {
		errno = fd < 0 ? -fd : EIO;
		return NULL;
	}
	attr.config = strtoull(text, NULL, 10);
	event = (int)syscall(
		SYS_perf_event_open, &attr, -1, 0, -1, (unsigned long)PERF_FLAG_FD_CLOEXEC);
	if (event < 0)
		return NULL;
	link = bpf_program__attach_perf_event(program, event);
	if (link)
		polb_take_fd(&event); /* the link's now */
	return link;
}

static struct bpf_link *attach_kernel(
	struct bpf_program *program, const struct polb_bundle_trace_program *p, const char *target)
{
	switch ((enum polb_mechanism)p->mechanism) {
	case POLB_MECHANISM_FENTRY:
	case POLB_MECHANISM_FEXIT:
	case POLB_MECHANISM_FMOD_RET:
	case POLB_MECHANISM_TP_BTF:
		return bpf_program__attach_trace(program);
	case POLB_MECHANISM_LSM:
	case POLB_MECHANISM_LSM_SLEEPABLE:
		return bpf_program__attach_lsm(program);
	case POLB_MECHANISM_KPROBE:
		return bpf_program__attach_kprobe(program, false, target);
	case POLB_MECHANISM_KRETPROBE:
		return bpf_program__attach_kprobe(program, true, target);
	case POLB_MECHANISM_TRACEPOINT:
		return attach_tracepoint(program, target);
	case POLB_MECHANISM_RAW_TRACEPOINT:
		return bpf_program__attach_raw_tracepoint(program, target);
	case POLB_MECHANISM_UPROBE:
	case POLB_MECHANISM_URETPROBE:
	case POLB_MECHANISM_USDT:
	case POLB_N_MECHANISMS:
		break;
	}
	errno = EINVAL;
	return NULL;
}

static int keep(struct pold_trace *t, uint32_t hook, struct bpf_link *link)
{
	struct pold_trace_link *larger = realloc(t->links, (t->n_links + 1) * sizeof(*t->links));
	uint32_t number = 0;

	if (!larger) {
		bpf_link__destroy(link);
		return -ENOMEM;
	}
	t->links = larger;
	for (size_t i = 0; i < t->n_links; i++)
		number += larger[i].hook == hook;
	larger[t->n_links++] =
		(struct pold_trace_link){.link = link, .hook = hook, .number = number};
	return 0;
}

static int attach_spot(struct pold_trace *t, uint32_t hook, struct bpf_program *program,
	const struct polb_bundle_trace_program *p, const struct pold_spot *spot, uint32_t cookie)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .ref_ctr_offset = spot->ref_ctr_offset,
		.bpf_cookie = cookie, .retprobe = p->mechanism == POLB_MECHANISM_URETPROBE);
	struct bpf_link *link = bpf_program__attach_uprobe_opts(
		program, -1, polb_bundle_string(t->bundle, p->target), spot->offset, &opts);

	return link ? keep(t, hook, link) : -errno;
}

/* --- USDT ------------------------------------------------------------------------------------- */

static bool all_alike(const struct pold_spots *spots)
{
	for (size_t i = 1; i < spots->n; i++)
		if (strcmp(spots->items[i].arguments, spots->items[0].arguments) != 0)
			return false;
	return true;
}

static int write_arguments(int fd, uint32_t probe, uint32_t location, const char *text)
{
	const struct polb_usdt_key key = {.probe = probe, .location = location};
	struct polb_usdt value;

	pold_usdt_parse(text, &value);
	return bpf_map_update_elem(fd, &key, &value, BPF_ANY) ? -errno : 0;
}

/* Places whose arguments differ are told apart by cookies, which links carry from 5.15 on. */
static int attach_usdt(struct pold_trace *t, uint32_t hook, struct bpf_program *program,
	const struct polb_instance *instance, const struct polb_bundle_trace_program *p,
	const struct pold_spots *spots)
{
	int fd = polb_instance_map_fd(instance, "polt_usdt"), err = 0;
	bool alike = all_alike(spots);

	for (uint32_t i = 0; !err && i < spots->n; i++) {
		uint32_t location = alike ? 0 : i + 1;

		if (fd >= 0 && (i == 0 || !alike))
			err = write_arguments(fd, p->usdt, location, spots->items[i].arguments);
		if (!err)
			err = attach_spot(t, hook, program, p, &spots->items[i], location);
	}
	return err;
}

static int attach_user(struct pold_trace *t, uint32_t hook, struct bpf_program *program,
	const struct polb_instance *instance, const struct polb_bundle_trace_program *p,
	char why[POLD_WHY])
{
	struct pold_spots spots = {0};
	int err = pold_uprobe_resolve(t->bundle, p, &spots, why) == POLD_CAN ? 0 : -ENOENT;

	if (!err && p->mechanism == POLB_MECHANISM_USDT)
		err = attach_usdt(t, hook, program, instance, p, &spots);
	else if (!err)
		err = attach_spot(t, hook, program, p, &spots.items[0], 0);
	if (err == -EOPNOTSUPP)
		snprintf(why, POLD_WHY,
			"the probe's places have different arguments, which this kernel cannot "
			"tell apart (it has no cookies)");
	pold_spots_free(&spots);
	return err;
}

/* --- all -------------------------------------------------------------------------------------- */

static int attach_program(struct pold_trace *t, uint32_t hook, const struct polb_instance *instance,
	const struct polb_bundle_trace_program *p, char why[POLD_WHY])
{
	struct bpf_program *program =
		polb_instance_program(instance, polb_bundle_string(t->bundle, p->name));
	const char *target = polb_bundle_string(t->bundle, p->target);
	struct bpf_link *link;
	int err;

	if (!program)
		return -ENOENT;
	if (p->mechanism == POLB_MECHANISM_UPROBE || p->mechanism == POLB_MECHANISM_URETPROBE ||
		p->mechanism == POLB_MECHANISM_USDT)
		return attach_user(t, hook, program, instance, p, why);
	link = attach_kernel(program, p, target);
	err = link ? keep(t, hook, link) : -errno;
	if (err == -EINVAL && (p->flags & POLB_PROGRAM_OVERRIDES))
		snprintf(why, POLD_WHY, "this kernel does not allow %s to be overridden", target);
	return err;
}

static int attach_hook(struct pold_trace *t, uint32_t hook, const struct polb_instance *instance)
{
	const struct polb_bundle_trace_hook *h = &t->bundle->trace_hooks[hook];
	const struct polb_bundle_trace_alternative *a;
	char why[POLD_WHY] = "";
	int err = 0;

	if (t->chosen[hook] == POLB_NO_ALTERNATIVE)
		return POLD_OK;
	a = &t->bundle->trace_alternatives[h->first_alternative + t->chosen[hook]];
	for (uint32_t i = 0; !err && i < a->n_programs; i++)
		err = attach_program(
			t, hook, instance, &t->bundle->trace_programs[a->first_program + i], why);
	if (!err)
		return POLD_OK;
	if (!why[0])
		snprintf(why, sizeof(why), "cannot be attached: %s", strerror(-err));
	return pold_trace_refused(t, hook, why) ? -EAGAIN : pold_trace_refuse(t, hook);
}

int pold_trace_attach(struct pold_trace *t, const struct polb_instance *instance)
{
	int result = POLD_OK;

	for (int tracking = 1; tracking >= 0; tracking--)
		for (uint32_t i = 0; !result && i < t->bundle->n_trace_hooks; i++)
			if (!(t->bundle->trace_hooks[i].flags & POLB_TRACE_TRACKING) == !tracking)
				result = attach_hook(t, i, instance);
	if (result)
		pold_trace_detach(t);
	return result;
}

/* --- pins ------------------------------------------------------------------------------------- */

/* The array that keeps perf events without links alive. */
static int events_array(int *fd, uint32_t entries, const char *name, uint32_t generation)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = PRESERVE_ELEMS);

	if (*fd >= 0)
		return 0;
	*fd = bpf_map_create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, "polc_perf", sizeof(__u32),
		sizeof(__u32), entries, &opts);
	return *fd < 0 ? -errno
		       : pold_pin_put(*fd, POLD_ROOT "/%s/g%u/perf_events", name, generation);
}

static int pin_hooks(const struct pold_trace *t, const char *name, uint32_t generation)
{
	uint32_t n = (uint32_t)t->bundle->n_trace_hooks;
	POLB_FD fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "polc_hooks", sizeof(__u32),
		sizeof(struct pold_trace_hook), n ? n : 1, NULL);

	if (fd < 0)
		return -errno;
	for (uint32_t i = 0; i < n; i++) {
		struct pold_trace_hook hook = {.alternative = t->chosen[i]};

		for (size_t k = 0; k < t->n_links; k++)
			hook.links += t->links[k].hook == i;
		if (bpf_map_update_elem(fd, &i, &hook, BPF_ANY))
			return -errno;
	}
	return pold_pin_put(fd, POLD_ROOT "/%s/g%u/trace_hooks", name, generation);
}

/* Before 5.15 the descriptor of an attached perf event is the event itself, not a link: -EINVAL. */
static int pin_link(struct pold_trace_link *l, uint32_t index, uint32_t total, int *events_fd,
	const char *name, uint32_t generation)
{
	int fd = bpf_link__fd(l->link);
	int err =
		pold_pin_put(fd, POLD_ROOT "/%s/g%u/t%u_%u", name, generation, l->hook, l->number);

	if (err == -EINVAL) {
		err = events_array(events_fd, total, name, generation);
		if (!err && bpf_map_update_elem(*events_fd, &index, &fd, BPF_ANY))
			err = -errno;
	}
	l->pinned = !err;
	return err;
}

int pold_trace_pin(struct pold_trace *t, const char *name, uint32_t generation)
{
	POLB_FD events_fd = -1;
	int err = pin_hooks(t, name, generation);

	for (uint32_t i = 0; !err && i < t->n_links; i++)
		err = pin_link(&t->links[i], i, (uint32_t)t->n_links, &events_fd, name, generation);
	return err;
}
