/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * System calls: numbers, names and signatures (syscalls_*.def), and the ways to write them. The
 * tables are those of Linux 7.3; a number never changes, so they hold for every kernel before it.
 */
#include "target_private.h"

#include <string.h>

struct argument {
	char form; /* Value, Pointer, Struct pointed at, Unknown; 0: no more arguments */
	const char *type, *name;
};

struct row {
	uint32_t number;
	const char *name, *entry; /* entry: the kernel's function, "" when there is none */
	bool compat;
};

#define V(type, name) {'V', #type, #name},
#define P(type, name) {'P', #type, #name},
#define S(type, name) {'S', #type, #name},
#define UNKNOWN {'U', "", ""},
static const struct argument arguments[][7] = {
#define X(number, name, entry, arguments) {arguments},
#include "syscalls_x64.def"
#undef X
};

static const struct row rows_x64[] = {
#define X(number, name, entry, arguments) {number, #name, #entry, false},
#include "syscalls_x64.def"
#undef X
};

#define COMPAT true
#define NATIVE false
static const struct row rows_i386[] = {
#define X(number, name, entry, compat) {number, #name, #entry, compat},
#include "syscalls_i386.def"
#undef X
};

#define X(number, name, entry) {number, #name, #entry, false},
static const struct row rows_arm64[] = {
#include "syscalls_arm64.def"
};
static const struct row rows_arm32[] = {
#include "syscalls_arm32.def"
};
#undef X

/* The prefixes of the kernel's symbols, and the words before a slash. arm32 shares arm64's. */
static const struct abi {
	const char *word, *prefix, *compat_prefix;
	const struct row *rows;
	size_t n;
} abis[] = {
	[POLC_ABI_X64] = {"x64/", "__x64_sys_", "__x64_sys_", rows_x64, POLC_ARRAY_SIZE(rows_x64)},
	[POLC_ABI_I386] = {"i386/", "__ia32_sys_", "__ia32_compat_sys_", rows_i386,
		POLC_ARRAY_SIZE(rows_i386)},
	[POLC_ABI_ARM64] = {"arm64/", "__arm64_sys_", "__arm64_sys_", rows_arm64,
		POLC_ARRAY_SIZE(rows_arm64)},
	[POLC_ABI_ARM32] = {"arm32/", "__arm64_sys_", "__arm64_compat_sys_", rows_arm32,
		POLC_ARRAY_SIZE(rows_arm32)},
};

static const struct row *find_name(enum polc_abi abi, const char *name)
{
	for (size_t i = 0; i < abis[abi].n; i++)
		if (!strcmp(abis[abi].rows[i].name, name))
			return &abis[abi].rows[i];
	return NULL;
}

static const struct row *find_entry(enum polc_abi abi, const char *entry)
{
	for (size_t i = 0; i < abis[abi].n; i++)
		if (!strcmp(abis[abi].rows[i].entry, entry))
			return &abis[abi].rows[i];
	return NULL;
}

/* By the name of the call; else by the name of the kernel's function: "newstat", "umount". */
static const struct row *find(enum polc_abi abi, const char *name)
{
	const struct row *row = find_name(abi, name);

	return row ? row : find_entry(abi, name);
}

/* A symbol means the function of that name: i386's uname is "newuname", and "uname" an older one.
 */
static const struct row *find_symbol(enum polc_abi abi, const char *entry)
{
	const struct row *row = find_entry(abi, entry);

	return row ? row : find_name(abi, entry);
}

/* --- spellings -------------------------------------------------------------------------------- */

static bool skip(const char **text, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(*text, prefix, n))
		return false;
	*text += n;
	return true;
}

static bool is_name(const char *text)
{
	return *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

/* The kernel's prefix tells the ABI, unless a word before a slash did. */
static bool skip_symbol_prefix(const char **text, enum polc_abi *abi, bool has_word)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(abis); i++) {
		const char *at = *text;

		if (!skip(&at, abis[i].compat_prefix) && !skip(&at, abis[i].prefix))
			continue;
		if (has_word && strcmp(abis[i].prefix, abis[*abi].prefix))
			return false;
		*text = at;
		if (!has_word)
			*abi = (enum polc_abi)i;
		return true;
	}
	return false;
}

bool polc_syscall_parse(const char *text, struct polc_syscall *out)
{
	struct polc_syscall call = {.abi = POLC_ABI_X64, .number = UINT32_MAX};
	bool has_word = false, is_symbol, has_prefix;
	const struct row *row;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(abis) && !has_word; i++)
		if ((has_word = skip(&text, abis[i].word)))
			call.abi = (enum polc_abi)i;
	is_symbol = skip_symbol_prefix(&text, &call.abi, has_word);
	has_prefix = is_symbol || skip(&text, "sys_");
	/* "__": another ABI's prefix, or no system call at all */
	if (!is_name(text) || !strncmp(text, "__", 2))
		return false;
	row = is_symbol ? find_symbol(call.abi, text) : find(call.abi, text);
	if (!row && !has_prefix && !has_word)
		return false;
	call.name = row ? row->name : text;
	if (row)
		call.number = row->number;
	*out = call;
	return true;
}

const char *polc_syscall_symbol(
	struct polc_arena *arena, const struct polc_syscall *call, bool compat)
{
	const struct row *row = find(call->abi, call->name);
	const char *entry = row && *row->entry ? row->entry : call->name;

	return polc_arena_printf(arena, "%s%s",
		compat ? abis[call->abi].compat_prefix : abis[call->abi].prefix, entry);
}

bool polc_syscall_is_compat(const struct polc_syscall *call)
{
	const struct row *row = find(call->abi, call->name);

	return row && row->compat;
}

/* --- lists ------------------------------------------------------------------------------------ */

/* Names alone, of the calls that the kernel implements. */
#define NAMES_MAX 512
static size_t names_of(enum polc_abi abi, const char **names)
{
	size_t n = 0;

	for (size_t i = 0; i < abis[abi].n && n < NAMES_MAX; i++)
		if (*abis[abi].rows[i].entry)
			names[n++] = abis[abi].rows[i].name;
	return n;
}

const char *const *polc_syscall_names(enum polc_abi abi, size_t *n)
{
	static const char *names[POLC_ARRAY_SIZE(abis)][NAMES_MAX];

	*n = names_of(abi, names[abi]);
	return names[abi];
}

/* --- signatures (x86-64) ---------------------------------------------------------------------- */

static const struct argument *arguments_of(const char *name)
{
	const struct row *row = find(POLC_ABI_X64, name);
	const struct argument *list = row ? arguments[row - rows_x64] : NULL;

	return list && list->form != 'U' ? list : NULL;
}

int polc_syscall_arguments(const char *name)
{
	const struct argument *list = arguments_of(name);
	int n = 0;

	while (list && list[n].form)
		n++;
	return list ? n : -1;
}

static const struct argument *argument_of(const char *name, unsigned n)
{
	int known = polc_syscall_arguments(name);

	return known > 0 && n < (unsigned)known ? &arguments_of(name)[n] : NULL;
}

const char *polc_syscall_argument_name(const char *name, unsigned n)
{
	const struct argument *argument = argument_of(name, n);

	return argument ? argument->name : NULL;
}

bool polc_syscall_argument(const char *name, unsigned n, struct polc_value_type *out)
{
	const struct argument *argument = argument_of(name, n);

	if (!argument)
		return false;
	if (argument->form == 'V')
		return polc_scalar_type(argument->type, strlen(argument->type), out);
	*out = (struct polc_value_type){.kind = POLC_VALUE_POINTER,
		.name = argument->type,
		.size = 8,
		.is_struct = argument->form == 'S',
		.is_char = !strcmp(argument->type, "char")};
	return true;
}
