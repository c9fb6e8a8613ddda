/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Both printers: what they print reads back as an equal tree, and prints the same again. Over
 * hand-written policies of every kind, and over the corpus of real ones when it is there
 * ($POLC_SHARED/corpus, else ../shared/corpus).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <unistd.h>

#include "ast_equal.h"
#include "compiler/frontend/layout.h"
#include "compiler/frontend/pol.h"

struct reading {
	struct polc polc;
	struct polc_input input;
};

static void parse_yaml_text(struct reading *r, const char *text)
{
	polc_yaml_documents documents = {0};
	uint32_t source =
		polc_source_add(&r->polc.arena, &r->polc.sources, "test.yaml", text, strlen(text));

	polc_yaml_parse(&r->polc, source, &documents);
	for (size_t i = 0; i < documents.n; i++) {
		const struct polc_yaml *object = documents.items[i];
		const char *kind = polc_yaml_get(object, "kind")->value;

		if (strcmp(kind, "NetworkPolicy") == 0)
			polc_parse_network_policy(&r->polc, &r->input.ast, object);
		else if (strcmp(kind, "CiliumNetworkPolicy") == 0)
			polc_parse_cilium(&r->polc, &r->input.ast, object, POLC_KIND_CILIUM);
		else if (strcmp(kind, "CiliumClusterwideNetworkPolicy") == 0)
			polc_parse_cilium(
				&r->polc, &r->input.ast, object, POLC_KIND_CILIUM_CLUSTERWIDE);
		else if (strcmp(kind, "ClusterNetworkPolicy") == 0)
			polc_parse_policy_api(&r->polc, &r->input.ast, object, POLC_KIND_CLUSTER);
		else if (strcmp(kind, "AdminNetworkPolicy") == 0)
			polc_parse_policy_api(&r->polc, &r->input.ast, object, POLC_KIND_ADMIN);
		else if (strcmp(kind, "BaselineAdminNetworkPolicy") == 0)
			polc_parse_policy_api(
				&r->polc, &r->input.ast, object, POLC_KIND_BASELINE_ADMIN);
	}
}

static void parse_text(struct reading *r, const char *text, bool pol)
{
	polc_init(&r->polc);
	r->input = (struct polc_input){0};
	if (!pol)
		parse_yaml_text(r, text);
	else
		polc_parse_pol(&r->polc, &r->input,
			polc_source_add(
				&r->polc.arena, &r->polc.sources, "test.pol", text, strlen(text)));
	if (r->polc.n_errors) {
		polc_diagnostics_print_text(&r->polc, stderr, false);
		fprintf(stderr, "%s\n", text);
	}
	assert_int_equal(r->polc.n_errors, 0);
}

static const char *print(struct reading *r, bool pol)
{
	struct polc_buf out = {.arena = &r->polc.arena};

	(pol ? polc_ast_print_pol : polc_ast_print_yaml)(&r->input.ast, &out);
	return out.p ? out.p : "";
}

/* Prints in one spelling, reads that, compares, prints again. */
static void check_print(struct reading *r, bool pol)
{
	const char *text = print(r, pol);
	struct reading again;

	parse_text(&again, text, pol);
	if (!same_ast(&r->input.ast, &again.input.ast)) {
		fprintf(stderr, "%s\n", text);
		fail();
	}
	assert_string_equal(print(&again, pol), text);
	if (pol) {
		struct polc_buf formatted = {.arena = &again.polc.arena};

		pol_layout(text, strlen(text), &formatted);
		assert_string_equal(formatted.p ? formatted.p : "", text);
	}
	polc_free(&again.polc);
}

static void check_round_trips(struct reading *r)
{
	check_print(r, true);
	check_print(r, false);
}

static void check_text(const char *text, bool pol)
{
	struct reading r;

	parse_text(&r, text, pol);
	assert_true(r.input.ast.policies.n > 0);
	check_round_trips(&r);
	polc_free(&r.polc);
}

/* Hand-written policies */

#define CNP                                                                                        \
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata:\n  name: p\n"              \
	"  namespace: prod\n"
#define KNP "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p\n"
#define CLUSTER                                                                                    \
	"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"              \
	"metadata:\n  name: p\n"

static const char *const yaml_cases[] = {
	KNP "spec:\n  podSelector: {}\n",
	KNP "spec:\n  podSelector: {}\n  policyTypes: [Ingress, Egress]\n",
	KNP "spec:\n  podSelector: {}\n  policyTypes: [Egress]\n  ingress: []\n  egress: []\n",
	KNP "spec:\n  podSelector: {}\n  ingress: [{}]\n  egress: [{}]\n",
	KNP "spec:\n  podSelector: {matchLabels: {app: web, 'on': 'true'},"
	    " matchExpressions: [{key: a, operator: In, values: [x]},"
	    " {key: b, operator: NotIn, values: [v]}, {key: c, operator: NotIn, values: [v, w]},"
	    " {key: d, operator: Exists}, {key: e, operator: DoesNotExist}]}\n"
	    "  ingress:\n  - from:\n    - podSelector: {}\n    - namespaceSelector: {}\n"
	    "    - namespaceSelector: {matchLabels: {t: a}}\n      podSelector: {matchLabels: {}}\n"
	    "    - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.2.0.0/16]}\n"
	    "    - ipBlock: {cidr: '::/0'}\n"
	    "    ports: [{port: 80}, {port: 80, endPort: 90, protocol: UDP}, {port: http},"
	    " {protocol: SCTP}, {}]\n",
	CNP "spec:\n  endpointSelector: {}\n  ingress: [{}]\n",
	CNP "spec:\n  endpointSelector: {}\n  ingress: [{}]\n  egress: []\n  ingressDeny: [{}]\n",
	CNP
	"spec:\n  endpointSelector: {matchLabels: {'k8s:app': web, 'any:x': ''}}\n"
	"  description: \"two\\nlines \\\"quoted\\\" \\\\ é\"\n"
	"  enableDefaultDeny: {ingress: false, egress: true}\n"
	"  labels: [{key: name, value: x}, {key: k, value: v, source: k8s}]\n"
	"  log: {value: 'hello world'}\n"
	"  ingress:\n"
	"  - fromEndpoints: [{}]\n"
	"  - fromEndpoints: []\n"
	"  - fromEndpoints: [{matchLabels: {a: b}}, {matchLabels: {'reserved:init': ''}}]\n"
	"    toPorts: [{ports: [{port: '80'}, {port: '0', protocol: TCP},"
	" {port: '8000', endPort: 8100, protocol: UDP}, {port: HTTP}, {port: '0'},"
	" {port: '0', protocol: VRRP}, {port: '0', protocol: GRE}]}]\n"
	"  - toPorts: [{}]\n"
	"  - fromCIDR: [10.0.0.0/8, 'fd00::/8']\n"
	"  - fromCIDRSet: [{cidr: 10.0.0.0/8}, {cidr: 10.0.0.0/8, except: [10.1.0.0/16]},"
	" {cidrGroupRef: g, except: [1.2.3.4/32]}, {cidrGroupSelector: {matchLabels: {a: b}}}]\n"
	"  - fromEntities: [host, remote-node, all, none, ingress]\n"
	"    icmps: [{fields: [{type: 8}, {family: IPv6, type: EchoRequest}]}]\n"
	"  egress:\n"
	"  - toPorts: [{ports: [{port: '53', protocol: UDP}]}]\n"
	"  - toServices: [{k8sService: {serviceName: s}},"
	" {k8sService: {serviceName: s, namespace: ns}},"
	" {k8sServiceSelector: {selector: {matchLabels: {a: b}}, namespace: ns}},"
	" {k8sServiceSelector: {selector: {}}}]\n"
	"  egressDeny:\n  - toEntities: [world]\n  - {}\n",
	CNP "specs:\n- endpointSelector: {}\n  ingress: [{}]\n"
	    "- endpointSelector: {matchLabels: {a: b}}\n  egress: [{}]\n",
	"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: '1e3'}\n"
	"spec:\n  endpointSelector: {}\n  egress:\n  - toEndpoints: [{}]\n",
	CLUSTER
	"spec:\n  tier: Admin\n  priority: 50\n  subject: {namespaces: {}}\n  ingress:\n"
	"  - {name: a b, action: Accept, from: [{namespaces: {matchLabels: {a: b}}},"
	" {pods: {namespaceSelector: {}, podSelector: {}}}],"
	" protocols: [{tcp: {destinationPort: {number: 80}}},"
	" {udp: {destinationPort: {range: {start: 1, end: 9}}}}, {destinationNamedPort: http}]}\n"
	"  - {action: Pass, from: [{namespaces: {}}]}\n"
	"  egress:\n"
	"  - {action: Deny, to: [{nodes: {}}, {networks: [10.0.0.0/8, '::/0']},"
	" {networks: [1.2.3.4/32]}]}\n",
	CLUSTER "spec:\n  tier: Baseline\n  priority: 0\n"
		"  subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {a: b}}}}\n",
	"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n"
	"metadata: {name: a}\nspec:\n  priority: 10\n  subject: {namespaces: {}}\n  ingress:\n"
	"  - {action: Allow, from: [{namespaces: {}}], ports: [{portNumber: {port: 80}},"
	" {portRange: {protocol: SCTP, start: 1, end: 2}}, {namedPort: http}]}\n"
	"  egress: []\n",
	"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\n"
	"metadata: {name: default}\nspec:\n  subject: {namespaces: {}}\n  egress:\n"
	"  - {action: Deny, to: [{nodes: {matchExpressions: [{key: a, operator: Exists}]}}]}\n",
};

static void test_yaml_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(yaml_cases); i++)
		check_text(yaml_cases[i], false);
}

static const char *const pol_cases[] = {
	"network n in . { subject in = and, not = has, has from and not has to, or != in;"
	" ingress allow from from = to and in in (in, not, all) and not not in (a, b) to tcp/80; }",
	"network all in network { subject all; egress deny to entity all, none; }",
	"network n { subject has in; egress deny to services has x in prod or service in in in; }",
	"network n in p { subject all; egress allow to any to any/*, tcp/0-7, tcp/0-65535, esp; }",
	"network n in p { subject all; ingress allow from entity host, ingress, all to icmp/8; }",
	"network n { subject \"weird:key with blanks\" = \"value, with; marks\"; ingress allow"
	" nothing; }",
	"kubernetes network n in . { subject all; ingress none;"
	" egress allow; egress allow to any to udp/53; egress allow to namespaces a = b; }",
	"kubernetes network n in a { subject all; isolate ingress, egress;"
	" ingress allow from entity kube-dns-resolvers; }",
	"network n { spec { subject all; ingress allow from none to none; log \"x y\"; }"
	" spec { subject all; egress default allow; egress deny nothing; labels a = b; } }",
	"admin network n priority 1 { subject namespaces all pods in = in;"
	" egress deny to nodes all or cidr 10.0.0.1 as deny; }",
	"baseline network default { subject namespaces all pods \"not\" in (a) and not not in (b);"
	" egress deny to namespaces \"not\" != a and has not pods pods not in (a, b); }",
	"cluster network n tier baseline priority 7 { subject namespaces all;"
	" ingress pass from namespaces all pods all to tcp/*, any/http as \"x y\"; }",
};

static void test_pol_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(pol_cases); i++)
		check_text(pol_cases[i], true);
}

/* Exact texts of both printers */

static void test_exact_text(void **state)
{
	static const char yaml[] = "apiVersion: cilium.io/v2\n"
				   "kind: CiliumNetworkPolicy\n"
				   "metadata:\n"
				   "  name: web-allow-api\n"
				   "  namespace: prod\n"
				   "spec:\n"
				   "  endpointSelector:\n"
				   "    matchLabels:\n"
				   "      app: web-server\n"
				   "  ingress:\n"
				   "    - fromEndpoints:\n"
				   "        - matchLabels:\n"
				   "            app: api-server\n"
				   "      toPorts:\n"
				   "        - ports:\n"
				   "            - port: \"80\"\n"
				   "              protocol: TCP\n"
				   "            - port: \"8000\"\n"
				   "              endPort: 8100\n"
				   "              protocol: TCP\n"
				   "    - fromCIDRSet:\n"
				   "        - cidr: 10.0.0.0/8\n"
				   "          except:\n"
				   "            - 10.1.0.0/16\n"
				   "  egress:\n"
				   "    - {}\n"
				   "  egressDeny:\n"
				   "    - toCIDR:\n"
				   "        - 169.254.169.254/32\n";
	static const char pol[] =
		"network web-allow-api in prod {\n"
		"    subject app = web-server;\n"
		"    ingress allow from app = api-server to tcp/80, tcp/8000-8100;\n"
		"    ingress allow from cidr 10.0.0.0/8 except 10.1.0.0/16;\n"
		"    egress allow nothing;\n"
		"    egress deny to cidr 169.254.169.254/32;\n"
		"}\n";
	struct reading r;

	(void)state;
	parse_text(&r, yaml, false);
	assert_string_equal(print(&r, true), pol);
	assert_string_equal(print(&r, false), yaml);
	polc_free(&r.polc);
	parse_text(&r, pol, true);
	assert_string_equal(print(&r, false), yaml);
	polc_free(&r.polc);
}

static void check_layout(const char *in, const char *expected)
{
	struct polc_arena arena = {0};
	struct polc_buf out = {.arena = &arena}, again = {.arena = &arena};

	pol_layout(in, strlen(in), &out);
	assert_string_equal(out.p ? out.p : "", expected);
	pol_layout(expected, strlen(expected), &again);
	assert_string_equal(again.p ? again.p : "", expected);
	polc_arena_free(&arena);
}

static void test_layout(void **state)
{
	(void)state;
	check_layout("", "");
	check_layout("# only a comment  ", "# only a comment\n");
	check_layout("#a\n\n\n#b\nnetwork  x{subject all;}# c\nnetwork y in z{ # d\n\n #e\n"
		     "ingress allow\n from a=b#f\n,c=d to tcp/1;#g\n#h\n\n\negress none ;}\n#i",
		"#a\n\n#b\nnetwork x {\n    subject all;\n} # c\n\nnetwork y in z { # d\n\n    #e\n"
		"    ingress allow\n        from a = b #f\n            , c = d\n        to tcp/1; "
		"#g\n"
		"    #h\n\n    egress none;\n}\n\n#i\n");
	check_layout("network x { spec { subject all; } spec {} }",
		"network x {\n    spec {\n        subject all;\n    }\n    spec {}\n}\n");
	check_layout("network x { egress allow to "
		     "k8s:io.kubernetes.pod.namespace = kube-system and k8s:k8s-app = kube-dns or "
		     "k8s:io.kubernetes.pod.namespace = kube-system and k8s:k8s-app = coredns "
		     "to udp/53, tcp/53; }",
		"network x {\n    egress allow\n"
		"        to k8s:io.kubernetes.pod.namespace = kube-system and k8s:k8s-app = "
		"kube-dns\n"
		"            or k8s:io.kubernetes.pod.namespace = kube-system and k8s:k8s-app = "
		"coredns\n"
		"        to udp/53, tcp/53;\n}\n");
}

/* Line ends stay what they are, also behind a last line without one. */
static void test_layout_yaml(void **state)
{
	static const char in[] = "kind: NetworkPolicy  \r\nspec: {}";
	struct polc_arena arena = {0};
	struct polc_buf out = {.arena = &arena};

	(void)state;
	polc_layout_text(&arena, false, in, sizeof(in) - 1, &out);
	assert_string_equal(out.p, "kind: NetworkPolicy\r\nspec: {}\r\n");
	polc_arena_free(&arena);
}

/* An endpoint block, the Pod that means the same, and back. */
static void test_endpoint(void **state)
{
	static const char pol[] = "endpoint web in prod {\n"
				  "    labels app = web, k8s.io/on = \"\";\n"
				  "    address 10.0.0.5, fd00::5;\n"
				  "    cgroup system.slice/web.service;\n"
				  "    interface veth0;\n"
				  "    node n1;\n"
				  "    service-account sa;\n"
				  "    port http tcp/8080;\n"
				  "    port dns udp/53;\n"
				  "}\n";
	struct reading r, again = {0};
	struct polc_buf raw, yaml, text;
	polc_yaml_documents documents = {0};

	(void)state;
	parse_text(&r, pol, true);
	raw = yaml = text = (struct polc_buf){.arena = &r.polc.arena};
	polc_yaml_write_endpoint(&yaml, r.input.inventory.pods.items);
	polc_init(&again.polc);
	polc_yaml_parse(&again.polc,
		polc_source_add(&again.polc.arena, &again.polc.sources, "p.yaml", yaml.p, yaml.n),
		&documents);
	assert_true(polc_inventory_add(&again.polc, &again.input.inventory, documents.items[0]));
	polc_diagnostics_print_text(&again.polc, stderr, false);
	assert_int_equal(again.polc.n_errors + again.polc.n_warnings, 0);
	polc_pol_write_endpoint(&raw, again.input.inventory.pods.items);
	pol_layout(raw.p, raw.n, &text);
	assert_string_equal(text.p, pol);
	polc_free(&again.polc);
	polc_free(&r.polc);
}

/* The corpus */

static struct {
	unsigned files, policies, refused, unsupported;
} corpus;

static bool enforceable(const struct polc_ast *ast)
{
	for (size_t i = 0; i < ast->policies.n; i++) {
		const struct polc_ast_policy *policy = ast->policies.items[i];

		for (size_t s = 0; s < policy->specs.n; s++) {
			const struct polc_ast_spec *spec = &policy->specs.items[s];

			if (spec->unsupported)
				return false;
			for (size_t j = 0; j < spec->rules.n; j++)
				if (spec->rules.items[j].unsupported)
					return false;
		}
	}
	return true;
}

static void check_corpus_input(struct reading *r, const char *path)
{
	if (r->polc.n_errors) {
		corpus.refused++;
		return;
	}
	if (!r->input.ast.policies.n)
		return;
	if (!enforceable(&r->input.ast)) {
		corpus.unsupported++;
		return;
	}
	corpus.files++;
	corpus.policies += (unsigned)r->input.ast.policies.n;
	fprintf(stderr, "%s", getenv("VERBOSE") ? path : "");
	check_round_trips(r);
}

static int check_corpus_file(const char *path, const struct stat *stat, int flag, struct FTW *ftw)
{
	size_t n = strlen(path);
	struct reading r = {0};

	(void)stat, (void)ftw;
	if (flag != FTW_F || n < 6 || strcmp(path + n - 5, ".yaml") != 0)
		return 0;
	polc_init(&r.polc);
	if (polc_read_policies(&r.polc, &r.input, path) == 0)
		check_corpus_input(&r, path);
	polc_free(&r.polc);
	return 0;
}

static void test_corpus(void **state)
{
	const char *shared = getenv("POLC_SHARED");
	char path[4096];

	(void)state;
	snprintf(path, sizeof(path), "%s/corpus", shared ? shared : "../shared");
	if (access(path, R_OK) != 0) {
		print_message("no corpus at %s\n", path);
		skip();
	}
	assert_int_equal(nftw(path, check_corpus_file, 16, FTW_PHYS), 0);
	print_message("corpus: %u files with %u policies there and back; %u refused, %u not "
		      "expressible\n",
		corpus.files, corpus.policies, corpus.refused, corpus.unsupported);
	assert_true(corpus.policies > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml_cases),
		cmocka_unit_test(test_pol_cases),
		cmocka_unit_test(test_exact_text),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_layout_yaml),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
