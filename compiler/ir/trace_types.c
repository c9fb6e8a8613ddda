/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Facts about argument types: names, classes, widths, and which C types each of them stands for.
 * Knows no policy and no target; what a value's C type is comes from target.h.
 */
#include <string.h>

#include "lower_tracing.h"

struct type_facts {
	const char *name;
	enum polb_trace_class class;
	uint8_t width;
	bool is_signed;
};

static const struct type_facts facts[POLB_N_TRACE_TYPES] = {
#define X(name, text, class, width, is_signed)                                                     \
	[POLB_TYPE_##name] = {text, POLB_CLASS_##class, width, is_signed},
	POLB_TRACE_TYPES(X)
#undef X
};

const char *polc_trace_type_name(uint8_t type)
{
	return type < POLB_N_TRACE_TYPES ? facts[type].name : "?";
}

enum polb_trace_class polc_trace_type_class(uint8_t type)
{
	return type < POLB_N_TRACE_TYPES ? facts[type].class : POLB_CLASS_NOTHING;
}

unsigned polc_trace_type_width(uint8_t type)
{
	return type < POLB_N_TRACE_TYPES ? facts[type].width : 0;
}

bool polc_trace_type_signed(uint8_t type)
{
	return type < POLB_N_TRACE_TYPES && facts[type].is_signed;
}

bool polc_trace_type_parse(const char *text, uint8_t *out)
{
	for (uint8_t i = 0; i < POLB_N_TRACE_TYPES; i++) {
		if (!strcmp(facts[i].name, text)) {
			*out = i;
			return true;
		}
	}
	return false;
}

const char *polc_trace_type_nearest(const char *text)
{
	const char *names[POLB_N_TRACE_TYPES];

	for (size_t i = 0; i < POLB_N_TRACE_TYPES; i++)
		names[i] = facts[i].name;
	return polc_nearest(text, names, POLB_N_TRACE_TYPES);
}

/*
 * The structs that a type's pointer may point to. The first one of a type is what its programs
 * read; the others begin with it, or with the same members.
 */
static const struct {
	uint8_t type;
	const char *name;
} structs[] = {
	{POLB_TYPE_FILE, "file"}, {POLB_TYPE_PATH, "path"}, {POLB_TYPE_DENTRY, "dentry"},
	{POLB_TYPE_LINUX_BINPRM, "linux_binprm"}, {POLB_TYPE_KIOCB, "kiocb"},
	{POLB_TYPE_FILENAME, "filename"}, {POLB_TYPE_NET_DEVICE, "net_device"},
	{POLB_TYPE_SOCK, "sock"}, {POLB_TYPE_SOCKET, "socket"}, {POLB_TYPE_SKB, "sk_buff"},
	{POLB_TYPE_SOCKADDR, "sockaddr"}, {POLB_TYPE_SOCKADDR, "sockaddr_storage"},
	{POLB_TYPE_SOCKADDR, "__kernel_sockaddr_storage"}, {POLB_TYPE_SOCKADDR, "sockaddr_unsized"},
	{POLB_TYPE_SOCKADDR, "sockaddr_in"}, {POLB_TYPE_SOCKADDR, "sockaddr_in6"},
	{POLB_TYPE_SOCKADDR_UN, "sockaddr_un"}, {POLB_TYPE_SOCKADDR_UN, "sockaddr"},
	{POLB_TYPE_SOCKADDR_UN, "sockaddr_unsized"}, {POLB_TYPE_SOCKADDR_UN, "sockaddr_storage"},
	{POLB_TYPE_SOCKADDR_UN, "__kernel_sockaddr_storage"}, {POLB_TYPE_CRED, "cred"},
	{POLB_TYPE_USER_NAMESPACE, "user_namespace"}, {POLB_TYPE_BPF_ATTR, "bpf_attr"},
	{POLB_TYPE_BPF_PROG, "bpf_prog"}, {POLB_TYPE_BPF_MAP, "bpf_map"},
	{POLB_TYPE_PERF_EVENT, "perf_event"}, {POLB_TYPE_MODULE, "module"},
	{POLB_TYPE_LOAD_INFO, "load_info"}, {POLB_TYPE_IOV_ITER, "iov_iter"},
	{POLB_TYPE_CHAR_IOVEC, "iovec"}, {POLB_TYPE_KERNEL_CAP_T, "kernel_cap_struct"},
	{POLB_TYPE_KERNEL_CAP_T, "kernel_cap_t"}, /* an anonymous struct since 6.3 */
};

static uint8_t struct_key(uint8_t type)
{
	return polc_trace_type_class(type) == POLB_CLASS_CAPS ? POLB_TYPE_KERNEL_CAP_T : type;
}

const char *polc_trace_type_struct(uint8_t type)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(structs); i++)
		if (structs[i].type == struct_key(type))
			return structs[i].name;
	return NULL;
}

static bool is_struct_of(uint8_t type, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < POLC_ARRAY_SIZE(structs); i++)
		if (structs[i].type == struct_key(type) && !strcmp(structs[i].name, name))
			return true;
	/* tcp_sock, inet_sock, request_sock and the like begin with struct sock(_common) */
	return type == POLB_TYPE_SOCK && n > 5 && !strcmp(name + n - 5, "_sock");
}

bool polc_trace_type_exact(uint8_t type, const struct polc_value_type *c)
{
	const char *name = polc_trace_type_struct(type);

	return name && c->kind == POLC_VALUE_POINTER && c->is_struct && !strcmp(c->name, name);
}

static uint8_t integer_of(const struct polc_value_type *c)
{
	switch (c->size) {
	case 1:
		return c->is_signed ? POLB_TYPE_INT8 : POLB_TYPE_UINT8;
	case 2:
		return c->is_signed ? POLB_TYPE_INT16 : POLB_TYPE_UINT16;
	case 4:
		return c->is_signed ? POLB_TYPE_INT32 : POLB_TYPE_UINT32;
	default:
		return c->is_signed ? POLB_TYPE_INT64 : POLB_TYPE_UINT64;
	}
}

static uint8_t struct_type(const char *name)
{
	for (size_t i = 0; *name && i < POLC_ARRAY_SIZE(structs); i++)
		if (!strcmp(structs[i].name, name))
			return structs[i].type;
	return POLB_TYPE_AUTO;
}

uint8_t polc_trace_type_of(const struct polc_value_type *c)
{
	switch (c->kind) {
	case POLC_VALUE_INT:
		return integer_of(c);
	case POLC_VALUE_POINTER:
		if (c->is_struct)
			return struct_type(c->name);
		return c->is_char ? POLB_TYPE_STRING : POLB_TYPE_AUTO;
	case POLC_VALUE_STRUCT:
		return struct_type(c->name);
	case POLC_VALUE_ARRAY:
		return c->is_char ? POLB_TYPE_STRING : POLB_TYPE_AUTO;
	case POLC_VALUE_VOID:
		return POLB_TYPE_AUTO;
	}
	return POLB_TYPE_AUTO;
}

static enum polc_type_fit integer_fits(uint8_t type, const struct polc_value_type *c)
{
	unsigned width = polc_trace_type_width(type);

	if (c->kind == POLC_VALUE_INT)
		return c->size >= width ? POLC_FITS : POLC_FITS_WIDTH;
	/* a pointer shown as a number */
	return c->kind == POLC_VALUE_POINTER && width == 8 ? POLC_FITS : POLC_FITS_NOT;
}

static bool is_word(const struct polc_value_type *c)
{
	return c->kind == POLC_VALUE_INT && c->size == 8;
}

static enum polc_type_fit pointer_fits(uint8_t type, const struct polc_value_type *c)
{
	if (c->kind == POLC_VALUE_STRUCT)
		return is_struct_of(type, c->name) ? POLC_FITS : POLC_FITS_NOT;
	if (c->kind != POLC_VALUE_POINTER)
		return is_word(c) ? POLC_FITS : POLC_FITS_NOT;
	if (!c->is_struct)
		return *c->name ? POLC_FITS_NOT : POLC_FITS; /* void * may be anything */
	return is_struct_of(type, c->name) ? POLC_FITS : POLC_FITS_NOT;
}

static enum polc_type_fit text_fits(uint8_t type, const struct polc_value_type *c)
{
	bool bytes = polc_trace_type_class(type) == POLB_CLASS_BYTES;

	if (c->kind == POLC_VALUE_ARRAY)
		return bytes || c->is_char ? POLC_FITS : POLC_FITS_NOT;
	if (c->kind == POLC_VALUE_POINTER)
		return bytes || !c->is_struct ? POLC_FITS : POLC_FITS_NOT;
	return is_word(c) ? POLC_FITS : POLC_FITS_NOT;
}

enum polc_type_fit polc_trace_type_fits(uint8_t type, const struct polc_value_type *c)
{
	if (type == POLB_TYPE_FD)
		return c->kind == POLC_VALUE_INT ? POLC_FITS : POLC_FITS_NOT;
	if (polc_trace_type_struct(type)) {
		if (polc_trace_type_class(type) == POLB_CLASS_CAPS && is_word(c))
			return POLC_FITS;
		return pointer_fits(type, c);
	}
	if (polc_trace_type_class(type) == POLB_CLASS_INT)
		return integer_fits(type, c);
	return type == POLB_TYPE_NOP ? POLC_FITS : text_fits(type, c);
}

const char *polc_value_type_text(struct polc_arena *arena, const struct polc_value_type *c)
{
	const char *tag = c->is_struct ? "struct " : "";
	const char *name = c->name && *c->name ? c->name : c->is_struct ? "(anonymous)" : "void";

	switch (c->kind) {
	case POLC_VALUE_INT:
		return c->name && *c->name ? c->name : polc_trace_type_name(integer_of(c));
	case POLC_VALUE_POINTER:
		return polc_arena_printf(arena, "%s%s *", tag, name);
	case POLC_VALUE_STRUCT:
		return polc_arena_printf(arena, "struct %s", name);
	case POLC_VALUE_ARRAY:
		return polc_arena_printf(arena, "%s%s[%u]", tag, name, c->size);
	case POLC_VALUE_VOID:
		return "void";
	}
	return "void";
}
