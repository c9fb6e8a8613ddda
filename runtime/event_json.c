/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The event messages: ProcessExec, ProcessExit, ProcessKprobe and its sisters, in one frame. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_private.h"
#include "names.h"

#define BIT(action) (1ull << POLB_ACTION_##action)

static const char *const action_names[] = {
#define X(name, text) text,
	POLB_TRACE_ACTIONS(X)
#undef X
};
static const char *const kind_members[] = {
#define X(name, word, member) member,
	POLB_EVENT_KINDS(X)
#undef X
};

bool polb_event_call_known(const struct polb_bundle *bundle, const struct polb_event_call *call)
{
	const struct polb_bundle_trace_spec *spec;

	if (call->type == POLB_EVENT_LOADER && call->spec == POLB_NONE)
		return true;
	if (call->spec >= bundle->n_trace_specs)
		return false;
	spec = &bundle->trace_specs[call->spec];
	return spec->policy < bundle->n_trace_policies &&
	       (call->selector == POLB_NONE || call->selector < bundle->n_trace_selectors) &&
	       (call->return_selector == POLB_NONE ||
		       call->return_selector < bundle->n_trace_selectors);
}

const struct polb_bundle_trace_spec *polb_event_spec(
	const struct polb_bundle *bundle, const struct polb_event_view *e)
{
	__u32 number = e->call.event->spec;

	return number < bundle->n_trace_specs ? &bundle->trace_specs[number] : NULL;
}

const char *polb_event_symbol(const struct polb_bundle *bundle, const struct polb_event_view *e)
{
	const struct polb_bundle_trace_spec *spec = polb_event_spec(bundle, e);
	__u32 function = e->call.event->function;

	if (!spec || function >= spec->n_symbols ||
		spec->first_symbol + (size_t)function >= bundle->n_trace_symbols)
		return "";
	return polb_bundle_string(
		bundle, bundle->trace_symbols[spec->first_symbol + function].name);
}

enum polb_event_kind polb_event_kind(
	const struct polb_bundle *bundle, const struct polb_event_view *e)
{
	const struct polb_bundle_trace_spec *spec;

	if (e->type == POLB_EVENT_EXEC)
		return POLB_KIND_EXEC;
	if (e->type == POLB_EVENT_EXIT)
		return POLB_KIND_EXIT;
	if (e->type == POLB_EVENT_LOADER)
		return POLB_KIND_LOADER;
	spec = polb_event_spec(bundle, e);
	switch (spec ? spec->section : POLB_SECTION_KPROBE) {
	case POLB_SECTION_TRACEPOINT:
		return POLB_KIND_TRACEPOINT;
	case POLB_SECTION_LSM:
		return POLB_KIND_LSM;
	case POLB_SECTION_UPROBE:
		return POLB_KIND_UPROBE;
	case POLB_SECTION_USDT:
		return POLB_KIND_USDT;
	default:
		return POLB_KIND_KPROBE;
	}
}

/* Tetragon's one action: the last that it executed. The most drastic one, then. */
static const char *main_action(__u64 actions)
{
	static const struct {
		__u64 bit;
		const char *name;
	} order[] = {{BIT(SIGKILL), "SIGKILL"}, {BIT(SIGNAL), "SIGNAL"},
		{BIT(OVERRIDE), "OVERRIDE"}, {BIT(NOTIFY_ENFORCER), "NOTIFYENFORCER"},
		{BIT(CLEANUP_ENFORCER), "CLEANUPENFORCERNOTIFICATION"}, {BIT(SET), "SET"},
		{BIT(GET_URL), "GETURL"}, {BIT(DNS_LOOKUP), "DNSLOOKUP"},
		{BIT(TRACK_SOCK), "TRACKSOCK"}, {BIT(UNTRACK_SOCK), "UNTRACKSOCK"},
		{BIT(NO_POST), "NOPOST"}};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (actions & order[i].bit)
			return order[i].name;
	return "POST";
}

static void json_action(struct polb_text *out, const char *name, __u64 actions)
{
	struct polb_text text = {0};

	polb_text_printf(&text, "KPROBE_ACTION_%s", main_action(actions));
	polb_json_string(out, name, text.data, text.size);
	polb_text_free(&text);
}

/* What is read was posted, whether or not a selector says so. */
static void json_actions(struct polb_text *out, __u64 actions)
{
	actions |= BIT(POST);
	polb_json_open(out, "actions", '[');
	for (unsigned int i = 0; i < POLB_N_TRACE_ACTIONS; i++)
		if (actions >> i & 1)
			polb_json_cstring(out, NULL, action_names[i]);
	polb_json_close(out, '[');
}

static const char *value_label(
	const struct polb_bundle *bundle, const struct polb_event_view *e, __u8 place, __u8 number)
{
	const struct polb_bundle_trace_spec *spec = polb_event_spec(bundle, e);

	for (__u32 i = 0; spec && i < spec->n_values; i++) {
		size_t index = (size_t)spec->first_value + i;

		if (index < bundle->n_trace_values && bundle->trace_values[index].place == place &&
			bundle->trace_values[index].number == number)
			return polb_bundle_string(bundle, bundle->trace_values[index].label);
	}
	return "";
}

static void json_value(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e, const char *name, const struct polb_argument *argument)
{
	const char *label =
		value_label(style->bundle, e, argument->head.place, argument->head.number);

	polb_json_open(out, name, '{');
	polb_json_argument(out, e, argument);
	if (*label)
		polb_json_cstring(out, "label", label);
	polb_json_close(out, '{');
}

/* The values of a place, by number: those read at the return come last in the record. */
static size_t json_place(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e, const char *name, __u8 place)
{
	struct polb_argument argument;
	int last = -1;
	size_t n = 0;

	for (;;) {
		struct polb_argument next = {0};
		size_t at = 0;
		bool found = false;

		while (polb_call_next(&e->call, &at, &argument))
			if (argument.head.place == place && argument.head.type != POLB_TYPE_NOP &&
				argument.head.number > last &&
				(!found || argument.head.number < next.head.number)) {
				next = argument;
				found = true;
			}
		if (!found)
			return n;
		if (n++ == 0 && name)
			polb_json_open(out, name, '[');
		json_value(out, style, e, NULL, &next);
		last = next.head.number;
	}
}

/* Uprobes have their return value among the arguments, as in Tetragon. */
static void json_arguments(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e, enum polb_event_kind kind)
{
	bool joined = kind == POLB_KIND_UPROBE || kind == POLB_KIND_USDT;
	size_t n = json_place(out, style, e, "args", POLB_ARGUMENT_ENTRY);
	struct polb_argument argument;
	size_t at = 0;

	if (joined && json_place(out, style, e, n ? NULL : "args", POLB_ARGUMENT_RETURN))
		n++;
	if (n)
		polb_json_close(out, '[');
	while (!joined && polb_call_next(&e->call, &at, &argument))
		if (argument.head.place == POLB_ARGUMENT_RETURN) {
			json_value(out, style, e, "return", &argument);
			break;
		}
}

static void json_stack(struct polb_text *out, const struct polb_event_style *style,
	const char *name, const struct polb_frame *frames, size_t n)
{
	if (!n)
		return;
	polb_json_open(out, name, '[');
	for (size_t i = 0; i < n; i++) {
		/* nothing is known and its address is not to be told: not there, as in Tetragon */
		if (!style->stack_addresses && !*frames[i].symbol && !*frames[i].module)
			continue;
		polb_json_open(out, NULL, '{');
		if (style->stack_addresses)
			polb_json_unsigned64(out, "address", frames[i].address);
		if (frames[i].offset)
			polb_json_unsigned64(out, "offset", frames[i].offset);
		if (*frames[i].symbol)
			polb_json_cstring(out, "symbol", frames[i].symbol);
		if (*frames[i].module)
			polb_json_cstring(out, "module", frames[i].module);
		polb_json_close(out, '{');
	}
	polb_json_close(out, '[');
}

static void json_symbol_or_offset(struct polb_text *out, const char *symbol)
{
	if (*symbol >= '0' && *symbol <= '9')
		polb_json_unsigned64(out, "offset", strtoull(symbol, NULL, 0));
	else if (*symbol)
		polb_json_cstring(out, "symbol", symbol);
}

static void json_tracepoint(struct polb_text *out, const char *symbol)
{
	const char *slash = strchr(symbol, '/');

	if (slash)
		polb_json_string(out, "subsys", symbol, (size_t)(slash - symbol));
	polb_json_cstring(out, "event", slash ? slash + 1 : symbol);
}

/* Which function, event or probe. */
static void json_hook(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e, enum polb_event_kind kind)
{
	const struct polb_bundle_trace_spec *spec = polb_event_spec(style->bundle, e);
	const char *symbol = polb_event_symbol(style->bundle, e);

	if (kind == POLB_KIND_TRACEPOINT) {
		json_tracepoint(out, symbol);
		return;
	}
	if (kind == POLB_KIND_KPROBE || kind == POLB_KIND_LSM) {
		polb_json_cstring(out, "function_name", symbol);
		return;
	}
	polb_json_cstring(out, "path", polb_bundle_string(style->bundle, spec->path));
	if (kind == POLB_KIND_UPROBE) {
		json_symbol_or_offset(out, symbol);
		return;
	}
	polb_json_cstring(out, "provider", polb_bundle_string(style->bundle, spec->provider));
	polb_json_cstring(out, "name", polb_bundle_string(style->bundle, spec->name));
}

static void json_policy(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e, enum polb_event_kind kind)
{
	const struct polb_bundle *bundle = style->bundle;
	const struct polb_bundle_trace_spec *spec = polb_event_spec(bundle, e);
	const char *message = polb_bundle_string(bundle, spec->message);

	polb_json_cstring(out, "policy_name",
		polb_bundle_string(bundle, bundle->trace_policies[spec->policy].name));
	if (kind == POLB_KIND_KPROBE)
		json_action(out, "return_action", e->call.event->return_actions);
	if (*message)
		polb_json_cstring(out, "message", message);
	if (!spec->n_tags)
		return;
	polb_json_open(out, "tags", '[');
	for (__u32 i = 0; i < spec->n_tags; i++)
		if ((size_t)spec->first_tag + i < bundle->n_values)
			polb_json_cstring(out, NULL,
				polb_bundle_string(bundle, bundle->values[spec->first_tag + i]));
	polb_json_close(out, '[');
}

static void json_source(struct polb_text *out, const struct polb_bundle *bundle,
	const struct polb_bundle_trace_spec *spec,
	const struct polb_bundle_trace_selector *selector)
{
	const struct polb_bundle_trace_policy *policy = &bundle->trace_policies[spec->policy];
	__u32 line = selector && selector->line ? selector->line : spec->line;
	struct polb_text text = {0};

	if (!policy->file || policy->file >= bundle->source_strings_size)
		return;
	polb_text_printf(
		&text, "%s:%u", bundle->source_strings + policy->file, line ? line : policy->line);
	polb_json_string(out, "source", text.data, text.size);
	polb_text_free(&text);
}

static void json_selector(struct polb_text *out, const struct polb_bundle *bundle,
	const struct polb_bundle_trace_selector *selector)
{
	const char *label = polb_bundle_string(bundle, selector->label);

	polb_json_open(out, "selector", '{');
	polb_json_unsigned(out, "position", selector->position);
	if (*label)
		polb_json_cstring(out, "label", label);
	polb_json_close(out, '{');
}

static void json_enforcement(struct polb_text *out, const struct polb_event_call *call)
{
	__u64 actions = call->actions | call->return_actions;
	char scratch[POLB_NAME_TEXT];

	if (actions & (BIT(OVERRIDE) | BIT(NOTIFY_ENFORCER)) && call->override_error)
		polb_json_signed(out, "override_error", call->override_error);
	if (actions & (BIT(SIGNAL) | BIT(NOTIFY_ENFORCER)) && call->signal)
		polb_json_cstring(
			out, "signal", polb_name(POLB_NAMES_SIGNAL, call->signal, scratch));
}

#define ENFORCING (BIT(SIGKILL) | BIT(SIGNAL) | BIT(OVERRIDE) | BIT(NOTIFY_ENFORCER) | BIT(SET))

/* What Tetragon's messages lack. */
static void json_additions(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e)
{
	const struct polb_bundle *bundle = style->bundle;
	const struct polb_event_call *call = e->call.event;
	const struct polb_bundle_trace_spec *spec = polb_event_spec(bundle, e);
	const struct polb_bundle_trace_selector *selector =
		call->selector == POLB_NONE ? NULL : &bundle->trace_selectors[call->selector];
	const char *namespace =
		polb_bundle_string(bundle, bundle->trace_policies[spec->policy].namespace);

	if (*namespace)
		polb_json_cstring(out, "policy_namespace", namespace);
	json_actions(out, call->actions | call->return_actions);
	if (call->monitored || (call->actions | call->return_actions) & ENFORCING)
		polb_json_cstring(out, "mode", call->monitored ? "monitor" : "enforce");
	json_enforcement(out, call);
	json_source(out, bundle, spec, selector);
	if (selector)
		json_selector(out, bundle, selector);
	if (call->current_pid != call->pid || call->current_tid != call->tid) {
		polb_json_open(out, "current", '{');
		polb_json_unsigned(out, "pid", call->current_pid);
		polb_json_unsigned(out, "tid", call->current_tid);
		polb_json_close(out, '{');
	}
}

/* "sha256:hex"; nothing when the kernel gave no hash, or one of an algorithm without a name. */
static void json_hash(struct polb_text *out, const struct polb_event_view *e)
{
	static const struct {
		const char *name;
		unsigned int bytes;
	} algorithms[] = {{"md4", 16}, {"md5", 16}, {"sha1", 20}, {"rmd160", 20}, {"sha256", 32},
		{"sha384", 48}, {"sha512", 64}, {"sha224", 28}, {"rmd128", 16}, {"rmd256", 32},
		{"rmd320", 40}, {"wp256", 32}, {"wp384", 48}, {"wp512", 64}, {"tgr128", 16},
		{"tgr160", 20}, {"tgr192", 24}, {"sm3", 32}, {"streebog256", 32},
		{"streebog512", 64}, {"sha3-256", 32}, {"sha3-384", 48}, {"sha3-512", 64}};
	struct polb_argument argument;
	size_t at = 0;

	while (polb_call_next(&e->call, &at, &argument)) {
		const struct polb_payload_hash *hash = argument.payload;
		struct polb_text text = {0};

		if (argument.head.place != POLB_ARGUMENT_HASH || argument.head.error ||
			hash->algorithm >= sizeof(algorithms) / sizeof(algorithms[0]))
			continue;
		polb_text_printf(&text, "%s:", algorithms[hash->algorithm].name);
		for (unsigned int i = 0; i < algorithms[hash->algorithm].bytes; i++)
			polb_text_printf(&text, "%02x", hash->digest[i]);
		polb_json_string(out, "ima_hash", text.data, text.size);
		polb_text_free(&text);
		return;
	}
}

static void json_call(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e, enum polb_event_kind kind)
{
	json_hook(out, style, e, kind);
	json_arguments(out, style, e, kind);
	json_action(out, "action", e->call.event->actions);
	json_stack(out, style, "kernel_stack_trace", e->kernel_stack, e->n_kernel_stack);
	json_policy(out, style, e, kind);
	json_stack(out, style, "user_stack_trace", e->user_stack, e->n_user_stack);
	if (json_place(out, style, e, "data", POLB_ARGUMENT_DATA))
		polb_json_close(out, '[');
	if (kind == POLB_KIND_LSM)
		json_hash(out, e);
	json_additions(out, style, e);
}

static void json_exit(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e)
{
	__u32 number = e->exit_code & 0x7f;
	char scratch[POLB_NAME_TEXT];

	if (number)
		polb_json_cstring(out, "signal", polb_name(POLB_NAMES_SIGNAL, number, scratch));
	polb_json_unless_zero(out, "status", e->exit_code >> 8 & 0xff);
	polb_json_time(out, "time", (int64_t)e->time_ns + style->wall_offset_ns);
}

static void json_loader(struct polb_text *out, const struct polb_event_view *e)
{
	struct polb_argument argument;
	size_t at = 0;

	if (polb_call_next(&e->call, &at, &argument) && argument.head.error == POLB_ARGUMENT_OK &&
		polb_trace_class(argument.head.type) == POLB_CLASS_PATH)
		polb_json_unless_empty(out, "path",
			polb_argument_tail(&argument, sizeof(struct polb_payload_path)));
	if (e->build_id.size)
		polb_json_bytes(out, "buildid", e->build_id.data, e->build_id.size);
}

void polb_event_json(struct polb_text *out, const struct polb_event_style *style,
	const struct polb_event_view *e)
{
	enum polb_event_kind kind = polb_event_kind(style->bundle, e);

	polb_json_open(out, NULL, '{');
	polb_json_open(out, kind_members[kind], '{');
	polb_json_process(out, style, "process", &e->process, kind == POLB_KIND_EXEC);
	if (e->parent)
		polb_json_process(out, style, "parent", e->parent, false);
	if (kind == POLB_KIND_EXIT)
		json_exit(out, style, e);
	else if (kind == POLB_KIND_LOADER)
		json_loader(out, e);
	else if (kind != POLB_KIND_EXEC)
		json_call(out, style, e, kind);
	polb_json_close(out, '{');
	polb_json_cstring(out, "node_name", style->node);
	polb_json_time(out, "time", (int64_t)e->time_ns + style->wall_offset_ns);
	polb_json_close(out, '{');
}
