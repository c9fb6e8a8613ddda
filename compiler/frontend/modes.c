/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Modes of policies: their words, and what the command line says of them by name. */
#include "ast.h"

#include <string.h>

static const char *const words[] = {
	[POLC_MODE_ENFORCE] = "enforce",
	[POLC_MODE_AUDIT] = "audit",
};

bool polc_policy_mode_parse(const char *text, enum polc_policy_mode *out)
{
	for (unsigned i = POLC_MODE_ENFORCE; i < POLC_ARRAY_SIZE(words); i++)
		if (!strcmp(text, words[i])) {
			*out = (enum polc_policy_mode)i;
			return true;
		}
	return false;
}

const char *polc_policy_mode_name(enum polc_policy_mode mode)
{
	return words[mode];
}

/* "name", or "namespace/name". */
static bool is_called(const struct polc_ast_policy *policy, const char *name)
{
	size_t n = policy->namespace ? strlen(policy->namespace) : 0;

	if (!strcmp(policy->name, name))
		return true;
	return n && !strncmp(name, policy->namespace, n) && name[n] == '/' &&
	       !strcmp(name + n + 1, policy->name);
}

/* To be switchable does not take a policy out of the mode that it says it starts in. */
static void set_mode(struct polc_ast_policy *policy, enum polc_policy_mode mode)
{
	if (mode == POLC_MODE_AUDIT || policy->mode == POLC_MODE_FIXED)
		policy->mode = mode;
}

void polc_ast_set_modes(struct polc *polc, const struct polc_ast *ast, const char *const *names,
	size_t n, enum polc_policy_mode mode)
{
	for (size_t i = 0; i < n; i++) {
		bool found = false;

		for (size_t j = 0; j < ast->policies.n; j++) {
			if (!is_called(ast->policies.items[j], names[i]))
				continue;
			set_mode(ast->policies.items[j], mode);
			found = true;
		}
		if (!found)
			polc_error(polc, (struct polc_span){0}, POLC_CODE_QUESTION,
				"%s: there is no network policy '%s'",
				mode == POLC_MODE_AUDIT ? "--audit-policy" : "--switchable",
				names[i]);
	}
}
