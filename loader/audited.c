/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's sums of what audit mode has let pass: read, and carried from a generation to the
 * next, so that an audit period goes over applies.
 */
#include "audited.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "told.h"

#define TEXT_BYTES 2048

static bool is_overflow(const struct polb_audited_key *key)
{
	static const struct polb_audited_key overflow;

	return memcmp(key, &overflow, sizeof(overflow)) == 0;
}

/* New entries may come while the map is read: there is room for as many as it can have. */
int pold_audited_read(
	const struct pold_state *state, struct pold_audited **out, size_t *n, uint64_t *not_kept)
{
	POLB_FD fd = pold_state_map(state, "polt_audited");
	POLB_FREE struct pold_audited *all = NULL;
	struct polb_audited_key key, *previous = NULL;
	size_t count = 0;

	*not_kept = 0;
	if (fd < 0)
		return fd;
	all = calloc(POLB_AUDITED_ENTRIES + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	while (count <= POLB_AUDITED_ENTRIES && bpf_map_get_next_key(fd, previous, &key) == 0) {
		previous = &key;
		if (bpf_map_lookup_elem(fd, &key, &all[count].value))
			continue;
		all[count].key = key;
		if (is_overflow(&key))
			*not_kept = all[count].value.packets;
		else
			count++;
	}
	*out = POLB_TAKE(all);
	*n = count;
	return 0;
}

int pold_audited_reset(const struct pold_state *state)
{
	static const struct polb_audited nothing;
	POLB_FD fd = pold_state_map(state, "polt_audited");
	POLB_FREE struct pold_audited *all = NULL;
	static const struct polb_audited_key overflow;
	uint64_t not_kept = 0;
	size_t n = 0;
	int err = pold_audited_read(state, &all, &n, &not_kept);

	if (err)
		return err == -ENOENT ? 0 : err;
	for (size_t i = 0; !err && i < n; i++)
		if (bpf_map_delete_elem(fd, &all[i].key) && errno != ENOENT)
			err = -errno;
	/* stays: the programs only add to it */
	if (!err && bpf_map_update_elem(fd, &overflow, &nothing, BPF_EXIST) && errno != ENOENT)
		err = -errno;
	return err;
}

/* --- identities of one bundle as another numbers them -------------------------------------------
 */

struct named {
	uint32_t number;
	char *text;
};
struct naming {
	const char *name; /* under which both are applied */
	const struct polb_bundle *old, *new;
	struct named *names; /* of the new bundle, by text */
	size_t n;
	uint32_t last, last_new; /* entries of one peer often follow each other */
};

static void naming_free(struct naming *naming)
{
	for (size_t i = 0; i < naming->n; i++)
		free(naming->names[i].text);
	free(naming->names);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->text, ((const struct named *)b)->text);
}

static int naming_open(struct naming *naming)
{
	const struct polb_bundle *b = naming->new;
	char text[TEXT_BYTES];

	naming->names = calloc(b->n_identities + 1, sizeof(*naming->names));
	for (size_t i = 0; naming->names && i < b->n_identities; i++) {
		struct named *name = &naming->names[naming->n];

		pold_identity_text(b, -1, b->identities[i].number, text, sizeof(text));
		*name = (struct named){b->identities[i].number, strdup(text)};
		if (!name->text)
			return -ENOMEM;
		naming->n++;
	}
	if (naming->n)
		qsort(naming->names, naming->n, sizeof(*naming->names), compare_names);
	return naming->names ? 0 : -ENOMEM;
}

/* 0: nobody has these labels any more. */
static uint32_t renamed(struct naming *naming, uint32_t number)
{
	char text[TEXT_BYTES];
	const struct named wanted = {.text = text}, *found;

	if (number < 256)
		return number;
	if (number == naming->last)
		return naming->last_new;
	pold_identity_text(naming->old, -1, number, text, sizeof(text));
	found = naming->n
			? bsearch(&wanted, naming->names, naming->n, sizeof(wanted), compare_names)
			: NULL;
	naming->last = number;
	naming->last_new = found ? found->number : 0;
	return naming->last_new;
}

/* --- carrying -----------------------------------------------------------------------------------
 */

static int add(int fd, const struct polb_audited_key *key, const struct polb_audited *value)
{
	struct polb_audited sum;

	if (bpf_map_lookup_elem(fd, key, &sum))
		return bpf_map_update_elem(fd, key, value, BPF_NOEXIST) ? -errno : 0;
	sum.flows += value->flows;
	sum.packets += value->packets;
	sum.bytes += value->bytes;
	if (!sum.first_ns || value->first_ns < sum.first_ns)
		sum.first_ns = value->first_ns;
	if (value->last_ns > sum.last_ns)
		sum.last_ns = value->last_ns;
	return bpf_map_update_elem(fd, key, &sum, BPF_EXIST) ? -errno : 0;
}

/* The key in the new bundle's numbers; false: what it is about is gone. */
static bool translate(struct naming *naming, const uint32_t *rules, struct polb_audited_key *key)
{
	char name[TEXT_BYTES];

	if (key->endpoint) {
		pold_told_text(naming->old, naming->name, key->endpoint, name, sizeof(name));
		key->endpoint = pold_told_number(naming->new, naming->name, name);
		if (!key->endpoint)
			return false;
	}
	if (key->rule >= POLB_RULE_FIRST && key->rule - POLB_RULE_FIRST < naming->old->n_rules)
		key->rule = rules[key->rule];
	if (!key->rule) /* the rule is gone; the report decides again anyway */
		key->rule = POLB_RULE_DEFAULT_DENY;
	if (!key->family || !POLB_IDENTITY_NAMED(key->identity))
		return true;
	key->identity = renamed(naming, key->identity);
	return key->identity != 0;
}

int pold_audited_carry(const struct polb_bundle *bundle, const char *name, uint32_t generation,
	const struct pold_state *old, const uint32_t *rules)
{
	__attribute__((cleanup(naming_free))) struct naming naming = {
		.name = name, .old = &old->bundle, .new = bundle};
	static const struct polb_audited_key overflow;
	POLB_FD fd = pold_pin_get(POLD_ROOT "/%s/g%u/polt_audited", name, generation);
	POLB_FREE struct pold_audited *all = NULL;
	struct polb_audited lost = {0};
	uint64_t not_kept = 0;
	size_t n = 0;
	int err = pold_audited_read(old, &all, &n, &not_kept);

	if (err || fd < 0)
		return err == -ENOENT || !err ? 0 : err; /* of an older polload: has none */
	lost.packets = not_kept;
	err = n ? naming_open(&naming) : 0;
	for (size_t i = 0; !err && i < n; i++) {
		if (!translate(&naming, rules, &all[i].key))
			continue;
		if (add(fd, &all[i].key, &all[i].value) == -E2BIG)
			lost.packets += all[i].value.packets;
	}
	return err || !lost.packets ? err : add(fd, &overflow, &lost);
}
