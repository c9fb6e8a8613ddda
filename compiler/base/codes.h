/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stable numbers of diagnostics, printed as POLC0123; each has a section in
 * compiler/diagnostics.md. Sections: 01xx files and YAML, 02xx DSL, 03xx fields common to all
 * kinds, 04xx NetworkPolicy, 05xx Cilium, 06xx policy API, 07xx inventory, 08xx lowering and
 * checks, 09xx back end and limits, 10xx tracing policies.
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
	X(1018, TRACE_ENFORCER)

enum polc_code {
#define X(number, name) POLC_CODE_##name = number,
	POLC_CODES(X)
#undef X
};

#endif
