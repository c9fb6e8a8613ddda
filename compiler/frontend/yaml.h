/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * YAML (and JSON, its subset) as a tree with byte spans, read with libyaml; and typed access that
 * reports mistakes. Owns: limits, aliases, duplicate keys, encodings. Knows no kind of object.
 */
#ifndef POLC_YAML_H
#define POLC_YAML_H

#include "../base/diagnostic.h"

enum polc_yaml_kind { POLC_YAML_SCALAR, POLC_YAML_SEQUENCE, POLC_YAML_MAPPING };

struct polc_yaml;
struct polc_yaml_entry {
	const struct polc_yaml *key; /* always a scalar */
	const struct polc_yaml *value;
};
struct polc_yaml {
	enum polc_yaml_kind kind;
	struct polc_span span;
	/* SCALAR: text, and whether it was written without quotes (only then null/bool/number) */
	const char *value;
	size_t length; /* of the text; more than strlen() when it holds NULs */
	bool plain;
	/* SEQUENCE */
	const struct polc_yaml *const *items;
	size_t n_items;
	/* MAPPING */
	const struct polc_yaml_entry *entries;
	size_t n_entries;
};

typedef POLC_VEC(const struct polc_yaml *) polc_yaml_documents;

/*
 * Parses every document of a source into trees; aliases are expanded (bounded), duplicate keys,
 * limits and syntax are reported. A document with an error is left out, the next are still read
 * when possible. Empty documents are skipped.
 */
void polc_yaml_parse(struct polc *polc, uint32_t source, polc_yaml_documents *out);

/*
 * The same, but strings may hold NULs (keys may not): for files with values that are bytes. Who
 * reads such a tree either calls polc_yaml_refuse_nul() on it or minds `length`; typed access below
 * refuses NULs by itself.
 */
void polc_yaml_parse_bytes(struct polc *polc, uint32_t source, polc_yaml_documents *out);
/* False when a string below a node holds a NUL; each is reported. */
bool polc_yaml_refuse_nul(struct polc *polc, const struct polc_yaml *node);

/* How YAML 1.1 as Kubernetes reads it (sigs.k8s.io/yaml) understands a scalar. */
enum polc_yaml_scalar {
	POLC_YAML_NULL,
	POLC_YAML_BOOL, /* also yes, no, on, off, y, n */
	POLC_YAML_INT,  /* in any base; polc_yaml_integer takes plain decimals only */
	POLC_YAML_FLOAT,
	POLC_YAML_STRING,
};
enum polc_yaml_scalar polc_yaml_resolve(const struct polc_yaml *scalar);

bool polc_yaml_is_null(const struct polc_yaml *node); /* NULL pointer, or plain null, ~ or empty */
const struct polc_yaml *polc_yaml_get(
	const struct polc_yaml *mapping, const char *key); /* or NULL */

/*
 * Typed access: report WRONG_TYPE naming `what` and return false when the node is of another type.
 * A string must be a quoted scalar or a plain one that is not null, a bool or a number
 * (Kubernetes' own rule: `port: 80` is an integer).
 */
bool polc_yaml_string(
	struct polc *polc, const struct polc_yaml *node, const char *what, const char **out);
bool polc_yaml_integer(
	struct polc *polc, const struct polc_yaml *node, const char *what, int64_t *out);
bool polc_yaml_bool(struct polc *polc, const struct polc_yaml *node, const char *what, bool *out);
bool polc_yaml_is_integer(const struct polc_yaml *node);
bool polc_yaml_expect(struct polc *polc, const struct polc_yaml *node, enum polc_yaml_kind kind,
	const char *what);
/* Reports keys of a mapping that are none of the n names, with the nearest name as suggestion. */
void polc_yaml_check_fields(struct polc *polc, const struct polc_yaml *mapping,
	const char *const *names, size_t n, const char *what, enum polc_severity severity);

#endif
