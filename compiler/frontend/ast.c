/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tables of policy kinds. */
#include "ast.h"

static const struct {
	const char *name, *api;
	bool namespaced;
} kinds[] = {
#define X(name, kind, api, namespaced) [POLC_KIND_##name] = {kind, api, namespaced},
	POLC_POLICY_KINDS(X)
#undef X
};

const char *polc_policy_kind_name(enum polc_policy_kind kind)
{
	return kinds[kind].name;
}

const char *polc_policy_kind_api(enum polc_policy_kind kind)
{
	return kinds[kind].api;
}

bool polc_policy_kind_namespaced(enum polc_policy_kind kind)
{
	return kinds[kind].namespaced;
}
