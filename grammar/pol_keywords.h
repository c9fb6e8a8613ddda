/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Words of the DSL that are keywords in their place, and plain words everywhere else (a label may
 * be called `from`). X(token, text, what must follow): with NAME the next word is a name whatever
 * it is; with OTHER it may be a keyword.
 */
#ifndef POL_KEYWORDS_H
#define POL_KEYWORDS_H

#define POL_KEYWORDS(X)                                                                            \
	X(NETWORK, "network", NAME)                                                                \
	X(KUBERNETES, "kubernetes", OTHER)                                                         \
	X(CLUSTER, "cluster", OTHER)                                                               \
	X(ADMIN, "admin", OTHER)                                                                   \
	X(BASELINE, "baseline", OTHER)                                                             \
	X(ENDPOINT, "endpoint", NAME)                                                              \
	X(TRACING, "tracing", NAME)                                                                \
	X(TIER, "tier", NAME)                                                                      \
	X(PRIORITY, "priority", NAME)                                                              \
	X(IN, "in", NAME)                                                                          \
	X(SPEC, "spec", OTHER)                                                                     \
	X(SUBJECT, "subject", OTHER)                                                               \
	X(INGRESS, "ingress", OTHER)                                                               \
	X(EGRESS, "egress", OTHER)                                                                 \
	X(ALLOW, "allow", OTHER)                                                                   \
	X(DENY, "deny", OTHER)                                                                     \
	X(PASS, "pass", OTHER)                                                                     \
	X(DEFAULT, "default", OTHER)                                                               \
	X(NONE, "none", OTHER)                                                                     \
	X(NOTHING, "nothing", OTHER)                                                               \
	X(ANY, "any", OTHER)                                                                       \
	X(ALL, "all", OTHER)                                                                       \
	X(FROM, "from", OTHER)                                                                     \
	X(TO, "to", OTHER)                                                                         \
	X(AS, "as", NAME)                                                                          \
	X(OR, "or", OTHER)                                                                         \
	X(AND, "and", OTHER)                                                                       \
	X(NOT, "not", OTHER)                                                                       \
	X(HAS, "has", NAME)                                                                        \
	X(ENDPOINTS, "endpoints", OTHER)                                                           \
	X(PODS, "pods", OTHER)                                                                     \
	X(NAMESPACES, "namespaces", OTHER)                                                         \
	X(NODES, "nodes", OTHER)                                                                   \
	X(CIDR, "cidr", NAME)                                                                      \
	X(CIDR_GROUP, "cidr-group", NAME)                                                          \
	X(CIDR_GROUPS, "cidr-groups", OTHER)                                                       \
	X(EXCEPT, "except", NAME)                                                                  \
	X(ENTITY, "entity", NAME)                                                                  \
	X(SERVICE, "service", NAME)                                                                \
	X(SERVICES, "services", OTHER)                                                             \
	X(ISOLATE, "isolate", OTHER)                                                               \
	X(LOG, "log", NAME)                                                                        \
	X(DESCRIPTION, "description", NAME)                                                        \
	X(LABELS, "labels", OTHER)                                                                 \
	X(ADDRESS, "address", NAME)                                                                \
	X(CGROUP, "cgroup", NAME)                                                                  \
	X(INTERFACE, "interface", NAME)                                                            \
	X(PORT, "port", NAME)                                                                      \
	X(NODE, "node", NAME)                                                                      \
	X(SERVICE_ACCOUNT, "service-account", NAME)                                                \
	X(HOST_NETWORK, "host-network", OTHER)

#endif
