/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of a target share. */
#ifndef POLC_TARGET_PRIVATE_H
#define POLC_TARGET_PRIVATE_H

#include "name_table.h"
#include "target.h"

#include <bpf/btf.h>

/*
 * The BTF of the kernel (number 0) and of its modules, each of which goes on where the kernel's
 * ends: type numbers of two modules overlap. btf_id of a value type has the number of the BTF in
 * the upper bits.
 */
#define POLC_BTF_SHIFT 24
struct polc_target_btf {
	const char *module; /* NULL: the kernel */
	struct btf *btf;
	struct polc_name_table functions, structs, typedefs;
};

/* Read when a name is not in the kernel's BTF: most policies never need a module's. */
struct polc_target_modules {
	bool read;
	POLC_VEC(struct polc_target_btf) list;
};

struct polc_target {
	struct polc *polc;
	const char *name;
	struct polc_target_btf kernel;
	const char *modules_directory; /* or NULL */
	struct polc_target_modules *modules;
	/* Each with whether it is known at all. */
	struct polc_name_table symbols, error_injection, config;
	bool has_symbols, has_error_injection, has_config;
	const char *events_directory; /* or NULL */
};

/* What was found, and in which BTF. */
struct polc_btf_place {
	const struct polc_target_btf *in; /* NULL: not found */
	uint32_t id, number;              /* id in that BTF; number of the BTF */
};
enum polc_btf_what { POLC_BTF_FUNCTION, POLC_BTF_STRUCT, POLC_BTF_TYPEDEF };

void polc_target_btf_index(struct polc_arena *arena, struct polc_target_btf *btf);
/* In the kernel's, then in the modules' BTF. */
struct polc_btf_place polc_target_find(
	const struct polc_target *target, enum polc_btf_what what, const char *name);
/* The BTF that a value type's btf_id is in. */
struct polc_btf_place polc_target_place(const struct polc_target *target, uint32_t btf_id);
void polc_target_read_modules(const struct polc_target *target);

/* The value type of BTF type `id`. */
struct polc_value_type polc_value_type_of(const struct polc_btf_place *in, uint32_t id);
/* The name at that offset, and of a type; "" when there is none. */
const char *polc_btf_string(const struct btf *btf, uint32_t offset);
const char *polc_btf_name(const struct btf *btf, uint32_t id);
/* Modifiers and typedefs taken off; the number of the last named typedef in *last_typedef (0:
 * none). */
uint32_t polc_btf_strip(const struct btf *btf, uint32_t id, uint32_t *last_typedef);

/* c_type.c: a scalar of C or a typedef of the kernel's, as written: "unsigned int", "pid_t". */
bool polc_scalar_type(const char *name, size_t n, struct polc_value_type *out);
/* A field's type as a format file has it: "const char *", "struct file *", "u8". */
struct polc_value_type polc_written_type(struct polc_arena *arena, const char *text, size_t n);

/* target_facts.c: each returns whether the file could be read and said something. */
bool polc_facts_symbols(struct polc_arena *arena, const char *path, struct polc_name_table *out);
bool polc_facts_error_injection(
	struct polc_arena *arena, const char *path, struct polc_name_table *out);
bool polc_facts_config(struct polc_arena *arena, const char *path, struct polc_name_table *out);
/* The text of a file, compressed by gzip or not, of whatever size procfs says; NULL. */
char *polc_facts_read(struct polc_arena *arena, const char *path);

#endif
