/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One process as /proc shows it, in the words of the tracking programs: paths as the process itself
 * sees them, times since boot, numbers of the initial namespaces (polload runs in them).
 */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/cleanup.h"

/* The whole of a small file of /proc, NUL-terminated; its size or -errno. */
static ssize_t read_file(uint32_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	POLB_FD fd = -1;
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (n + 1 < size) {
		ssize_t got = read(fd, out + n, size - 1 - n);

		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	out[n] = '\0';
	return (ssize_t)n;
}

/* A link's text, NUL-terminated; 0: there is none. */
static size_t read_link(uint32_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	n = readlink(path, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

struct times {
	uint32_t parent;
	uint64_t start_ns;
	bool dead;
};

/* Behind the name, which may contain anything: state, parent, ..., threads (20), ..., start (22).
 */
static int read_times(uint32_t pid, struct times *out)
{
	unsigned long long start = 0;
	unsigned int parent = 0;
	char text[1024], state = 'X';
	const char *at;
	long threads = 0, ticks = sysconf(_SC_CLK_TCK);

	if (read_file(pid, "stat", text, sizeof(text)) < 0 || !(at = strrchr(text, ')')))
		return -ENOENT;
	if (sscanf(at + 1,
		    " %c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d "
		    "%llu",
		    &state, &parent, &threads, &start) != 4)
		return -ENOENT;
	out->parent = parent;
	out->dead = (state == 'Z' || state == 'X') && threads <= 1;
	out->start_ns = start * (1000000000ull / (uint64_t)(ticks > 0 ? ticks : 100));
	return 0;
}

int pold_process_alive(uint32_t pid, uint64_t *start_ns, bool *dead)
{
	struct times times;
	int err = read_times(pid, &times);

	if (err)
		return err;
	*start_ns = times.start_ns;
	*dead = times.dead;
	return 0;
}

/* --- status ----------------------------------------------------------------------------------- */

static const char *line_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? at + strlen(name) : NULL;
}

static void four_numbers(const char *at, __u32 *a, __u32 *b, __u32 *c, __u32 *d)
{
	if (at)
		sscanf(at, "%u %u %u %u", a, b, c, d);
}

/* The last number of "NSpid: 4711 17 1": 0 when there is only the host's. */
static uint32_t inner_pid(const char *at)
{
	unsigned long last = 0;
	int n = 0;

	while (at && *at && *at != '\n') {
		char *end;

		last = strtoul(at, &end, 10);
		if (end == at)
			break;
		n++;
		at = end;
	}
	return n > 1 ? (uint32_t)last : 0;
}

static void read_status(uint32_t pid, struct pold_process *out)
{
	static const struct {
		const char *name;
		int set;
	} caps[] = {{"\nCapInh:", POLB_CAPS_INHERITABLE}, {"\nCapPrm:", POLB_CAPS_PERMITTED},
		{"\nCapEff:", POLB_CAPS_EFFECTIVE}};
	struct polb_credentials *c = &out->credentials;
	char text[8192];

	if (read_file(pid, "status", text, sizeof(text)) < 0)
		return;
	four_numbers(line_of(text, "\nUid:"), &c->uid, &c->euid, &c->suid, &c->fsuid);
	four_numbers(line_of(text, "\nGid:"), &c->gid, &c->egid, &c->sgid, &c->fsgid);
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		const char *at = line_of(text, caps[i].name);

		c->caps[caps[i].set] = at ? strtoull(at, NULL, 16) : 0;
	}
	memcpy(out->process.caps, c->caps, sizeof(c->caps));
	out->process.ns_pid = inner_pid(line_of(text, "\nNSpid:"));
}

/* --- where it is ------------------------------------------------------------------------------ */

void pold_namespaces_read(uint32_t pid, __u32 out[POLB_N_NAMESPACES])
{
	static const char *const names[POLB_N_NAMESPACES] = {[POLB_NS_UTS] = "ns/uts",
		[POLB_NS_IPC] = "ns/ipc",
		[POLB_NS_MNT] = "ns/mnt",
		[POLB_NS_PID] = "ns/pid",
		[POLB_NS_PID_FOR_CHILDREN] = "ns/pid_for_children",
		[POLB_NS_NET] = "ns/net",
		[POLB_NS_TIME] = "ns/time",
		[POLB_NS_TIME_FOR_CHILDREN] = "ns/time_for_children",
		[POLB_NS_CGROUP] = "ns/cgroup",
		[POLB_NS_USER] = "ns/user"};

	for (int i = 0; i < POLB_N_NAMESPACES; i++) {
		char text[64];
		const char *number =
			read_link(pid, names[i], text, sizeof(text)) ? strchr(text, '[') : NULL;

		out[i] = number ? (__u32)strtoul(number + 1, NULL, 10) : 0;
	}
}

static uint64_t read_cgroup(uint32_t pid)
{
	static char mount[256], last[4096];
	static uint64_t last_id;
	char text[8192], path[4400], *at, *end;
	uint64_t id = 0;
	POLB_FD fd = -1;

	if (read_file(pid, "cgroup", text, sizeof(text)) < 0)
		return 0;
	at = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!at || (!mount[0] && pold_cgroup_mount(mount, sizeof(mount))))
		return 0;
	at = strchr(at, '/');
	end = at ? strchr(at, '\n') : NULL;
	if (!end || (size_t)(end - at) >= sizeof(last))
		return 0;
	*end = '\0';
	if (strcmp(last, at) == 0)
		return last_id;
	snprintf(path, sizeof(path), "%s%s", mount, at);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || pold_cgroup_id(fd, &id))
		return 0;
	snprintf(last, sizeof(last), "%s", at);
	last_id = id;
	return id;
}

/* A path of a process that has changed its root begins with that root in our eyes. */
static size_t below_root(uint32_t pid, char *path, size_t size)
{
	char root[POLB_PATH_BYTES];
	size_t n = read_link(pid, "root", root, sizeof(root));

	if (n < 2 || size < n || strncmp(path, root, n) != 0 || (path[n] && path[n] != '/'))
		return size;
	memmove(path, path + n, size - n + 1);
	if (size > n)
		return size - n;
	strcpy(path, "/");
	return 1;
}

static void read_binary(uint32_t pid, struct pold_process *out)
{
	static const char deleted[] = " (deleted)";
	size_t n = read_link(pid, "exe", out->path, sizeof(out->path)), d = sizeof(deleted) - 1;

	if (n == 0 || out->path[0] != '/') {
		out->process.flags |= POLB_PROCESS_NO_PATH;
		return;
	}
	out->path_size = below_root(pid, out->path, n);
	if (out->path_size > d && strcmp(out->path + out->path_size - d, deleted) == 0)
		out->path_flags = POLB_EXEC_UNLINKED;
}

int pold_process_read(uint32_t pid, struct pold_process *out)
{
	struct times times;
	char text[32];
	int err = read_times(pid, &times);

	if (err)
		return err;
	memset(out, 0, sizeof(*out));
	out->start_ns = times.start_ns;
	out->dead = times.dead;
	out->process.exec_id = times.start_ns;
	out->process.pid = pid;
	out->process.parent_pid = times.parent;
	out->process.flags = POLB_PROCESS_PROCFS;
	out->process.auid = UINT32_MAX;
	if (read_file(pid, "loginuid", text, sizeof(text)) > 0)
		out->process.auid = (__u32)strtoul(text, NULL, 10);
	out->process.cgroup = read_cgroup(pid);
	pold_namespaces_read(pid, out->process.namespaces);
	read_status(pid, out);
	read_binary(pid, out);
	return 0;
}

/* --- its description -------------------------------------------------------------------------- */

/* The arguments behind the first; sizes as the tracking programs cut them. */
static __u16 read_arguments(uint32_t pid, char *out, __u32 *flags)
{
	char text[POLB_PATH_BYTES + POLB_EXEC_ARGUMENTS];
	ssize_t n = read_file(pid, "cmdline", text, sizeof(text));
	size_t first, rest;

	if (n <= 0)
		return 0;
	first = strlen(text) + 1;
	if (first >= (size_t)n)
		return 0;
	rest = (size_t)n - first;
	if (text[n - 1] == '\0')
		rest--;
	if (rest > POLB_EXEC_ARGUMENTS) {
		rest = POLB_EXEC_ARGUMENTS;
		*flags |= POLB_EXEC_ARGUMENTS_CUT;
	}
	memcpy(out, text + first, rest);
	return (__u16)rest;
}

static __u16 read_cwd(uint32_t pid, char *out, __u32 *flags)
{
	char path[POLB_PATH_BYTES + 16];
	size_t n = read_link(pid, "cwd", path, sizeof(path)), skip;

	if (n == 0) {
		*flags |= POLB_EXEC_CWD_ERROR;
		return 0;
	}
	n = below_root(pid, path, n);
	if (n == 1)
		*flags |= POLB_EXEC_ROOT_CWD;
	skip = n > POLB_EXEC_CWD ? n - POLB_EXEC_CWD : 0;
	memcpy(out, path + skip, n - skip);
	return (__u16)(n - skip);
}

void pold_process_exec(const struct pold_process *from, struct polb_exec *out)
{
	const struct polb_process *p = &from->process;
	size_t skip = from->path_size > POLB_EXEC_BINARY ? from->path_size - POLB_EXEC_BINARY : 0;
	char *at = out->text;

	memset(out, 0, sizeof(*out));
	out->exec_id = p->exec_id;
	out->parent_exec_id = p->parent_exec_id;
	out->pid = out->tid = p->pid;
	out->parent_pid = p->parent_pid;
	out->ns_pid = p->ns_pid;
	out->auid = p->auid;
	out->flags = p->flags | from->path_flags;
	out->cgroup = p->cgroup;
	memcpy(out->namespaces, p->namespaces, sizeof(out->namespaces));
	out->credentials = from->credentials;
	out->binary_size = (__u16)(from->path_size - skip);
	memcpy(at, from->path + skip, out->binary_size);
	at += out->binary_size;
	out->arguments_size = read_arguments(p->pid, at, &out->flags);
	at += out->arguments_size;
	out->cwd_size = read_cwd(p->pid, at, &out->flags);
	at += out->cwd_size;
	out->invoked_size = out->binary_size;
	memcpy(at, from->path + skip, out->invoked_size);
}
