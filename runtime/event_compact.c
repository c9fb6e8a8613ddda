/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One line per event for people: what happened, where, which program, what it touched. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_private.h"
#include "names.h"

static const char *const action_names[] = {
#define X(name, text) text,
	POLB_TRACE_ACTIONS(X)
#undef X
};

/*
 * Functions that have a picture and a verb. arguments: positions to show, each followed by 'b'
 * (a number of bytes), 'n' (flags of clone: namespaces) or nothing.
 */
static const struct shape {
	const char *function, *icon, *verb, *arguments;
} shapes[] = {
	{"sys_write", "📝", "write", "0 2b"},
	{"sys_read", "📚", "read", "0 2b"},
	{"fd_install", "📬", "open", "1"},
	{"sys_openat", "📬", "openat", "1"},
	{"sys_open", "📬", "open", "0"},
	{"sys_close", "📪", "close", "0"},
	{"sys_mount", "💾", "mount", "0 1"},
	{"sys_pivot_root", "💾", "pivot_root", "0 1"},
	{"sys_setuid", "🔑", "setuid", "0"},
	{"sys_clock_settime", "⏰", "clock_settime", ""},
	{"sys_setns", "🔧", "setns", "1n"},
	{"proc_exec_connector", "🔧", "proc_exec_connector", ""},
	{"tcp_connect", "🔌", "connect", "0"},
	{"tcp_close", "🧹", "close", "0"},
	{"tcp_sendmsg", "📤", "sendmsg", "0 1b"},
	{"bpf_check", "🐝", "bpf_load", "0"},
	{"security_perf_event_alloc", "🐝", "perf_event_alloc", "0"},
	{"security_bpf_map_alloc", "🗺", "bpf_map_create", "0"},
	{"security_bpf_map_create", "🗺", "bpf_map_create", "0"},
	{"security_file_permission", "❓", "security_file_permission", "0"},
	{"security_mmap_file", "❓", "security_mmap_file", "0"},
	{"security_path_truncate", "📝", "truncate", "0"},
};

static const struct shape *shape_of(const char *symbol)
{
	static const char *const prefixes[] = {"__x64_", "__ia32_", "__arm64_"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(symbol, prefixes[i], strlen(prefixes[i])) == 0)
			symbol += strlen(prefixes[i]);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (strcmp(symbol, shapes[i].function) == 0)
			return &shapes[i];
	return NULL;
}

static bool entry_argument(
	const struct polb_event_view *e, __u8 place, unsigned int number, struct polb_argument *out)
{
	size_t at = 0;

	while (polb_call_next(&e->call, &at, out))
		if (out->head.place == place && out->head.number == number)
			return true;
	return false;
}

static bool entry_integer(const struct polb_event_view *e, unsigned int number, __s64 *out)
{
	struct polb_argument argument;

	if (!entry_argument(e, POLB_ARGUMENT_ENTRY, number, &argument) ||
		argument.head.error != POLB_ARGUMENT_OK ||
		polb_trace_class(argument.head.type) != POLB_CLASS_INT)
		return false;
	memcpy(out, argument.payload, sizeof(*out));
	return true;
}

static void clone_flags(struct polb_text *out, __s64 flags)
{
	static const struct {
		__s64 flag;
		const char *name;
	} names[] = {{0x2000000, "cgroup"}, {0x8000000, "ipc"}, {0x40000000, "net"},
		{0x20000, "mnt"}, {0x20000000, "pid"}, {0x80, "time"}, {0x10000000, "user"},
		{0x4000000, "uts"}};
	bool any = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag) {
			polb_text_printf(out, "%s%s", any ? "," : "", names[i].name);
			any = true;
		}
	if (!any)
		polb_text_puts(out, flags ? "?" : "any");
}

static void shaped_argument(struct polb_text *out, const struct polb_event_view *e, const char **at)
{
	unsigned int number = (unsigned int)strtoul(*at, (char **)(uintptr_t)at, 10);
	struct polb_argument argument;
	char how = **at;
	__s64 flags;

	*at += how == 'b' || how == 'n';
	if (!entry_argument(e, POLB_ARGUMENT_ENTRY, number, &argument))
		return;
	polb_text_puts(out, " ");
	if (how == 'n' && entry_integer(e, number, &flags))
		clone_flags(out, flags);
	else
		polb_text_argument(out, &argument);
	if (how == 'b')
		polb_text_puts(out, " bytes");
}

static void all_arguments(struct polb_text *out, const struct polb_event_view *e, __u8 place)
{
	struct polb_argument argument;
	size_t at = 0;

	while (polb_call_next(&e->call, &at, &argument))
		if (argument.head.place == place && argument.head.type != POLB_TYPE_NOP) {
			polb_text_puts(out, " ");
			polb_text_argument(out, &argument);
		}
}

static void result(struct polb_text *out, const struct polb_event_view *e)
{
	struct polb_argument argument;
	size_t at = 0;

	while (polb_call_next(&e->call, &at, &argument))
		if (argument.head.place == POLB_ARGUMENT_RETURN) {
			polb_text_puts(out, " = ");
			polb_text_argument(out, &argument);
			return;
		}
}

/* "node /usr/bin/id" or "namespace/pod /usr/bin/id" */
static void who(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_process *process)
{
	const struct polb_event_workload *workload = process->workload;
	struct polb_text binary = {0};

	if (workload && *workload->pod) {
		polb_text_printable(out, workload->namespace, strlen(workload->namespace));
		polb_text_puts(out, "/");
		polb_text_printable(out, workload->pod, strlen(workload->pod));
		polb_text_puts(out, " ");
	} else
		polb_text_printf(out, "%s ", style->node);
	if (process->info)
		polb_process_binary(&binary, process->info);
	else
		polb_text_printf(&binary, "pid %u", process->pid);
	polb_text_printable(out, binary.data, binary.size);
	polb_text_free(&binary);
}

static void start(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e, const char *icon, const char *verb)
{
	polb_text_printf(out, "%s %-7s ", icon, verb);
	who(out, style, &e->process);
}

static void command_line(struct polb_text *out, const struct polb_event_view *e)
{
	struct polb_text arguments = {0};

	if (e->process.info)
		polb_process_arguments(&arguments, e->process.info);
	if (arguments.size) {
		polb_text_puts(out, " ");
		polb_text_printable(out, arguments.data, arguments.size);
	}
	polb_text_free(&arguments);
}

static void compact_exit(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e)
{
	__u32 number = e->exit_code & 0x7f;
	char scratch[POLB_NAME_TEXT];

	start(out, style, e, "💥", "exit");
	command_line(out, e);
	if (number)
		polb_text_printf(out, " %s", polb_name(POLB_NAMES_SIGNAL, number, scratch));
	else
		polb_text_printf(out, " %u", e->exit_code >> 8 & 0xff);
}

/* The verb of a permission check is what was asked for. */
static void verb_of(const struct shape *shape, const struct polb_event_view *e, const char **icon,
	char verb[40])
{
	__s64 bits;

	*icon = shape->icon;
	snprintf(verb, 40, "%s", shape->verb);
	if (strcmp(shape->function, "security_file_permission") == 0 &&
		entry_integer(e, 1, &bits)) {
		if (bits == 2 || bits == 4) {
			*icon = bits == 2 ? "📝" : "📚";
			snprintf(verb, 40, "%s", bits == 2 ? "write" : "read");
		}
	} else if (strcmp(shape->function, "security_mmap_file") == 0 &&
		   entry_integer(e, 1, &bits)) {
		*icon = "📝";
		snprintf(verb, 40, "mmap-%s%s%s", bits & 1 ? "r" : "", bits & 2 ? "w" : "",
			bits & 4 ? "x" : "");
	}
}

static void compact_function(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e, const char *symbol)
{
	const struct shape *shape = shape_of(symbol);
	const char *icon, *at;
	char verb[40];

	if (!shape) {
		start(out, style, e, "❓", "syscall");
		polb_text_printf(out, " %s", symbol);
		all_arguments(out, e, POLB_ARGUMENT_ENTRY);
		return;
	}
	verb_of(shape, e, &icon, verb);
	start(out, style, e, icon, verb);
	for (at = shape->arguments; *at;) {
		shaped_argument(out, e, &at);
		at += *at == ' ';
	}
}

static void compact_probe(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e, enum polb_event_kind kind)
{
	const struct polb_bundle_trace_spec *spec = polb_event_spec(style->bundle, e);
	const char *symbol = polb_event_symbol(style->bundle, e);

	start(out, style, e, "🕵️", kind == POLB_KIND_USDT ? "usdt" : "uprobe");
	polb_text_printf(out, " %s", polb_bundle_string(style->bundle, spec->path));
	if (kind == POLB_KIND_USDT)
		polb_text_printf(out, " %s %s", polb_bundle_string(style->bundle, spec->provider),
			polb_bundle_string(style->bundle, spec->name));
	else
		polb_text_printf(out, " %s", symbol);
	all_arguments(out, e, POLB_ARGUMENT_ENTRY);
}

static void compact_tracepoint(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e, const char *symbol)
{
	const char *slash = strchr(symbol, '/');

	if (strcmp(symbol, "raw_syscalls/sys_enter") == 0) {
		start(out, style, e, "☎ ", "syscall");
	} else {
		start(out, style, e, "⁉️", "tracepoint");
		if (slash)
			polb_text_printf(out, " %.*s %s", (int)(slash - symbol), symbol, slash + 1);
		else
			polb_text_printf(out, " %s", symbol);
	}
	all_arguments(out, e, POLB_ARGUMENT_ENTRY);
}

/* "[Override -1, Sigkill]", "[monitor: Sigkill]"; nothing when the event was all. */
static void enforced(struct polb_text *out, const struct polb_event_call *call)
{
	const __u64 quiet = 1u << POLB_ACTION_POST | 1u << POLB_ACTION_NO_POST;
	__u64 actions = (call->actions | call->return_actions) & ~quiet;
	char scratch[POLB_NAME_TEXT];
	const char *between = call->monitored ? " [monitor: " : " [";

	for (unsigned int i = 0; i < POLB_N_TRACE_ACTIONS; i++) {
		if (!(actions >> i & 1))
			continue;
		polb_text_printf(out, "%s%s", between, action_names[i]);
		if (i == POLB_ACTION_OVERRIDE || i == POLB_ACTION_NOTIFY_ENFORCER)
			polb_text_printf(out, " %d", call->override_error);
		else if (i == POLB_ACTION_SIGNAL)
			polb_text_printf(
				out, " %s", polb_name(POLB_NAMES_SIGNAL, call->signal, scratch));
		between = ", ";
	}
	if (between[0] == ',')
		polb_text_puts(out, "]");
}

static void compact_loader(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e)
{
	start(out, style, e, "🧬", "loader");
	if (e->build_id.size)
		polb_text_puts(out, " ");
	for (size_t i = 0; i < e->build_id.size; i++)
		polb_text_printf(out, "%02x", (unsigned char)e->build_id.data[i]);
	all_arguments(out, e, POLB_ARGUMENT_ENTRY);
}

static void compact_call(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e, enum polb_event_kind kind)
{
	const char *symbol = polb_event_symbol(style->bundle, e);

	if (kind == POLB_KIND_LSM) {
		start(out, style, e, "🔒", "LSM");
		polb_text_printf(out, " %s", symbol);
		all_arguments(out, e, POLB_ARGUMENT_ENTRY);
	} else if (kind == POLB_KIND_TRACEPOINT) {
		compact_tracepoint(out, style, e, symbol);
	} else if (kind == POLB_KIND_UPROBE || kind == POLB_KIND_USDT) {
		compact_probe(out, style, e, kind);
	} else {
		compact_function(out, style, e, symbol);
	}
	result(out, e);
	enforced(out, e->call.event);
}

/* "symbol+0x1c" in the kernel, "symbol (module+0x2f1c)" in a program: its file's offset. */
static void frame_text(struct polb_text *out, const struct polb_frame *frame, bool user)
{
	unsigned long long offset = frame->offset;

	polb_text_puts(out, "\n   ");
	polb_text_puts(out, *frame->symbol ? frame->symbol : user ? "" : "?");
	if (user)
		polb_text_printf(
			out, "%s(%s+0x%llx)", *frame->symbol ? " " : "", frame->module, offset);
	else
		polb_text_printf(out, "+0x%llx", offset);
}

static void stack(struct polb_text *out, const char *title, const struct polb_frame *frames,
	size_t n, bool user)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (user && !*frames[i].symbol && !*frames[i].module)
			continue; /* the process was gone before anybody looked */
		if (!any)
			polb_text_printf(out, "\n%s:", title);
		any = true;
		frame_text(out, &frames[i], user);
	}
}

void polb_event_compact(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e)
{
	enum polb_event_kind kind = polb_event_kind(style->bundle, e);

	if (kind == POLB_KIND_EXEC) {
		start(out, style, e, "🚀", "process");
		command_line(out, e);
	} else if (kind == POLB_KIND_EXIT) {
		compact_exit(out, style, e);
	} else if (kind == POLB_KIND_LOADER) {
		compact_loader(out, style, e);
	} else {
		compact_call(out, style, e, kind);
	}
	stack(out, "Kernel", e->kernel_stack, e->n_kernel_stack, false);
	stack(out, "User", e->user_stack, e->n_user_stack, true);
}
