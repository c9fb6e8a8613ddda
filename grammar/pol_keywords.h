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
	X(TEST, "test", NAME)                                                                      \
	X(ASSERT, "assert", NAME)                                                                  \
	X(TIER, "tier", NAME)                                                                      \
	X(PRIORITY, "priority", NAME)                                                              \
	X(IN, "in", NAME)                                                                          \
	X(SPEC, "spec", OTHER)                                                                     \
	X(MODE, "mode", NAME)                                                                      \
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

/* The words of test blocks, beside those of the blocks that may stand in them. */
#define POL_TEST_KEYWORDS(X)                                                                       \
	X(NETWORK, "network", NAME)                                                                \
	X(KUBERNETES, "kubernetes", OTHER)                                                         \
	X(CLUSTER, "cluster", OTHER)                                                               \
	X(ADMIN, "admin", OTHER)                                                                   \
	X(BASELINE, "baseline", OTHER)                                                             \
	X(TIER, "tier", NAME)                                                                      \
	X(PRIORITY, "priority", NAME)                                                              \
	X(ENDPOINT, "endpoint", NAME)                                                              \
	X(TRACING, "tracing", NAME)                                                                \
	X(IN, "in", NAME)                                                                          \
	X(USE, "use", NAME)                                                                        \
	X(INVENTORY, "inventory", NAME)                                                            \
	X(NAMESPACE, "namespace", NAME)                                                            \
	X(LABELS, "labels", NAME)                                                                  \
	X(DIALECT, "dialect", NAME)                                                                \
	X(POSTURE, "posture", NAME)                                                                \
	X(CLUSTER_NAME, "cluster-name", NAME)                                                      \
	X(KERNEL, "target", NAME)                                                                  \
	X(CONNECT, "connect", NAME)                                                                \
	X(CALL, "call", NAME)                                                                      \
	X(TO, "to", NAME)                                                                          \
	X(ON, "on", NAME)                                                                          \
	X(EXPECT, "expect", OTHER)                                                                 \
	X(ALLOW, "allow", OTHER)                                                                   \
	X(DENY, "deny", OTHER)                                                                     \
	X(AUDIT, "audit", OTHER)                                                                   \
	X(INGRESS, "ingress", OTHER)                                                               \
	X(EGRESS, "egress", OTHER)                                                                 \
	X(NOTHING, "nothing", OTHER)                                                               \
	X(PASSES, "passes", OTHER)                                                                 \
	X(STOPPED, "stopped", OTHER)                                                               \
	X(RETURNING, "returning", NAME)                                                            \
	X(SENDING, "sending", NAME)                                                                \
	X(BY, "by", NAME)                                                                          \
	X(SELECTOR, "selector", NAME)                                                              \
	X(AS, "as", NAME)

/* The words of assert blocks. */
#define POL_ASSERT_KEYWORDS(X)                                                                     \
	X(NO, "no", OTHER)                                                                         \
	X(EVERY, "every", OTHER)                                                                   \
	X(PATH, "path", OTHER)                                                                     \
	X(CALL, "call", NAME)                                                                      \
	X(FROM, "from", OTHER)                                                                     \
	X(TO, "to", OTHER)                                                                         \
	X(ON, "on", NAME)                                                                          \
	X(EXCEPT, "except", NAME)                                                                  \
	X(WITHOUT, "without", NAME)                                                                \
	X(IS, "is", OTHER)                                                                         \
	X(ALLOWED, "allowed", OTHER)                                                               \
	X(DENIED, "denied", OTHER)                                                                 \
	X(PASSES, "passes", OTHER)                                                                 \
	X(ANY, "any", OTHER)                                                                       \
	X(ALL, "all", OTHER)                                                                       \
	X(OR, "or", OTHER)                                                                         \
	X(AND, "and", OTHER)                                                                       \
	X(NOT, "not", OTHER)                                                                       \
	X(HAS, "has", NAME)                                                                        \
	X(IN, "in", NAME)                                                                          \
	X(PODS, "pods", OTHER)                                                                     \
	X(NAMESPACE, "namespace", NAME)                                                            \
	X(NAMESPACES, "namespaces", OTHER)                                                         \
	X(CIDR, "cidr", NAME)                                                                      \
	X(ENTITY, "entity", NAME)

/*
 * The words of tracing blocks. Where several words have one place in the grammar they are one
 * token, and its text tells them apart (compiler/frontend/pol_tracing*.c).
 */
#define POL_TRACING_KEYWORDS(X)                                                                    \
	X(MODE, "mode", NAME)                                                                      \
	X(OPTION, "option", NAME)                                                                  \
	X(LIMIT, "limit", NAME)                                                                    \
	X(BURST, "burst", NAME)                                                                    \
	X(SAMPLE, "sample", NAME)                                                                  \
	X(LOADER, "loader", OTHER)                                                                 \
	X(PODS, "pods", OTHER)                                                                     \
	X(CONTAINERS, "containers", OTHER)                                                         \
	X(NODES, "nodes", OTHER)                                                                   \
	X(HOST, "host", OTHER)                                                                     \
	X(LIST, "list", NAME)                                                                      \
	X(ENFORCE, "enforce", NAME)                                                                \
	X(MACRO, "macro", NAME)                                                                    \
	X(ON, "on", OTHER)                                                                         \
	X(KPROBE, "kprobe", NAME)                                                                  \
	X(SYSCALL, "syscall", NAME)                                                                \
	X(FENTRY, "fentry", OTHER)                                                                 \
	X(RAW, "raw", OTHER)                                                                       \
	X(TRACEPOINT, "tracepoint", NAME)                                                          \
	X(LSM, "lsm", NAME)                                                                        \
	X(UPROBE, "uprobe", NAME)                                                                  \
	X(USDT, "usdt", NAME)                                                                      \
	X(TARGET, "symbol", NAME)                                                                  \
	X(TARGET, "offset", NAME)                                                                  \
	X(TARGET, "address", NAME)                                                                 \
	X(TARGET, "ref-counter", NAME)                                                             \
	X(TARGET, "digest", NAME)                                                                  \
	X(TARGET, "btf-file", NAME)                                                                \
	X(ARG_OPTION, "resolve", NAME)                                                             \
	X(ARG_OPTION, "btf", NAME)                                                                 \
	X(ARG_OPTION, "module", NAME)                                                              \
	X(ARG_OPTION, "size", NAME)                                                                \
	X(ARG_OPTION, "from", NAME)                                                                \
	X(ARG_FLAG, "return-copy", OTHER)                                                          \
	X(ARG_FLAG, "max-data", OTHER)                                                             \
	X(RETURNS, "returns", NAME)                                                                \
	X(DATA, "data", OTHER)                                                                     \
	X(MESSAGE, "message", NAME)                                                                \
	X(TAGS, "tags", NAME)                                                                      \
	X(OPTIONAL, "optional", OTHER)                                                             \
	X(UNVERIFIED, "unverified", OTHER)                                                         \
	X(WHEN, "when", OTHER)                                                                     \
	X(AND, "and", OTHER)                                                                       \
	X(ALL, "all", OTHER)                                                                       \
	X(AS, "as", NAME)                                                                          \
	X(ARGS, "args", OTHER)                                                                     \
	X(DATA_ARGS, "data-args", OTHER)                                                           \
	X(RESULT, "result", OTHER)                                                                 \
	X(PROCESS, "binary", OTHER)                                                                \
	X(PROCESS, "parent", OTHER)                                                                \
	X(PROCESS, "pid", OTHER)                                                                   \
	X(PROCESS, "namespace-pid", OTHER)                                                         \
	X(PROCESS, "namespace-changes", OTHER)                                                     \
	X(NAMESPACE, "namespace", NAME)                                                            \
	X(CAPABILITY, "capability", OTHER)                                                         \
	X(CAPABILITY, "capability-changes", OTHER)                                                 \
	X(WORKLOAD, "workload", OTHER)                                                             \
	X(NOT, "not", OTHER)                                                                       \
	X(IN, "in", NAME)                                                                          \
	X(HAS, "has", NAME)                                                                        \
	X(OPERATOR, "prefix", NAME)                                                                \
	X(OPERATOR, "postfix", NAME)                                                               \
	X(OPERATOR, "mask", NAME)                                                                  \
	X(OPERATOR, "sport", NAME)                                                                 \
	X(OPERATOR, "dport", NAME)                                                                 \
	X(OPERATOR, "saddr", NAME)                                                                 \
	X(OPERATOR, "daddr", NAME)                                                                 \
	X(OPERATOR, "protocol", NAME)                                                              \
	X(OPERATOR, "family", NAME)                                                                \
	X(OPERATOR, "state", NAME)                                                                 \
	X(OPERATOR, "in-map", NAME)                                                                \
	X(OPERATOR, "in-range", NAME)                                                              \
	X(OPERATOR, "substring", NAME)                                                             \
	X(OPERATOR, "substring-ignore-case", NAME)                                                 \
	X(OPERATOR, "file-type", NAME)                                                             \
	X(BARE_OPERATOR, "sport-priv", OTHER)                                                      \
	X(BARE_OPERATOR, "dport-priv", OTHER)                                                      \
	X(BARE_OPERATOR, "gains", OTHER)                                                           \
	X(EXPRESSION, "expression", NAME)                                                          \
	X(FILTER_FLAG, "follow", OTHER)                                                            \
	X(FILTER_FLAG, "namespaced", OTHER)                                                        \
	X(ON_ERROR, "on-error", NAME)                                                              \
	X(DO, "do", NAME)                                                                          \
	X(THEN, "then", NAME)                                                                      \
	X(ACTION_OPTION, "every", NAME)                                                            \
	X(ACTION_OPTION, "per", NAME)                                                              \
	X(ACTION_OPTION, "error", NAME)                                                            \
	X(ACTION_OPTION, "signal", NAME)                                                           \
	X(ACTION_OPTION, "sock", NAME)                                                             \
	X(ACTION_OPTION, "index", NAME)                                                            \
	X(ACTION_OPTION, "value", NAME)                                                            \
	X(ACTION_OPTION, "url", NAME)                                                              \
	X(ACTION_OPTION, "fqdn", NAME)                                                             \
	X(ACTION_OPTION, "to-symbol", NAME)                                                        \
	X(ACTION_OPTION, "to-address", NAME)                                                       \
	X(ACTION_OPTION, "to-offset", NAME)                                                        \
	X(ACTION_FLAG, "kernel-stack", OTHER)                                                      \
	X(ACTION_FLAG, "user-stack", OTHER)                                                        \
	X(ACTION_FLAG, "ima-hash", OTHER)                                                          \
	X(REGISTERS, "registers", OTHER)

#endif
