/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The Process message: identity, command line, credentials, workload. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "event_private.h"
#include "names.h"

#define DOCKER_ID 31 /* Tetragon shows so much of a container's id */

static struct polb_slice of(const char *text)
{
	return (struct polb_slice){text, strlen(text)};
}

void polb_time_text(int64_t wall_ns, char out[POLB_TIME_TEXT])
{
	int64_t below = wall_ns % 1000000000;
	time_t seconds = (time_t)(wall_ns / 1000000000 - (below < 0));
	struct tm parts = {0};
	size_t n;

	gmtime_r(&seconds, &parts);
	n = strftime(out, POLB_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(out + n, POLB_TIME_TEXT - n, ".%09dZ",
		(int)(below < 0 ? below + 1000000000 : below));
}

void polb_json_time(struct polb_text *out, const char *name, int64_t wall_ns)
{
	char text[POLB_TIME_TEXT];

	polb_time_text(wall_ns, text);
	polb_json_cstring(out, name, text);
}

void polb_exec_id_text(struct polb_text *out, const char *node, __u64 exec_id, __u32 pid)
{
	struct polb_text plain = {0};

	polb_text_printf(&plain, "%s:%llu:%u", node, (unsigned long long)exec_id, pid);
	polb_text_base64(out, plain.data, plain.size);
	polb_text_free(&plain);
}

static void json_exec_id(
	struct polb_text *out, const char *name, const char *node, __u64 exec_id, __u32 pid)
{
	struct polb_text id = {0};

	polb_exec_id_text(&id, node, exec_id, pid);
	polb_json_string(out, name, id.data, id.size);
	polb_text_free(&id);
}

void polb_process_cwd(struct polb_text *out, const struct polb_process_info *info)
{
	if (info->cwd.size)
		polb_text_add(out, info->cwd.data, info->cwd.size);
	else if (info->flags & POLB_EXEC_ROOT_CWD)
		polb_text_puts(out, "/");
}

/* Appends a path's components to an absolute one; "." and ".." as the shell would. */
static void append_path(struct polb_text *out, size_t root, struct polb_slice path)
{
	size_t at = 0;

	while (at < path.size) {
		const char *component = path.data + at;
		const char *end = memchr(component, '/', path.size - at);
		size_t n = end ? (size_t)(end - component) : path.size - at;

		at += n + 1;
		if (n == 0 || (n == 1 && component[0] == '.'))
			continue;
		if (n == 2 && component[0] == '.' && component[1] == '.') {
			while (out->size > root && out->data[--out->size] != '/')
				;
			continue;
		}
		polb_text_puts(out, "/");
		polb_text_add(out, component, n);
	}
	if (out->size == root)
		polb_text_puts(out, "/");
}

void polb_process_binary(struct polb_text *out, const struct polb_process_info *info)
{
	struct polb_text cwd = {0};
	size_t root = out->size;

	if (info->invoked.size == 0) {
		polb_text_add(out, info->binary.data, info->binary.size);
		return;
	}
	if (info->invoked.data[0] == '/') {
		polb_text_add(out, info->invoked.data, info->invoked.size);
		return;
	}
	polb_process_cwd(&cwd, info);
	polb_text_puts(&cwd, "/");
	polb_text_add(&cwd, info->invoked.data, info->invoked.size);
	append_path(out, root, (struct polb_slice){cwd.data, cwd.size});
	polb_text_free(&cwd);
}

void polb_process_arguments(struct polb_text *out, const struct polb_process_info *info)
{
	struct polb_slice all = info->arguments;
	size_t at = 0, start = out->size;

	while (all.size && all.data[all.size - 1] == '\0')
		all.size--;
	while (at < all.size) {
		const char *argument = all.data + at;
		size_t n = strnlen(argument, all.size - at);
		bool quoted = memchr(argument, ' ', n);

		if (out->size > start)
			polb_text_puts(out, " ");
		polb_text_puts(out, quoted ? "\"" : "");
		polb_text_add(out, argument, n);
		polb_text_puts(out, quoted ? "\"" : "");
		at += n + 1;
	}
}

/* A text that a function above makes, as a member unless it is empty. */
static void json_made(struct polb_text *out, const char *name,
	void (*make)(struct polb_text *, const struct polb_process_info *),
	const struct polb_process_info *info)
{
	struct polb_text text = {0};

	make(&text, info);
	polb_json_unless_empty(out, name, (struct polb_slice){text.data, text.size});
	polb_text_free(&text);
}

/* The words of Tetragon's flags, in its order. */
static void make_flags(struct polb_text *out, const struct polb_process_info *info)
{
	static const struct {
		__u32 flag;
		const char *word;
	} words[] = {{POLB_PROCESS_EXEC, "execve"}, {POLB_PROCESS_PROCFS, "procFS"},
		{POLB_EXEC_ARGUMENTS_CUT, "truncArgs"}, {POLB_PROCESS_NO_PATH, "errorFilename"},
		{POLB_EXEC_ROOT_CWD, "rootcwd"}, {POLB_EXEC_CWD_ERROR, "errorCWD"},
		{POLB_PROCESS_CLONE, "clone"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (info->flags & words[i].flag) {
			polb_text_puts(out, out->size ? " " : "");
			polb_text_puts(out, words[i].word);
		}
}

void polb_json_capabilities(struct polb_text *out, const char *name, const __u64 *caps)
{
	static const char *const sets[] = {"permitted", "effective", "inheritable"};

	polb_json_open(out, name, '{');
	for (unsigned int set = 0; set < POLB_N_CAPS; set++) {
		if (!caps[set])
			continue;
		polb_json_open(out, sets[set], '[');
		for (__u32 cap = 0; cap < 64; cap++)
			if (caps[set] >> cap & 1) {
				const char *word = polb_name_known(POLB_NAMES_CAPABILITY, cap);

				if (word)
					polb_json_cstring(out, NULL, word);
				else
					polb_json_unsigned(out, NULL, cap);
			}
		polb_json_close(out, '[');
	}
	polb_json_close(out, '{');
}

static void json_securebits(struct polb_text *out, __u32 bits)
{
	static const char *const names[] = {"SecBitNoRoot", "SecBitNoRootLocked",
		"SecBitNoSetUidFixup", "SecBitNoSetUidFixupLocked", "SecBitKeepCaps",
		"SecBitKeepCapsLocked", "SecBitNoCapAmbientRaise", "SecBitNoCapAmbientRaiseLocked"};

	if (!bits)
		return;
	polb_json_open(out, "securebits", '[');
	for (unsigned int bit = 0; bit < sizeof(names) / sizeof(names[0]); bit++)
		if (bits >> bit & 1)
			polb_json_cstring(out, NULL, names[bit]);
	polb_json_close(out, '[');
}

void polb_json_credentials(
	struct polb_text *out, const struct polb_credentials *credentials, bool caps)
{
	polb_json_unsigned(out, "uid", credentials->uid);
	polb_json_unsigned(out, "gid", credentials->gid);
	polb_json_unsigned(out, "euid", credentials->euid);
	polb_json_unsigned(out, "egid", credentials->egid);
	polb_json_unsigned(out, "suid", credentials->suid);
	polb_json_unsigned(out, "sgid", credentials->sgid);
	polb_json_unsigned(out, "fsuid", credentials->fsuid);
	polb_json_unsigned(out, "fsgid", credentials->fsgid);
	json_securebits(out, credentials->securebits);
	if (caps)
		polb_json_capabilities(out, "caps", credentials->caps);
}

void polb_json_namespace(struct polb_text *out, const char *name, __u32 inum, bool is_host)
{
	polb_json_open(out, name, '{');
	polb_json_unless_zero(out, "inum", inum);
	if (is_host)
		polb_json_bool(out, "is_host", true);
	polb_json_close(out, '{');
}

static void json_namespaces(struct polb_text *out, const char *name,
	const struct polb_event_style *style, const __u32 *inums)
{
	static const char *const names[] = {"uts", "ipc", "mnt", "pid", "pid_for_children", "net",
		"time", "time_for_children", "cgroup", "user"};

	polb_json_open(out, name, '{');
	for (unsigned int i = 0; i < POLB_N_NAMESPACES; i++)
		if (inums[i])
			polb_json_namespace(
				out, names[i], inums[i], inums[i] == style->host_namespaces[i]);
	polb_json_close(out, '{');
}

static void json_pod_labels(struct polb_text *out, const struct polb_event_workload *workload)
{
	struct polb_text key = {0};

	if (!workload->n_labels)
		return;
	polb_json_open(out, "pod_labels", '{');
	for (size_t i = 0; i < workload->n_labels; i++) {
		polb_text_clear(&key);
		polb_json_cstring(&key, NULL, workload->labels[i].key);
		polb_text_puts(&key, ":");
		polb_text_puts(out, out->data[out->size - 1] == '{' ? "" : ",");
		polb_text_add(out, key.data, key.size);
		polb_json_cstring(out, NULL, workload->labels[i].value);
	}
	polb_json_close(out, '{');
	polb_text_free(&key);
}

static void json_container(struct polb_text *out, const struct polb_event_process *process)
{
	const struct polb_event_workload *workload = process->workload;
	struct polb_text id = {0};

	if (*process->container_id)
		polb_text_printf(&id, "%s%s%s", process->runtime, *process->runtime ? "://" : "",
			process->container_id);
	polb_json_open(out, "container", '{');
	polb_json_unless_empty(out, "id", (struct polb_slice){id.data, id.size});
	polb_json_unless_empty(out, "name", of(workload->container));
	if (*workload->image) {
		polb_json_open(out, "image", '{');
		polb_json_cstring(out, "name", workload->image);
		polb_json_close(out, '{');
	}
	if (process->info && process->info->ns_pid)
		polb_json_unsigned(out, "pid", process->info->ns_pid);
	polb_json_close(out, '{');
	polb_text_free(&id);
}

static void json_pod(struct polb_text *out, const struct polb_event_process *process)
{
	const struct polb_event_workload *workload = process->workload;

	if (!workload || !*workload->pod)
		return;
	polb_json_open(out, "pod", '{');
	polb_json_unless_empty(out, "namespace", of(workload->namespace));
	polb_json_unless_empty(out, "name", of(workload->pod));
	json_container(out, process);
	json_pod_labels(out, workload);
	polb_json_close(out, '{');
}

static void json_binary_properties(struct polb_text *out, const struct polb_process_info *info)
{
	static const char *const reasons[] = {"PRIVILEGES_RAISED_EXEC_FILE_SETUID",
		"PRIVILEGES_RAISED_EXEC_FILE_SETGID", "PRIVILEGES_RAISED_EXEC_FILE_CAP"};

	if (!info->secureexec && !(info->flags & POLB_EXEC_UNLINKED))
		return;
	polb_json_open(out, "binary_properties", '{');
	if (info->secureexec & POLB_SECURE_SETUID)
		polb_json_unsigned(out, "setuid", info->credentials.euid);
	if (info->secureexec & POLB_SECURE_SETGID)
		polb_json_unsigned(out, "setgid", info->credentials.egid);
	if (info->secureexec) {
		polb_json_open(out, "privileges_changed", '[');
		for (unsigned int i = 0; i < 3; i++)
			if (info->secureexec >> i & 1)
				polb_json_cstring(out, NULL, reasons[i]);
		polb_json_close(out, '[');
	}
	if (info->flags & POLB_EXEC_UNLINKED) {
		polb_json_open(out, "file", '{');
		polb_json_open(out, "inode", '{');
		polb_json_unsigned(out, "links", 0);
		polb_json_close(out, '{');
		polb_json_unless_empty(out, "path", info->binary);
		polb_json_close(out, '{');
	}
	polb_json_close(out, '{');
}

/* Members up to `docker`, in the order of the message. */
static void json_identity(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_process *process)
{
	const struct polb_process_info *info = process->info;

	json_exec_id(out, "exec_id", style->node, info->exec_id, info->pid);
	polb_json_unsigned(out, "pid", info->pid);
	polb_json_unsigned(out, "uid", info->credentials.euid);
	json_made(out, "cwd", polb_process_cwd, info);
	json_made(out, "binary", polb_process_binary, info);
	json_made(out, "arguments", polb_process_arguments, info);
	if (process->unknown)
		polb_json_cstring(out, "flags", "unknown");
	else
		json_made(out, "flags", make_flags, info);
	polb_json_time(out, "start_time", (int64_t)info->exec_id + style->wall_offset_ns);
	polb_json_unsigned(out, "auid", info->auid);
}

static void json_unidentified(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_process *process)
{
	if (process->exec_id)
		json_exec_id(out, "exec_id", style->node, process->exec_id, process->pid);
	polb_json_unsigned(out, "pid", process->pid);
	if (process->credentials)
		polb_json_unsigned(out, "uid", process->credentials->euid);
	polb_json_cstring(out, "flags", "unknown");
	if (process->exec_id)
		polb_json_time(
			out, "start_time", (int64_t)process->exec_id + style->wall_offset_ns);
}

static void json_parent_exec_id(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_process_info *info)
{
	if (info->parent_exec_id)
		json_exec_id(
			out, "parent_exec_id", style->node, info->parent_exec_id, info->parent_pid);
	else if (!info->parent_pid) /* the kernel's own first task: 1 ns after boot to Tetragon */
		json_exec_id(out, "parent_exec_id", style->node, 1, 0);
}

/* As far as they are shown. */
static bool same_credentials(const struct polb_event_style *style, const struct polb_credentials *a,
	const struct polb_credentials *b)
{
	return memcmp(a, b, style->caps ? sizeof(*a) : offsetof(struct polb_credentials, pad)) == 0;
}

/* Credentials at event time; those at exec too where they were others. */
static void json_process_credentials(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_process *process)
{
	const struct polb_process_info *info = process->info;

	if (!process->credentials)
		return;
	polb_json_open(out, "process_credentials", '{');
	polb_json_credentials(out, process->credentials, style->caps);
	polb_json_close(out, '{');
	if (!info || process->unknown ||
		same_credentials(style, &info->credentials, process->credentials))
		return;
	polb_json_open(out, "exec_credentials", '{');
	polb_json_credentials(out, &info->credentials, style->caps);
	polb_json_close(out, '{');
}

void polb_json_process(struct polb_text *out, const struct polb_event_style *style,
	const char *name, const struct polb_event_process *process, bool exec_event)
{
	const struct polb_process_info *info = process->info;

	polb_json_open(out, name, '{');
	if (info)
		json_identity(out, style, process);
	else
		json_unidentified(out, style, process);
	json_pod(out, process);
	if (*process->container_id)
		polb_json_string(out, "docker", process->container_id,
			strnlen(process->container_id, DOCKER_ID));
	if (info)
		json_parent_exec_id(out, style, info);
	if (info && style->caps)
		polb_json_capabilities(out, "cap", info->credentials.caps);
	if (info && style->namespaces)
		json_namespaces(out, "ns", style, info->namespaces);
	if (process->tid)
		polb_json_unsigned(out, "tid", process->tid);
	json_process_credentials(out, style, process);
	if (info && exec_event)
		json_binary_properties(out, info);
	if (info)
		polb_json_unless_empty(out, "binary_resolved", info->binary);
	if (style->namespaces && process->namespaces)
		json_namespaces(out, "event_ns", style, process->namespaces);
	polb_json_close(out, '{');
}
