/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* identity add|del|list: who an address is, told while a bundle is in force. */
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"

#define FIRST_LOCAL_IDENTITY 0x01000001u

/* Kind, its bits, its reserved number (0: by labels). */
static const struct {
	const char *name;
	uint32_t kinds, number;
} kinds[] = {
	{"pod", POLB_KIND_POD, 0},
	{"world", POLB_KIND_WORLD, 2},
	{"host", POLB_KIND_HOST, 1},
	{"remote-node", POLB_KIND_REMOTE_NODE, 6},
	{"kube-apiserver", POLB_KIND_KUBE_APISERVER, 7},
	{"health", POLB_KIND_HEALTH, 4},
	{"init", POLB_KIND_INIT, 5},
	{"ingress", POLB_KIND_INGRESS, 8},
	{"unmanaged", POLB_KIND_UNMANAGED, 3},
};

static int parse_kind(const char *text, const struct polb_addr *addr, struct pold_identity *out)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(text, kinds[i].name) != 0)
			continue;
		out->kinds = kinds[i].kinds;
		out->number = kinds[i].number;
		if (kinds[i].kinds == POLB_KIND_WORLD)
			out->kinds = polb_kinds_world(addr);
		return POLD_OK;
	}
	return pold_fail(POLD_USAGE,
		"--kind: \"%s\" is not pod, world, host, remote-node, "
		"kube-apiserver, health, init, ingress or unmanaged",
		text);
}

static int push(struct pold_identity *out, const char *text, size_t n)
{
	if (out->labels_size + n + 1 > sizeof(out->labels))
		return pold_fail(POLD_USAGE, "too many labels");
	memcpy(out->labels + out->labels_size, text, n);
	out->labels_size += (uint32_t)n;
	out->labels[out->labels_size++] = '\0';
	return POLD_OK;
}

static int push_label(struct pold_identity *out, const char *source, const char *key, size_t key_n,
	const char *value)
{
	int code = push(out, source, strlen(source));

	if (!code)
		code = push(out, key, key_n);
	return code ? code : push(out, value, strlen(value));
}

/* "key=value", or "source:key=value"; the source is k8s when none is given. */
static int push_argument(struct pold_identity *out, const char *text)
{
	const char *equals = strchr(text, '='), *colon = strchr(text, ':');
	char source[64] = "k8s";

	if (colon && colon < equals) {
		if ((size_t)(colon - text) >= sizeof(source))
			return pold_fail(
				POLD_USAGE, "--label: the source of \"%s\" is too long", text);
		memcpy(source, text, (size_t)(colon - text));
		source[colon - text] = '\0';
		text = colon + 1;
	}
	return push_label(out, source, text, (size_t)(equals - text), equals + 1);
}

static const struct polb_bundle_label *find_label(const struct polb_bundle *bundle,
	const struct polb_bundle_identity *identity, const char *key, const char *value)
{
	for (uint32_t i = 0; i < identity->n_labels; i++) {
		const struct polb_bundle_label *label = &bundle->labels[identity->first_label + i];

		if (strcmp(polb_bundle_string(bundle, label->key), key) == 0 &&
			strcmp(polb_bundle_string(bundle, label->value), value) == 0)
			return label;
	}
	return NULL;
}

/* The labels of a namespace, as another identity of the bundle in it has them. */
static int push_namespace_labels(
	const struct polb_bundle *b, const char *namespace, struct pold_identity *out)
{
	static const char prefix[] = "io.cilium.k8s.namespace.labels.";
	static const char own_name[] = "io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name";
	int code = POLD_OK;

	for (size_t i = 0; i < b->n_identities; i++) {
		const struct polb_bundle_identity *identity = &b->identities[i];

		if (!find_label(b, identity, "io.kubernetes.pod.namespace", namespace))
			continue;
		for (uint32_t l = 0; !code && l < identity->n_labels; l++) {
			const struct polb_bundle_label *label =
				&b->labels[identity->first_label + l];
			const char *key = polb_bundle_string(b, label->key);

			if (strncmp(key, prefix, sizeof(prefix) - 1) == 0)
				code = push_label(out, polb_bundle_string(b, label->source), key,
					strlen(key), polb_bundle_string(b, label->value));
		}
		return code;
	}
	return push_label(out, "k8s", own_name, sizeof(own_name) - 1, namespace);
}

static int push_pod_labels(
	const struct polb_bundle *bundle, const char *namespace, struct pold_identity *out)
{
	static const char key[] = "io.kubernetes.pod.namespace";
	static const char cluster[] = "io.cilium.k8s.policy.cluster";
	const char *name = polb_bundle_string(bundle, bundle->manifest.cluster_name);
	int code = push_label(out, "k8s", key, sizeof(key) - 1, namespace);

	if (!code)
		code = push_label(
			out, "k8s", cluster, sizeof(cluster) - 1, *name ? name : "default");
	return code ? code : push_namespace_labels(bundle, namespace, out);
}

struct numbering {
	const struct pold_identity *wanted;
	uint32_t same, next;
};

static int number_one(
	void *context, const struct pold_identity_key *key, const struct pold_identity *identity)
{
	struct numbering *n = context;

	(void)key;
	if (identity->kinds == n->wanted->kinds &&
		identity->labels_size == n->wanted->labels_size &&
		memcmp(identity->labels, n->wanted->labels, identity->labels_size) == 0)
		n->same = identity->number;
	if (identity->number >= n->next)
		n->next = identity->number + 1;
	return 0;
}

static int describe(const struct pold_options *options, const struct pold_state *state,
	const struct polb_addr *addr, int identities_fd, struct pold_identity *out)
{
	struct numbering numbering = {.wanted = out, .next = FIRST_LOCAL_IDENTITY};
	const char *kind = options->kind ? options->kind : "pod";
	int code = parse_kind(kind, addr, out);

	if (!code && (out->kinds & POLB_KIND_POD))
		code = push_pod_labels(
			&state->bundle, options->namespace ? options->namespace : "default", out);
	else if (!code && options->namespace)
		code = pold_fail(POLD_USAGE, "--namespace is for pods only");
	for (uint32_t i = 0; !code && i < options->n_labels; i++)
		code = push_argument(out, options->labels[i]);
	if (code || out->number)
		return code;
	pold_identities_each(identities_fd, number_one, &numbering);
	out->number = numbering.same ? numbering.same : numbering.next;
	return POLD_OK;
}

static int write_identity(struct pold_state *state, int identities_fd, const struct polb_addr *addr,
	const struct pold_identity *identity)
{
	const struct pold_identity_key key = {.addr = *addr};
	struct pold_identity before;
	bool existed = bpf_map_lookup_elem(identities_fd, &key, &before) == 0;
	int code;

	if (bpf_map_update_elem(identities_fd, &key, identity, BPF_ANY))
		return pold_fail(POLD_ENVIRONMENT, "cannot keep the identity: %s", strerror(errno));
	code = pold_identity_install(
		&state->bundle, state->name, state->generation, addr, identity);
	if (!code)
		return pold_state_bump(state);
	if (existed)
		bpf_map_update_elem(identities_fd, &key, &before, BPF_ANY);
	else
		bpf_map_delete_elem(identities_fd, &key);
	return code;
}

static int parse_address(const struct pold_options *options, struct polb_addr *out)
{
	if (polb_addr_parse(options->arguments[1], out) == 0)
		return POLD_OK;
	return pold_fail(POLD_USAGE, "\"%s\" is not an address", options->arguments[1]);
}

static int open_identities(
	const struct pold_options *options, struct pold_state *state, bool write, int *out)
{
	int code = pold_state_open(state, options->name, write);

	if (code)
		return code;
	*out = pold_identities_open(state->name, write);
	if (*out >= 0 || (*out == -ENOENT && !write))
		return POLD_OK;
	return pold_fail(POLD_ENVIRONMENT, "cannot open the identities: %s", strerror(-*out));
}

static int add(const struct pold_options *options, struct pold_state *state)
{
	struct pold_identity identity = {0};
	POLB_FD identities_fd = -1;
	struct polb_addr addr;
	int code = parse_address(options, &addr);

	if (!code)
		code = open_identities(options, state, true, &identities_fd);
	if (!code)
		code = describe(options, state, &addr, identities_fd, &identity);
	return code ? code : write_identity(state, identities_fd, &addr, &identity);
}

static int del(const struct pold_options *options, struct pold_state *state)
{
	struct pold_identity_key key = {0};
	struct pold_identity identity;
	POLB_FD identities_fd = -1;
	int code = parse_address(options, &key.addr), err;

	if (!code)
		code = open_identities(options, state, true, &identities_fd);
	if (code)
		return code;
	if (bpf_map_lookup_elem(identities_fd, &key, &identity))
		return pold_fail(POLD_ENVIRONMENT, "%s was not added", options->arguments[1]);
	err = pold_identity_restore(
		&state->bundle, state->name, state->generation, &key.addr, state->archive->node);
	if (err || bpf_map_delete_elem(identities_fd, &key))
		return pold_fail(POLD_ENVIRONMENT, "cannot remove %s: %s", options->arguments[1],
			strerror(err ? -err : errno));
	return pold_state_bump(state);
}

struct listing {
	const struct pold_state *state;
	int identities_fd;
	bool json, any;
};

static int list_one(
	void *context, const struct pold_identity_key *key, const struct pold_identity *identity)
{
	struct listing *listing = context;
	char address[POLB_ADDR_TEXT], labels[2048];

	polb_addr_format(&key->addr, address);
	pold_identity_text(&listing->state->bundle, listing->identities_fd, identity->number,
		labels, sizeof(labels));
	if (listing->json) {
		printf("%s{\"address\":\"%s\",\"identity\":%u,\"labels\":", listing->any ? "," : "",
			address, identity->number);
		pold_json_string(labels);
		putchar('}');
	} else {
		printf("%-40s %10u  %s\n", address, identity->number, labels);
	}
	listing->any = true;
	return 0;
}

static int list(const struct pold_options *options, struct pold_state *state)
{
	POLB_FD identities_fd = -1;
	int code = open_identities(options, state, false, &identities_fd);
	struct listing listing = {.state = state,
		.identities_fd = identities_fd,
		.json = options->output && strcmp(options->output, "json") == 0};

	if (code)
		return code;
	if (listing.json)
		putchar('[');
	else
		printf("%-40s %10s  %s\n", "ADDRESS", "IDENTITY", "LABELS");
	if (identities_fd >= 0)
		pold_identities_each(identities_fd, list_one, &listing);
	if (listing.json)
		puts("]");
	return POLD_OK;
}

int pold_cmd_identity(const struct pold_options *options)
{
	static const struct pold_actions actions = {.usage = "identity add|del ADDRESS | list ...",
		.add = add,
		.del = del,
		.list = list};

	return pold_actions_run(&actions, options);
}
