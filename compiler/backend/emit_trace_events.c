/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Events of a member: what is captured at entry (c) and at the return (r), and how the event is
 * sent (f). Values are read again: what was tested may have been kept as bits only.
 */
#include "emit_tracing.h"

uint32_t polc_emit_member_index(
	const struct polc_emitter *e, const struct polc_trace_member *member)
{
	return (uint32_t)(member - e->hook->members);
}

static bool has_data(const struct polc_trace_value *value)
{
	return value->max_data && polc_trace_type_class(value->type) == POLB_CLASS_BYTES;
}

uint32_t polc_emit_n_data(const struct polc_trace_spec *spec)
{
	uint32_t n = 0;

	for (size_t i = 0; i < spec->values.n; i++)
		n += has_data(&spec->values.items[i]);
	return n;
}

struct put { /* one value on its way into an event */
	const struct polc_trace_value *value;
	uint32_t index;   /* among the hook's values */
	const char *what; /* "place, number, type" */
	const char *place_and_number;
	const char *why;
	uint32_t data; /* position among those with DATA events */
};

static const char *record_name(uint8_t type)
{
	static const char *const names[POLB_N_TRACE_TYPES] = {
		[POLB_TYPE_CRED] = "cred",
		[POLB_TYPE_USER_NAMESPACE] = "user_namespace",
		[POLB_TYPE_BPF_ATTR] = "bpf_attr",
		[POLB_TYPE_BPF_PROG] = "bpf_prog",
		[POLB_TYPE_BPF_MAP] = "bpf_map",
		[POLB_TYPE_PERF_EVENT] = "perf_event",
		[POLB_TYPE_MODULE] = "module",
		[POLB_TYPE_LOAD_INFO] = "load_info",
	};

	if (type >= POLB_N_TRACE_TYPES || !names[type])
		POLC_BUG("type %u is no record", type);
	return names[type];
}

static void put_number(struct polc_emitter *e, const struct put *p)
{
	const struct polc_trace_value *value = p->value;
	bool caps = polc_trace_type_class(value->type) == POLB_CLASS_CAPS;

	if (caps &&
		!(value->n_steps && value->steps[value->n_steps - 1].type.kind == POLC_VALUE_INT))
		polc_buf_puts(e->out, "\t\tok = ok && polt_caps_at(raw, &raw);\n");
	polc_buf_printf(e->out,
		"\t\tif (ok)\n\t\t\tpolt_put_int(s, %s, polt_extend(raw, %u, %s));\n"
		"\t\telse\n\t\t\tpolt_put_error(s, %s, %s);\n",
		p->what, caps ? 8 : polc_trace_type_width(value->type),
		polc_trace_type_signed(value->type) ? "true" : "false", p->what, p->why);
}

static void put_data(struct polc_emitter *e, const struct put *p)
{
	polc_buf_printf(e->out, "\t\tdata[%u].entry = entry;\n", p->data);
	if (p->value->type == POLB_TYPE_IOV_ITER)
		polc_buf_printf(e->out,
			"\t\tif (!ok || !polt_judge_iov_source(raw, &data[%u].source))\n"
			"\t\t\tdata[%u].entry = ~0u;\n",
			p->data, p->data);
	else
		polc_buf_printf(e->out,
			"\t\tdata[%u].source = (struct polt_data_source){raw, total, %s};\n",
			p->data, p->value->user_memory ? "true" : "false");
}

static void put_text(struct polc_emitter *e, const struct put *p)
{
	enum polb_trace_class class = polc_trace_type_class(p->value->type);

	if (polc_emit_has_size(p->value))
		polc_buf_printf(e->out,
			"\t\tok = ok && polt_h%u_z%u(ctx, how, parameters, &size);\n",
			e->hook->number, p->index);
	polc_buf_printf(e->out, "\t\tint n = ok ? %s : -1;\n", polc_emit_text_call(e, p->value));
	if (class == POLB_CLASS_UNIX)
		polc_buf_printf(e->out, "\t\tpolt_put_unix(s, %s, n, &un);\n", p->place_and_number);
	else if (class == POLB_CLASS_STRING)
		polc_buf_printf(e->out, "\t\tpolt_put_text(s, %s, n);\n", p->what);
	else if (has_data(p->value))
		polc_buf_printf(
			e->out, "\t\t__u32 entry = polt_put_bytes(s, %s, n, total);\n", p->what);
	else
		polc_buf_printf(e->out, "\t\tpolt_put_bytes(s, %s, n, total);\n", p->what);
	if (has_data(p->value))
		put_data(e, p);
}

static void put_path(struct polc_emitter *e, const struct put *p)
{
	bool fd = p->value->type == POLB_TYPE_FD;

	polc_buf_printf(e->out,
		"\t\tstruct polt_path path;\n"
		"\t\tif (ok && polt_path_of_%s(&path, raw%s))\n"
		"\t\t\tpolt_judge_put_path(s, %s, &path, %s);\n"
		"\t\telse\n\t\t\tpolt_put_error(s, %s, ok ? POLB_ARGUMENT_ABSENT : %s);\n",
		polc_emit_path_reader(p->value->type),
		fd                             ? ""
		: polc_emit_is_typed(p->value) ? ", polt_is_btf(how)"
					       : ", false",
		p->what, fd ? "(int)raw" : "0", p->what, p->why);
}

static void put_net(struct polc_emitter *e, const struct put *p, bool kept)
{
	uint32_t item = polc_emit_item_index(e, POLC_ITEM_NET, p->index, 0);

	if (item != UINT32_MAX && !kept) {
		polc_buf_printf(e->out,
			"\t\tconst struct polb_payload_net *net = polt_h%u_i%u(ctx, how, "
			"parameters, h);\n\t\tpolt_put_net(s, %s, net != NULL, h->net%u);\n",
			e->hook->number, item, p->what, item);
		return;
	}
	polc_buf_printf(e->out,
		"\t\tstruct polb_payload_net net;\n"
		"\t\tok = ok && polt_net_%s(&net, raw%s);\n\t\tpolt_put_net(s, %s, ok, &net);\n",
		polc_trace_type_name(p->value->type),
		p->value->type == POLB_TYPE_SOCKADDR ? p->value->user_memory ? ", true" : ", false"
						     : "",
		p->what);
}

static void put_value(struct polc_emitter *e, const struct put *p, bool kept)
{
	switch (polc_trace_type_class(p->value->type)) {
	case POLB_CLASS_NOTHING:
		return;
	case POLB_CLASS_INT:
	case POLB_CLASS_CAPS:
		put_number(e, p);
		return;
	case POLB_CLASS_STRING:
	case POLB_CLASS_BYTES:
	case POLB_CLASS_UNIX:
		put_text(e, p);
		return;
	case POLB_CLASS_PATH:
		put_path(e, p);
		return;
	case POLB_CLASS_NET:
		put_net(e, p, kept);
		return;
	case POLB_CLASS_RECORD:
		polc_buf_printf(e->out,
			"\t\tif (ok)\n\t\t\tpolt_put_%s(s, %s, raw);\n"
			"\t\telse\n\t\t\tpolt_put_error(s, %s, %s);\n",
			record_name(p->value->type), p->place_and_number, p->what, p->why);
		return;
	}
	POLC_BUG("unknown class of type %u", p->value->type);
}

static bool is_result(const struct polc_trace_spec *spec, uint32_t value)
{
	return spec->has_return_value && value == spec->values.n - 1;
}

static struct put make_put(
	struct polc_emitter *e, const struct polc_trace_member *member, uint32_t value)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	const struct polc_trace_value *v = &spec->values.items[value];
	struct put p = {.value = v, .index = polc_emit_value_index(e, member, value)};

	p.place_and_number = polc_arena_printf(e->arena, "%s, %u",
		is_result(spec, value) ? "POLB_ARGUMENT_RETURN"
		: value < spec->n_args ? "POLB_ARGUMENT_ENTRY"
				       : "POLB_ARGUMENT_DATA",
		is_result(spec, value) ? 0
		: value < spec->n_args ? value
				       : value - spec->n_args);
	p.what = polc_arena_printf(e->arena, "%s, %u", p.place_and_number, v->type);
	p.why = v->n_steps ? "POLB_ARGUMENT_RESOLVE" : "POLB_ARGUMENT_FAULT";
	for (uint32_t i = 0; i < value; i++)
		p.data += has_data(&spec->values.items[i]);
	return p;
}

/* Position of a value whose pointer the return needs, among such. */
static uint32_t kept_position(const struct polc_trace_spec *spec, uint32_t value)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < value; i++)
		n += spec->values.items[i].return_copy;
	return n;
}

static void emit_put(
	struct polc_emitter *e, const struct polc_trace_member *member, uint32_t value, bool kept)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	struct put p = make_put(e, member, value);

	if (polc_trace_type_class(p.value->type) == POLB_CLASS_NOTHING)
		return;
	polc_buf_puts(e->out, "\t{\n\t\t__u64 raw = 0, size = 0, total = 0;\n"
			      "\t\tstruct polt_unix un = {};\n");
	if (kept)
		polc_buf_printf(e->out, "\t\tbool ok = true;\n\t\traw = kept->value[%u];\n",
			kept_position(spec, value));
	else
		polc_buf_printf(e->out, "\t\tbool ok = polt_h%u_v%u(ctx, how, parameters, &raw);\n",
			e->hook->number, p.index);
	put_value(e, &p, kept);
	polc_buf_puts(e->out, "\t}\n");
}

#define EVENT_PARAMETERS                                                                           \
	",\n\tstruct polt_h%u *h, struct polt_scratch *s, struct polt_kept *kept, "                \
	"struct polt_captured *data)\n{\n"

static void emit_capture(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);

	polc_buf_printf(e->out,
		"static __always_inline void polt_h%u_c%u(" POLC_EMIT_CONTEXT EVENT_PARAMETERS,
		e->hook->number, polc_emit_member_index(e, member), e->hook->number);
	for (uint32_t i = 0; i < spec->values.n; i++) {
		if (is_result(spec, i))
			continue;
		if (!spec->values.items[i].return_copy)
			emit_put(e, member, i, false);
		else
			polc_buf_printf(e->out,
				"\tpolt_h%u_v%u(ctx, how, parameters, &kept->value[%u]);\n",
				e->hook->number, polc_emit_value_index(e, member, i),
				kept_position(spec, i));
	}
	polc_buf_puts(e->out, "}\n");
}

static void emit_return_values(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);

	polc_buf_printf(e->out,
		"static __always_inline void polt_h%u_r%u(" POLC_EMIT_CONTEXT EVENT_PARAMETERS,
		e->hook->number, polc_emit_member_index(e, member), e->hook->number);
	for (uint32_t i = 0; i < spec->values.n; i++) {
		if (is_result(spec, i))
			emit_put(e, member, i, false);
		else if (spec->values.items[i].return_copy)
			emit_put(e, member, i, true);
	}
	polc_buf_puts(e->out, "}\n");
}

static bool takes_stacks(const struct polc_trace_spec *spec)
{
	for (size_t i = 0; i < spec->selectors.n; i++) {
		const struct polc_trace_selector *s = &spec->selectors.items[i];

		for (size_t j = 0; j < s->actions.n; j++)
			if (s->actions.items[j].kernel_stack || s->actions.items[j].user_stack)
				return true;
		for (size_t j = 0; j < s->return_actions.n; j++)
			if (s->return_actions.items[j].kernel_stack ||
				s->return_actions.items[j].user_stack)
				return true;
	}
	return false;
}

static bool limits_rate(const struct polc_trace_spec *spec)
{
	for (size_t i = 0; i < spec->selectors.n; i++) {
		const struct polc_trace_selector *s = &spec->selectors.items[i];

		for (size_t j = 0; j < s->actions.n; j++)
			if (s->actions.items[j].rate_interval_ns)
				return true;
		for (size_t j = 0; j < s->return_actions.n; j++)
			if (s->return_actions.items[j].rate_interval_ns)
				return true;
	}
	return false;
}

/* Selectors whose event makes changed namespaces known. */
static void emit_refresh(struct polc_emitter *e, const struct polc_trace_spec *spec)
{
	for (size_t i = 0; i < spec->selectors.n; i++) {
		const struct polc_trace_selector *s = &spec->selectors.items[i];
		bool changes = false;

		for (size_t j = 0; j < s->tests.n; j++)
			changes |= s->tests.items[j].kind == POLC_TEST_NAMESPACE_CHANGES;
		if (changes)
			polc_buf_printf(e->out,
				"\tif (sent && selector == %u)\n\t\th->call.refresh = true;\n",
				s->number);
	}
}

static void emit_send(struct polc_emitter *e, const struct polc_trace_member *member)
{
	const struct polc_trace_spec *spec = polc_emit_spec(e, member);
	uint32_t n_data = polc_emit_n_data(spec);

	polc_buf_printf(e->out,
		"static __always_inline void polt_h%u_f%u(void *ctx, struct polt_h%u *h,\n"
		"\tstruct polt_scratch *s, __u32 selector, const struct polt_posting *posting,\n"
		"\tstruct polt_captured *data)\n{\n",
		e->hook->number, polc_emit_member_index(e, member), e->hook->number);
	if (limits_rate(spec))
		polc_buf_puts(e->out,
			"\tif (posting->interval_ns &&\n\t\t!polt_rate_allows(s, selector, "
			"posting->interval_ns, posting->scope))\n\t\treturn;\n");
	for (uint32_t i = 0; i < n_data; i++)
		polc_buf_printf(
			e->out, "\tdata[%u].id = polt_data_begin(s, data[%u].entry);\n", i, i);
	if (polc_spec_takes_hash(spec))
		polc_buf_printf(e->out, "\tif (posting->hash)\n\t\tpolt_put_hash(s, %u);\n",
			e->hook->number);
	if (takes_stacks(spec))
		polc_buf_puts(e->out, "\tif (posting->kernel_stack || posting->user_stack)\n"
				      "\t\tpolt_put_stacks(ctx, s, posting->kernel_stack, "
				      "posting->user_stack);\n");
	polc_buf_printf(e->out, "\tbool sent = polt_event_send(s, %u, selector);\n", spec->policy);
	for (uint32_t i = 0; i < n_data; i++)
		polc_buf_printf(e->out,
			"\tif (sent)\n\t\tpolt_data_send(s, data[%u].id, selector, "
			"&data[%u].source);\n",
			i, i);
	emit_refresh(e, spec);
	polc_buf_puts(e->out, "\t(void)sent;\n}\n");
}

void polc_emit_event_functions(struct polc_emitter *e, const struct polc_trace_member *member)
{
	emit_capture(e, member);
	if (polc_emit_spec(e, member)->has_return)
		emit_return_values(e, member);
	emit_send(e, member);
}
