/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What all YAML front ends share: metadata, label selectors, prefixes, ports. */
#ifndef POLC_OBJECTS_H
#define POLC_OBJECTS_H

#include "reader.h"

/*
 * Checks apiVersion, kind, metadata (name required and valid, namespace) and top-level fields
 * (unknown: a warning, as the API server prunes them; inside spec they are errors), and makes the
 * policy with its spec unread. Returns NULL (reported) when the object is unusable; *spec is NULL
 * when there is no spec.
 */
struct polc_ast_policy *polc_parse_object(struct polc *polc, const struct polc_yaml *object,
	enum polc_policy_kind kind, const struct polc_yaml **spec, const struct polc_yaml **specs);

/* Cilium keys may have a source before them; so may containers', whose `repo` is no Kubernetes
 * label. */
enum polc_label_syntax {
	POLC_LABELS_OF_KUBERNETES,
	POLC_LABELS_OF_CILIUM,
	POLC_LABELS_OF_CONTAINERS
};

/*
 * A label selector: matchLabels, matchExpressions (In, NotIn, Exists, DoesNotExist, exact case;
 * values required for In/NotIn and forbidden for the others). Unknown fields are errors. Keys and
 * values are checked for syntax; Cilium keys may carry a source prefix. Returns NULL when reported.
 */
const struct polc_ast_selector *polc_parse_selector(struct polc *polc, const struct polc_yaml *node,
	enum polc_label_syntax syntax, const char *what);

/* The syntax of names and labels, as Kubernetes checks it. */
bool polc_is_dns_subdomain(const char *s, size_t n);
bool polc_is_label_key(const char *key);
bool polc_is_label_value(const char *value);

/* A prefix from a string node; bare addresses only with bare_ok; IPv4-mapped IPv6 is refused. */
bool polc_parse_prefix(struct polc *polc, const struct polc_yaml *node, bool bare_ok,
	const char *what, struct polb_prefix *out);
/* The `except` list of a CIDR peer: each inside peer->cidr and of its family. */
bool polc_parse_excepts(
	struct polc *polc, const struct polc_yaml *node, struct polc_ast_peer *peer);
/* A port number 1..65535 (0 with zero_ok). */
bool polc_parse_port_number(struct polc *polc, const struct polc_yaml *node, bool zero_ok,
	const char *what, uint16_t *out);

#endif
