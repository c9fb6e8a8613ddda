/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is said about the values of a described call, understood by the type of each value of each
 * spec on the hook: the same argument may be a number to one policy and a path to another.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>

#include "../ir/lower_tracing.h"
#include "call_private.h"

enum { NAMES_MAX = 4 };

struct reading {
	struct polc_call_reader *r;
	const struct polc_trace_spec *spec;
	const struct polc_trace_value *value;
	struct polc_call_value *out;
	const char *names[NAMES_MAX]; /* all that it goes by */
	size_t n_names;
};

/* ---- names ---- */

static const char *resolve_text(struct polc_arena *arena, const struct polc_trace_value *value)
{
	struct polc_buf out = {.arena = arena};

	for (size_t i = 0; i < value->n_steps; i++) {
		const struct polc_resolve_step *step = &value->steps[i];

		if (step->struct_name)
			polc_buf_printf(&out, "%s%s", out.n ? "." : "", step->member);
		else if (!step->through_pointer || step->index)
			polc_buf_printf(&out, "[%u]", step->index);
	}
	return out.p;
}

static void add_name(struct reading *g, const char *name)
{
	if (g->n_names < NAMES_MAX)
		g->names[g->n_names++] = name;
}

static void add_names(struct reading *g, uint32_t position)
{
	struct polc_arena *arena = &g->r->polc->arena;
	const struct polc_trace_value *v = g->value;
	const char *path = v->n_steps ? resolve_text(arena, v) : NULL;

	if (v->label)
		add_name(g, v->label);
	switch (v->origin) {
	case POLC_ORIGIN_FIELD:
		add_name(g, v->field->name);
		add_name(g, polc_arena_printf(arena, "arg%u", v->number));
		break;
	case POLC_ORIGIN_ARGUMENT:
	case POLC_ORIGIN_USDT:
		add_name(g, polc_arena_printf(arena, "arg%u%s%s", v->number, path ? "." : "",
				    path ? path : ""));
		break;
	case POLC_ORIGIN_RESULT:
		add_name(g,
			polc_arena_printf(arena, "return%s%s", path ? "." : "", path ? path : ""));
		break;
	case POLC_ORIGIN_TASK:
		add_name(g, polc_arena_printf(arena, "task.%s", path ? path : ""));
		break;
	case POLC_ORIGIN_REGISTER:
		add_name(g, polc_register_name(v->reg_offset, v->reg_size));
		break;
	}
	if (position >= g->spec->n_args && v->origin != POLC_ORIGIN_RESULT)
		add_name(g, polc_arena_printf(arena, "data%u", position - g->spec->n_args));
	g->out->key = g->names[0];
	g->out->place = g->names[v->label != NULL];
}

/* ---- finding ---- */

/* The fact that says something about the value, or about its part `sub`. */
static const struct polc_call_fact *find(struct reading *g, const char *sub)
{
	const struct polc_call_fact *found = NULL;

	for (size_t i = 0; i < g->n_names; i++) {
		const char *key =
			sub ? polc_arena_printf(&g->r->polc->arena, "%s.%s", g->names[i], sub)
			    : g->names[i];
		const struct polc_call_fact *fact = polc_call_find(g->r, key);

		if (fact && found)
			polc_call_complain(g->r, fact->key_span, NULL, "%s and %s are the same",
				found->key, fact->key);
		found = fact ? fact : found;
	}
	return found;
}

static void complain(struct reading *g, const struct polc_call_fact *fact, const char *what)
{
	polc_call_complain(
		g->r, fact->span, NULL, "%s: '%s' is no %s", fact->key, fact->value, what);
}

/* A part that is a number; true: it is known now. */
static bool read_part(struct reading *g, const char *sub, struct polc_call_number *out,
	bool (*parse)(struct polc_arena *arena, const char *text, uint64_t *out), const char *what)
{
	const struct polc_call_fact *fact = find(g, sub);

	if (!fact)
		return false;
	if (!g->out->given)
		g->out->given = "";
	out->said = strcmp(fact->value, "?") ? POLC_SAID : POLC_UNREADABLE;
	if (out->said == POLC_SAID && !parse(&g->r->polc->arena, fact->value, &out->value))
		complain(g, fact, what);
	return true;
}

/* ---- numbers ---- */

static uint64_t extend(uint64_t raw, unsigned width, bool is_signed)
{
	unsigned shift = 64 - 8 * width;

	return is_signed ? (uint64_t)((int64_t)(raw << shift) >> shift) : raw << shift >> shift;
}

static bool parse_system_call(const char *text, uint64_t *out)
{
	struct polc_syscall call;

	if (!polc_syscall_parse(text, &call) || call.number == UINT32_MAX)
		return false;
	*out = call.number | (call.abi == POLC_ABI_I386 ? 0x80000000u : 0);
	return true;
}

/* The widest type by which anybody on the hook reads this number: others see its low bytes. */
static unsigned widest(const struct reading *g)
{
	unsigned width = 0;

	for (size_t i = 0; i < g->r->call->members.n; i++) {
		const struct polc_trace_spec *spec =
			&g->r->tracing->specs[g->r->call->members.items[i].spec];

		for (size_t j = 0; j < spec->values.n; j++) {
			const struct polc_trace_value *v = &spec->values.items[j];

			if (v->origin == g->value->origin && v->number == g->value->number &&
				v->n_steps == g->value->n_steps &&
				polc_trace_type_width(v->type) > width)
				width = polc_trace_type_width(v->type);
		}
	}
	return width;
}

/* Registers are wider than most types: what fits neither with nor without sign is a mistake. */
static bool fits(uint64_t number, unsigned width)
{
	return width == 8 || number >> 8 * width == 0 || extend(number, width, true) == number;
}

static void read_number(struct reading *g, const struct polc_call_fact *fact)
{
	unsigned width = polc_trace_type_width(g->value->type);
	uint64_t number;
	bool ok = polc_call_parse_integer(fact->value, &number);

	if (!ok && g->value->type == POLB_TYPE_SYSCALL64)
		ok = parse_system_call(fact->value, &number);
	if (!ok)
		complain(g, fact, g->value->type == POLB_TYPE_SYSCALL64 ? "system call" : "number");
	else if (!fits(number, widest(g)))
		polc_call_complain(g->r, fact->span, NULL, "%s: '%s' does not fit into '%s'",
			fact->key, fact->value, polc_trace_type_name(g->value->type));
	else
		g->out->number = (struct polc_call_number){
			POLC_SAID, extend(number, width, polc_trace_type_signed(g->value->type))};
}

static void read_caps(struct reading *g, const struct polc_call_fact *fact)
{
	g->out->number.said = POLC_SAID;
	if (!polc_call_parse_caps(&g->r->polc->arena, fact->value, &g->out->number.value))
		complain(g, fact, "list of capabilities");
}

/* ---- texts ---- */

/* What programs read of a longer one. */
static size_t limit_of(uint8_t type)
{
	return type == POLB_TYPE_NET_DEVICE    ? 15
	       : type == POLB_TYPE_SOCKADDR_UN ? 108
					       : POLB_PATH_BYTES - 1;
}

static void read_text(struct reading *g, const struct polc_call_fact *fact)
{
	enum polb_trace_class class = polc_trace_type_class(g->value->type);
	struct polc_string *text = &g->out->text.text;
	size_t limit = limit_of(g->value->type);

	g->out->text.said = POLC_SAID;
	if (!polc_call_parse_bytes(&g->r->polc->arena, fact->value, text)) {
		complain(g, fact, "text: \\ stands before 0, n, t, \\ and xNN");
		return;
	}
	if (class == POLB_CLASS_PATH && text->n > POLB_PATH_BYTES) {
		complain(g, fact, "path that programs can read: it has more than 4096 bytes");
		return;
	}
	if (class != POLB_CLASS_BYTES) {
		const char *end = memchr(text->bytes, 0, text->n);

		if (end)
			text->n = (size_t)(end - text->bytes);
	}
	if (class != POLB_CLASS_PATH && text->n > limit)
		text->n = limit;
}

static bool parse_mode(struct polc_arena *arena, const char *text, uint64_t *out)
{
	(void)arena;
	return polc_parse_integer(text, strlen(text), 2, false, out) == POLC_PARSED;
}

static bool parse_file_type(struct polc_arena *arena, const char *text, uint64_t *out)
{
	(void)arena;
	return polc_call_parse_file_type(text, out);
}

static void read_path_parts(struct reading *g)
{
	struct polc_call_number mode = {0}, type = {0};

	if (g->out->text.said == POLC_UNREADABLE)
		g->out->mode.said = POLC_UNREADABLE;
	if (read_part(g, "mode", &mode, parse_mode, "mode of a file"))
		g->out->mode = mode;
	if (!read_part(g, "type", &type, parse_file_type,
		    "type of file: reg, dir, lnk, blk, chr, fifo or sock"))
		return;
	if (mode.said == POLC_SAID && type.said == POLC_SAID && (mode.value & S_IFMT) != type.value)
		polc_call_complain(
			g->r, g->r->span, NULL, "%s: mode and type contradict", g->out->key);
	g->out->mode = type;
}

static void read_unix_parts(struct reading *g)
{
	if (read_part(g, "family", &g->out->family, polc_call_parse_family, "address family"))
		return;
	g->out->family.said = g->out->text.said;
	g->out->family.value = AF_UNIX;
}

/* ---- addresses ---- */

static bool parse_address(const char *text, struct polb_addr *out)
{
	return !polb_addr_parse(text, out);
}

static bool parse_port(struct polc_arena *arena, const char *text, uint64_t *out)
{
	(void)arena;
	return polc_parse_integer(text, strlen(text), 2, false, out) == POLC_PARSED;
}

static bool set_port(struct polc_call_number *out, struct polc_arena *arena, const char *text)
{
	out->said = POLC_SAID;
	return parse_port(arena, text, &out->value);
}

/* "10.0.0.1:443", "10.0.0.1", ":443", "[fd00::1]:22", "fd00::1", "" */
static bool read_endpoint(struct reading *g, const char *text, unsigned side)
{
	struct polc_arena *arena = &g->r->polc->arena;
	struct polc_call_value *out = g->out;
	const char *close = *text == '[' ? strchr(text, ']') : NULL;
	const char *colon = strrchr(text, ':'), *address = text;

	if (!*text)
		return true;
	if (close) {
		address = polc_arena_strndup(arena, text + 1, (size_t)(close - text - 1));
		if (close[1] && close[1] != ':')
			return false;
		colon = close[1] ? close + 1 : NULL;
	} else if (colon && strchr(text, ':') != colon) {
		colon = NULL; /* IPv6 without a port */
	} else if (colon) {
		address = polc_arena_strndup(arena, text, (size_t)(colon - text));
	}
	if (*address) {
		out->address[side].said = POLC_SAID;
		if (!parse_address(address, &out->address[side].addr))
			return false;
	}
	return !colon || set_port(&out->port[side], arena, colon + 1);
}

/* "SOURCE->DESTINATION/PROTOCOL"; a sockaddr has the source alone. */
static bool read_tuple(struct reading *g, const char *text)
{
	struct polc_arena *arena = &g->r->polc->arena;
	const char *slash = strrchr(text, '/'), *arrow;

	if (slash) {
		g->out->protocol.said = POLC_SAID;
		if (!polc_call_parse_protocol(arena, slash + 1, &g->out->protocol.value))
			return false;
		text = polc_arena_strndup(arena, text, (size_t)(slash - text));
	}
	arrow = strstr(text, "->");
	if (!arrow)
		return read_endpoint(g, text, 0);
	return read_endpoint(g, polc_arena_strndup(arena, text, (size_t)(arrow - text)), 0) &&
	       read_endpoint(g, arrow + 2, 1);
}

static void read_address(struct reading *g, const char *sub, struct polc_call_address *out)
{
	const struct polc_call_fact *fact = find(g, sub);

	if (!fact)
		return;
	if (!g->out->given)
		g->out->given = "";
	out->said = POLC_SAID;
	if (!parse_address(fact->value, &out->addr))
		complain(g, fact, "address");
}

/* What addresses say about the family, and ports about there being one. */
static void conclude_family(struct reading *g)
{
	struct polc_call_value *out = g->out;
	bool written = out->family.said == POLC_SAID, is_ip = false;

	for (unsigned side = 0; side < 2; side++) {
		uint64_t family = out->address[side].addr.family == 4 ? AF_INET : AF_INET6;

		is_ip |= out->port[side].said == POLC_SAID;
		if (out->address[side].said != POLC_SAID)
			continue;
		is_ip = true;
		if (out->family.said == POLC_NOT_SAID)
			out->family = (struct polc_call_number){POLC_SAID, family};
		else if (out->family.said == POLC_SAID && out->family.value != family &&
			 !(written && out->family.value == AF_INET6 && family == AF_INET))
			polc_call_complain(g->r, g->r->span, NULL,
				"%s: addresses of different families", out->key);
	}
	if (is_ip && out->family.said == POLC_SAID && out->family.value != AF_INET &&
		out->family.value != AF_INET6)
		polc_call_complain(g->r, g->r->span, NULL,
			"%s: this family has neither addresses nor ports", out->key);
}

static void read_net_parts(struct reading *g)
{
	struct polc_call_value *out = g->out;

	read_address(g, "saddr", &out->address[0]);
	read_address(g, "daddr", &out->address[1]);
	read_part(g, "sport", &out->port[0], parse_port, "port");
	read_part(g, "dport", &out->port[1], parse_port, "port");
	read_part(g, "protocol", &out->protocol, polc_call_parse_protocol, "protocol");
	read_part(g, "family", &out->family, polc_call_parse_family, "address family");
	read_part(g, "state", &out->state, polc_call_parse_state, "TCP state");
	conclude_family(g);
}

/* ---- by class ---- */

/* Nothing of it can be read. */
static void set_unreadable(struct polc_call_value *out)
{
	const struct polc_call_number number = {.said = POLC_UNREADABLE};

	out->number = out->mode = out->protocol = out->state = out->family = number;
	out->port[0] = out->port[1] = number;
	out->text.said = out->address[0].said = out->address[1].said = POLC_UNREADABLE;
}

static void read_whole(
	struct reading *g, enum polb_trace_class class, const struct polc_call_fact *fact)
{
	g->out->given = fact->value;
	if (!strcmp(fact->value, "?")) {
		set_unreadable(g->out);
		return;
	}
	switch (class) {
	case POLB_CLASS_INT:
		read_number(g, fact);
		return;
	case POLB_CLASS_CAPS:
		read_caps(g, fact);
		return;
	case POLB_CLASS_STRING:
	case POLB_CLASS_BYTES:
	case POLB_CLASS_PATH:
	case POLB_CLASS_UNIX:
		read_text(g, fact);
		return;
	case POLB_CLASS_NET:
		if (!read_tuple(g, fact->value))
			complain(g, fact, "connection, such as 10.0.0.1:443->10.0.0.2:80/tcp");
		return;
	case POLB_CLASS_NOTHING:
	case POLB_CLASS_RECORD:
		return; /* nothing tests it */
	}
}

static void read_value(struct reading *g)
{
	enum polb_trace_class class = polc_trace_type_class(g->value->type);
	const struct polc_call_fact *fact = find(g, NULL);

	if (fact)
		read_whole(g, class, fact);
	if (class == POLB_CLASS_PATH)
		read_path_parts(g);
	else if (class == POLB_CLASS_UNIX)
		read_unix_parts(g);
	else if (class == POLB_CLASS_NET)
		read_net_parts(g);
}

void polc_call_read_values(struct polc_call_reader *r)
{
	for (size_t i = 0; i < r->call->members.n; i++) {
		struct polc_call_member *member = &r->call->members.items[i];
		const struct polc_trace_spec *spec = &r->tracing->specs[member->spec];

		for (uint32_t j = 0; j < spec->values.n; j++) {
			struct reading g = {
				.r = r,
				.spec = spec,
				.value = &spec->values.items[j],
				.out = &member->values[j],
			};

			add_names(&g, j);
			read_value(&g);
		}
	}
}
