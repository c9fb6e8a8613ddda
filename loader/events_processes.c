/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Program runs that events refer to. Filled from polt_execs at the start and from EXEC events; one
 * that ended is kept until MAX_ENDED others have ended, so that its children's events name it.
 */
#include "events.h"

#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "trace.h"

#define BUCKETS 16384u
#define MAX_ENTRIES 65536u
#define MAX_ENDED 8192u

struct entry {
	struct entry *next;            /* in its bucket */
	struct entry *older, *younger; /* in the list of ended ones, or of all others */
	bool ended;
	struct polb_process_info info;
	char text[];
};
struct list {
	struct entry *oldest, *youngest;
	size_t n;
};
struct pold_processes {
	struct entry *buckets[BUCKETS];
	struct list running, ended;
};

struct pold_processes *pold_processes_new(void)
{
	return calloc(1, sizeof(struct pold_processes));
}

static void list_add(struct list *list, struct entry *entry)
{
	entry->older = list->youngest;
	entry->younger = NULL;
	*(list->youngest ? &list->youngest->younger : &list->oldest) = entry;
	list->youngest = entry;
	list->n++;
}

static void list_remove(struct list *list, struct entry *entry)
{
	*(entry->older ? &entry->older->younger : &list->oldest) = entry->younger;
	*(entry->younger ? &entry->younger->older : &list->youngest) = entry->older;
	list->n--;
}

static struct entry **bucket(struct pold_processes *processes, uint64_t exec_id, uint32_t pid)
{
	uint64_t hash = (exec_id ^ (uint64_t)pid << 32) * 0x9e3779b97f4a7c15ull;

	return &processes->buckets[hash >> 32 & (BUCKETS - 1)];
}

static struct entry *lookup(struct pold_processes *processes, uint64_t exec_id, uint32_t pid)
{
	struct entry *entry = *bucket(processes, exec_id, pid);

	while (entry && (entry->info.exec_id != exec_id || entry->info.pid != pid))
		entry = entry->next;
	return entry;
}

static void forget(struct pold_processes *processes, struct entry *entry)
{
	struct entry **at = bucket(processes, entry->info.exec_id, entry->info.pid);

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	list_remove(entry->ended ? &processes->ended : &processes->running, entry);
	free(entry);
}

void pold_processes_free(struct pold_processes *processes)
{
	if (!processes)
		return;
	while (processes->running.oldest)
		forget(processes, processes->running.oldest);
	while (processes->ended.oldest)
		forget(processes, processes->ended.oldest);
	free(processes);
}

static void copy_text(char **at, struct polb_slice *text)
{
	if (text->size)
		memcpy(*at, text->data, text->size);
	text->data = *at;
	*at += text->size;
}

const struct polb_process_info *pold_processes_add(
	struct pold_processes *processes, const struct polb_process_info *info)
{
	size_t bytes =
		info->binary.size + info->arguments.size + info->cwd.size + info->invoked.size;
	struct entry *old = lookup(processes, info->exec_id, info->pid);
	struct entry *entry = malloc(sizeof(*entry) + bytes);
	struct entry **at;
	char *text;

	if (!entry)
		return NULL;
	entry->info = *info;
	entry->ended = false;
	text = entry->text;
	copy_text(&text, &entry->info.binary);
	copy_text(&text, &entry->info.arguments);
	copy_text(&text, &entry->info.cwd);
	copy_text(&text, &entry->info.invoked);
	if (old)
		forget(processes, old); /* after the copy: info may be its own */
	if (processes->running.n >= MAX_ENTRIES)
		forget(processes, processes->running.oldest);
	at = bucket(processes, info->exec_id, info->pid);
	entry->next = *at;
	*at = entry;
	list_add(&processes->running, entry);
	return &entry->info;
}

void pold_processes_exited(struct pold_processes *processes, uint64_t exec_id, uint32_t pid)
{
	struct entry *entry = lookup(processes, exec_id, pid);

	if (!entry || entry->ended)
		return;
	list_remove(&processes->running, entry);
	entry->ended = true;
	list_add(&processes->ended, entry);
	if (processes->ended.n > MAX_ENDED)
		forget(processes, processes->ended.oldest);
}

void pold_processes_load(struct pold_processes *processes, int execs_fd)
{
	POLB_FREE struct polb_exec *exec = malloc(sizeof(*exec));
	struct polb_process_info info;
	uint32_t key, *previous = NULL;

	if (!exec || execs_fd < 0)
		return;
	for (; bpf_map_get_next_key(execs_fd, previous, &key) == 0; previous = &key)
		if (bpf_map_lookup_elem(execs_fd, &key, exec) == 0 &&
			polb_exec_read(exec, sizeof(*exec), &info) == 0)
			pold_processes_add(processes, &info);
}

/* A process that the kernel's map knows, if it is this run of it. */
static const struct polb_process_info *from_map(
	struct pold_processes *processes, int execs_fd, uint64_t exec_id, uint32_t pid)
{
	POLB_FREE struct polb_exec *exec = malloc(sizeof(*exec));
	struct polb_process_info info;

	if (!exec || execs_fd < 0 || bpf_map_lookup_elem(execs_fd, &pid, exec) ||
		polb_exec_read(exec, sizeof(*exec), &info) || info.exec_id != exec_id)
		return NULL;
	return pold_processes_add(processes, &info);
}

/* Forked and not executed anything since: the parent's program under its own identity. */
static const struct polb_process_info *from_parent(struct pold_processes *processes,
	uint64_t exec_id, uint32_t pid, uint64_t parent_exec_id, uint32_t parent_pid)
{
	const struct entry *parent =
		parent_exec_id ? lookup(processes, parent_exec_id, parent_pid) : NULL;
	struct polb_process_info info;

	if (!parent)
		return NULL;
	info = parent->info;
	info.exec_id = exec_id;
	info.pid = info.tid = pid;
	info.parent_exec_id = parent_exec_id;
	info.parent_pid = parent_pid;
	info.flags &= ~(uint32_t)(POLB_PROCESS_EXEC | POLB_PROCESS_PROCFS);
	info.flags |= POLB_PROCESS_CLONE;
	info.secureexec = 0;
	return pold_processes_add(processes, &info);
}

static const struct polb_process_info *from_procfs(
	struct pold_processes *processes, int execs_fd, uint64_t exec_id, uint32_t pid)
{
	POLB_FREE struct pold_process *process = malloc(sizeof(*process));
	POLB_FREE struct polb_exec *exec = malloc(sizeof(*exec));
	const struct polb_process_info *kept;
	struct polb_process_info info;
	uint32_t parent_pid;

	/* one that started later got the pid of the one that is looked for */
	if (!process || !exec || pold_process_read(pid, process) || process->start_ns > exec_id)
		return NULL;
	pold_process_exec(process, exec);
	if (polb_exec_read(exec, sizeof(*exec), &info))
		return NULL;
	info.exec_id = exec_id;
	kept = pold_processes_add(processes, &info);
	/* /proc knows the parent's pid only; the texts of `info` have been copied by now */
	parent_pid = info.parent_pid;
	if (kept && execs_fd >= 0 && bpf_map_lookup_elem(execs_fd, &parent_pid, exec) == 0)
		lookup(processes, exec_id, pid)->info.parent_exec_id = exec->exec_id;
	return kept;
}

/* The oldest is the one not used for longest: what an event was just told is not evicted by it. */
static const struct polb_process_info *used(struct pold_processes *processes, struct entry *entry)
{
	if (!entry->ended) {
		list_remove(&processes->running, entry);
		list_add(&processes->running, entry);
	}
	return &entry->info;
}

const struct polb_process_info *pold_processes_find(struct pold_processes *processes, int execs_fd,
	uint64_t exec_id, uint32_t pid, uint64_t parent_exec_id, uint32_t parent_pid)
{
	const struct polb_process_info *found;
	struct entry *entry;

	if (!exec_id || !pid)
		return NULL;
	entry = lookup(processes, exec_id, pid);
	if (entry)
		return used(processes, entry);
	found = from_map(processes, execs_fd, exec_id, pid);
	if (!found)
		found = from_parent(processes, exec_id, pid, parent_exec_id, parent_pid);
	return found ? found : from_procfs(processes, execs_fd, exec_id, pid);
}
