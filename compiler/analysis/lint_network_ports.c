/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Ports against what exists: services' ports where pods' are meant, and names that nobody has. */
#include <string.h>

#include "lint_network.h"

/* Names */

static bool has_name(const struct polc_identity *id, const struct polc_net_port *port)
{
	for (size_t i = 0; i < id->n_ports; i++)
		if (!strcmp(id->ports[i].name, port->name) &&
			(polc_protocol_bit(id->ports[i].protocol) & port->protocols))
			return true;
	return false;
}

/* Lowering has said so when no pod at all has it. */
static bool is_known(const struct polc_network_lint *l, const struct polc_net_port *port)
{
	for (size_t i = 0; i < l->identities->identities.n; i++)
		if (has_name(&l->identities->identities.items[i], port))
			return true;
	return false;
}

static void lint_name(const struct polc_network_lint *l, const struct polc_net_rule *rule,
	const struct polc_ast_port *written, const struct polc_net_port *port,
	const struct polc_lint_endpoints *owners, size_t n)
{
	size_t n_owners = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < owners[i].n; k++, n_owners++)
			if (has_name(polc_lint_identity(l, owners[i].items[k]), port))
				return;
	if (n_owners && is_known(l, port))
		polc_warn(l->polc, written->span, POLC_CODE_UNRESOLVED_PORT,
			"none of the pods that this rule is about has a port named '%s': with it "
			"the rule has no effect, %s",
			port->name,
			rule->direction == POLC_INGRESS ? "the names of the subject's pods count"
							: "the names of the peers' pods count");
}

/* Numbers */

/* The number on a pod of a service's port; 0: it has none. */
static uint16_t target_on(const struct polc_identity *id, const struct polc_exposed_port *exposed)
{
	if (!exposed->target_name)
		return exposed->target;
	for (size_t i = 0; i < id->n_ports; i++)
		if (!strcmp(id->ports[i].name, exposed->target_name) &&
			id->ports[i].protocol == exposed->protocol)
			return id->ports[i].port;
	return 0;
}

static bool backs(const struct polc_identity *id, const struct polc_service *service)
{
	if (!service->has_selector || strcmp(id->pod->namespace, service->namespace))
		return false;
	for (size_t i = 0; i < service->selector.n; i++) {
		const struct polb_requirement r = {.op = POLB_OP_IN,
			.source = "k8s",
			.key = service->selector.items[i].key,
			.values = &service->selector.items[i].value,
			.n_values = 1};

		if (!polb_requirement_matches(&r, id->labels, id->n_labels))
			return false;
	}
	return true;
}

static bool port_is_named(const struct polc_identity *id, uint16_t number)
{
	for (size_t i = 0; i < id->n_ports; i++)
		if (id->ports[i].port == number)
			return true;
	return false;
}

/*
 * A service of the pod whose port is the one written, but leads to another. NULL when something
 * says that the pod may listen there: another service's target, or a port of this number.
 */
static const struct polc_service *mistaken_for(const struct polc_network_lint *l,
	const struct polc_identity *id, const struct polc_ast_port *port, uint16_t *target)
{
	const struct polc_service *found = NULL;

	if (port_is_named(id, port->lo))
		return NULL;
	for (size_t i = 0; i < l->inventory->services.n; i++) {
		const struct polc_service *service = &l->inventory->services.items[i];

		if (!backs(id, service))
			continue;
		for (size_t k = 0; k < service->ports.n; k++) {
			const struct polc_exposed_port *exposed = &service->ports.items[k];
			uint16_t number = target_on(id, exposed);

			if (number == port->lo)
				return NULL;
			if (exposed->port != port->lo || !number ||
				!(polc_protocol_bit(exposed->protocol) & port->protocols))
				continue;
			found = service;
			*target = number;
		}
	}
	return found;
}

/* Reported when it holds for every owner. */
static void lint_number(const struct polc_network_lint *l, const struct polc_ast_port *port,
	const struct polc_lint_endpoints *owners, size_t n)
{
	const struct polc_service *service = NULL;
	struct polc_diagnostic *d;
	uint16_t target = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < owners[i].n; k++) {
			service = mistaken_for(
				l, polc_lint_identity(l, owners[i].items[k]), port, &target);
			if (!service)
				return;
		}
	}
	if (!service)
		return;
	d = polc_lint_report(l->polc, port->span, POLC_CODE_SERVICE_PORT,
		"%u is the port of service %s/%s: policies see the port of its pods, which is %u",
		port->lo, service->namespace, service->name, target);
	polc_diagnostic_relate(l->polc, d, service->span, "the service");
}

static void lint_rule_ports(
	const struct polc_network_lint *l, const struct polc_lint_policy *p, uint32_t index)
{
	const struct polc_ast_rule *rule = p->rules[index];
	const struct polc_net_rule *net = &l->network->rules[p->net->first_rule + index];
	bool ingress = rule->direction == POLC_INGRESS;
	size_t n = ingress ? 1 : net->n_selectors;
	struct polc_lint_endpoints *owners;

	if (rule->unsupported || rule->ports.n != net->n_ports || !net->n_ports)
		return;
	owners = POLC_NEW_ARRAY(l->arena, n, struct polc_lint_endpoints);
	if (ingress)
		owners[0] = p->endpoints;
	for (size_t i = 0; i < n && !ingress; i++)
		owners[i] = l->by_selector[net->selectors[i]];
	for (size_t i = 0; i < rule->ports.n; i++) {
		const struct polc_ast_port *port = &rule->ports.items[i];

		if (port->kind == POLC_PORT_NAME)
			lint_name(l, net, port, &net->ports[i], owners, n);
		else if (port->kind == POLC_PORT_RANGE && port->lo == port->hi)
			lint_number(l, port, owners, n);
	}
}

void polc_lint_ports(const struct polc_network_lint *l)
{
	for (size_t i = 0; i < l->network->n_policies; i++)
		for (uint32_t k = 0; k < l->policies[i].net->n_rules; k++)
			lint_rule_ports(l, &l->policies[i], k);
}
