/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lints of tracing policies: where a call gets past what was meant (user
 * memory, links, a second ABI, a value that cannot be read), where an action
 * hits somebody else, and what costs much. Reference: tetragon-policy 7.
 */
#include <string.h>

#include "lint_tracing.h"

#define ENFORCING                                                                                  \
	(1ull << POLB_ACTION_SIGKILL | 1ull << POLB_ACTION_SIGNAL | 1ull << POLB_ACTION_OVERRIDE | \
		1ull << POLB_ACTION_NOTIFY_ENFORCER)
#define SIGNALLING (1ull << POLB_ACTION_SIGKILL | 1ull << POLB_ACTION_SIGNAL)

static bool enforces(const struct polc_trace_selector *selector)
{
	return (selector->action_mask | selector->return_action_mask) & ENFORCING;
}

/* The first action among `mask`, for its place. */
static const struct polc_trace_action *action_of(
	const struct polc_trace_selector *selector, uint64_t mask)
{
	for (size_t i = 0; i < selector->actions.n; i++)
		if (mask >> selector->actions.items[i].kind & 1)
			return &selector->actions.items[i];
	for (size_t i = 0; i < selector->return_actions.n; i++)
		if (mask >> selector->return_actions.items[i].kind & 1)
			return &selector->return_actions.items[i];
	return NULL;
}

static bool is_on_value(const struct polc_trace_test *test)
{
	switch (test->kind) {
	case POLC_TEST_INTERVALS:
	case POLC_TEST_MASK:
	case POLC_TEST_STRING:
	case POLC_TEST_FILE_TYPE:
	case POLC_TEST_ADDRESS:
	case POLC_TEST_PORT:
	case POLC_TEST_PROTOCOL:
	case POLC_TEST_FAMILY:
	case POLC_TEST_STATE:
	case POLC_TEST_CAPS_GAINED:
		return true;
	case POLC_TEST_EXPRESSION:
	case POLC_TEST_PIDS:
	case POLC_TEST_BINARY:
	case POLC_TEST_NAMESPACE:
	case POLC_TEST_NAMESPACE_CHANGES:
	case POLC_TEST_CAPABILITIES:
	case POLC_TEST_CAPABILITY_CHANGES:
	case POLC_TEST_WORKLOAD:
		return false;
	}
	return false;
}

/* --- enforcement that is got around
 * -------------------------------------------------------------
 */

/* Where the kernel judges its own copy of what a system call was given. */
static const struct {
	const char *syscall, *hook;
} kernel_copies[] = {
	{"open", "security_file_open"},
	{"openat", "security_file_open"},
	{"openat2", "security_file_open"},
	{"creat", "security_file_open"},
	{"execve", "security_bprm_check"},
	{"execveat", "security_bprm_check"},
	{"connect", "security_socket_connect"},
	{"bind", "security_socket_bind"},
	{"sendto", "security_socket_sendmsg"},
	{"unlink", "security_path_unlink"},
	{"unlinkat", "security_path_unlink"},
	{"rmdir", "security_path_rmdir"},
	{"mkdir", "security_path_mkdir"},
	{"mkdirat", "security_path_mkdir"},
	{"rename", "security_path_rename"},
	{"renameat", "security_path_rename"},
	{"renameat2", "security_path_rename"},
	{"link", "security_path_link"},
	{"linkat", "security_path_link"},
	{"symlink", "security_path_symlink"},
	{"symlinkat", "security_path_symlink"},
	{"truncate", "security_path_truncate"},
	{"chmod", "security_path_chmod"},
	{"fchmodat", "security_path_chmod"},
	{"chown", "security_path_chown"},
	{"fchownat", "security_path_chown"},
	{"chroot", "security_path_chroot"},
	{"mount", "security_sb_mount"},
	{"umount2", "security_sb_umount"},
	{"pivot_root", "security_sb_pivotroot"},
	{"init_module", "security_kernel_load_data"},
	{"finit_module", "security_kernel_read_file"},
	{"setxattr", "security_inode_setxattr"},
	{"bpf", "security_bpf"},
};

static const char *kernel_copy_of(const struct polc_trace_spec *spec)
{
	for (size_t i = 0; spec->syscall && i < spec->symbols.n; i++)
		for (size_t j = 0; j < POLC_ARRAY_SIZE(kernel_copies); j++)
			if (!strcmp(spec->symbols.items[i].syscall.name, kernel_copies[j].syscall))
				return kernel_copies[j].hook;
	return NULL;
}

/* Reference T16, T17: the test and the call read the caller's memory at
 * different times. */
static void lint_user_memory(const struct polc_tracing_lint *l, const struct polc_trace_test *test)
{
	const struct polc_trace_value *value = &l->spec->values.items[test->value];
	const struct polc_trace_action *action = action_of(l->selector, ENFORCING);
	const char *copy = kernel_copy_of(l->spec);
	struct polc_diagnostic *d;

	if (!is_on_value(test) || !value->user_memory || !action)
		return;
	d = polc_lint_report(l->polc, test->span, POLC_CODE_USER_MEMORY,
		"this enforces on memory that the caller can change after the test and "
		"before the "
		"call uses it%s",
		test->on_error == POLC_ON_ERROR_NO_MATCH
			? "; memory that is not resident is not matched at all"
			: "");
	polc_diagnostic_relate(l->polc, d, action->span, "what is enforced");
	if (copy)
		polc_diagnostic_suggest(
			l->polc, d, "hook %s, which sees the kernel's own copy", copy);
}

/* What a negated test makes of a value that is not known lets the call through
 * (T11). */
static void lint_unreadable(const struct polc_tracing_lint *l, const struct polc_trace_test *test)
{
	const char *what = NULL;

	if (!test->negate || test->on_error != POLC_ON_ERROR_NO_MATCH)
		return;
	if (test->kind == POLC_TEST_BINARY)
		what = test->parent ? "whose parent's binary is not known"
				    : "whose binary is not known (deleted, or in memory)";
	else if (is_on_value(test) && !l->spec->values.items[test->value].user_memory &&
		 polc_trace_type_class(l->spec->values.items[test->value].type) == POLB_CLASS_PATH)
		what = "on a file without a path (memfd, a pipe)";
	if (!what)
		return;
	struct polc_diagnostic *d =
		polc_lint_report(l->polc, test->span, POLC_CODE_UNREADABLE_EVADES,
			"a call %s is not enforced: 'not' of what is unknown "
			"does not match",
			what);

	polc_diagnostic_suggest(l->polc, d,
		"add 'onError: match' to the filter if such calls are "
		"to be enforced too");
}

static bool calls_abi(const struct polc_tracing_lint *l, const char *name, enum polc_abi abi)
{
	for (size_t i = 0; i < l->tracing->n_specs; i++) {
		const struct polc_trace_spec *spec = &l->tracing->specs[i];

		for (size_t j = 0; spec->syscall && j < spec->symbols.n; j++)
			if (spec->symbols.items[j].syscall.abi == abi &&
				!strcmp(spec->symbols.items[j].syscall.name, name))
				return true;
	}
	return false;
}

static bool has_io_uring(const char *name)
{
	static const char *const names[] = {"openat", "openat2", "connect", "sendto", "sendmsg",
		"recvmsg", "renameat", "unlinkat", "mkdirat", "symlinkat", "linkat", "read",
		"write", "close", "accept", "fallocate", "statx", "setxattr", "socket", "bind",
		"listen", "splice"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Reference T20, T21. */
static void lint_syscall_bypass(const struct polc_tracing_lint *l)
{
	const struct polc_trace_action *action = action_of(l->selector, ENFORCING);
	const struct polc_trace_symbol *symbol = NULL;

	for (size_t i = 0; l->spec->syscall && i < l->spec->symbols.n && !symbol; i++) {
		const struct polc_trace_symbol *s = &l->spec->symbols.items[i];

		if (s->syscall.abi == POLC_ABI_X64 && !calls_abi(l, s->syscall.name, POLC_ABI_I386))
			symbol = s;
	}
	if (!symbol || !action)
		return;
	const char *copy = kernel_copy_of(l->spec);
	struct polc_diagnostic *d =
		polc_lint_report(l->polc, symbol->span, POLC_CODE_SYSCALL_BYPASS,
			"a 32-bit program%s reaches the same without this "
			"system call of 64-bit programs",
			has_io_uring(symbol->syscall.name) ? ", or io_uring," : "");

	polc_diagnostic_relate(l->polc, d, action->span, "what is enforced");
	if (copy)
		polc_diagnostic_suggest(l->polc, d, "hook %s, where all of them pass", copy);
	else
		polc_diagnostic_suggest(l->polc, d, "add 'i386/sys_%s'", symbol->syscall.name);
}

/* --- actions
 * -----------------------------------------------------------------------------------
 */

static bool runs_in_softirq(const struct polc_trace_spec *spec, const char *symbol)
{
	static const char *const functions[] = {"ip_rcv", "ip_rcv_finish", "ip_local_deliver",
		"ip_local_deliver_finish", "ip_forward", "ip_output", "ip_finish_output",
		"ip6_output", "ip6_finish_output", "ipv6_rcv", "ip6_input", "tcp_v4_rcv",
		"tcp_v6_rcv", "tcp_v4_do_rcv", "tcp_v6_do_rcv", "tcp_rcv_established",
		"tcp_rcv_state_process", "tcp_conn_request", "tcp_set_state", "tcp_retransmit_skb",
		"tcp_send_ack", "udp_rcv", "__udp4_lib_rcv", "__udp6_lib_rcv", "udp_queue_rcv_skb",
		"icmp_rcv", "icmpv6_rcv", "icmp_send", "__icmp_send", "netif_receive_skb",
		"__netif_receive_skb", "__netif_receive_skb_core", "netif_rx", "napi_gro_receive",
		"dev_queue_xmit", "__dev_queue_xmit", "dev_hard_start_xmit", "nf_hook_slow",
		"kfree_skb", "__kfree_skb", "consume_skb", "kfree_skb_reason", "__sk_free",
		"sk_free", "sk_destruct", "sock_rfree", "sock_wfree", "security_sock_rcv_skb",
		"security_inet_conn_established"};
	static const char *const events[] = {"net/", "skb/", "napi/", "irq/", "tcp/tcp_retransmit",
		"tcp/tcp_probe", "sock/inet_sock_set_state"};
	static const char *const hooks[] = {
		"socket_sock_rcv_skb", "inet_conn_established", "inet_conn_request"};

	for (size_t i = 0; spec->section == POLC_SECTION_TRACEPOINT && i < POLC_ARRAY_SIZE(events);
		i++)
		if (!strncmp(symbol, events[i], strlen(events[i])))
			return true;
	for (size_t i = 0; spec->section == POLC_SECTION_LSM && i < POLC_ARRAY_SIZE(hooks); i++)
		if (!strcmp(symbol, hooks[i]))
			return true;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(functions); i++)
		if (spec->section != POLC_SECTION_TRACEPOINT && !strcmp(symbol, functions[i]))
			return true;
	return false;
}

/* Reference T19: a signal goes to the current task, which there is whoever was
 * interrupted. */
static void lint_softirq_kill(const struct polc_tracing_lint *l)
{
	const struct polc_trace_action *action = action_of(l->selector, SIGNALLING);
	const char *symbol = NULL;

	for (size_t i = 0; !l->spec->syscall && i < l->spec->symbols.n && !symbol; i++)
		if (runs_in_softirq(l->spec, l->spec->symbols.items[i].name))
			symbol = l->spec->symbols.items[i].name;
	if (!symbol || !action)
		return;
	struct polc_diagnostic *d = polc_lint_report(l->polc, action->span, POLC_CODE_SOFTIRQ_KILL,
		"'%s' also runs in interrupts: the signal goes to "
		"whatever process was interrupted",
		symbol);

	polc_diagnostic_suggest(l->polc, d,
		"enforce where the process acts: security_socket_connect, "
		"security_socket_sendmsg, or a network policy");
}

static bool can_replace_result(const struct polc_trace_spec *spec)
{
	return spec->section == POLC_SECTION_LSM ||
	       (spec->symbols.n && !strncmp(spec->symbols.items[0].name, "security_", 9));
}

/* Reference T18. */
static void lint_late_kill(const struct polc_tracing_lint *l)
{
	const struct polc_trace_action *action =
		action_of(l->selector, 1ull << POLB_ACTION_SIGKILL);

	if (!action || !can_replace_result(l->spec) ||
		l->selector->action_mask >> POLB_ACTION_OVERRIDE & 1)
		return;
	struct polc_diagnostic *d = polc_lint_report(l->polc, action->span, POLC_CODE_LATE_KILL,
		"the process dies when the kernel returns to it: the "
		"call itself may still take "
		"effect");

	polc_diagnostic_suggest(l->polc, d,
		"add 'action: Override, argError: -1', in the DSL "
		"'override -1', to refuse the "
		"call as well");
}

static void lint_monitored(const struct polc_tracing_lint *l)
{
	const struct polc_trace_action *action = action_of(l->selector, ENFORCING);

	if (l->policy->mode != POLB_MODE_MONITOR || !action)
		return;
	polc_lint_report(l->polc, action->span, POLC_CODE_MONITORED_ENFORCEMENT,
		"this is not carried out while '%s' is in monitor mode: it "
		"is only reported",
		l->policy->name);
}

/* --- values
 * --------------------------------------------------------------------------------------
 */

/* What is a directory on every system; of others nobody can tell from a name. */
static bool is_directory(const struct polc_string *s)
{
	static const char *const directories[] = {"/bin", "/boot", "/dev", "/etc", "/home", "/lib",
		"/lib64", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin", "/srv",
		"/sys", "/tmp", "/usr", "/var", "/usr/bin", "/usr/include", "/usr/lib",
		"/usr/lib64", "/usr/libexec", "/usr/local", "/usr/local/bin", "/usr/local/lib",
		"/usr/local/sbin", "/usr/sbin", "/usr/share", "/usr/src", "/var/cache", "/var/lib",
		"/var/log", "/var/run", "/var/spool", "/var/tmp", "/var/lib/docker",
		"/var/lib/kubelet", "/etc/cron.d", "/etc/init.d", "/etc/kubernetes", "/etc/pam.d",
		"/etc/ssh", "/etc/ssl", "/etc/systemd", "/root/.ssh", "/dev/shm", "/proc/sys",
		"/sys/fs", "/sys/kernel"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(directories); i++)
		if (!strcmp(s->bytes, directories[i]))
			return true;
	return false;
}

/* Reference T32. */
static void lint_prefix(const struct polc_tracing_lint *l, const struct polc_trace_test *test)
{
	bool of_path = test->kind == POLC_TEST_BINARY ||
		       (test->kind == POLC_TEST_STRING &&
			       polc_trace_type_class(l->spec->values.items[test->value].type) ==
				       POLB_CLASS_PATH);
	const char *first = NULL;
	size_t n = 0;

	if (!of_path || test->string_op != POLC_STRING_PREFIX)
		return;
	for (size_t i = 0; i < test->strings.n; i++) {
		if (!is_directory(&test->strings.items[i]))
			continue;
		first = first ? first : test->strings.items[i].bytes;
		n++;
	}
	if (!n)
		return;
	struct polc_diagnostic *d = polc_lint_report(l->polc, test->span,
		POLC_CODE_PREFIX_WITHOUT_SLASH,
		"a prefix is text, not a directory: '%s' also matches '%s-other'", first, first);

	if (n > 1)
		polc_diagnostic_suggest(
			l->polc, d, "write '%s/', and %zu others likewise", first, n - 1);
	else
		polc_diagnostic_suggest(l->polc, d, "write '%s/'", first);
}

static void lint_address_negation(
	const struct polc_tracing_lint *l, const struct polc_trace_test *test)
{
	unsigned families = 0;

	if (test->kind != POLC_TEST_ADDRESS || !test->negate)
		return;
	for (size_t i = 0; i < test->prefixes.n; i++)
		families |= test->prefixes.items[i].addr.family == 4 ? 1 : 2;
	if (families == 3)
		return;
	struct polc_diagnostic *d =
		polc_lint_report(l->polc, test->span, POLC_CODE_IPV4_ONLY_NEGATION,
			"every %s address is outside of these %s networks, "
			"so it matches",
			families == 1 ? "IPv6" : "IPv4", families == 1 ? "IPv4" : "IPv6");

	polc_diagnostic_suggest(l->polc, d,
		"add the %s networks that are meant to be left alone%s, or a test of the "
		"family",
		families == 1 ? "IPv6" : "IPv4",
		families == 1 ? " (::1, fe80::/10, ::ffff:0:0/96, ...)" : "");
}

/* On systems with a merged /usr, /bin/sh is a link, and the kernel names what
 * it leads to. */
static const char *real_path(
	const struct polc_tracing_lint *l, const struct polc_trace_test *test, const char *path)
{
	static const char *const links[] = {"/bin/", "/sbin/", "/lib/", "/lib64/"};

	if (l->root)
		return polc_lint_real_path(&l->polc->arena, l->root, path);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(links); i++) {
		if (strncmp(path, links[i], strlen(links[i])) != 0)
			continue;
		const char *real = polc_arena_printf(&l->polc->arena, "/usr%s", path);

		for (size_t j = 0; j < test->strings.n; j++)
			if (!strcmp(test->strings.items[j].bytes, real))
				return path;
		return real;
	}
	return path;
}

static void lint_symlink(const struct polc_tracing_lint *l, const struct polc_trace_test *test)
{
	if (test->kind != POLC_TEST_BINARY || test->string_op != POLC_STRING_EQUAL)
		return;
	for (size_t i = 0; i < test->strings.n; i++) {
		const char *path = test->strings.items[i].bytes;
		const char *real = real_path(l, test, path);

		if (!real || !strcmp(real, path))
			continue;
		struct polc_diagnostic *d = polc_lint_report(l->polc, test->span,
			POLC_CODE_BINARY_SYMLINK, "'%s' is %s: processes have the path '%s'", path,
			l->root ? "a symbolic link" : "below a symbolic link where /usr is merged",
			real);

		polc_diagnostic_suggest(l->polc, d, "name '%s'%s", real, l->root ? "" : " as well");
	}
}

/* --- cost, order, workloads
 * ----------------------------------------------------------------------
 */

static bool is_hot(const struct polc_trace_spec *spec, const struct polc_trace_symbol *symbol)
{
	static const char *const functions[] = {"vfs_read", "vfs_write", "security_file_permission",
		"rw_verify_area", "security_socket_sendmsg", "security_socket_recvmsg",
		"tcp_sendmsg", "tcp_recvmsg", "udp_sendmsg", "udp_recvmsg", "ip_output", "ip_rcv",
		"netif_receive_skb", "__netif_receive_skb_core", "dev_queue_xmit",
		"__dev_queue_xmit", "schedule", "security_inode_permission", "inode_permission",
		"security_inode_getattr", "cap_capable", "security_capable", "file_permission",
		"inode_permission", "socket_sendmsg", "socket_recvmsg", "inode_getattr", "capable"};
	static const char *const calls[] = {"read", "write", "readv", "writev", "pread64",
		"pwrite64", "recvfrom", "sendto", "recvmsg", "sendmsg", "futex", "poll", "ppoll",
		"epoll_wait", "epoll_pwait", "select", "pselect6", "close", "fstat", "newfstatat",
		"stat", "lseek", "mmap", "munmap", "mprotect", "madvise", "brk", "nanosleep",
		"clock_nanosleep", "sched_yield", "getpid", "ioctl"};
	static const char *const events[] = {"raw_syscalls/", "sched/sched_switch",
		"sched/sched_wakeup", "sched/sched_stat", "kmem/", "irq/", "net/", "skb/", "timer/",
		"exceptions/", "syscalls/sys_enter_read", "syscalls/sys_enter_write",
		"syscalls/sys_exit_read", "syscalls/sys_exit_write", "syscalls/sys_enter_futex"};

	for (size_t i = 0; spec->syscall && i < POLC_ARRAY_SIZE(calls); i++)
		if (!strcmp(symbol->syscall.name, calls[i]))
			return true;
	for (size_t i = 0; spec->section == POLC_SECTION_TRACEPOINT && i < POLC_ARRAY_SIZE(events);
		i++)
		if (!strncmp(symbol->name, events[i], strlen(events[i])))
			return true;
	for (size_t i = 0; !spec->syscall && i < POLC_ARRAY_SIZE(functions); i++)
		if (!strcmp(symbol->name, functions[i]))
			return true;
	return false;
}

/* An event for every call: nothing is tested, or what is tested does not decide
 * about it. */
static bool posts_everything(const struct polc_trace_spec *spec)
{
	if (!spec->selectors.n)
		return true;
	for (size_t i = 0; i < spec->selectors.n; i++) {
		const struct polc_trace_selector *selector = &spec->selectors.items[i];

		if (selector->tests.n || selector->return_tests.n)
			continue;
		for (size_t j = 0; j < selector->actions.n; j++)
			if (selector->actions.items[j].kind == POLB_ACTION_POST &&
				!selector->actions.items[j].rate_interval_ns)
				return true;
	}
	return false;
}

static void lint_hot_hook(const struct polc_tracing_lint *l)
{
	const struct polc_trace_symbol *hot = NULL;

	for (size_t i = 0; i < l->spec->symbols.n && !hot; i++)
		if (is_hot(l->spec, &l->spec->symbols.items[i]))
			hot = &l->spec->symbols.items[i];
	if (!hot || !posts_everything(l->spec) || l->policy->events_per_second ||
		l->policy->has_workload)
		return;
	struct polc_diagnostic *d = polc_lint_report(l->polc, hot->span, POLC_CODE_HOT_HOOK,
		"'%s' is called very often, and every call sends an event", hot->name);

	polc_diagnostic_suggest(l->polc, d,
		"test something in the kernel (matchArgs, matchBinaries, "
		"matchNamespaces), or bound "
		"the events (rateLimit, annotation polc.dev/event-rate)");
}

static const char *test_key(const struct polc_tracing_lint *l, const struct polc_trace_test *test)
{
	struct polc_buf text = {.arena = &l->polc->arena};

	polc_trace_test_print(l->tracing, l->spec, test, &text);
	return text.p;
}

/* Does every test of `earlier` stand in `later` too? Then what matches the
 * later matched before. */
static bool is_covered(const struct polc_tracing_lint *l, const struct polc_trace_selector *earlier,
	const struct polc_trace_selector *later)
{
	for (size_t i = 0; i < earlier->tests.n; i++) {
		const char *key = test_key(l, &earlier->tests.items[i]);
		bool found = false;

		for (size_t j = 0; j < later->tests.n && !found; j++)
			found = !strcmp(key, test_key(l, &later->tests.items[j]));
		if (!found)
			return false;
	}
	return true;
}

static void lint_unreachable(const struct polc_tracing_lint *l)
{
	for (size_t i = 1; i < l->spec->selectors.n; i++) {
		const struct polc_trace_selector *later = &l->spec->selectors.items[i];

		for (size_t j = 0; j < i; j++) {
			const struct polc_trace_selector *earlier = &l->spec->selectors.items[j];

			if (!is_covered(l, earlier, later))
				continue;
			struct polc_diagnostic *d = polc_lint_report(l->polc, later->span,
				POLC_CODE_UNREACHABLE_SELECTOR,
				"this selector is never reached: an earlier one matches whatever "
				"it "
				"would match, and the first one decides");

			polc_diagnostic_relate(l->polc, d, earlier->span, "the earlier one");
			break;
		}
	}
}

/* --- all of them
 * ---------------------------------------------------------------------------------
 */

static void lint_test(const struct polc_tracing_lint *l, const struct polc_trace_test *test)
{
	if (enforces(l->selector)) {
		lint_user_memory(l, test);
		lint_unreadable(l, test);
	}
	lint_prefix(l, test);
	lint_address_negation(l, test);
	lint_symlink(l, test);
}

static void lint_selector(struct polc_tracing_lint *l)
{
	for (size_t i = 0; i < l->selector->tests.n; i++)
		lint_test(l, &l->selector->tests.items[i]);
	for (size_t i = 0; i < l->selector->return_tests.n; i++)
		lint_test(l, &l->selector->return_tests.items[i]);
	lint_syscall_bypass(l);
	lint_softirq_kill(l);
	lint_late_kill(l);
	lint_monitored(l);
}

/* Where a policy that is in error says something else than it means, lints would be noise. */
static bool has_errors(
	const struct polc_lint_context *context, const struct polc_trace_policy *policy)
{
	const polc_ast_tracings *all = &context->input->tracings;
	uint32_t end = UINT32_MAX; /* where the next one in its file begins */

	for (size_t i = 0; i < all->n; i++) {
		struct polc_span span = all->items[i]->span;

		if (span.source == policy->span.source && span.begin > policy->span.begin &&
			span.begin < end)
			end = span.begin;
	}
	for (size_t i = 0; context->polc->n_errors && i < context->polc->diagnostics.n; i++) {
		const struct polc_diagnostic *d = context->polc->diagnostics.items[i];

		if (d->severity == POLC_ERROR && d->span.source == policy->span.source &&
			d->span.begin >= policy->span.begin && d->span.begin < end)
			return true;
	}
	return false;
}

void polc_lint_tracing(const struct polc_lint_context *context)
{
	const struct polc_tracing *tracing = context->tracing;
	struct polc_tracing_lint l = {
		.polc = context->polc, .tracing = tracing, .root = context->root};

	for (size_t i = 0; i < tracing->n_policies; i++) {
		l.policy = &tracing->policies[i];
		if (has_errors(context, l.policy))
			continue;
		if (context->has_inventory)
			polc_lint_trace_workload(&l, context);
		for (uint32_t j = 0; j < l.policy->n_specs; j++) {
			l.spec = &tracing->specs[l.policy->first_spec + j];
			lint_hot_hook(&l);
			lint_unreachable(&l);
			for (size_t k = 0; k < l.spec->selectors.n; k++) {
				l.selector = &l.spec->selectors.items[k];
				lint_selector(&l);
			}
		}
	}
}
