/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What each subcommand may do. polload starts as root, mounts and raises what it must, and gives up
 * every capability that the subcommand does not need before it reads a byte of anybody's file; no
 * program that it runs afterwards has more. Numbers instead of names where Debian's oldest headers
 * lack them.
 */
#include "loader.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(capability) (1ull << (capability))
#define BPF BIT(39) /* CAP_BPF, CAP_PERFMON: since 5.8 */
#define PERFMON BIT(38)
#define LAST_CAPABILITY 63

/* Pins, maps; programs on cgroups and interfaces. */
#define MAPS (BPF | BIT(CAP_NET_ADMIN))
/* Files of any user: bundles, inventories, executables with probes. */
#define FILES BIT(CAP_DAC_READ_SEARCH)
/* /proc of other users' processes; addresses in kallsyms. */
#define PROCESSES (BIT(CAP_SYS_PTRACE) | BIT(CAP_SYSLOG))
/* A file may go into another user's directory. */
#define OUTPUT BIT(CAP_DAC_OVERRIDE)
/*
 * CAP_SYS_ADMIN: the kernel gives descriptors of BTF (modules), programs and maps by their number
 * to nobody else. CAP_SYS_RESOURCE: memory of maps before 5.11.
 */
#define BY_NUMBER BIT(CAP_SYS_ADMIN)
#define LOADING (MAPS | PERFMON | BIT(CAP_SYS_RESOURCE) | FILES | PROCESSES | BY_NUMBER)

/* Whoever writes may have to return from a generation that nobody confirmed: load another one. */
static const struct {
	const char *command;
	uint64_t keeps;
} table[] = {
	{"apply", LOADING},
	{"rollback", LOADING},
	{"confirm", LOADING},
	{"remove", LOADING},
	{"mode", LOADING},
	{"endpoint", LOADING},
	{"identity", LOADING},
	{"sync", LOADING},
	{"verify", LOADING},
	{"doctor", LOADING},
	{"status", MAPS | PERFMON | FILES | BY_NUMBER},
	{"metrics", MAPS | PERFMON | FILES | BY_NUMBER | OUTPUT},
	{"events", MAPS | PERFMON | FILES | PROCESSES | OUTPUT},
	{"report", MAPS | PERFMON | FILES},
	{"explain", MAPS | PERFMON | FILES | PROCESSES},
};

struct sets {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[2];
};

static int get(struct sets *s)
{
	*s = (struct sets){.header.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capget, &s->header, s->data) ? -errno : 0;
}

/* Effective and permitted become `keeps`, as far as it was permitted; nothing is inherited. */
static int set(struct sets *s, uint64_t keeps)
{
	for (int i = 0; i < 2; i++) {
		s->data[i].permitted &= (uint32_t)(keeps >> 32 * i);
		s->data[i].effective = s->data[i].permitted;
		s->data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &s->header, s->data) ? -errno : 0;
}

/* What root gets back with the next program; needs CAP_SETPCAP, and who lacks it is not root. */
static void bound(uint64_t keeps)
{
	for (int i = 0; i <= LAST_CAPABILITY; i++)
		if (!(keeps & BIT(i)) && prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
}

static int drop(uint64_t keeps, bool others_run)
{
	struct sets s;
	int err = get(&s);

	if (err)
		return err;
	if (!others_run) {
		bound(keeps);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
			return -errno;
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return set(&s, keeps);
}

int pold_privileges_drop(const char *command, const struct pold_options *options)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int err;

		if (strcmp(table[i].command, command) != 0)
			continue;
		/* the command of --health is the administrator's, and may need what we do not */
		err = drop(table[i].keeps, options->health != NULL);
		return err ? pold_fail(POLD_ENVIRONMENT, "cannot give up privileges: %s",
				     strerror(-err))
			   : POLD_OK;
	}
	return POLD_OK;
}

void pold_privileges_no_numbers(void)
{
	struct sets s;

	if (!get(&s))
		set(&s, ~BY_NUMBER);
}
