/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A generation that nobody has confirmed yet: it has the pin `unconfirmed`, with the time at which
 * the node returns to the generation before it. The pin comes into force and goes with its
 * generation; confirming removes it. A process waits for that time (waiter.c), but when it has been
 * killed, whoever changes something next returns first.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/cleanup.h"
#include "runtime/instance.h"

uint64_t pold_boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

int pold_pending_create(const char *name, uint32_t generation)
{
	POLB_FD fd = bpf_map_create(
		BPF_MAP_TYPE_ARRAY, "polc_pending", sizeof(__u32), sizeof(uint64_t), 1, NULL);

	return fd < 0 ? -errno
		      : pold_pin_put(fd, POLD_ROOT "/%s/g%u/unconfirmed", name, generation);
}

static int pending_get(const char *name, uint32_t generation)
{
	return pold_pin_get(POLD_ROOT "/%s/g%u/unconfirmed", name, generation);
}

int pold_pending_start(const char *name, uint32_t generation, double seconds)
{
	uint64_t deadline_ns = pold_boot_ns() + (uint64_t)(seconds * 1e9);
	POLB_FD fd = pending_get(name, generation);
	const __u32 zero = 0;

	if (fd < 0)
		return fd;
	return bpf_map_update_elem(fd, &zero, &deadline_ns, BPF_ANY) ? -errno : 0;
}

int pold_pending_look(const char *name, uint32_t generation, uint64_t *deadline_boot_ns)
{
	POLB_FD fd = pending_get(name, generation);
	const __u32 zero = 0;

	if (fd < 0)
		return fd;
	return bpf_map_lookup_elem(fd, &zero, deadline_boot_ns) ? -errno : 0;
}

bool pold_pending_read(const char *name, uint32_t generation, uint64_t *deadline_boot_ns)
{
	return pold_pending_look(name, generation, deadline_boot_ns) == 0;
}

int pold_pending_end(const char *name, uint32_t generation)
{
	char path[POLD_PATH];

	pold_path(path, POLD_ROOT "/%s/g%u/unconfirmed", name, generation);
	return unlink(path) ? -errno : 0;
}

/* The generation in force and its deadline. 0; -ENOENT: there is none; -errno. */
static int look(const char *name, uint32_t *generation, uint64_t *deadline_ns)
{
	POLB_FD fd = pold_pin_get(POLD_ROOT "/%s/control", name);
	uint32_t epoch;
	int err = fd < 0 ? fd : polb_control_load(fd, generation, &epoch);

	if (err || !*generation)
		return err ? err : -ENOENT;
	return pold_pending_look(name, *generation, deadline_ns);
}

int pold_return_if_overdue(const char *name, int lock_fd)
{
	uint32_t generation = 0;
	uint64_t deadline_ns;
	int err = look(name, &generation, &deadline_ns);

	if (err == -ENOENT || (!err && pold_boot_ns() < deadline_ns))
		return POLD_OK;
	if (err)
		return pold_fail(POLD_ENVIRONMENT, "cannot read what is in force under %s: %s",
			name, strerror(-err));
	pold_note("note: %s: generation %u was not confirmed in time", name, generation);
	return pold_return(name, generation, lock_fd);
}
