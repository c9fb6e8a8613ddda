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

/*
 * What the kernel asks for (kernel/bpf/syscall.c and its callers):
 *
 * CAP_BPF: any bpf() at all where kernel.unprivileged_bpf_disabled is set, as it is nearly
 *   everywhere; pins and maps that belong to our user need nothing else to be read or written.
 * CAP_NET_ADMIN: loading and attaching programs of cgroups and tc, qdiscs and filters.
 * CAP_PERFMON: loading tracing programs, and network programs that compare pointers; perf events.
 * CAP_SYS_ADMIN: descriptors by number (BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID,
 *   BPF_BTF_GET_FD_BY_ID: capable(CAP_SYS_ADMIN), since 6.x in the initial namespace): BTF of
 *   modules when a bundle is loaded, programs behind pinned links for their counters, programs of
 *   others for doctor. Nothing takes its place; what only shows more does without where it lacks.
 * CAP_SYS_RESOURCE: memory of maps and programs before 5.11 is charged to RLIMIT_MEMLOCK, which
 *   only this raises above its hard limit.
 * CAP_SYSLOG: addresses in /proc/kallsyms. CAP_SYS_PTRACE: /proc/PID/exe and ns of others.
 * CAP_DAC_READ_SEARCH: files of any user (bundles, inventories, executables with probes), and
 *   open_by_handle_at(), by which a cgroup's number becomes its path.
 * CAP_DAC_OVERRIDE: a file may go into another user's directory.
 */
#define READING BPF
#define ATTACHING (BPF | BIT(CAP_NET_ADMIN) | BIT(CAP_SYS_RESOURCE))
#define FILES BIT(CAP_DAC_READ_SEARCH)
#define CGROUPS_BY_NUMBER BIT(CAP_DAC_READ_SEARCH)
#define SYMBOLS BIT(CAP_SYSLOG)
#define PROCESSES BIT(CAP_SYS_PTRACE)
#define OUTPUT BIT(CAP_DAC_OVERRIDE)
#define BY_NUMBER BIT(CAP_SYS_ADMIN)
#define LOADING (ATTACHING | PERFMON | FILES | PROCESSES | SYMBOLS | BY_NUMBER)

/* Whoever writes may have to return from a generation that nobody confirmed: load another one. */
static const struct {
	const char *command, *argument; /* NULL: whatever it is */
	uint64_t keeps;
} table[] = {
	{"apply", NULL, LOADING},
	{"rollback", NULL, LOADING},
	{"confirm", NULL, LOADING},
	{"remove", NULL, LOADING},
	{"mode", NULL, LOADING},
	/* where a place is now is seen in other users' processes */
	{"endpoint", "list", READING | PROCESSES},
	{"endpoint", NULL, LOADING},
	{"identity", "list", READING},
	{"identity", NULL, LOADING},
	{"sync", NULL, LOADING},
	{"verify", NULL, LOADING},
	{"doctor", NULL, LOADING}, /* loads programs to see which the kernel takes */
	{"status", NULL, READING | PROCESSES | BY_NUMBER},
	{"metrics", NULL, READING | PROCESSES | BY_NUMBER | OUTPUT},
	{"events", NULL, READING | CGROUPS_BY_NUMBER | PROCESSES | SYMBOLS | OUTPUT},
	{"report", NULL, READING},
	{"explain", NULL, READING | CGROUPS_BY_NUMBER | PROCESSES},
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

static bool is_meant(size_t i, const char *command, const struct pold_options *options)
{
	const char *argument = table[i].argument;

	return strcmp(table[i].command, command) == 0 &&
	       (!argument ||
		       (options->n_arguments > 0 && strcmp(options->arguments[0], argument) == 0));
}

int pold_privileges_drop(const char *command, const struct pold_options *options)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int err;

		if (!is_meant(i, command, options))
			continue;
		/* the command of --health is the administrator's, and may need what we do not */
		err = drop(table[i].keeps, options->health != NULL);
		return err ? pold_fail(POLD_ENVIRONMENT, "cannot give up privileges: %s",
				     strerror(-err))
			   : POLD_OK;
	}
	return POLD_OK;
}

static void keep(uint64_t keeps)
{
	struct sets s;

	if (!get(&s))
		set(&s, keeps);
}

void pold_privileges_no_numbers(void)
{
	keep(~BY_NUMBER);
}

void pold_privileges_no_loading(void)
{
	keep(ATTACHING | FILES | PROCESSES);
}
