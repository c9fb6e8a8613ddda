/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polload report` in its parts: findings, labels that name a workload, policies to suggest. */
#ifndef POLD_REPORT_H
#define POLD_REPORT_H

#include "loader.h"
#include "pool.h"
#include "runtime/text.h"

enum pold_why {
	POLD_WHY_NO_RULE,    /* isolated, and no rule allows: an allow would help */
	POLD_WHY_DENY_RULE,  /* a rule denies: no allow helps */
	POLD_WHY_NOT_POLICY, /* malformed, fragments, no endpoint: no rule is about it */
};

/* All that one workload was seen doing in one direction with one peer at one port. */
struct pold_finding {
	const char *bundle;   /* name that it is applied under */
	const char *subject;  /* "namespace:key=value,...", or the endpoint's name */
	const char *endpoint; /* one of them */
	const char *peer;     /* likewise labels, an entity's word, or an address */
	const char *reason;   /* the rule, for people */
	uint32_t endpoint_number, n_endpoints;
	uint32_t direction, peer_identity, rule;
	uint8_t family, protocol;
	bool peer_is_address;
	uint16_t port;
	enum pold_why why;
	uint64_t flows, packets, bytes;
	uint64_t first_ns, last_ns;
};

/* Enforcement that monitor mode held back, by selector of a tracing policy. */
struct pold_held {
	const char *policy; /* with the selector's place */
	const char *actions;
	uint64_t count;
};

struct pold_report {
	struct pold_pool pool;
	POLD_LIST(struct pold_finding) findings;
	uint64_t allowed; /* entries that would not be denied any more */
	uint64_t not_kept;
	POLD_LIST(struct pold_held) held;
	POLD_LIST(const char *) workloads; /* labels of all identities of the bundles */
};

/* report_find.c: adds what is applied under a name. Exit code. */
int pold_report_find(
	struct pold_report *report, const struct pold_options *options, const char *name);
/* report_trace.c: what monitor mode held back. 0 or -errno. */
int pold_report_held(struct pold_report *report, const struct pold_options *options,
	const struct pold_state *state);
/* Sorts, and adds up what is alike. */
void pold_report_merge(struct pold_report *report);

/* report_labels.c: "namespace:key=value,..." taken apart. */
struct pold_label_set {
	const char *namespace; /* NULL: none */
	struct pold_label_pair {
		const char *key, *value;
	} labels[64];
	size_t n;
};
void pold_labels_parse(struct pold_pool *pool, const char *text, struct pold_label_set *out);
/*
 * The labels that are enough to tell the workload from every other one in `all`, those first that
 * people select by; without ones that change with every rollout.
 */
void pold_labels_choose(const struct pold_label_set *set, const char *const *all, size_t n_all,
	struct pold_label_set *out);

/* report_text.c, report_policy.c. */
void pold_report_text(const struct pold_report *report);
void pold_report_json(const struct pold_report *report);
/* Changes the findings. */
void pold_report_policy(struct pold_report *report, bool yaml);
const char *pold_protocol_text(uint8_t protocol, char out[16]);

#endif
