/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which events are shown. All given filters must hold; of one that is repeated, any. */
#include "events.h"

#include <string.h>

static const char *const words[] = {
#define X(name, word, member) word,
	POLB_EVENT_KINDS(X)
#undef X
};

static int parse_kinds(struct pold_filter *filter, const char *types)
{
	filter->kinds = types ? 0 : UINT32_MAX;
	while (types && *types) {
		size_t n = strcspn(types, ",");
		unsigned int kind = 0;

		while (kind < POLB_N_EVENT_KINDS &&
			(strlen(words[kind]) != n || strncmp(words[kind], types, n) != 0))
			kind++;
		if (kind == POLB_N_EVENT_KINDS)
			return pold_fail(POLD_USAGE,
				"--type: \"%.*s\" is none of exec, exit, kprobe, tracepoint, lsm, "
				"uprobe, usdt, loader, verdict",
				(int)n, types);
		filter->kinds |= 1u << kind;
		types += n + (types[n] == ',');
	}
	return filter->kinds ? POLD_OK : pold_fail(POLD_USAGE, "--type: nothing is listed");
}

static int parse_verdicts(struct pold_filter *filter, const char *verdicts)
{
	static const struct {
		const char *word;
		enum polb_verdict verdict;
	} known[] = {{"allow", POLB_VERDICT_ALLOW}, {"deny", POLB_VERDICT_DENY},
		{"audit", POLB_VERDICT_AUDIT}};

	while (verdicts && *verdicts) {
		size_t n = strcspn(verdicts, ","), i = 0;

		while (i < 3 &&
			(strlen(known[i].word) != n || strncmp(known[i].word, verdicts, n) != 0))
			i++;
		if (i == 3)
			return pold_fail(POLD_USAGE,
				"--verdict: \"%.*s\" is none of allow, deny, audit", (int)n,
				verdicts);
		filter->verdicts |= 1u << known[i].verdict;
		verdicts += n + (verdicts[n] == ',');
	}
	return POLD_OK;
}

int pold_filter_open(struct pold_filter *filter, const struct pold_options *options)
{
	const char *expression = options->events.process;
	char why[128];
	int err;

	*filter = (struct pold_filter){.options = options};
	if (expression) {
		err = regcomp(&filter->process, expression, REG_EXTENDED | REG_NOSUB);
		if (err) {
			regerror(err, &filter->process, why, sizeof(why));
			return pold_fail(POLD_USAGE, "--process: \"%s\": %s", expression, why);
		}
		filter->has_process = true;
	}
	if (parse_verdicts(filter, options->events.verdicts))
		return POLD_USAGE;
	if (filter->verdicts && !options->events.types) {
		filter->kinds = 1u << POLB_KIND_VERDICT;
		return POLD_OK;
	}
	return parse_kinds(filter, options->events.types);
}

void pold_filter_close(struct pold_filter *filter)
{
	if (filter->has_process)
		regfree(&filter->process);
	filter->has_process = false;
}

bool pold_filter_kind(const struct pold_filter *filter, enum polb_event_kind kind)
{
	return filter->kinds >> kind & 1;
}

bool pold_filter_policy(const struct pold_filter *filter, const char *namespace, const char *name)
{
	const struct pold_event_options *e = &filter->options->events;
	size_t n = strlen(namespace);

	for (uint32_t i = 0; i < e->n_policies; i++) {
		const char *wanted = e->policies[i];

		if (strcmp(wanted, name) == 0 ||
			(strncmp(wanted, namespace, n) == 0 && wanted[n] == '/' &&
				strcmp(wanted + n + 1, name) == 0))
			return true;
	}
	return e->n_policies == 0;
}

static bool binary_matches(const struct pold_filter *filter, const struct polb_process_info *info)
{
	struct polb_text text = {0};
	bool matches;

	if (!info)
		return false;
	polb_process_binary(&text, info);
	matches = regexec(&filter->process, polb_text_string(&text), 0, NULL, 0) == 0;
	polb_text_clear(&text);
	polb_text_add(&text, info->binary.data, info->binary.size);
	matches = matches || regexec(&filter->process, polb_text_string(&text), 0, NULL, 0) == 0;
	polb_text_free(&text);
	return matches;
}

static bool in_workload(
	const struct pold_filter *filter, const struct polb_event_workload *workload)
{
	const char *namespace = filter->options->namespace, *pod = filter->options->events.pod;

	if (!namespace && !pod)
		return true;
	return workload && (!namespace || strcmp(namespace, workload->namespace) == 0) &&
	       (!pod || strcmp(pod, workload->pod) == 0);
}

bool pold_filter_event(const struct pold_filter *filter, const struct polb_bundle *bundle,
	const struct polb_event_view *event)
{
	const struct pold_event_options *e = &filter->options->events;
	const struct polb_bundle_trace_policy *policy = NULL;

	if (event->type == POLB_EVENT_CALL)
		policy = &bundle->trace_policies[bundle->trace_specs[event->call.event->spec]
							 .policy];
	return pold_filter_kind(filter, polb_event_kind(bundle, event)) &&
	       (e->n_policies == 0 ||
		       (policy && pold_filter_policy(filter,
					  polb_bundle_string(bundle, policy->namespace),
					  polb_bundle_string(bundle, policy->name)))) &&
	       (!e->pid || e->pid == event->process.pid) &&
	       (!filter->has_process || binary_matches(filter, event->process.info)) &&
	       in_workload(filter, event->process.workload);
}

/* Verdicts have no process; their workload is the endpoint. */
bool pold_filter_verdict(const struct pold_filter *filter, const struct polb_bundle *bundle,
	const struct polb_event *event, const char *endpoint)
{
	const struct pold_event_options *e = &filter->options->events;
	const char *namespace = filter->options->namespace;
	const char *slash = strchr(endpoint, '/');
	size_t index = (size_t)event->rule - POLB_RULE_FIRST;
	bool has_rule = event->rule >= POLB_RULE_FIRST && index < bundle->n_rules;

	if (filter->verdicts && !(filter->verdicts >> event->verdict & 1))
		return false;
	if (!pold_filter_kind(filter, POLB_KIND_VERDICT) || e->pid || filter->has_process)
		return false;
	if (namespace && (!slash || strlen(namespace) != (size_t)(slash - endpoint) ||
				 strncmp(namespace, endpoint, strlen(namespace)) != 0))
		return false;
	if (e->pod && (!slash || strcmp(e->pod, slash + 1) != 0))
		return false;
	return e->n_policies == 0 ||
	       (has_rule &&
		       pold_filter_policy(filter,
			       polb_bundle_string(bundle, bundle->rules[index].policy_namespace),
			       polb_bundle_string(bundle, bundle->rules[index].policy_name)));
}
