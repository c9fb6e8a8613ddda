/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stable numbers of diagnostics, printed as POLC0123; each has a section in
 * compiler/diagnostics.md. Sections: 01xx files and YAML, 02xx DSL, 03xx fields common to all
 * kinds, 04xx NetworkPolicy, 05xx Cilium, 06xx policy API, 07xx inventory, 08xx lowering and
 * checks, 09xx back end and limits, 10xx tracing policies, 11xx lints of network policies, 12xx
 * lints of tracing policies, 13xx assertions, 14xx tests of policies, configuration and comments
 * for polc.
 */
#ifndef POLC_CODES_H
#define POLC_CODES_H

#define POLC_CODES(X)                                                                              \
	/* 01xx files and YAML */                                                                  \
	X(101, FILE_UNREADABLE)                                                                    \
	X(102, YAML_SYNTAX)                                                                        \
	X(103, YAML_DUPLICATE_KEY)                                                                 \
	X(104, YAML_LIMIT)                                                                         \
	X(105, YAML_ALIAS)                                                                         \
	X(106, ENCODING)                                                                           \
	X(107, NO_POLICY)                                                                          \
	/* 02xx DSL */                                                                             \
	X(201, DSL_SYNTAX)                                                                         \
	X(202, DSL_LEXICAL)                                                                        \
	X(203, DSL_DUPLICATE)                                                                      \
	/* 03xx fields common to all kinds */                                                      \
	X(301, WRONG_TYPE)                                                                         \
	X(302, UNKNOWN_FIELD)                                                                      \
	X(303, MISSING_FIELD)                                                                      \
	X(304, UNKNOWN_KIND)                                                                       \
	X(305, BAD_NAME)                                                                           \
	X(306, BAD_CIDR)                                                                           \
	X(307, EXCEPT_OUTSIDE)                                                                     \
	X(308, BAD_PORT)                                                                           \
	X(309, BAD_PROTOCOL)                                                                       \
	X(310, BAD_SELECTOR)                                                                       \
	X(311, DUPLICATE_POLICY)                                                                   \
	X(312, UNKNOWN_VALUE)                                                                      \
	X(313, CONFLICTING_FIELDS)                                                                 \
	X(314, TOO_MANY)                                                                           \
	X(315, IGNORED_FIELD)                                                                      \
	/* 04xx NetworkPolicy */                                                                   \
	X(401, EMPTY_PEER)                                                                         \
	X(402, POLICY_TYPES)                                                                       \
	/* 05xx Cilium */                                                                          \
	X(501, REMOVED_FEATURE)                                                                    \
	X(502, EMPTY_SPEC)                                                                         \
	X(503, SELECTOR_KEY_DOT)                                                                   \
	X(504, NODE_SELECTOR)                                                                      \
	/* 06xx policy API */                                                                      \
	X(601, BAD_PRIORITY)                                                                       \
	X(602, BAD_ACTION)                                                                         \
	X(603, BAD_SUBJECT)                                                                        \
	/* 07xx inventory */                                                                       \
	X(701, INVENTORY_FIELD)                                                                    \
	X(702, INVENTORY_ADDRESS)                                                                  \
	X(703, INVENTORY_CONFLICT)                                                                 \
	/* 08xx lowering and checks */                                                             \
	X(801, UNSUPPORTED)                                                                        \
	X(802, UNRESOLVED_SERVICE)                                                                 \
	X(803, UNRESOLVED_CIDR_GROUP)                                                              \
	X(804, UNRESOLVED_PORT)                                                                    \
	X(806, PRIORITY_TIE)                                                                       \
	X(807, NO_EFFECT)                                                                          \
	/* 09xx back end and limits */                                                             \
	X(901, LIMIT)                                                                              \
	X(903, QUESTION)                                                                           \
	/* 10xx tracing policies */                                                                \
	X(1001, TRACE_HOOK)                                                                        \
	X(1002, TRACE_ARGUMENT)                                                                    \
	X(1003, TRACE_TYPE)                                                                        \
	X(1004, TRACE_OPERATOR)                                                                    \
	X(1005, TRACE_VALUE)                                                                       \
	X(1006, TRACE_INDEX)                                                                       \
	X(1007, TRACE_ACTION)                                                                      \
	X(1008, TRACE_LIST)                                                                        \
	X(1009, TRACE_MACRO)                                                                       \
	X(1010, TRACE_FUNCTION)                                                                    \
	X(1011, TRACE_SIGNATURE)                                                                   \
	X(1012, TRACE_OVERRIDE)                                                                    \
	X(1013, TRACE_RESOLVE)                                                                     \
	X(1014, TRACE_TARGET)                                                                      \
	X(1015, TRACE_EXPRESSION)                                                                  \
	X(1016, TRACE_OPTION)                                                                      \
	X(1017, TRACE_SELECTOR)                                                                    \
	X(1018, TRACE_ENFORCER)                                                                    \
	/* 11xx lints of network policies */                                                       \
	X(1101, SUBJECT_SELECTS_NOTHING)                                                           \
	X(1102, PEER_SELECTS_NOTHING)                                                              \
	X(1103, SHADOWED_RULE)                                                                     \
	X(1104, REDUNDANT_RULE)                                                                    \
	X(1105, CONTRADICTORY_RULES)                                                               \
	X(1106, DEFAULT_DENY_WITHOUT_DNS)                                                          \
	X(1107, DNS_UDP_ONLY)                                                                      \
	X(1108, CIDR_FOR_PODS)                                                                     \
	X(1109, ONE_SIDED_CONNECTION)                                                              \
	X(1110, WORLD_OPEN_INGRESS)                                                                \
	X(1111, UNSELECTED_ENDPOINT)                                                               \
	X(1112, DENY_ONLY)                                                                         \
	X(1113, EMPTY_PEER_MEANING)                                                                \
	X(1114, SEPARATE_ITEMS)                                                                    \
	X(1115, SERVICE_PORT)                                                                      \
	X(1116, HOST_NETWORK_SUBJECT)                                                              \
	X(1117, NAMESPACE_WIDENED)                                                                 \
	/* 12xx lints of tracing policies */                                                       \
	X(1201, USER_MEMORY)                                                                       \
	X(1202, SOFTIRQ_KILL)                                                                      \
	X(1203, PREFIX_WITHOUT_SLASH)                                                              \
	X(1204, IPV4_ONLY_NEGATION)                                                                \
	X(1205, HOT_HOOK)                                                                          \
	X(1206, BINARY_SYMLINK)                                                                    \
	X(1207, LATE_KILL)                                                                         \
	X(1208, SYSCALL_BYPASS)                                                                    \
	X(1209, UNREADABLE_EVADES)                                                                 \
	X(1210, UNREACHABLE_SELECTOR)                                                              \
	X(1211, WORKLOAD_SELECTS_NOTHING)                                                          \
	X(1212, MONITORED_ENFORCEMENT)                                                             \
	/* 13xx assertions */                                                                      \
	X(1301, ASSERTION_FAILED)                                                                  \
	X(1302, ASSERTION_UNKNOWN)                                                                 \
	X(1303, BAD_ASSERTION)                                                                     \
	X(1304, VACUOUS_ASSERTION)                                                                 \
	/* 14xx tests of policies, configuration and comments for polc */                          \
	X(1401, BAD_TEST)                                                                          \
	X(1402, TEST_FAILED)                                                                       \
	X(1403, BAD_CONFIGURATION)                                                                 \
	X(1404, SUPPRESSION_WITHOUT_REASON)                                                        \
	X(1405, UNUSED_SUPPRESSION)

enum polc_code {
#define X(number, name) POLC_CODE_##name = number,
	POLC_CODES(X)
#undef X
};

#endif
