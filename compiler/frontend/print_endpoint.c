/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Endpoints in both spellings: the DSL's block, and the Pod with annotations that means the same.
 */
#include "pol.h"

#include <netinet/in.h>
#include <string.h>

static const char *protocol_name(uint8_t protocol, bool upper)
{
	if (protocol == IPPROTO_UDP)
		return upper ? "UDP" : "udp";
	if (protocol == IPPROTO_SCTP)
		return upper ? "SCTP" : "sctp";
	return upper ? "TCP" : "tcp";
}

static void fact(struct polc_buf *out, const char *keyword, const char *value)
{
	if (!value)
		return;
	polc_buf_printf(out, "%s ", keyword);
	polc_pol_write_word(out, value);
	polc_buf_puts(out, ";\n");
}

static void fact_labels(struct polc_buf *out, const struct polc_pod *pod)
{
	for (size_t i = 0; i < pod->labels.n; i++) {
		polc_buf_puts(out, i == 0 ? "labels " : ", ");
		polc_pol_write_word(out, pod->labels.items[i].key);
		polc_buf_puts(out, " = ");
		polc_pol_write_word(out, pod->labels.items[i].value);
	}
	polc_buf_puts(out, pod->labels.n ? ";\n" : "");
}

static void fact_addresses(struct polc_buf *out, const struct polc_pod *pod)
{
	for (size_t i = 0; i < pod->addrs.n; i++) {
		char text[POLB_ADDR_TEXT];

		polb_addr_format(&pod->addrs.items[i], text);
		polc_buf_printf(out, "%s%s", i == 0 ? "address " : ", ", text);
	}
	polc_buf_puts(out, pod->addrs.n ? ";\n" : "");
}

static bool own_account(const struct polc_pod *pod)
{
	return pod->service_account && strcmp(pod->service_account, "default") != 0;
}

void polc_pol_write_endpoint(struct polc_buf *out, const struct polc_pod *pod)
{
	polc_buf_puts(out, "endpoint ");
	polc_pol_write_word(out, pod->name);
	polc_buf_puts(out, " in ");
	polc_pol_write_word(out, pod->namespace);
	polc_buf_puts(out, " {\n");
	fact_labels(out, pod);
	fact_addresses(out, pod);
	fact(out, "cgroup", pod->cgroup);
	fact(out, "interface", pod->interface);
	fact(out, "node", pod->node);
	fact(out, "service-account", own_account(pod) ? pod->service_account : NULL);
	polc_buf_puts(out, pod->host_network ? "host-network;\n" : "");
	for (size_t i = 0; i < pod->ports.n; i++)
		polc_buf_printf(out, "port %s %s/%u;\n", pod->ports.items[i].name,
			protocol_name(pod->ports.items[i].protocol, false),
			pod->ports.items[i].port);
	polc_buf_puts(out, "}\n");
}

static void field(struct polc_buf *out, const char *key, const char *value)
{
	if (!value)
		return;
	polc_buf_printf(out, "%s: ", key);
	polc_yaml_write_text(out, value);
	polc_buf_puts(out, "\n");
}

static void pod_metadata(struct polc_buf *out, const struct polc_pod *pod)
{
	polc_buf_puts(out, "metadata:\n");
	field(out, "  name", pod->name);
	field(out, "  namespace", pod->namespace);
	polc_buf_puts(out, pod->labels.n ? "  labels:\n" : "");
	for (size_t i = 0; i < pod->labels.n; i++) {
		polc_buf_puts(out, "    ");
		polc_yaml_write_text(out, pod->labels.items[i].key);
		field(out, "", pod->labels.items[i].value);
	}
	polc_buf_puts(out, pod->cgroup || pod->interface ? "  annotations:\n" : "");
	field(out, "    polc.dev/cgroup", pod->cgroup);
	field(out, "    polc.dev/interface", pod->interface);
}

static void pod_spec(struct polc_buf *out, const struct polc_pod *pod)
{
	bool account = own_account(pod);

	if (!pod->node && !account && !pod->host_network && !pod->ports.n)
		return;
	polc_buf_puts(out, "spec:\n");
	field(out, "  nodeName", pod->node);
	field(out, "  serviceAccountName", account ? pod->service_account : NULL);
	polc_buf_puts(out, pod->host_network ? "  hostNetwork: true\n" : "");
	if (pod->ports.n)
		polc_buf_puts(out, "  containers:\n    - name: main\n      ports:\n");
	for (size_t i = 0; i < pod->ports.n; i++) {
		field(out, "        - name", pod->ports.items[i].name);
		polc_buf_printf(out, "          containerPort: %u\n          protocol: %s\n",
			pod->ports.items[i].port,
			protocol_name(pod->ports.items[i].protocol, true));
	}
}

void polc_yaml_write_endpoint(struct polc_buf *out, const struct polc_pod *pod)
{
	polc_buf_puts(out, "apiVersion: v1\nkind: Pod\n");
	pod_metadata(out, pod);
	pod_spec(out, pod);
	polc_buf_puts(out, pod->addrs.n ? "status:\n  podIPs:\n" : "");
	for (size_t i = 0; i < pod->addrs.n; i++) {
		char text[POLB_ADDR_TEXT];

		polb_addr_format(&pod->addrs.items[i], text);
		polc_buf_printf(out, "    - ip: \"%s\"\n", text);
	}
}
