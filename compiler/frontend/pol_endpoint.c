/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Endpoint blocks of the DSL: they become pods of the inventory. */
#include "pol.h"

#include <string.h>

void pol_endpoint_open(struct pol_parser *p, const struct pol_token *name,
	const struct pol_token *namespace, struct polc_span span)
{
	p->pod = POLC_NEW(&p->polc->arena, struct polc_pod);
	pol_check_name(p, name, "an endpoint's name", true);
	if (namespace)
		pol_check_name(p, namespace, "a namespace", false);
	p->pod->name = name->text;
	p->pod->namespace = namespace ? namespace->text : "default";
	p->pod->span = span;
}

void pol_endpoint_close(struct pol_parser *p)
{
	if (!p->pod->service_account)
		p->pod->service_account = "default";
	p->input->inventory.given = true;
	*polc_vec_push(&p->polc->arena, &p->input->inventory.pods) = *p->pod;
	p->pod = NULL;
}

void pol_endpoint_addresses(struct pol_parser *p, const pol_words *addresses)
{
	for (size_t i = 0; i < addresses->n; i++) {
		struct polb_addr addr;

		if (polb_addr_parse(addresses->items[i]->text, &addr) == 0 &&
			!polb_addr_is_v4_mapped(&addr))
			*polc_vec_push(&p->polc->arena, &p->pod->addrs) = addr;
		else
			polc_error(p->polc, addresses->items[i]->span, POLC_CODE_INVENTORY_ADDRESS,
				"'%.80s' is no address", addresses->items[i]->text);
	}
}

void pol_endpoint_text(
	struct pol_parser *p, const char **field, const char *what, const struct pol_token *value)
{
	if (*field)
		polc_error(p->polc, value->span, POLC_CODE_DSL_DUPLICATE, "the %s is given twice",
			what);
	*field = value->text;
}

/* A path below the cgroup2 mount: none of its parts may leave it. */
static bool stays_below(const char *path)
{
	for (const char *part = path; part;) {
		size_t n = strcspn(part, "/");

		if (n == 0 || (n <= 2 && strspn(part, ".") == n))
			return false;
		part = part[n] ? part + n + 1 : NULL;
	}
	return true;
}

void pol_endpoint_cgroup(struct pol_parser *p, const struct pol_token *path)
{
	pol_endpoint_text(p, &p->pod->cgroup, "cgroup", path);
	p->pod->cgroup += *p->pod->cgroup == '/';
	if (!stays_below(p->pod->cgroup))
		polc_error(p->polc, path->span, POLC_CODE_INVENTORY_FIELD,
			"a cgroup is a path below the cgroup2 mount");
}

void pol_endpoint_interface(struct pol_parser *p, const struct pol_token *name)
{
	size_t n = strlen(name->text);

	pol_endpoint_text(p, &p->pod->interface, "interface", name);
	if (n == 0 || n > 15 || strpbrk(name->text, "/: \t\n") || strspn(name->text, ".") == n)
		polc_error(p->polc, name->span, POLC_CODE_INVENTORY_FIELD,
			"'%.40s' cannot be the name of an interface", name->text);
}
