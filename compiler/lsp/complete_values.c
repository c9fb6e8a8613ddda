/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Values to complete with: from the inventory, from the target's kernel, from the policies. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../ir/trace_names.h"
#include "lsp.h"

/* A kernel has tens of thousands of functions: only so many are sent. */
#define FUNCTIONS_MAX 300

static bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* Distinct texts, sorted */

typedef POLC_VEC(const char *) texts;

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_text(struct lsp_completion *c, texts *list, const char *text)
{
	*polc_vec_push(&c->lsp->scratch, list) = text;
}

/* YAML reads some words as something else than text: `on`, `8080`. */
static bool needs_quotes(const struct lsp_completion *c, const char *text)
{
	const struct polc_yaml scalar = {
		.kind = POLC_YAML_SCALAR, .value = text, .length = strlen(text), .plain = true};

	return !lsp_is_pol(c->place->file) && c->quote_free &&
	       (!*text || polc_yaml_resolve(&scalar) != POLC_YAML_STRING);
}

static void offer_texts(
	struct lsp_completion *c, texts *list, int kind, const char *after, const char *detail)
{
	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), compare_texts);
	for (size_t i = 0; i < list->n; i++) {
		const char *text = list->items[i];
		const char *quote = needs_quotes(c, text) ? "\"" : "";

		if (i && !strcmp(text, list->items[i - 1]))
			continue;
		lsp_offer(c, text,
			polc_arena_printf(&c->lsp->scratch, "%s%s%s%s", quote, text, quote, after),
			kind, detail, NULL);
	}
}

/* Labels */

struct label_search {
	struct lsp_completion *c;
	texts list;
	const char *key; /* NULL: keys are wanted */
};

static void take_label(struct label_search *search, const struct polb_label *labels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!search->key)
			add_text(search->c, &search->list, labels[i].key);
		else if (!strcmp(labels[i].key, search->key))
			add_text(search->c, &search->list, labels[i].value);
	}
}

#define TAKE_ALL(search, objects)                                                                  \
	for (size_t i = 0; i < (objects).n; i++)                                                   \
	take_label(search, (objects).items[i].labels.items, (objects).items[i].labels.n)

static void collect_labels(struct label_search *search, enum lsp_owner owner)
{
	const struct polc_inventory *inventory = &search->c->lsp->analysis->input.inventory;

	switch (owner) {
	case LSP_OWNER_PODS:
		TAKE_ALL(search, inventory->pods);
		break;
	case LSP_OWNER_NAMESPACES:
		TAKE_ALL(search, inventory->namespaces);
		break;
	case LSP_OWNER_NODES:
		TAKE_ALL(search, inventory->nodes);
		break;
	case LSP_OWNER_SERVICES:
		TAKE_ALL(search, inventory->services);
		break;
	case LSP_OWNER_CIDR_GROUPS:
		TAKE_ALL(search, inventory->cidr_groups);
		break;
	case LSP_OWNER_CONTAINERS:
		break;
	}
}

void lsp_offer_label_keys(struct lsp_completion *c, enum lsp_owner owner, const char *after)
{
	struct label_search search = {.c = c};

	collect_labels(&search, owner);
	if (owner == LSP_OWNER_PODS)
		add_text(c, &search.list, "io.kubernetes.pod.namespace");
	if (owner == LSP_OWNER_CONTAINERS) {
		add_text(c, &search.list, "name");
		add_text(c, &search.list, "repo");
	}
	offer_texts(c, &search.list, LSP_ITEM_REFERENCE, after, "label");
}

void lsp_offer_label_values(struct lsp_completion *c, enum lsp_owner owner, const char *key)
{
	struct label_search search = {.c = c};
	const char *colon = strchr(key, ':');

	search.key = colon ? colon + 1 : key; /* k8s:app */
	collect_labels(&search, owner);
	if (!strcmp(search.key, "io.kubernetes.pod.namespace"))
		lsp_offer_namespaces(c);
	offer_texts(c, &search.list, LSP_ITEM_REFERENCE, "", search.key);
}

/* Names */

void lsp_offer_namespaces(struct lsp_completion *c)
{
	const struct polc_inventory *inventory = &c->lsp->analysis->input.inventory;
	texts list = {0};

	for (size_t i = 0; i < inventory->namespaces.n; i++)
		add_text(c, &list, inventory->namespaces.items[i].name);
	offer_texts(c, &list, LSP_ITEM_REFERENCE, "", "namespace");
}

void lsp_offer_ports(struct lsp_completion *c, bool prefixed)
{
	static const char *const protocols[] = {
		"tcp/", "udp/", "sctp/", "any/", "icmp/", "icmpv6/", NULL};
	const struct polc_inventory *inventory = &c->lsp->analysis->input.inventory;
	texts list = {0};

	for (size_t i = 0; i < inventory->pods.n; i++) {
		const struct polc_pod *pod = &inventory->pods.items[i];

		for (size_t j = 0; j < pod->ports.n; j++) {
			const struct polb_named_port *port = &pod->ports.items[j];
			const char *before = port->protocol == 17    ? "udp/"
					     : port->protocol == 132 ? "sctp/"
								     : "tcp/";

			add_text(c, &list,
				polc_arena_printf(&c->lsp->scratch, "%s%s", prefixed ? before : "",
					port->name));
		}
	}
	offer_texts(c, &list, LSP_ITEM_REFERENCE, "", "named port");
	if (prefixed)
		lsp_offer_words(c, protocols, LSP_ITEM_VALUE);
}

void lsp_offer_services(struct lsp_completion *c)
{
	const struct polc_inventory *inventory = &c->lsp->analysis->input.inventory;
	texts list = {0};

	for (size_t i = 0; i < inventory->services.n; i++)
		add_text(c, &list, inventory->services.items[i].name);
	offer_texts(c, &list, LSP_ITEM_REFERENCE, "", "service");
}

void lsp_offer_cidr_groups(struct lsp_completion *c)
{
	const struct polc_inventory *inventory = &c->lsp->analysis->input.inventory;
	texts list = {0};

	for (size_t i = 0; i < inventory->cidr_groups.n; i++)
		add_text(c, &list, inventory->cidr_groups.items[i].name);
	offer_texts(c, &list, LSP_ITEM_REFERENCE, "", "CiliumCIDRGroup");
}

void lsp_offer_entities(struct lsp_completion *c)
{
	static const char *const entities[] = {"all", "world", "world-ipv4", "world-ipv6", "host",
		"remote-node", "cluster", "init", "ingress", "health", "unmanaged",
		"kube-apiserver", "none", NULL};

	lsp_offer_words(c, entities, LSP_ITEM_VALUE);
	if (lsp_is_pol(c->place->file))
		lsp_offer(c, "kube-dns-resolvers", NULL, LSP_ITEM_VALUE, NULL,
			"The pods with k8s-app = kube-dns in namespace kube-system.");
}

/* The kernel */

static const struct polc_target *a_target(const struct lsp *lsp)
{
	return lsp->targets.n_targets ? lsp->targets.targets[0] : lsp->targets.fallback;
}

/* Names of functions that begin as `before` and what is typed; `before` is left out. */
static void offer_functions(struct lsp_completion *c, const char *before, const char *detail)
{
	const struct polc_target *target = a_target(c->lsp);
	struct polc_buf pattern = {.arena = &c->lsp->scratch};
	const char *const *names;
	struct polc polc;
	size_t n = 0, sent = 0;

	if (!target)
		return;
	polc_buf_printf(&pattern, "^%s", before);
	for (const char *p = c->prefix; *p; p++)
		polc_buf_printf(&pattern, isalnum((unsigned char)*p) || *p == '_' ? "%c" : "[%c]",
			*p == '^' || *p == ']' || *p == '\\' ? '_' : *p);
	polc_init(&polc);
	if (polc_target_functions_matching(&polc, target, pattern.p, &names, &n) < 0)
		n = 0;
	for (size_t i = 0; i < n && sent < FUNCTIONS_MAX; i++, sent++)
		lsp_offer(c, names[i] + strlen(before), NULL, LSP_ITEM_FUNCTION, detail, NULL);
	c->incomplete |= sent < n;
	polc_free(&polc);
}

void lsp_offer_functions(struct lsp_completion *c)
{
	offer_functions(c, "", "kernel function");
}

void lsp_offer_lsm_hooks(struct lsp_completion *c)
{
	offer_functions(c, "bpf_lsm_", "LSM hook");
}

void lsp_offer_syscalls(struct lsp_completion *c, const char *before)
{
	size_t n;
	const char *const *names = polc_syscall_names(POLC_ABI_X64, &n);

	for (size_t i = 0; i < n; i++)
		if (names[i] && *names[i])
			lsp_offer(c, polc_arena_printf(&c->lsp->scratch, "%s%s", before, names[i]),
				NULL, LSP_ITEM_FUNCTION, "system call", NULL);
}

/* Tables */

void lsp_offer_types(struct lsp_completion *c)
{
	for (uint8_t i = 0; i < POLB_N_TRACE_TYPES; i++)
		lsp_offer(c, polc_trace_type_name(i), NULL, LSP_ITEM_VALUE, "type", NULL);
}

void lsp_offer_capabilities(struct lsp_completion *c)
{
	static const char *const names[] = {
#define X(name, number) "CAP_" #name,
		POLC_CAPABILITIES(X)
#undef X
			NULL};

	lsp_offer_words(c, names, LSP_ITEM_VALUE);
}

static void offer_networks(struct lsp_completion *c, const char *what)
{
	static const char *const families[] = {
#define X(name, number) "AF_" #name,
		POLC_FAMILIES(X)
#undef X
			NULL};
	static const char *const protocols[] = {
#define X(name, number) "IPPROTO_" #name,
		POLC_IP_PROTOCOLS(X)
#undef X
			NULL};
	static const char *const states[] = {
#define X(name, number) "TCP_" #name,
		POLC_TCP_STATES(X)
#undef X
			NULL};

	if (!strcasecmp(what, "family"))
		lsp_offer_words(c, families, LSP_ITEM_VALUE);
	else if (!strcasecmp(what, "protocol"))
		lsp_offer_words(c, protocols, LSP_ITEM_VALUE);
	else if (!strcasecmp(what, "state"))
		lsp_offer_words(c, states, LSP_ITEM_VALUE);
}

void lsp_offer_operands(struct lsp_completion *c, const char *what)
{
	static const char *const file_types[] = {
#define X(word, long_word, mode) word,
		POLC_FILE_TYPES(X)
#undef X
			NULL};

	offer_networks(c, what);
	if (!strcasecmp(what, "filetype") || !strcasecmp(what, "notfiletype") ||
		!strcmp(what, "file-type"))
		lsp_offer_words(c, file_types, LSP_ITEM_VALUE);
	if (begins(what, "cap"))
		lsp_offer_capabilities(c);
}

/* The policies of the same file */

void lsp_offer_macros(struct lsp_completion *c)
{
	const struct polc_input *input = &c->lsp->analysis->input;
	texts list = {0};

	for (size_t i = 0; i < input->tracings.n; i++) {
		const struct polc_ast_tracing *policy = input->tracings.items[i];

		for (size_t j = 0;
			j < policy->macros.n && policy->span.source == c->place->file->source; j++)
			add_text(c, &list, policy->macros.items[j].name.text);
	}
	offer_texts(c, &list, LSP_ITEM_REFERENCE, "", "macro");
}

void lsp_offer_lists(struct lsp_completion *c)
{
	const struct polc_input *input = &c->lsp->analysis->input;
	texts list = {0};

	for (size_t i = 0; i < input->tracings.n; i++) {
		const struct polc_ast_tracing *policy = input->tracings.items[i];

		for (size_t j = 0;
			j < policy->lists.n && policy->span.source == c->place->file->source; j++)
			if (policy->lists.items[j].name.text)
				add_text(c, &list,
					polc_arena_printf(&c->lsp->scratch, "list:%s",
						policy->lists.items[j].name.text));
	}
	offer_texts(c, &list, LSP_ITEM_REFERENCE, "", "list");
}
