/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the files that make a bundle, and by nobody else. */
#ifndef POLC_BACKEND_H
#define POLC_BACKEND_H

#include "bundle.h"

/* The hooks a bundle gets: options->hooks, or what the endpoints need, or both. */
uint32_t polc_bundle_hooks(const struct polc_plan *plan, const struct polc_build_options *options);

/* Longest-prefix maps of the family are needed. */
bool polc_bundle_has_cidr(const struct polc_plan *plan, unsigned family);

/* The generated headers: what specialises the templates. */
struct polc_generated {
	const char *config;  /* polc_config.h */
	const char *tracing; /* polc_tracing.h, or NULL: no tracing programs */
};
/* As polc_clang_compile(), with tracing programs too. */
int polc_clang_compile_generated(struct polc *polc, const struct polc_generated *generated,
	const struct polc_build_options *options, void **object, size_t *size);

/* First line of `clang --version`, in the arena. 0, or -errno with the message printed. */
int polc_clang_version(
	struct polc *polc, const struct polc_build_options *options, const char **version);

/* A table of NUL-terminated texts, each once; offset 0 is "". */
struct polc_bundle_strings {
	struct polc_arena *arena;
	char *bytes;
	size_t size, cap;
	uint32_t *slots; /* offsets, 0: free; a power of two of them */
	size_t n_slots, n_used;
};

void polc_bundle_strings_init(struct polc_bundle_strings *s, struct polc_arena *arena);

struct polc_bundle_builder {
	struct polc *polc;
	const struct polc_plan *plan;
	const struct polc_build_options *options;
	struct polc_bundle_strings strings, source_strings;
	struct polb_bundle bundle;
	POLC_VEC(__u32) values;
	POLC_VEC(struct polb_bundle_requirement) requirements;
	POLC_VEC(struct polb_bundle_prefix) prefixes;
	POLC_VEC(struct polb_bundle_label) labels;
};

/* Never empty, so that no table's pointer is NULL. */
#define POLC_BUNDLE_TABLE(b, n, type) POLC_NEW_ARRAY(&(b)->polc->arena, (n) ? (n) : 1, type)
__u32 polc_bundle_text(struct polc_bundle_builder *b, const char *s); /* NULL is "" */
__u32 polc_bundle_source_text(struct polc_bundle_builder *b, const char *s);
/* The record of a selector, with its requirements and excepts. */
struct polb_bundle_selector polc_bundle_selector(
	struct polc_bundle_builder *b, const struct polb_selector *s);
/* Adds them; the number of the first. */
__u32 polc_bundle_requirements(
	struct polc_bundle_builder *b, const struct polb_requirement *requirements, size_t n);
/* bundle_subjects.c: tables for endpoints that are not in the inventory. */
void polc_bundle_fill_subjects(struct polc_bundle_builder *b);
/* bundle_variants.c: the policies that can be switched. */
void polc_bundle_fill_variants(struct polc_bundle_builder *b);
/* bundle_tracing.c: the tables of options->tracing, and its part of the manifest. */
void polc_bundle_fill_tracing(struct polc_bundle_builder *b);

#endif
