/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* report: what audit mode let pass and enforcing would not, and policies that would allow it. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audited.h"
#include "runtime/cleanup.h"

static void report_close(struct pold_report *report)
{
	pold_pool_free(&report->pool);
}

static int find(struct pold_report *report, const struct pold_options *options)
{
	POLB_FREE struct pold_name *names = NULL;
	size_t n = 0;
	int code = POLD_OK, err;

	if (options->named)
		return pold_report_find(report, options, options->name);
	err = pold_names(&names, &n);
	if (err)
		return pold_fail(
			POLD_ENVIRONMENT, "cannot list what is applied: %s", strerror(-err));
	if (!n)
		return pold_fail(POLD_ENVIRONMENT, "nothing is applied on this node");
	for (size_t i = 0; !code && i < n; i++)
		code = pold_report_find(report, options, names[i].text);
	return code;
}

static int reset_name(const char *name)
{
	POLD_STATE state = POLD_STATE_INIT;
	int code = pold_state_open(&state, name, false), err;

	if (code)
		return code;
	err = pold_audited_reset(&state);
	return err ? pold_fail(POLD_ENVIRONMENT, "%s: cannot forget what was kept: %s", name,
			     strerror(-err))
		   : POLD_OK;
}

/* What was shown is not shown again. */
static int reset(const struct pold_options *options)
{
	POLB_FREE struct pold_name *names = NULL;
	size_t n = 0;
	int code = POLD_OK;

	if (options->named)
		return reset_name(options->name);
	if (pold_names(&names, &n))
		return pold_fail(POLD_ENVIRONMENT, "cannot list what is applied");
	for (size_t i = 0; !code && i < n; i++)
		code = reset_name(names[i].text);
	return code;
}

int pold_cmd_report(const struct pold_options *options)
{
	__attribute__((cleanup(report_close))) struct pold_report report = {0};
	const char *output = options->output ? options->output : "text";
	int code = pold_options_arguments(options, 0, 0,
		"report [--name NAME] [--policy NAME]... [-o text|json|yaml|pol] [--reset]");

	if (!code && options->reset && options->events.n_policies)
		code = pold_fail(POLD_USAGE, "--reset is for all of a bundle: not with --policy");

	if (!code)
		code = pold_may_read();
	if (!code)
		code = find(&report, options);
	if (code)
		return code;
	pold_report_merge(&report);
	if (strcmp(output, "json") == 0)
		pold_report_json(&report);
	else if (strcmp(output, "text") == 0)
		pold_report_text(&report);
	else
		pold_report_policy(&report, strcmp(output, "yaml") == 0);
	if (fflush(stdout)) /* not forgotten before it was said */
		return pold_fail(POLD_ENVIRONMENT, "cannot write the output");
	return options->reset ? reset(options) : POLD_OK;
}
