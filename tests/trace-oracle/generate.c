/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random tracing policies: every class of values, every operator that applies, filters on the
 * process, actions, returns, monitor mode, onError. Values come from small pools, so that tests
 * hold about as often as they do not; calls take theirs from the same pools and from beside them.
 */
#include "generate.h"

#include <string.h>

uint32_t trace_random(struct trace_random *r, uint32_t below)
{
	r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(r->state >> 33) % below;
}

#define PICK(r, pool) ((pool)[trace_random(r, POLC_ARRAY_SIZE(pool))])

/* ---- pools ---- */

static const char *const cap_names[] = {"CAP_CHOWN", "CAP_KILL", "CAP_SYS_ADMIN", "CAP_BPF",
	"CAP_CHECKPOINT_RESTORE", "CAP_NET_RAW"};
static const char *const texts[] = {"a", "ab", "abc", "abcabc", "b", "c.so", "x.so", "ABC", "aBc",
	"@agent", "@age", "0123456789012345678901234567890", "01234567890123456789012345678901",
	"012345678901234567890123456789012", "/etc/passwd", "/etc/", "tc/pa", "zz"};
static const char *const paths[] = {"/etc/passwd", "/etc/shadow", "/etc", "/etcetera", "/usr/bin/x",
	"/usr/bin/xy", "/srv/a/b/c/d", "/srv", "/", "/tmp/x.so",
	"/a/0123456789012345678901234567890"};
static const char *const path_parts[] = {"/etc/", "/etc", "/usr/bin/", "/srv/a", ".so", "d", "x",
	"passwd", "tmp", "/", "/etc/passwd", "/usr/bin/x"};
static const char *const binaries[] = {
	"/bin/sh", "/bin/bash", "/usr/bin/x", "/usr/bin/sudo", "/sbin/init", "/bin/shell"};
static const char *const nets[] = {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0",
	"fd00::/16", "fd00::1", "::/0", "192.168.1.1", "::ffff:10.9.0.0/112"};
static const char *const addresses[] = {"10.1.2.3", "10.255.255.255", "11.0.0.0", "fd00::1",
	"fd01::", "::ffff:10.9.1.1", "192.168.1.1", "192.168.1.2", "::", "0.0.0.0"};
static const char *const ports[] = {"0", "1", "80", "81", "443", "1023", "1024", "65535"};
static const char *const protocols[] = {
	"IPPROTO_IP", "IPPROTO_TCP", "IPPROTO_UDP", "IPPROTO_ICMP", "IPPROTO_GRE"};
static const char *const families[] = {"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"};
static const char *const states[] = {"TCP_ESTABLISHED", "TCP_LISTEN", "TCP_TIME_WAIT", "TCP_CLOSE"};
static const char *const file_types[] = {"reg", "dir", "lnk", "chr", "sock", "fifo", "blk"};
static const char *const namespaces[] = {"Uts", "Ipc", "Mnt", "Pid", "PidForChildren", "Net",
	"Time", "TimeForChildren", "Cgroup", "User"};

struct type {
	const char *name;
	enum polb_trace_class class;
};
static const struct type types[] = {
#define X(name, text, class, width, is_signed) {text, POLB_CLASS_##class},
	POLB_TRACE_TYPES(X)
#undef X
};

/* ---- policies ---- */

struct generator {
	struct polc_buf *out;
	struct trace_random *random;
	bool few;   /* selectors */
	bool plain; /* only what a search can tell apart completely (analysis/assert_values.c) */
};

static uint32_t dice(struct generator *g, uint32_t n)
{
	return trace_random(g->random, n);
}

static const char *pick(struct generator *g, const char *const *pool, size_t n)
{
	return pool[dice(g, (uint32_t)n)];
}
#define PICK_OF(g, pool) pick(g, pool, POLC_ARRAY_SIZE(pool))

/* Values that fit the type's width; polc refuses others, and what is refused is no policy. */
static const char *number_for(struct generator *g, const struct type *type)
{
	static const char *const small[] = {"0", "1", "2", "5", "126", "127"};
	static const char *const negative[] = {"-1", "-2", "-128", "0", "1", "127"};
	static const char *const wide[] = {"0", "255", "2147483647", "-2147483648", "-1", "5"};
	static const char *const unsigned_wide[] = {"0", "9223372036854775807",
		"9223372036854775808", "18446744073709551615", "5", "1"};
	static const char *const of_32[] = {"0", "4294967295", "2147483648", "1", "5"};
	bool is_unsigned = type->name[0] == 'u' || type->name[0] == 's';

	if (strstr(type->name, "uint64") || !strcmp(type->name, "size_t") ||
		!strcmp(type->name, "ulong") || !strcmp(type->name, "unsigned long"))
		return PICK_OF(g, unsigned_wide);
	if (!strcmp(type->name, "uint32"))
		return PICK_OF(g, of_32);
	if (!strcmp(type->name, "sint64") || !strcmp(type->name, "int64") ||
		!strcmp(type->name, "int") || !strcmp(type->name, "int32"))
		return PICK_OF(g, wide);
	if (is_unsigned || strstr(type->name, "syscall"))
		return PICK_OF(g, small);
	return PICK_OF(g, negative);
}

static void put_list(struct generator *g, const char *const *pool, size_t n)
{
	uint32_t count = 1 + dice(g, dice(g, 6) ? 3 : 9);

	polc_buf_puts(g->out, ", values: [");
	for (uint32_t i = 0; i < count; i++)
		polc_buf_printf(g->out, "%s\"%s\"", i ? ", " : "", pick(g, pool, n));
	polc_buf_puts(g->out, "]");
}

static void put_number_operator(struct generator *g, const struct type *type)
{
	static const char *const words[] = {
		"Equal", "NotEqual", "InMap", "NotInMap", "Mask", "GT", "LT"};
	const char *word = PICK_OF(g, words);
	bool ordered = word[0] == 'G' || word[0] == 'L';
	uint32_t n = 1 + dice(g, ordered ? 1 : dice(g, 5) ? 3 : 20);

	if (word[0] == 'M') {
		polc_buf_puts(g->out, "operator: Mask, values: [\"6\", \"64\"]");
		return;
	}
	if (ordered) {
		polc_buf_printf(g->out, "operator: %s, values: [\"%u\"]", word, dice(g, 126) + 1);
		return;
	}
	polc_buf_printf(g->out, "operator: %s, values: [", word);
	for (uint32_t i = 0; i < n; i++)
		polc_buf_printf(g->out, "%s\"%s\"", i ? ", " : "", number_for(g, type));
	polc_buf_puts(g->out, "]");
}

static void put_string_operator(struct generator *g, bool path)
{
	static const char *const words[] = {"Equal", "NotEqual", "Prefix", "NotPrefix", "Postfix",
		"NotPostfix", "SubString", "SubStringIgnCase"};
	const char *word = pick(g, words, g->plain ? 4 : POLC_ARRAY_SIZE(words));

	polc_buf_printf(g->out, "operator: %s", word);
	if (!path)
		put_list(g, texts, POLC_ARRAY_SIZE(texts));
	else if (strstr(word, "Equal"))
		put_list(g, paths, POLC_ARRAY_SIZE(paths));
	else
		put_list(g, path_parts, POLC_ARRAY_SIZE(path_parts));
}

static void put_net_operator(struct generator *g, const struct type *type)
{
	static const char *const of_ports[] = {"SPort", "NotSPort", "DPort", "NotDPort"};
	static const char *const of_addresses[] = {"SAddr", "NotSAddr", "DAddr", "NotDAddr"};
	bool sockaddr = !strcmp(type->name, "sockaddr"), skb = !strcmp(type->name, "skb");
	uint32_t half = sockaddr ? 2 : 4;

	switch (dice(g, sockaddr ? 3 : skb ? 4 : 5)) {
	case 0:
		polc_buf_printf(g->out, "operator: %s", of_addresses[dice(g, half)]);
		put_list(g, nets, POLC_ARRAY_SIZE(nets));
		return;
	case 1:
		polc_buf_printf(g->out, "operator: %s", of_ports[dice(g, half)]);
		put_list(g, ports, POLC_ARRAY_SIZE(ports));
		return;
	case 2:
		polc_buf_puts(g->out, "operator: Family");
		put_list(g, families, POLC_ARRAY_SIZE(families));
		return;
	case 3:
		polc_buf_puts(g->out, "operator: Protocol");
		put_list(g, protocols, POLC_ARRAY_SIZE(protocols));
		return;
	default:
		polc_buf_puts(g->out, "operator: State");
		put_list(g, states, POLC_ARRAY_SIZE(states));
	}
}

static void put_value_filter(struct generator *g, const struct type *type, unsigned index)
{
	polc_buf_printf(g->out, "{index: %u, ", index);
	switch (type->class) {
	case POLB_CLASS_INT:
		put_number_operator(g, type);
		break;
	case POLB_CLASS_CAPS:
		polc_buf_printf(g->out, "operator: %s", dice(g, 2) ? "Mask" : "Equal");
		put_list(g, cap_names, POLC_ARRAY_SIZE(cap_names));
		break;
	case POLB_CLASS_PATH:
		if (g->plain || dice(g, 4)) {
			put_string_operator(g, true);
		} else {
			polc_buf_printf(
				g->out, "operator: %s", dice(g, 2) ? "FileType" : "NotFileType");
			put_list(g, file_types, POLC_ARRAY_SIZE(file_types));
		}
		break;
	case POLB_CLASS_NET:
		put_net_operator(g, type);
		break;
	case POLB_CLASS_STRING:
	case POLB_CLASS_BYTES:
	case POLB_CLASS_UNIX:
	case POLB_CLASS_NOTHING:
	case POLB_CLASS_RECORD:
		put_string_operator(g, false);
		break;
	}
	if (!dice(g, 4))
		polc_buf_printf(g->out, ", onError: %s", dice(g, 2) ? "match" : "deny");
	polc_buf_puts(g->out, "}");
}

static void put_process_filter(struct generator *g, unsigned kind)
{
	static const char *const binary_words[] = {
		"In", "NotIn", "Prefix", "NotPrefix", "Postfix", "NotPostfix"};
	static const char *const pids[] = {"1", "7", "8", "4242", "0", "9"};
	static const char *const inums[] = {"host_ns", "7", "8"};
	static const char *const sets[] = {"Effective", "Permitted", "Inheritable"};
	const char *in = dice(g, 2) ? "In" : "NotIn";

	switch (kind) {
	case 0:
	case 1:
		polc_buf_printf(g->out, "      %s: [{operator: %s",
			kind ? "matchParentBinaries" : "matchBinaries",
			pick(g, binary_words, g->plain ? 4 : POLC_ARRAY_SIZE(binary_words)));
		put_list(g, binaries, POLC_ARRAY_SIZE(binaries));
		polc_buf_printf(g->out, "%s%s}]\n", "", !dice(g, 4) ? ", onError: match" : "");
		return;
	case 2:
		polc_buf_printf(g->out, "      matchBinaries: [{operator: %s", in);
		put_list(g, binaries, POLC_ARRAY_SIZE(binaries));
		polc_buf_puts(g->out, ", followChildren: true}]\n");
		return;
	case 3:
		polc_buf_printf(g->out, "      matchPIDs: [{operator: %s", in);
		polc_buf_printf(g->out, ", values: [%s, %s]", PICK_OF(g, pids), PICK_OF(g, pids));
		polc_buf_printf(g->out, "%s%s}]\n",
			!g->plain && dice(g, 2) ? ", followForks: true" : "",
			dice(g, 2) ? ", isNamespacePID: true" : "");
		return;
	case 4:
		polc_buf_printf(g->out, "      matchNamespaces: [{namespace: %s, operator: %s",
			PICK_OF(g, namespaces), in);
		put_list(g, inums, POLC_ARRAY_SIZE(inums));
		polc_buf_puts(g->out, "}]\n");
		return;
	case 5:
		polc_buf_printf(g->out, "      matchNamespaceChanges: [{operator: %s", in);
		put_list(g, namespaces, POLC_ARRAY_SIZE(namespaces));
		polc_buf_puts(g->out, "}]\n");
		return;
	default:
		polc_buf_printf(g->out, "      %s: [{type: %s, operator: %s",
			kind == 6 ? "matchCapabilities" : "matchCapabilityChanges",
			PICK_OF(g, sets), in);
		put_list(g, cap_names, POLC_ARRAY_SIZE(cap_names));
		polc_buf_printf(
			g->out, "%s}]\n", dice(g, 3) ? "" : ", isNamespaceCapability: true");
	}
}

static void put_actions(struct generator *g, bool returns)
{
	static const char *const words[] = {"{action: Post}", "{action: NoPost}",
		"{action: Sigkill}", "{action: Signal, argSig: 15}",
		"{action: Override, argError: -1}",
		"{action: Override, argError: -13}, {action: Sigkill}",
		"{action: NotifyEnforcer, argError: -5}",
		"{action: NotifyEnforcer, argError: -6, argSig: 10}",
		"{action: Override, argError: -2}, {action: NoPost}"};

	if (dice(g, 3))
		polc_buf_printf(g->out, "      matchActions: [%s]\n", PICK_OF(g, words));
	if (returns && !dice(g, 3))
		polc_buf_printf(g->out, "      matchReturnActions: [%s]\n", words[dice(g, 4)]);
}

static const struct type *usable_type(struct generator *g)
{
	for (;;) {
		const struct type *type = &types[dice(g, POLC_ARRAY_SIZE(types))];

		if (g->plain && type->class != POLB_CLASS_INT && type->class != POLB_CLASS_CAPS &&
			type->class != POLB_CLASS_STRING && type->class != POLB_CLASS_PATH)
			continue;
		if (type->class != POLB_CLASS_NOTHING && type->class != POLB_CLASS_RECORD &&
			strcmp(type->name, "syscall64") && strcmp(type->name, "const_buf") &&
			strcmp(type->name, "data_loc"))
			return type;
	}
}

static void put_selector(
	struct generator *g, const struct type *const *args, unsigned n, bool returns)
{
	unsigned filters = dice(g, 3), kinds = 0;
	bool first = true;

	polc_buf_puts(g->out, "    - label: l\n");
	for (unsigned i = dice(g, 3); i--;) {
		static const unsigned plain[] = {0, 1, 3, 4, 6};
		unsigned kind = g->plain ? plain[dice(g, POLC_ARRAY_SIZE(plain))] : dice(g, 8);
		unsigned field = kind == 2 ? 0 : kind;

		if (kinds >> field & 1)
			continue;
		kinds |= 1u << field;
		put_process_filter(g, kind);
	}
	for (unsigned i = 0; n && i < filters; i++) {
		unsigned arg = dice(g, n);

		polc_buf_puts(g->out, first ? "      matchArgs:\n      - " : "      - ");
		put_value_filter(g, args[arg], arg);
		polc_buf_puts(g->out, "\n");
		first = false;
	}
	if (returns && dice(g, 2)) {
		static const struct type result = {"int", POLB_CLASS_INT};

		polc_buf_puts(g->out, "      matchReturnArgs: [{index: 0, ");
		put_number_operator(g, &result);
		polc_buf_puts(g->out, "}]\n");
	}
	put_actions(g, returns);
}

/* Sizes: where there is none, of parameter 6. One that needs it is the only one. */
static void put_args(struct generator *g, const struct type *const *args, unsigned n, bool syscall)
{
	polc_buf_puts(g->out, "    args:\n");
	for (unsigned i = 0; i < n; i++) {
		bool sized =
			!strcmp(args[i]->name, "char_buf") || !strcmp(args[i]->name, "char_iovec");

		polc_buf_printf(g->out, "    - {index: %u, type: %s%s}\n", i, args[i]->name,
			!sized    ? ""
			: syscall ? ", sizeArgIndex: 3"
				  : ", sizeArgIndex: 6");
	}
}

static const char *const calls[TRACE_HOOKS] = {"security_file_open", "security_path_mkdir",
	"security_socket_connect", "sys_openat", "sys_write", "security_inode_permission"};

static const struct type *type_named(const char *name)
{
	size_t i = 0;

	while (strcmp(types[i].name, name) != 0)
		i++;
	return &types[i];
}

/* The arguments of a hook are the same for all policies, but for some that read words as numbers.
 */
static void choose_args(struct generator *g, unsigned hook, const struct type **args, unsigned n)
{
	bool sized = false;

	/* polc knows what system calls take */
	if (!strcmp(calls[hook], "sys_openat") || !strcmp(calls[hook], "sys_write")) {
		args[0] = type_named(dice(g, 2) ? "uint32" : "fd");
		args[1] = type_named(hook == 3 ? "string" : "char_buf");
		args[2] = type_named("int");
		args[3] = type_named("uint16");
		return;
	}

	for (unsigned i = 0; i < n; i++) {
		do
			args[i] = usable_type(g);
		while (sized && (!strcmp(args[i]->name, "char_buf") ||
					!strcmp(args[i]->name, "char_iovec")));
		sized |= !strcmp(args[i]->name, "char_buf") || !strcmp(args[i]->name, "char_iovec");
	}
}

static void put_hook(struct generator *g, unsigned hook, const struct type *const *args, unsigned n)
{
	bool syscall = !strncmp(calls[hook], "sys_", 4), returns = !dice(g, 3);

	polc_buf_printf(
		g->out, "  - call: %s\n    syscall: %s\n", calls[hook], syscall ? "true" : "false");
	if (returns)
		polc_buf_puts(g->out, "    return: true\n    returnArg: {index: 0, type: int}\n");
	put_args(g, args, n, syscall);
	if (!dice(g, 12))
		return;
	polc_buf_puts(g->out, "    selectors:\n");
	for (unsigned i = 1 + dice(g, g->few ? 2 : dice(g, 5) ? 3 : 9); i--;)
		put_selector(g, args, n, returns);
}

struct arguments {
	const struct type *types[TRACE_HOOKS][5];
	unsigned n[TRACE_HOOKS];
};

static void choose_all_args(struct generator *g, struct arguments *args)
{
	for (unsigned i = 0; i < TRACE_HOOKS; i++) {
		args->n[i] = 1 + dice(g, i == 4 ? 2 : 4);
		choose_args(g, i, args->types[i], args->n[i]);
	}
}

static void put_policy(struct generator *g, const struct arguments *args, unsigned policy)
{
	polc_buf_printf(g->out,
		"%sapiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\n"
		"metadata: {name: p%u}\nspec:\n%s  enforcers: [{calls: [sys_write, "
		"security_path_mkdir]}]\n  kprobes:\n",
		policy ? "---\n" : "", policy,
		dice(g, 4) ? "" : "  options: [{name: policy-mode, value: monitor}]\n");
	for (unsigned i = 0; i < TRACE_HOOKS; i++)
		if (!policy || dice(g, 2))
			put_hook(g, i, args->types[i], args->n[i]);
}

const char *trace_generate_policies(struct polc_arena *arena, struct trace_random *random)
{
	struct polc_buf out = {.arena = arena};
	struct generator g = {.out = &out, .random = random};
	struct arguments args;

	choose_all_args(&g, &args);
	for (unsigned policy = 0; policy < 3; policy++)
		put_policy(&g, &args, policy);
	return out.p;
}

void trace_generate_pair(
	struct polc_arena *arena, struct trace_random *random, const char *texts_of[2])
{
	struct polc_buf out[2] = {{.arena = arena}, {.arena = arena}};
	struct generator g = {.random = random, .few = true};
	struct arguments args;

	g.plain = dice(&g, 4);
	choose_all_args(&g, &args);
	for (unsigned policy = 0; policy < 3; policy++) {
		struct trace_random before = *random;
		bool changes = trace_random(&before, 2);

		*random = before;
		g.out = &out[0];
		put_policy(&g, &args, policy);
		if (!changes)
			*random = before;
		g.out = &out[1];
		put_policy(&g, &args, policy);
	}
	for (unsigned i = 0; i < 2; i++)
		texts_of[i] = out[i].p;
}

/* ---- calls ---- */

const char *trace_hook(struct polc_arena *arena, unsigned number)
{
	return polc_arena_printf(arena, "kprobe %s", calls[number]);
}

struct facts {
	struct polc_arena *arena;
	struct trace_random *random;
	struct polc_call_fact *items;
	size_t n, max;
};

static void say(struct facts *f, const char *key, const char *value)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->items[i].key, key))
			return;
	if (f->n < f->max)
		f->items[f->n++] = (struct polc_call_fact){.key = key, .value = value};
}

static bool one_in(struct facts *f, uint32_t n)
{
	return !trace_random(f->random, n);
}

static void say_number(struct facts *f, const char *key, const struct polc_trace_value *v)
{
	unsigned width = polc_trace_type_width(v->type);
	static const int64_t near[] = {0, 1, 2, 5, 6, 64, 126, 127, 128, 254, 255, 32767,
		2147483647, 2147483648, 4294967295, INT64_MAX, INT64_MIN};
	int64_t value = PICK(f->random, near) + (int64_t)trace_random(f->random, 3) - 1;

	if (one_in(f, 3))
		value = -value;
	if (width < 8)
		value &= (INT64_C(1) << 8 * width) - 1;
	say(f, key, polc_arena_printf(f->arena, "%lld", (long long)value));
}

static void say_text(struct facts *f, const char *key, const struct polc_trace_value *v)
{
	const char *text = PICK(f->random, texts);

	if (v->type == POLB_TYPE_NET_DEVICE && strlen(text) > 15)
		text = "abc";
	if (one_in(f, 3) && v->type != POLB_TYPE_NET_DEVICE)
		text = polc_arena_printf(f->arena, "%s%s", text, PICK(f->random, texts));
	if (one_in(f, 15) && polc_trace_type_class(v->type) != POLB_CLASS_UNIX)
		text = "";
	say(f, key, text);
}

static void say_path(struct facts *f, const char *key)
{
	const char *path = PICK(f->random, paths);

	if (one_in(f, 4) && strcmp(path, "/"))
		path = polc_arena_printf(f->arena, "%s%s", path, PICK(f->random, paths));
	say(f, key, path[strlen(path) - 1] == '/' && path[1] ? "/etc/x" : path);
	say(f, polc_arena_printf(f->arena, "%s.type", key), PICK(f->random, file_types));
}

static void say_net(struct facts *f, const char *key, const struct polc_trace_value *v)
{
	struct polc_arena *arena = f->arena;
	const char *from = PICK(f->random, addresses), *to;
	bool six = strchr(from, ':') != NULL, skb = v->type == POLB_TYPE_SKB;

	do
		to = PICK(f->random, addresses);
	while ((strchr(to, ':') != NULL) != six);
	if (one_in(f, 8)) {
		say(f, polc_arena_printf(arena, "%s.family", key), skb ? "0" : "AF_UNIX");
		say(f, polc_arena_printf(arena, "%s.protocol", key), "0");
		say(f, polc_arena_printf(arena, "%s.state", key), "1");
		return;
	}
	const char *protocol = PICK(f->random, protocols);
	bool has_ports = strstr(protocol, "TCP") || strstr(protocol, "UDP") || !skb;

	say(f, polc_arena_printf(arena, "%s.saddr", key), from);
	say(f, polc_arena_printf(arena, "%s.daddr", key), to);
	say(f, polc_arena_printf(arena, "%s.sport", key), has_ports ? PICK(f->random, ports) : "0");
	say(f, polc_arena_printf(arena, "%s.dport", key), has_ports ? PICK(f->random, ports) : "0");
	const char *state = PICK(f->random, states);

	say(f, polc_arena_printf(arena, "%s.state", key), state);
	say(f, polc_arena_printf(arena, "%s.protocol", key),
		strstr(state, "WAIT") ? "IPPROTO_TCP" : protocol);
}

static const char *some_caps(struct facts *f)
{
	struct polc_buf out = {.arena = f->arena};

	polc_buf_puts(&out, "");
	for (unsigned i = trace_random(f->random, 4); i--;)
		polc_buf_printf(&out, "%s%s", out.n ? "," : "", PICK(f->random, cap_names));
	return out.n ? out.p : "none";
}

/* Of the value or of a part of it. */
static bool is_said(const struct facts *f, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < f->n; i++)
		if (!strncmp(f->items[i].key, key, n) &&
			(!f->items[i].key[n] || f->items[i].key[n] == '.'))
			return true;
	return false;
}

static void say_value(struct facts *f, const char *key, const struct polc_trace_value *v)
{
	enum polb_trace_class class = polc_trace_type_class(v->type);

	if (is_said(f, key))
		return;

	if (class != POLB_CLASS_INT && one_in(f, 10)) {
		say(f, key, "?");
		return;
	}
	switch (class) {
	case POLB_CLASS_INT:
		say_number(f, key, v);
		return;
	case POLB_CLASS_CAPS:
		say(f, key, some_caps(f));
		return;
	case POLB_CLASS_PATH:
		say_path(f, key);
		return;
	case POLB_CLASS_NET:
		say_net(f, key, v);
		return;
	case POLB_CLASS_STRING:
	case POLB_CLASS_BYTES:
	case POLB_CLASS_UNIX:
		say_text(f, key, v);
		return;
	case POLB_CLASS_NOTHING:
	case POLB_CLASS_RECORD:
		return;
	}
}

static void say_process(struct facts *f)
{
	static const char *const pids[] = {"1", "7", "8", "4242", "12"};
	static const char *const ns_pids[] = {"0", "1", "7", "8", "9"};
	static const char *const inums[] = {"host", "7", "8", "other", "?", "9"};
	struct polc_arena *arena = f->arena;

	if (one_in(f, 12))
		say(f, "process", "?");
	say(f, "binary", one_in(f, 10) ? "?" : PICK(f->random, binaries));
	say(f, "parent", PICK(f->random, binaries));
	say(f, "ancestors",
		one_in(f, 2) ? ""
			     : polc_arena_printf(arena, "%s,%s", PICK(f->random, binaries),
				       PICK(f->random, binaries)));
	say(f, "pid", PICK(f->random, pids));
	say(f, "nspid", PICK(f->random, ns_pids));
	say(f, "ancestor-pids",
		one_in(f, 3) ? ""
			     : polc_arena_printf(arena, "%d,%s", 100, one_in(f, 2) ? "9" : "200"));
	say(f, "ancestor-nspids",
		one_in(f, 3) ? "" : polc_arena_printf(arena, "%s,7", PICK(f->random, ns_pids)));
	for (size_t i = 0; i < POLC_ARRAY_SIZE(namespaces); i++) {
		say(f, polc_arena_printf(arena, "ns.%s", namespaces[i]), PICK(f->random, inums));
		say(f, polc_arena_printf(arena, "old-ns.%s", namespaces[i]),
			PICK(f->random, inums));
	}
	static const char *const sets[] = {"effective", "permitted", "inheritable", "old-effective",
		"old-permitted", "old-inheritable"};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(sets); i++)
		say(f, sets[i], some_caps(f));
}

size_t trace_generate_facts(struct polc_arena *arena, struct trace_random *random,
	const struct polc_tracing *tracing, unsigned hook, struct polc_call_fact *facts, size_t max)
{
	struct facts f = {arena, random, facts, 0, max};
	const char *name = calls[hook];

	for (size_t i = 0; i < tracing->n_specs; i++) {
		const struct polc_trace_spec *spec = &tracing->specs[i];
		const char *symbol = spec->symbols.items[0].name;

		if (strcmp(symbol, name) != 0 &&
			!(spec->syscall && !strcmp(spec->symbols.items[0].syscall.name, name + 4)))
			continue;
		for (uint32_t k = 0; k < spec->values.n; k++) {
			const struct polc_trace_value *v = &spec->values.items[k];

			say_value(&f,
				v->origin == POLC_ORIGIN_RESULT
					? "return"
					: polc_arena_printf(arena, "arg%u", v->number),
				v);
		}
	}
	say_process(&f);
	return f.n;
}
