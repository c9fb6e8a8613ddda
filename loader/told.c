/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The map of endpoints told at run time; their numbers and names. */
#include "told.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/cleanup.h"

int pold_told_open(const char *name, bool create)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	POLB_FD fd = pold_pin_get(POLD_ROOT "/%s/endpoints_v2", name);
	int err;

	if (fd != -ENOENT || !create)
		return polb_take_fd(&fd);
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "polc_told", sizeof(struct pold_told_key),
		sizeof(struct pold_told), POLD_TOLD_MAX, &opts);
	if (fd < 0)
		return -errno;
	err = pold_pin_put(fd, POLD_ROOT "/%s/endpoints_v2", name);
	return err ? err : polb_take_fd(&fd);
}

static struct pold_told_key key_of(const char *endpoint)
{
	struct pold_told_key key = {0};

	snprintf(key.name, sizeof(key.name), "%s", endpoint);
	return key;
}

static int look(int fd, const char *endpoint, struct pold_told *out)
{
	const struct pold_told_key key = key_of(endpoint);

	if (fd < 0 || strlen(endpoint) >= sizeof(key.name))
		return fd < 0 ? fd : -ENOENT;
	return bpf_map_lookup_elem(fd, &key, out) ? -errno : 0;
}

bool pold_told_find(int fd, const char *endpoint, struct pold_told *out)
{
	return look(fd, endpoint, out) == 0;
}

int pold_told_each(int fd,
	int (*call)(void *context, const char *endpoint, const struct pold_told *told),
	void *context)
{
	struct pold_told_key key, *previous = NULL;
	int result = 0;

	while (!result && fd >= 0) {
		struct pold_told told;

		if (bpf_map_get_next_key(fd, previous, &key))
			return errno == ENOENT ? 0 : -errno;
		previous = &key;
		if (bpf_map_lookup_elem(fd, &key, &told) == 0)
			result = call(context, key.name, &told);
		else if (errno != ENOENT)
			result = -errno;
	}
	return result;
}

int pold_told_look(
	const struct polb_bundle *bundle, const char *name, const char *endpoint, uint32_t *number)
{
	POLB_FD fd = -1;
	struct pold_told told;
	int err;

	*number = pold_endpoint_find(bundle, endpoint);
	if (*number)
		return 0;
	fd = pold_told_open(name, false);
	err = look(fd, endpoint, &told);
	if (!err)
		*number = (uint32_t)bundle->n_endpoints + 1 + told.slot;
	return err == -ENOENT ? 0 : err;
}

uint32_t pold_told_number(const struct polb_bundle *bundle, const char *name, const char *endpoint)
{
	uint32_t number;

	pold_told_look(bundle, name, endpoint, &number);
	return number;
}

struct wanted {
	uint32_t slot;
	char *out;
	size_t size;
};

static int text_if_slot(void *context, const char *endpoint, const struct pold_told *told)
{
	const struct wanted *wanted = context;

	if (told->slot != wanted->slot)
		return 0;
	snprintf(wanted->out, wanted->size, "%s", endpoint);
	return 1;
}

int pold_told_name(
	const struct polb_bundle *bundle, const char *name, uint32_t number, char *out, size_t size)
{
	struct wanted wanted = {
		.slot = number - (uint32_t)bundle->n_endpoints - 1, .out = out, .size = size};
	POLB_FD fd = -1;
	int found;

	pold_endpoint_text(bundle, number, out, size);
	if (number <= bundle->n_endpoints)
		return 0;
	fd = pold_told_open(name, false);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	found = pold_told_each(fd, text_if_slot, &wanted);
	return found < 0 ? found : 0;
}

void pold_told_text(
	const struct polb_bundle *bundle, const char *name, uint32_t number, char *out, size_t size)
{
	pold_told_name(bundle, name, number, out, size);
}

void pold_told_labels(const char *name, const char *endpoint, char *out, size_t size)
{
	POLB_FD fd = pold_told_open(name, false);
	struct pold_pool pool = {0};
	struct pold_told told;
	struct pold_who who;

	*out = '\0';
	if (pold_told_find(fd, endpoint, &told) && told.record_bytes <= sizeof(told.record) &&
		pold_who_read(&pool, told.record, told.record_bytes, &who))
		pold_who_text(&who, out, size);
	pold_pool_free(&pool);
}
