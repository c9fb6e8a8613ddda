/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The processes that exist already, into the records that the attached tracking programs keep from
 * now on. Those win: nothing that is there is written over. A process that a program could not make
 * a record for, because its parent had none yet, is found by looking again. What ends while it is
 * being written is removed by whoever comes last: the exit program or the look behind the write.
 *
 * Records of the generation before are taken as they are: they know when a process really began,
 * and, when the binary filters are the same, what its ancestors were that live no more.
 */
#include "trace.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/cleanup.h"
#include "runtime/trace_tables.h"

#define INITIAL_PID_NAMESPACE 0xeffffffcu /* the kernel's PROC_PID_INIT_INO */
#define MAX_PASSES 8

enum { OWN, LINEAGE, PARENT, PARENT_LINEAGE };

/* A process of a pass: its record to be, or the one that is there. */
struct entry {
	uint32_t pid, parent;
	bool there;    /* has a record already */
	bool complete; /* vectors known */
	bool carried;  /* from the generation before */
	size_t at;     /* of its record in the pass's memory */
};

struct scan {
	const struct polb_bundle *b;
	int processes_fd, execs_fd;
	const struct pold_trace_old *old;
	bool same_binaries;
	size_t words, record_bytes, old_bytes;
	struct entry *entries; /* by pid */
	size_t n;
	char *records;
	size_t written;
};

static struct polb_process *record_of(const struct scan *s, const struct entry *e)
{
	return (struct polb_process *)(void *)(s->records + e->at);
}

static __u64 *vector_of(const struct scan *s, const struct entry *e, int which)
{
	return (__u64 *)(void *)(s->records + e->at + sizeof(struct polb_process)) +
	       (size_t)which * s->words;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static struct entry *find(const struct scan *s, uint32_t pid)
{
	const struct entry wanted = {.pid = pid};

	return s->n ? bsearch(&wanted, s->entries, s->n, sizeof(wanted), compare_entries) : NULL;
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static int add(struct scan *s, uint32_t pid, size_t *capacity)
{
	if (s->n == *capacity) {
		size_t more = *capacity ? *capacity * 2 : 256;
		struct entry *entries = realloc(s->entries, more * sizeof(*entries));
		char *records;

		if (!entries)
			return -ENOMEM;
		s->entries = entries;
		records = realloc(s->records, more * s->record_bytes);
		if (!records)
			return -ENOMEM;
		s->records = records;
		*capacity = more;
	}
	s->entries[s->n] = (struct entry){.pid = pid, .at = s->n * s->record_bytes};
	memset(s->records + s->entries[s->n].at, 0, s->record_bytes);
	s->n++;
	return 0;
}

static int list(struct scan *s, size_t *capacity)
{
	__attribute__((cleanup(close_directory))) DIR *directory = opendir("/proc");
	int err = 0;

	if (!directory)
		return -errno;
	s->n = 0;
	for (struct dirent *entry; !err && (entry = readdir(directory));) {
		char *end;
		unsigned long pid = strtoul(entry->d_name, &end, 10);

		if (pid && !*end)
			err = add(s, (uint32_t)pid, capacity);
	}
	if (s->n)
		qsort(s->entries, s->n, sizeof(*s->entries), compare_entries);
	return err;
}

/* --- one record ------------------------------------------------------------------------------- */

static void classify(const struct scan *s, const struct entry *e, const struct pold_process *p)
{
	__u64 *own = vector_of(s, e, OWN);

	for (size_t w = 0; w < s->words; w++)
		own[w] = p->process.flags & POLB_PROCESS_NO_PATH
				 ? 0
				 : polb_trace_classify(s->b, (__u32)w, p->path, p->path_size);
}

/* The record of the generation before, whole or but for its vectors. */
static bool carry(const struct scan *s, struct entry *e)
{
	POLB_FREE char *value = s->old ? malloc(s->old_bytes) : NULL;

	if (!value || bpf_map_lookup_elem(s->old->processes_fd, &e->pid, value))
		return false;
	memcpy(record_of(s, e), value,
		s->same_binaries ? s->record_bytes : sizeof(struct polb_process));
	e->carried = true;
	e->complete = s->same_binaries;
	return true;
}

static bool read_entry(const struct scan *s, struct entry *e)
{
	struct pold_process p;

	e->there = bpf_map_lookup_elem(s->processes_fd, &e->pid, record_of(s, e)) == 0;
	e->complete = e->there;
	if (e->there)
		return true;
	if (pold_process_read(e->pid, &p) || p.dead)
		return false;
	e->parent = p.process.parent_pid;
	if (!carry(s, e))
		*record_of(s, e) = p.process;
	if (!e->complete)
		classify(s, e, &p);
	return true;
}

/* From the parent's record, which is complete, or from nobody. */
static void inherit(const struct scan *s, struct entry *e, const struct entry *parent)
{
	struct polb_process *p = record_of(s, e);

	for (size_t w = 0; parent && w < s->words; w++) {
		__u64 own = vector_of(s, parent, OWN)[w],
		      lineage = vector_of(s, parent, LINEAGE)[w];

		vector_of(s, e, LINEAGE)[w] = own | lineage;
		vector_of(s, e, PARENT)[w] = own;
		vector_of(s, e, PARENT_LINEAGE)[w] = lineage;
	}
	if (parent && !e->carried) {
		p->parent_exec_id = record_of(s, parent)->exec_id;
		p->parent_ns_pid = record_of(s, parent)->ns_pid;
	}
	e->complete = true;
}

/* Parents first. What is left in the end is a circle, which a reused number can make. */
static void complete(const struct scan *s)
{
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < s->n; i++) {
			struct entry *e = &s->entries[i];
			const struct entry *parent = e->complete ? NULL : find(s, e->parent);

			if (e->complete || (parent && !parent->complete))
				continue;
			inherit(s, e, parent);
			moved = true;
		}
	}
}

/* --- writing ---------------------------------------------------------------------------------- */

static int write_exec(const struct scan *s, const struct entry *e)
{
	POLB_FREE struct polb_exec *exec = malloc(sizeof(*exec));
	POLB_FREE struct pold_process *p = malloc(sizeof(*p));

	if (!exec || !p)
		return -ENOMEM;
	if (!e->carried || bpf_map_lookup_elem(s->old->execs_fd, &e->pid, exec)) {
		if (pold_process_read(e->pid, p))
			return 0;
		p->process.exec_id = record_of(s, e)->exec_id;
		p->process.parent_exec_id = record_of(s, e)->parent_exec_id;
		pold_process_exec(p, exec);
	}
	return bpf_map_update_elem(s->execs_fd, &e->pid, exec, BPF_NOEXIST) && errno != EEXIST
		       ? -errno
		       : 0;
}

static int write_entry(struct scan *s, const struct entry *e)
{
	uint64_t start_ns;
	bool dead = false;
	int err;

	if (bpf_map_update_elem(s->processes_fd, &e->pid, record_of(s, e), BPF_NOEXIST))
		return errno == EEXIST ? 0 : -errno;
	s->written++;
	err = write_exec(s, e);
	if (pold_process_alive(e->pid, &start_ns, &dead) || dead) {
		bpf_map_delete_elem(s->processes_fd, &e->pid);
		bpf_map_delete_elem(s->execs_fd, &e->pid);
	}
	return err;
}

static int pass(struct scan *s, size_t *capacity)
{
	int err = list(s, capacity);
	size_t kept = 0;

	for (size_t i = 0; !err && i < s->n; i++)
		if (read_entry(s, &s->entries[i]))
			s->entries[kept++] = s->entries[i];
	if (err)
		return err;
	s->n = kept;
	s->written = 0;
	complete(s);
	for (size_t i = 0; !err && i < s->n; i++)
		if (!s->entries[i].there && s->entries[i].complete)
			err = write_entry(s, &s->entries[i]);
	return err;
}

static bool in_initial_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == INITIAL_PID_NAMESPACE;
}

static size_t value_bytes(int fd)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.value_size;
}

static int run(struct scan *s)
{
	size_t capacity = 0;
	int err = 0;

	s->written = 1;
	for (int i = 0; !err && s->written && i < MAX_PASSES; i++)
		err = pass(s, &capacity);
	free(s->entries);
	free(s->records);
	return err;
}

int pold_processes_scan(const struct polb_bundle *bundle, int processes_fd, int execs_fd,
	const struct pold_trace_old *old)
{
	struct scan s = {.b = bundle, .processes_fd = processes_fd, .execs_fd = execs_fd};
	int err;

	if (processes_fd < 0 || execs_fd < 0)
		return POLD_OK;
	if (!in_initial_namespace())
		return pold_fail(POLD_ENVIRONMENT,
			"tracing policies need polload in the host's pid namespace");
	s.words = bundle->manifest.binary_words;
	s.record_bytes = sizeof(struct polb_process) + 4 * s.words * sizeof(__u64);
	s.old_bytes = old ? value_bytes(old->processes_fd) : 0;
	if (old && s.old_bytes >= sizeof(struct polb_process)) {
		s.old = old;
		s.same_binaries = s.old_bytes == s.record_bytes &&
				  polb_trace_same_binaries(bundle, old->bundle);
	}
	err = run(&s);
	if (err == -E2BIG)
		return pold_fail(
			POLD_ENVIRONMENT, "more processes than there is room for (--processes)");
	return err ? pold_fail(POLD_ENVIRONMENT, "cannot record the processes: %s", strerror(-err))
		   : POLD_OK;
}
