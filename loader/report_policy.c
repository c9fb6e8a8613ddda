/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Findings as policies that would allow exactly what was seen: one per workload, of the kind
 * CiliumNetworkPolicy (NetworkPolicy knows no entities and no ICMP) or in polc's own language. A
 * document with one direction isolates nothing that was not isolated. What an allow cannot help,
 * or cannot say, is a comment.
 */
#include "report.h"

#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct writer {
	struct pold_report *report;
	bool yaml;
};

static bool is_icmp(const struct pold_finding *f)
{
	return f->protocol == (f->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static bool has_ports(const struct pold_finding *f)
{
	return f->protocol == IPPROTO_TCP || f->protocol == IPPROTO_UDP ||
	       f->protocol == IPPROTO_SCTP;
}

static bool is_workload(const char *text)
{
	return strchr(text, ':') != NULL;
}

/* NULL: policies can say it. */
static const char *unsayable(const struct pold_finding *f)
{
	static const char *const entities[] = {
		"host", "remote-node", "kube-apiserver", "health", "ingress", "init", "unmanaged"};

	if (f->why == POLD_WHY_DENY_RULE)
		return "a rule denies it: no allow helps";
	if (f->why == POLD_WHY_NOT_POLICY)
		return "it is not a matter of rules";
	if (!is_workload(f->subject))
		return "the endpoint has no labels to select it by";
	if (!has_ports(f) && !is_icmp(f))
		return "rules cannot name its protocol alone";
	if (f->peer_is_address || is_workload(f->peer))
		return NULL;
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (strcmp(f->peer, entities[i]) == 0)
			return NULL;
	return "nothing names the peer";
}

static void comment(const struct pold_finding *f, const char *why)
{
	char protocol[16];

	printf("# not allowed here: %s %s %s, %s/%u: %s (%s)\n", f->subject,
		f->direction == POLB_EGRESS ? "to" : "from", f->peer,
		pold_protocol_text(f->protocol, protocol), f->port, why, f->reason);
}

/* --- labels ----------------------------------------------------------------------------------- */

static void choose(const struct writer *w, const char *text, struct pold_label_set *out)
{
	struct pold_label_set set;

	pold_labels_parse(&w->report->pool, text, &set);
	pold_labels_choose(&set, w->report->workloads.items, w->report->workloads.n, out);
}

static void print_yaml_labels(const struct pold_label_set *set, int indent)
{
	for (size_t i = 0; i < set->n; i++)
		printf("%*s\"any:%s\": \"%s\"\n", indent, "", set->labels[i].key,
			set->labels[i].value);
}

static void print_pol_labels(const struct pold_label_set *set, bool namespace)
{
	for (size_t i = 0; i < set->n; i++)
		printf("%sany:%s = \"%s\"", i ? " and " : "", set->labels[i].key,
			set->labels[i].value);
	if (namespace)
		printf("%sk8s:io.kubernetes.pod.namespace = \"%s\"", set->n ? " and " : "",
			set->namespace);
	else if (!set->n)
		printf("all");
}

/* --- one rule: a peer and its ports ----------------------------------------------------------- */

static void yaml_peer(const struct writer *w, const struct pold_finding *f)
{
	const char *word = f->direction == POLB_EGRESS ? "to" : "from";
	struct pold_label_set set;

	if (f->peer_is_address) {
		printf("    - %sCIDR: [\"%s/%u\"]\n", word, f->peer, f->family == 4 ? 32 : 128);
	} else if (is_workload(f->peer)) {
		choose(w, f->peer, &set);
		printf("    - %sEndpoints:\n        - matchLabels:\n", word);
		print_yaml_labels(&set, 12);
		printf("            \"k8s:io.kubernetes.pod.namespace\": \"%s\"\n", set.namespace);
	} else {
		printf("    - %sEntities: [%s]\n", word, f->peer);
	}
}

static void yaml_ports(const struct pold_finding *f, size_t n)
{
	static const char *const protocols[] = {
		[IPPROTO_TCP] = "TCP", [IPPROTO_UDP] = "UDP", [IPPROTO_SCTP] = "SCTP"};

	puts(is_icmp(f) ? "      icmps:\n        - fields:" : "      toPorts:\n        - ports:");
	for (size_t i = 0; i < n; i++)
		if (is_icmp(f))
			printf("            - {family: %s, type: %u}\n",
				f[i].family == 4 ? "IPv4" : "IPv6", f[i].port);
		else
			printf("            - {port: \"%u\", protocol: %s}\n", f[i].port,
				protocols[f[i].protocol]);
}

static void pol_rule(const struct writer *w, const struct pold_finding *f, size_t n)
{
	bool out = f->direction == POLB_EGRESS;
	struct pold_label_set set;
	char protocol[16];

	printf("    %s allow %s ", out ? "egress" : "ingress", out ? "to" : "from");
	if (f->peer_is_address) {
		printf("cidr %s/%u", f->peer, f->family == 4 ? 32 : 128);
	} else if (is_workload(f->peer)) {
		choose(w, f->peer, &set);
		print_pol_labels(&set, true);
	} else {
		printf("entity %s", f->peer);
	}
	for (size_t i = 0; i < n; i++)
		printf("%s%s/%u", i ? ", " : " to ", pold_protocol_text(f[i].protocol, protocol),
			f[i].port);
	puts(";");
}

static bool same_rule(const struct pold_finding *a, const struct pold_finding *b)
{
	return a->direction == b->direction && strcmp(a->peer, b->peer) == 0 &&
	       is_icmp(a) == is_icmp(b) && !unsayable(a) && !unsayable(b);
}

/* Findings of one direction; `from` is moved behind them. */
static void print_direction(const struct writer *w, const struct pold_finding *f, size_t n)
{
	if (w->yaml)
		printf("  %s:\n", f->direction == POLB_EGRESS ? "egress" : "ingress");
	for (size_t i = 0, same; i < n; i += same) {
		for (same = 1; i + same < n && same_rule(&f[i], &f[i + same]);)
			same++;
		if (!w->yaml) {
			pol_rule(w, &f[i], same);
			continue;
		}
		yaml_peer(w, &f[i]);
		yaml_ports(&f[i], same);
	}
}

/* --- one policy: a subject -------------------------------------------------------------------- */

/* "seen-" and what the subject is called, as a Kubernetes name. */
static void policy_name(const struct pold_label_set *set, size_t number, char out[64])
{
	const char *from = set->n ? set->labels[0].value : "all";
	size_t n = 5;

	strcpy(out, "seen-");
	for (; *from && n < 48; from++)
		if (isalnum((unsigned char)*from) || (*from == '-' && n > 5))
			out[n++] = (char)tolower((unsigned char)*from);
	snprintf(out + n, 64 - n, "-%zu", number);
}

static void print_head(const struct writer *w, const struct pold_label_set *set, size_t number)
{
	char name[64];

	policy_name(set, number, name);
	if (!w->yaml) {
		printf("network %s in %s {\n    subject ", name, set->namespace);
		print_pol_labels(set, false);
		puts(";");
		return;
	}
	printf("---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
	       "metadata: {name: \"%s\", namespace: \"%s\"}\nspec:\n  endpointSelector:%s\n",
		name, set->namespace, set->n ? "\n    matchLabels:" : " {}");
	print_yaml_labels(set, 6);
}

static void print_policy(
	const struct writer *w, const struct pold_finding *f, size_t n, size_t number)
{
	struct pold_label_set set;

	choose(w, f->subject, &set);
	print_head(w, &set, number);
	for (size_t i = 0, same; i < n; i += same) {
		for (same = 1; i + same < n && f[i].direction == f[i + same].direction;)
			same++;
		print_direction(w, &f[i], same);
	}
	if (!w->yaml)
		puts("}");
}

/* The same traffic may be audited by several bundles and rules: it is allowed once. */
static bool same_traffic(const struct pold_finding *a, const struct pold_finding *b)
{
	return strcmp(a->subject, b->subject) == 0 && a->direction == b->direction &&
	       strcmp(a->peer, b->peer) == 0 && (a->family == b->family || !is_icmp(a)) &&
	       a->protocol == b->protocol && a->port == b->port;
}

static size_t sayable(struct pold_finding *f, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const char *why = unsayable(&f[i]);

		if (why)
			comment(&f[i], why);
		else if (!kept || !same_traffic(&f[kept - 1], &f[i]))
			f[kept++] = f[i];
	}
	return kept;
}

void pold_report_policy(struct pold_report *report, bool yaml)
{
	const struct writer w = {.report = report, .yaml = yaml};
	struct pold_finding *f = report->findings.items;
	size_t n = sayable(f, report->findings.n), number = 0;

	for (size_t i = 0, same; i < n; i += same) {
		for (same = 1; i + same < n && strcmp(f[i].subject, f[i + same].subject) == 0;)
			same++;
		print_policy(&w, &f[i], same, ++number);
	}
}
