/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * `polc explain --plan` of network policies: which programs a bundle gets and why, what a decision
 * looks up, the maps behind it with their sizes, and about what a packet costs.
 */
#include <string.h>

#include "../../runtime/instance_private.h"
#include "bundle.h"

/* What `make bench` measured; README says where. */
#define TC_NS 38
#define SOCKET_NS 18
#define NEW_FLOW_NS 142
#define COST_SOURCE                                                                                \
	"measured by 'make bench' on one machine over an empty program; flat from 10 to 10,000 "   \
	"rules and to 100,000 addresses"

struct printer {
	const struct polc_plan *plan;
	const struct polb_manifest *manifest;
	struct polb_map_plan maps[POLB_N_MAP_PLANS];
	struct polc_buf *out;
};

/* --- what there is and why -------------------------------------------------------------------- */

static uint32_t n_endpoints(const struct polc_plan *plan, bool cgroup)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < plan->n_endpoints; i++)
		n += (cgroup ? plan->endpoints[i].pod->cgroup
			     : plan->endpoints[i].pod->interface) != NULL;
	return n;
}

static const char *hook_reason(const struct printer *p, bool cgroup)
{
	uint32_t n = n_endpoints(p->plan, cgroup);

	if (!n)
		return "no endpoint of the inventory says how it is attached: programs for both";
	return polc_arena_printf(p->out->arena, "%u endpoint%s a%s", n, n == 1 ? " has" : "s have",
		cgroup ? " cgroup (annotation polc.dev/cgroup)"
		       : "n interface (annotation polc.dev/interface)");
}

static const char *prefix_reason(const struct printer *p)
{
	bool v4 = p->manifest->has_cidr4, v6 = p->manifest->has_cidr6;

	if (!v4 && !v6)
		return "no lookup by prefix: no policy names networks";
	return polc_arena_printf(p->out->arena,
		"longest-prefix lookup, IPv%s: an address that is none of the inventory's may "
		"be in a network that a policy names",
		v4 && v6 ? "4 and IPv6"
		: v4     ? "4"
			 : "6");
}

static const char *port_reason(const struct polc_plan *plan)
{
	return plan->n_port_classes > 1
		       ? "one array lookup; ports that all rules treat alike are one class"
		       : "no lookup: no rule names a port";
}

static const char *tier_reason(const struct polc_plan *plan)
{
	return plan->uses_pass    ? "in the order of tiers, with Pass"
	       : plan->uses_tiers ? "in the order of tiers"
				  : "denials before allowances";
}

/* --- maps ------------------------------------------------------------------------------------- */

/*
 * What a bundle does not use is not in its object (bpf-templates/network/maps.h). Without entries:
 * what the sockets hold, and what is sized at load.
 */
static bool is_in_object(const struct printer *p, const struct polb_map_plan *map)
{
	static const struct {
		const char *name;
		enum { CIDR4, CIDR6, PORTS, TC, MODES } needs;
	} conditional[] = {
		{"polt_cidrs4", CIDR4},
		{"polt_cidrs6", CIDR6},
		{"polt_ports", PORTS},
		{"polt_interfaces", TC},
		{"polt_tables", MODES},
		{"polt_modes", MODES},
	};
	const bool has[] = {[CIDR4] = p->manifest->has_cidr4,
		[CIDR6] = p->manifest->has_cidr6,
		[PORTS] = p->plan->n_port_classes > 1,
		[TC] = p->manifest->hooks & POLB_HOOK_TC,
		[MODES] = p->plan->network->n_switchables > 0};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(conditional); i++)
		if (!strcmp(conditional[i].name, map->name))
			return has[conditional[i].needs];
	return map->entries > 0;
}

/* What a map is for; a hash holds its keys as well. */
struct map_use {
	const char *name;
	bool hash;
	const char *text;
};

static const struct map_use *map_use(const char *name)
{
	static const struct map_use uses[] = {
		{"polt_control", false, "which generation decides"},
		{"polt_flows", true, "flows that were decided, least recently used go first"},
		{"polt_sockets", true, "the verdict of a socket, kept in it"},
		{"polt_interfaces", true, "interface -> endpoint"},
		{"polt_config", false, "mode, timeouts"},
		{"polt_endpoints", false, "endpoint -> its two tables"},
		{"polt_peers4", true, "IPv4 address -> class"},
		{"polt_peers6", true, "IPv6 address -> class"},
		{"polt_cidrs4", true, "IPv4 prefix -> class"},
		{"polt_cidrs6", true, "IPv6 prefix -> class"},
		{"polt_classes", false, "class -> bits of selectors"},
		{"polt_ports", false, "protocol and port -> class"},
		{"polt_index", false, "table and port class -> row"},
		{"polt_rows", false, "row -> steps, default"},
		{"polt_steps", false, "step -> verdict and masks"},
		{"polt_step_words", false, "the masks"},
		{"polt_tables", false, "table -> the ones that stand for it, by modes"},
		{"polt_modes", false, "policies that can be switched"},
		{"polt_rule_ids", false, "bit of a mask -> rule"},
		{"polt_counters", false, "packets and bytes by rule, on each CPU"},
	};

	for (size_t i = 0; i < POLC_ARRAY_SIZE(uses); i++)
		if (!strcmp(uses[i].name, name))
			return &uses[i];
	POLC_BUG("what is %s for?", name);
}

static size_t entry_bytes(const struct polb_map_plan *map)
{
	size_t size = (map_use(map->name)->hash ? map->key_size : 0) + map->value_size;

	return (size + 7) / 8 * 8;
}

static size_t map_bytes(const struct polb_map_plan *map)
{
	return map->entries * entry_bytes(map);
}

static size_t total_bytes(const struct printer *p)
{
	size_t total = 0;

	for (size_t i = 0; i < POLB_N_MAP_PLANS; i++)
		if (is_in_object(p, &p->maps[i]))
			total += map_bytes(&p->maps[i]);
	return total;
}

/* --- text ------------------------------------------------------------------------------------- */

static void print_hooks(const struct printer *p)
{
	if (p->manifest->hooks & POLB_HOOK_CGROUP)
		polc_buf_printf(p->out, "cgroup_skb ingress and egress\n  by cgroup: %s\n",
			hook_reason(p, true));
	if (p->manifest->hooks & POLB_HOOK_TC)
		polc_buf_printf(p->out, "tc ingress and egress of a host interface\n  by tc: %s\n",
			hook_reason(p, false));
}

static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

static void print_lookups(const struct printer *p)
{
	const struct polc_plan *plan = p->plan;

	polc_buf_puts(p->out, "a decision\n");
	polc_buf_printf(p->out, "  %-12s %u address%s: one hash lookup\n", "peer", plan->n_peers,
		plan->n_peers == 1 ? "" : "es");
	polc_buf_printf(p->out, "  %-12s %u: %s\n", "prefixes", plan->n_cidrs, prefix_reason(p));
	polc_buf_printf(p->out,
		"  %-12s %u bit%s in %u word%s; %u classes of peers, at most %u "
		"word%s each\n",
		"selectors", plan->n_selectors, plural(plan->n_selectors), plan->n_words,
		plural(plan->n_words), plan->n_classes, p->manifest->class_words,
		plural(p->manifest->class_words));
	polc_buf_printf(p->out, "  %-12s %u class%s: %s\n", "ports", plan->n_port_classes,
		plan->n_port_classes == 1 ? "" : "es", port_reason(plan));
	polc_buf_printf(p->out,
		"  %-12s %u for %u endpoint%s: those with the same rules share one\n", "tables",
		plan->n_tables, plan->n_endpoints, plural(plan->n_endpoints));
	polc_buf_printf(p->out, "  %-12s %u row%s, %u step%s, at most %u in a row, %s\n", "rows",
		plan->n_rows, plural(plan->n_rows), plan->n_steps, plural(plan->n_steps),
		plan->max_row_steps, tier_reason(plan));
}

static void print_maps(const struct printer *p)
{
	polc_buf_puts(p->out, "memory, keys and values\n");
	for (size_t i = 0; i < POLB_N_MAP_PLANS; i++) {
		const struct polb_map_plan *map = &p->maps[i];

		if (is_in_object(p, map))
			polc_buf_printf(p->out, "  %-16s %6zu x %6zu = %8zu bytes  %s\n", map->name,
				map->entries, entry_bytes(map), map_bytes(map),
				map_use(map->name)->text);
	}
	polc_buf_printf(p->out, "  %-16s %24zu bytes\n", "together", total_bytes(p));
}

static void print_cost(const struct printer *p)
{
	polc_buf_puts(p->out, "cost, about\n");
	if (p->manifest->hooks & POLB_HOOK_TC)
		polc_buf_printf(p->out, "  %3d ns a packet of a known flow, tc\n", TC_NS);
	if (p->manifest->hooks & POLB_HOOK_CGROUP)
		polc_buf_printf(p->out,
			"  %3d ns a packet of a known TCP flow, cgroup: the verdict is in its "
			"socket, %zu bytes\n",
			SOCKET_NS, sizeof(struct polb_socket_flow));
	polc_buf_printf(p->out,
		"  %3d ns a new flow; in the longest row it goes through %u step%s\n  (%s)\n",
		NEW_FLOW_NS, p->plan->max_row_steps, plural(p->plan->max_row_steps), COST_SOURCE);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_number(const struct printer *p, const char *key, size_t value)
{
	polc_buf_printf(p->out, "\"%s\":%zu,", key, value);
}

static void json_hook(const struct printer *p, uint32_t hook, const char *name)
{
	if (!(p->manifest->hooks & hook))
		return;
	polc_buf_puts(p->out, "{");
	polc_buf_json_member(p->out, "hook", name);
	polc_buf_puts(p->out, "\"reason\":");
	polc_buf_json(p->out, hook_reason(p, hook == POLB_HOOK_CGROUP));
	polc_buf_puts(p->out, "},");
}

/* The last of a list has no comma behind it. */
static void json_end(const struct printer *p, const char *end)
{
	if (p->out->p[p->out->n - 1] == ',')
		p->out->n--;
	polc_buf_puts(p->out, end);
}

static void json_lookups(const struct printer *p)
{
	const struct polc_plan *plan = p->plan;

	json_number(p, "addresses", plan->n_peers);
	json_number(p, "prefixes", plan->n_cidrs);
	polc_buf_json_member(p->out, "prefixes_reason", prefix_reason(p));
	json_number(p, "selectors", plan->n_selectors);
	json_number(p, "words", plan->n_words);
	json_number(p, "classes", plan->n_classes);
	json_number(p, "class_words", p->manifest->class_words);
	json_number(p, "port_classes", plan->n_port_classes);
	polc_buf_json_member(p->out, "ports_reason", port_reason(plan));
	json_number(p, "endpoints", plan->n_endpoints);
	json_number(p, "tables", plan->n_tables);
	json_number(p, "rows", plan->n_rows);
	json_number(p, "steps", plan->n_steps);
	json_number(p, "max_steps", plan->max_row_steps);
	polc_buf_json_member(p->out, "order", tier_reason(plan));
}

static void json_maps(const struct printer *p)
{
	polc_buf_puts(p->out, "\"maps\":[");
	for (size_t i = 0; i < POLB_N_MAP_PLANS; i++) {
		const struct polb_map_plan *map = &p->maps[i];

		if (!is_in_object(p, map))
			continue;
		polc_buf_puts(p->out, "{");
		polc_buf_json_member(p->out, "name", map->name);
		json_number(p, "entries", map->entries);
		polc_buf_printf(p->out, "\"bytes\":%zu},", map_bytes(map));
	}
	json_end(p, "],");
	json_number(p, "bytes", total_bytes(p));
}

static void print_json(const struct printer *p)
{
	polc_buf_puts(p->out, "{\"hooks\":[");
	json_hook(p, POLB_HOOK_CGROUP, "cgroup");
	json_hook(p, POLB_HOOK_TC, "tc");
	json_end(p, "],");
	json_lookups(p);
	json_maps(p);
	polc_buf_printf(p->out,
		"\"cost_ns\":{\"known_flow_tc\":%d,\"known_tcp_flow_cgroup\":%d,"
		"\"new_flow\":%d,",
		TC_NS, SOCKET_NS, NEW_FLOW_NS);
	polc_buf_json_member(p->out, "assumption", COST_SOURCE);
	json_end(p, "}}");
}

void polc_plan_network_print(
	struct polc *polc, const struct polc_plan *plan, bool json, struct polc_buf *out)
{
	static const struct polc_build_options build = {0};
	static const struct polb_instance_options instance = {.control_fd = -1, .flows_fd = -1};
	const struct polb_bundle *bundle = polc_bundle_describe(polc, plan, &build);
	struct printer p = {.plan = plan, .manifest = &bundle->manifest, .out = out};

	polb_map_plans(bundle, &instance, p.maps);
	if (json) {
		print_json(&p);
		return;
	}
	print_hooks(&p);
	print_lookups(&p);
	print_maps(&p);
	print_cost(&p);
}
