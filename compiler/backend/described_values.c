/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The values of a described call where programs look for them: words of the context, registers of a
 * system call, fields of a record, and the structures that they point to.
 */
#include <string.h>

#include "described_objects.h"
#include "plan_tracing_internal.h"

enum { REGISTERS_BYTES = 168, ORIG_AX = 120, BAD_ADDRESS = 8, COMPAT_STATUS = 2 };

/* What is being laid out: one value of one spec on a hook. */
struct place {
	struct polc_layout *l;
	const struct polc_trace_hook *hook;
	const struct polc_trace_member *member;
	const struct polc_trace_spec *spec;
	const struct polc_trace_value *value;
	const struct polc_call_value *said;
};

/* ---- words ---- */

static uint64_t low_bytes(uint64_t value, unsigned width)
{
	return width == 8 ? value : value & ((UINT64_C(1) << 8 * width) - 1);
}

/* Several policies may read a word, in several widths; they must mean the same. */
static void set_word(struct polc_layout *l, uint32_t n, uint64_t value, unsigned width)
{
	unsigned old = n < POLB_DESCRIBED_WORDS ? l->word_widths[n] : 8;
	unsigned shared = old < width ? old : width;

	if (n >= POLB_DESCRIBED_WORDS) {
		polc_layout_fail(l, "argument %u is in no register", n);
		return;
	}
	if (old && low_bytes(l->words[n], shared) != low_bytes(value, shared))
		polc_layout_fail(l, "policies read argument %u as different things", n);
	if (width <= old)
		return;
	l->words[n] = low_bytes(value, width);
	l->word_widths[n] = width;
}

static void set_record(struct polc_layout *l, uint32_t offset, const void *bytes, size_t size)
{
	if (offset > sizeof(l->words) || size > sizeof(l->words) - offset)
		polc_layout_fail(l, "the record of the tracepoint is too long");
	else
		memcpy((char *)l->words + offset, bytes, size);
}

static void set_compat(struct polc_layout *l)
{
	polc_layout_put_number(l,
		l->task + polc_layout_offset(l, "task_struct", "thread_info") +
			polc_layout_offset(l, "thread_info", "status"),
		COMPAT_STATUS, 4);
}

/* The number of the system call, or its result: word 1 of sys_enter and sys_exit. */
static void set_system_call(struct place *p, uint64_t number)
{
	if (number & 0x80000000)
		set_compat(p->l);
	p->l->second = number & 0x7fffffff;
}

/* Fields of raw_syscalls and syscalls: from the raw event's two words. */
static void set_syscall_field(struct place *p, uint64_t raw, unsigned width)
{
	const struct polc_tracepoint_field *field = p->value->field;
	bool enter = !strcmp(p->hook->symbol, "sys_enter");

	if (field->offset < 8)
		polc_layout_fail(p->l, "%s is the process's", field->name);
	else if (field->offset >= 16 && enter)
		set_word(p->l, (field->offset - 16) / 8, raw, width);
	else if (field->offset >= 16)
		p->l->second = raw;
	else if (enter)
		set_system_call(p, raw);
	else
		p->l->left = raw & 0x7fffffff;
	if (!enter && field->offset == 8 && raw & 0x80000000)
		set_compat(p->l);
}

static void set_field(struct place *p, uint64_t raw, unsigned width)
{
	const struct polc_tracepoint_field *field = p->value->field;

	if (p->member->kind != POLC_MEMBER_CALL)
		set_syscall_field(p, raw, width);
	else if (field->offset < 8)
		polc_layout_fail(p->l, "%s is the process's", field->name);
	else
		set_record(p->l, field->offset, &raw, field->size < 8 ? field->size : 8);
}

/* The value's 64 raw bits, wherever they come from. */
static void set_raw(struct place *p, uint64_t raw, unsigned width)
{
	struct polc_layout *l = p->l;

	switch (p->value->origin) {
	case POLC_ORIGIN_ARGUMENT:
	case POLC_ORIGIN_USDT:
		set_word(l, p->value->number, raw, width);
		return;
	case POLC_ORIGIN_FIELD:
		set_field(p, raw, width);
		return;
	case POLC_ORIGIN_RESULT:
		set_word(l, POLB_DESCRIBED_RESULT, raw, width);
		return;
	case POLC_ORIGIN_REGISTER:
		polc_layout_put_number(
			l, l->registers + p->value->reg_offset, raw, p->value->reg_size);
		return;
	case POLC_ORIGIN_TASK:
		return; /* is the task */
	}
}

/* ---- resolve ---- */

/* The structure at which a path of members begins. */
static uint64_t base_of(struct place *p)
{
	const struct polc_resolve_step *first = &p->value->steps[0];
	struct polc_layout *l = p->l;
	uint32_t n =
		p->value->origin == POLC_ORIGIN_RESULT ? POLB_DESCRIBED_RESULT : p->value->number;

	if (p->value->origin == POLC_ORIGIN_TASK)
		return l->task;
	if (n < POLB_DESCRIBED_WORDS && l->word_widths[n] == 8)
		return l->words[n];
	uint64_t base = polc_layout_take(
		l, first->struct_name ? polc_layout_size(l, first->struct_name) : 4096);

	set_raw(p, base, 8);
	return base;
}

/* Where the path ends; what it goes through is made. */
static uint64_t follow(struct place *p)
{
	struct polc_layout *l = p->l;
	uint64_t at = base_of(p);

	for (size_t i = 0; i < p->value->n_steps && !l->why; i++) {
		const struct polc_resolve_step *step = &p->value->steps[i];

		if (i && step->through_pointer) {
			uint64_t next = polc_layout_get(l, at);

			if (!next) {
				next = polc_layout_take(l,
					step->struct_name ? polc_layout_size(l, step->struct_name)
							  : 4096);
				polc_layout_put_number(l, at, next, 8);
			}
			at = next;
		}
		at += step->struct_name ? polc_layout_offset(l, step->struct_name, step->member)
					: (uint64_t)step->index * step->element_size;
	}
	return at;
}

/* ---- one value ---- */

static bool is_unreadable(const struct polc_call_value *said)
{
	return said->given && !strcmp(said->given, "?");
}

static void set_size(struct place *p, uint64_t size)
{
	if (p->value->size_from == POLC_SIZE_ARGUMENT)
		set_word(p->l, p->value->size_argument, size, 8);
	else if (p->value->size_from == POLC_SIZE_FIXED && !is_unreadable(p->said) &&
		 size != p->value->size_argument)
		polc_layout_fail(p->l, "it has %u bytes", p->value->size_argument);
}

/* A text that lies in the record itself. */
static void put_in_record(struct place *p)
{
	const struct polc_string *text = &p->said->text.text;
	const struct polc_tracepoint_field *field = p->value->field;
	uint32_t where = (uint32_t)(sizeof(p->l->words) - text->n - 1);

	if (!field->is_data_loc) {
		if (text->n != field->size)
			polc_layout_fail(p->l, "it has %u bytes", field->size);
		set_record(p->l, field->offset, text->bytes, text->n);
		return;
	}
	if (text->n + 1 > sizeof(p->l->words) - 64) {
		polc_layout_fail(p->l, "the record of the tracepoint is too long");
		return;
	}
	set_record(p->l, where, text->bytes, text->n);
	where |= (uint32_t)(text->n + 1) << 16;
	set_record(p->l, field->offset, &where, 4);
}

/* A number, at the end of a path or in a word. */
static void put_number(struct place *p)
{
	unsigned width = polc_trace_type_width(p->value->type);

	if (p->said->number.said == POLC_UNREADABLE) {
		if (p->value->n_steps && p->value->origin == POLC_ORIGIN_ARGUMENT)
			set_raw(p, BAD_ADDRESS, 8);
		else
			polc_layout_fail(p->l, "a number in a register is always readable");
		return;
	}
	if (p->value->n_steps)
		polc_layout_put_number(p->l, follow(p), p->said->number.value,
			p->value->steps[p->value->n_steps - 1].type.size);
	else
		set_raw(p, p->said->number.value, width);
}

/* What a pointer points at; of a path of members that ends in the structure itself, there. */
static void put_object(struct place *p)
{
	struct polc_layout *l = p->l;
	const struct polc_value_type *end =
		p->value->n_steps ? &p->value->steps[p->value->n_steps - 1].type : NULL;
	bool in_place = end && end->kind != POLC_VALUE_POINTER && end->kind != POLC_VALUE_INT;
	uint64_t size = 0, raw;

	if (end && end->kind == POLC_VALUE_INT) {
		polc_layout_put_number(l, follow(p), p->said->number.value, end->size);
		return;
	}
	if (in_place) {
		if (is_unreadable(p->said))
			polc_layout_fail(l, "a part of a structure is as readable as the rest");
		polc_described_object_at(l, p->value, p->said, follow(p));
		return;
	}
	raw = is_unreadable(p->said) ? BAD_ADDRESS
				     : polc_described_object(l, p->value, p->said, &size);
	if (is_unreadable(p->said) && p->value->type == POLB_TYPE_FD)
		raw = 999; /* not open */
	if (end)
		polc_layout_put_number(l, follow(p), raw, 8);
	else
		set_raw(p, raw, p->value->type == POLB_TYPE_FD ? 4 : 8);
	set_size(p, is_unreadable(p->said) ? 1 : size);
}

static bool lies_in_record(const struct place *p)
{
	const struct polc_tracepoint_field *field = p->value->field;

	return field && !p->value->n_steps && p->member->kind == POLC_MEMBER_CALL &&
	       (field->is_data_loc || field->is_array);
}

static void put_value(struct place *p)
{
	switch (polc_trace_type_class(p->value->type)) {
	case POLB_CLASS_INT:
		if (p->said->number.said != POLC_NOT_SAID)
			put_number(p);
		return;
	case POLB_CLASS_CAPS:
	case POLB_CLASS_PATH:
	case POLB_CLASS_NET:
	case POLB_CLASS_UNIX:
		if (p->said->given)
			put_object(p);
		return;
	case POLB_CLASS_STRING:
	case POLB_CLASS_BYTES:
		if (p->said->given && lies_in_record(p) && !is_unreadable(p->said))
			put_in_record(p);
		else if (p->said->given)
			put_object(p);
		return;
	case POLB_CLASS_NOTHING:
	case POLB_CLASS_RECORD:
		return;
	}
}

/* ---- the context ---- */

static void put_registers(struct polc_layout *l, bool compat)
{
	static const uint32_t native[] = {112, 104, 96, 56, 72, 64};
	static const uint32_t of_32_bits[] = {40, 88, 96, 104, 112, 32};

	for (unsigned i = 0; i < 6; i++)
		polc_layout_put_number(
			l, l->registers + (compat ? of_32_bits : native)[i], l->words[i], 8);
	polc_layout_put_number(l, l->registers + ORIG_AX, l->left, 8);
	memset(l->words, 0, 6 * sizeof(l->words[0]));
	l->words[0] = l->registers;
	l->words[1] = l->second;
}

/* The number of the call that members of lists and records ask for. */
static void put_call_number(struct place *p)
{
	const struct polc_trace_symbol *symbol = &p->spec->symbols.items[p->member->symbol];

	if (p->member->kind == POLC_MEMBER_LIST)
		set_system_call(
			p, symbol->syscall.number |
				   (symbol->syscall.abi == POLC_ABI_I386 ? 0x80000000u : 0));
	else if (p->member->kind == POLC_MEMBER_SYSCALL && !strcmp(p->hook->symbol, "sys_enter"))
		set_system_call(p, p->member->number);
	else if (p->member->kind == POLC_MEMBER_SYSCALL)
		p->l->left = p->member->number;
}

/* What is read alike by several policies is laid out once. */
static bool is_placed(struct place *p)
{
	const char *key = polc_trace_value_key(p->l->arena, p->spec, p->value);

	for (size_t i = 0; i < p->l->placed.n; i++)
		if (!strcmp(p->l->placed.items[i], key))
			return true;
	*polc_vec_push(p->l->arena, &p->l->placed) = key;
	return false;
}

static void put_member(struct polc_layout *l, const struct polc_trace_hook *hook,
	const struct polc_trace_member *member, const struct polc_call_member *said)
{
	struct polc_trace_member own = *member;
	struct place p = {l, hook, &own, &l->plan->tracing->specs[member->spec], NULL, NULL};

	if (member->kind == POLC_MEMBER_LIST)
		own.symbol = said->symbol;
	put_call_number(&p);
	for (uint32_t i = 0; i < p.spec->values.n && !l->why; i++) {
		p.value = &p.spec->values.items[i];
		p.said = &said->values[i];
		if (!is_placed(&p))
			put_value(&p);
	}
}

bool polc_described_is_member(
	const struct polc_trace_member *member, const struct polc_call_member *said)
{
	return member->spec == said->spec &&
	       (member->kind == POLC_MEMBER_LIST || member->symbol == said->symbol);
}

void polc_layout_values(
	struct polc_layout *l, const struct polc_call *call, const struct polc_trace_hook *hook)
{
	bool registers = false, words = false, compat = hook->syscall != NULL;

	memset(l->words, 0, sizeof(l->words));
	memset(l->word_widths, 0, sizeof(l->word_widths));
	l->second = l->left = 0;
	l->placed.n = 0;
	l->registers = polc_layout_take(l, REGISTERS_BYTES);
	for (uint32_t i = 0; i < hook->n_members; i++)
		for (size_t k = 0; k < call->members.n; k++) {
			const struct polc_trace_member *member = &hook->members[i];
			const struct polc_trace_spec *spec = &l->plan->tracing->specs[member->spec];

			if (!polc_described_is_member(member, &call->members.items[k]))
				continue;
			bool by_registers = spec->syscall || member->kind != POLC_MEMBER_CALL;

			registers |= by_registers;
			words |= !by_registers;
			compat |= member->kind == POLC_MEMBER_LIST &&
				  spec->symbols.items[call->members.items[k].symbol].syscall.abi ==
					  POLC_ABI_I386;
			put_member(l, hook, member, &call->members.items[k]);
		}
	if (registers && words)
		polc_layout_fail(l, "policies read the hook's arguments in different ways");
	if (registers)
		put_registers(l, compat);
	else
		l->words[POLB_DESCRIBED_REGISTERS] = l->registers;
}
