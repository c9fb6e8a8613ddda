/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is said about the process of a described call. */
#include <string.h>

#include "../ir/lower_tracing.h"
#include "call_private.h"

static bool is_unreadable(const char *value)
{
	return !strcmp(value, "?");
}

static void complain_value(
	struct polc_call_reader *r, const struct polc_call_fact *fact, const char *what)
{
	polc_call_complain(r, fact->span, NULL, "%s: '%s' is no %s", fact->key, fact->value, what);
}

/* ---- texts and numbers ---- */

static void read_string(struct polc_call_reader *r, const char *key, struct polc_call_string *out)
{
	const struct polc_call_fact *fact = polc_call_find(r, key);

	if (!fact)
		return;
	out->said = is_unreadable(fact->value) ? POLC_UNREADABLE : POLC_SAID;
	if (!polc_call_parse_bytes(&r->polc->arena, fact->value, &out->text))
		complain_value(r, fact, "path: \\ stands before 0, n, t, \\ and xNN");
}

/* What is between commas; nothing at all: no items. */
static void split(struct polc_arena *arena, const char *text, polc_strings *out)
{
	while (*text) {
		size_t n = strcspn(text, ",");
		size_t blanks = strspn(text, " ");

		if (blanks > n)
			blanks = n;
		*polc_vec_push(arena, out) = (struct polc_string){
			polc_arena_strndup(arena, text + blanks, n - blanks), n - blanks};
		text += n + (text[n] == ',');
	}
}

static void read_list(struct polc_call_reader *r, const char *key, struct polc_call_list *out)
{
	const struct polc_call_fact *fact = polc_call_find(r, key);

	if (!fact)
		return;
	out->said = is_unreadable(fact->value) ? POLC_UNREADABLE : POLC_SAID;
	split(&r->polc->arena, fact->value, &out->texts);
}

static bool parse_pid(const char *text, uint64_t *out)
{
	return polc_parse_integer(text, strlen(text), 4, false, out) == POLC_PARSED;
}

static void read_pid(struct polc_call_reader *r, const char *key, struct polc_call_number *out)
{
	const struct polc_call_fact *fact = polc_call_find(r, key);

	if (!fact)
		return;
	out->said = is_unreadable(fact->value) ? POLC_UNREADABLE : POLC_SAID;
	if (out->said == POLC_SAID && !parse_pid(fact->value, &out->value))
		complain_value(r, fact, "pid");
}

static void read_pids(struct polc_call_reader *r, const char *key, struct polc_call_list *out)
{
	const struct polc_call_fact *fact = polc_call_find(r, key);
	uint64_t pid;

	if (!fact)
		return;
	read_list(r, key, out);
	for (size_t i = 0; i < out->texts.n; i++) {
		if (out->said != POLC_SAID)
			return;
		if (!parse_pid(out->texts.items[i].bytes, &pid)) {
			complain_value(r, fact, "list of pids");
			return;
		}
		*polc_vec_push(&r->polc->arena, &out->numbers) = pid;
	}
}

/* ---- namespaces ---- */

static void read_namespace(struct polc_call_reader *r, const char *key, struct polc_call_ns *out)
{
	const struct polc_call_fact *fact = polc_call_find(r, key);
	uint64_t number;

	if (!fact)
		return;
	if (out->said != POLC_NOT_SAID)
		polc_call_complain(
			r, fact->key_span, NULL, "user-namespace and ns.User are the same");
	out->said = is_unreadable(fact->value) ? POLC_UNREADABLE : POLC_SAID;
	if (out->said == POLC_UNREADABLE)
		return;
	if (!strcmp(fact->value, "host") || !strcmp(fact->value, "host_ns"))
		out->kind = POLC_NS_HOST;
	else if (!strcmp(fact->value, "other"))
		out->kind = POLC_NS_OTHER;
	else if (parse_pid(fact->value, &number) && number)
		out->number = (uint32_t)number;
	else
		complain_value(r, fact, "namespace: a number, host or other");
}

static void read_changes(struct polc_call_reader *r)
{
	const struct polc_call_fact *fact = polc_call_find(r, "changed-ns");
	polc_strings types = {0};
	enum polb_namespace ns;

	if (!fact)
		return;
	r->call->process.changes_said = true;
	split(&r->polc->arena, fact->value, &types);
	for (size_t i = 0; i < types.n; i++) {
		if (polc_parse_namespace(types.items[i].bytes, &ns))
			r->call->process.changed_ns |= 1u << ns;
		else
			complain_value(r, fact, "list of types of namespaces");
	}
}

static void read_namespaces(struct polc_call_reader *r)
{
	static const char *const names[] = {
#define X(name, text) text,
		POLB_NAMESPACES(X)
#undef X
	};
	struct polc_call_process *process = &r->call->process;

	for (unsigned i = 0; i < POLB_N_NAMESPACES; i++) {
		read_namespace(
			r, polc_arena_printf(&r->polc->arena, "ns.%s", names[i]), &process->ns[i]);
		read_namespace(r, polc_arena_printf(&r->polc->arena, "old-ns.%s", names[i]),
			&process->old_ns[i]);
	}
	read_namespace(r, "user-namespace", &process->ns[POLB_NS_USER]);
	read_changes(r);
}

/* ---- capabilities ---- */

static void read_caps(struct polc_call_reader *r, const char *key, struct polc_call_number *out)
{
	const struct polc_call_fact *fact = polc_call_find(r, key);

	if (!fact)
		return;
	out->said = is_unreadable(fact->value) ? POLC_UNREADABLE : POLC_SAID;
	if (out->said == POLC_SAID &&
		!polc_call_parse_caps(&r->polc->arena, fact->value, &out->value))
		complain_value(r, fact, "list of capabilities");
}

static void read_all_caps(struct polc_call_reader *r)
{
	static const char *const names[][2] = {
		[POLB_CAPS_PERMITTED] = {"permitted", "old-permitted"},
		[POLB_CAPS_EFFECTIVE] = {"effective", "old-effective"},
		[POLB_CAPS_INHERITABLE] = {"inheritable", "old-inheritable"},
	};

	for (unsigned i = 0; i < POLB_N_CAPS; i++) {
		read_caps(r, names[i][0], &r->call->process.caps[i]);
		read_caps(r, names[i][1], &r->call->process.old_caps[i]);
	}
}

/* ---- workloads ---- */

static void read_pod(struct polc_call_reader *r, const struct polc_call_fact *fact)
{
	struct polb_workload *w = &r->call->process.workload;
	const char *slash = strchr(fact->value, '/');
	const struct polc_pod *pod = NULL;

	if (slash && r->inventory)
		pod = polc_inventory_pod(r->inventory,
			polc_arena_strndup(
				&r->polc->arena, fact->value, (size_t)(slash - fact->value)),
			slash + 1);
	if (!pod) {
		polc_call_complain(r, fact->span,
			slash ? "without an inventory: namespace=..., labels=k=v,..."
			      : "pods are written NAMESPACE/NAME",
			"no pod '%s' in the inventory", fact->value);
		return;
	}
	w->namespace = pod->namespace;
	w->labels = pod->labels.items;
	w->n_labels = pod->labels.n;
	w->labels_known = true;
	/* of a container that is named the inventory knows the image */
	for (size_t i = 0; w->container && i < pod->containers.n; i++)
		if (!strcmp(pod->containers.items[i].name, w->container) && !w->image)
			w->image = pod->containers.items[i].image;
}

static void read_labels(struct polc_call_reader *r, const struct polc_call_fact *fact)
{
	struct polc_arena *arena = &r->polc->arena;
	struct polb_workload *w = &r->call->process.workload;
	polc_strings parts = {0};

	split(arena, fact->value, &parts);
	struct polb_label *labels = POLC_NEW_ARRAY(arena, parts.n + 1, struct polb_label);

	for (size_t i = 0; i < parts.n; i++) {
		const char *text = parts.items[i].bytes, *equals = strchr(text, '=');

		if (!equals) {
			complain_value(r, fact, "list of labels: k=v,k=v");
			return;
		}
		labels[i] = (struct polb_label){
			.source = "k8s",
			.key = polc_arena_strndup(arena, text, (size_t)(equals - text)),
			.value = equals + 1,
		};
	}
	w->labels = labels;
	w->n_labels = parts.n;
	w->labels_known = true;
}

static void read_workload(struct polc_call_reader *r)
{
	struct polc_call_process *process = &r->call->process;
	struct polb_workload *w = &process->workload;
	const struct polc_call_fact *host = polc_call_find(r, "workload"),
				    *pod = polc_call_find(r, "pod"),
				    *namespace = polc_call_find(r, "namespace"),
				    *labels = polc_call_find(r, "labels"),
				    *container = polc_call_find(r, "container"),
				    *image = polc_call_find(r, "image");

	process->workload_said = host || pod || namespace || labels || container || image;
	w->host = host != NULL;
	w->container = container ? container->value : NULL;
	w->image = image ? image->value : NULL;
	w->container_known = container && image;
	if (host && strcmp(host->value, "host") != 0)
		complain_value(r, host, "workload: host, or pod, labels, container");
	if (host && (pod || namespace || labels || container || image))
		polc_call_complain(r, host->key_span, NULL, "a process of the host is in no pod");
	if (pod && (namespace || labels))
		polc_call_complain(r, pod->key_span, NULL,
			"namespace and labels of a pod are those of the inventory");
	if (namespace)
		w->namespace = namespace->value;
	if (labels)
		read_labels(r, labels);
	if (pod)
		read_pod(r, pod);
	w->container_known |= pod && container;
}

void polc_call_read_process(struct polc_call_reader *r)
{
	struct polc_call_process *process = &r->call->process;
	const struct polc_call_fact *record = polc_call_find(r, "process");

	process->unknown = record != NULL;
	if (record && !is_unreadable(record->value))
		complain_value(r, record, "process: ? says that nothing is known of it");
	read_string(r, "binary", &process->binary);
	read_string(r, "parent", &process->parent);
	read_list(r, "ancestors", &process->ancestors);
	read_pid(r, "pid", &process->pid);
	read_pid(r, "nspid", &process->ns_pid);
	read_pids(r, "ancestor-pids", &process->ancestor_pids);
	read_pids(r, "ancestor-nspids", &process->ancestor_ns_pids);
	read_namespaces(r);
	read_all_caps(r);
	read_workload(r);
}
