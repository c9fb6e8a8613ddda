/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a sync has changed, or with --dry-run would change. */
#include <stdio.h>
#include <string.h>

#include "sync.h"

static const char *const words[POLD_N_CHANGES] = {"added", "changed", "removed", "refreshed"};
static const char marks[POLD_N_CHANGES] = {'+', '~', '-', '='};

static void print_labels(const struct pold_who *who)
{
	const char *separator = " ";

	for (size_t i = 0; i < who->n_labels; i++)
		if (strcmp(who->labels[i].key, POLD_LABEL_NAMESPACE) == 0) {
			fputs("  ", stdout);
			pold_print_visible(who->labels[i].value, 0);
			putchar(':');
		}
	for (size_t i = 0; i < who->n_labels; i++) {
		if (pold_label_is_derived(who->labels[i].key))
			continue;
		fputs(separator, stdout);
		pold_print_visible(who->labels[i].key, 0);
		putchar('=');
		pold_print_visible(who->labels[i].value, 0);
		separator = ",";
	}
}

static void json_labels(const struct pold_who *who)
{
	printf(",\"labels\":{");
	for (size_t i = 0; i < who->n_labels; i++) {
		if (i)
			putchar(',');
		pold_json_string(who->labels[i].key);
		putchar(':');
		pold_json_string(who->labels[i].value);
	}
	putchar('}');
}

static void print_change(
	const struct pold_sync *s, const struct pold_sync_change *change, bool json, bool first)
{
	const struct pold_who *who =
		change->set == UINT32_MAX ? NULL : &s->store.sets.items[change->set].who;
	char addr[POLB_ADDR_TEXT];

	polb_addr_format(&change->addr, addr);
	if (json)
		printf("%s{\"address\":\"%s\",\"change\":\"%s\"", first ? "" : ",", addr,
			words[change->what]);
	else
		printf("%c %s", marks[change->what], addr);
	if (who && json)
		json_labels(who);
	else if (who)
		print_labels(who);
	fputs(json ? "}" : "\n", stdout);
}

static size_t n_unchanged(const struct pold_sync *s)
{
	return s->n_unchanged + s->n[POLD_REFRESHED];
}

/* Sets that the bundle did not know when it was built. */
static size_t n_new_sets(const struct pold_sync *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->store.sets.n; i++)
		n += s->store.sets.items[i].is_new;
	return n;
}

static void print_json(const struct pold_sync *s, bool first)
{
	printf("%s{\"name\":", first ? "[" : ",");
	pold_json_string(s->state.name);
	for (int i = 0; i < POLD_REFRESHED; i++)
		printf(",\"%s\":%zu", words[i], s->n[i]);
	printf(",\"unchanged\":%zu,\"by_hand\":%zu,\"expired\":%zu,\"label_sets\":%zu",
		n_unchanged(s), s->n_by_hand, s->n_expired, s->inventory.identities.n);
	printf(",\"endpoints\":{\"added\":%u,\"changed\":%u,\"removed\":%u}", s->endpoints.added,
		s->endpoints.changed, s->endpoints.removed);
	printf(",\"workloads\":{\"added\":%u,\"changed\":%u,\"removed\":%u,\"known\":%s}",
		s->workloads.added, s->workloads.changed, s->workloads.removed,
		s->workloads.unknown ? "false" : "true");
	if (s->options->dry_run) {
		printf(",\"new_label_sets\":%zu,\"changes\":[", n_new_sets(s));
		for (size_t i = 0; i < s->changes.n; i++)
			print_change(s, &s->changes.items[i], true, i == 0);
		putchar(']');
	}
	putchar('}');
}

void pold_sync_print(const struct pold_sync *s, bool json, bool first)
{
	if (json) {
		print_json(s, first);
		return;
	}
	for (size_t i = 0; s->options->dry_run && i < s->changes.n; i++)
		print_change(s, &s->changes.items[i], false, true);
	printf("%s: %zu added, %zu changed, %zu removed, %zu unchanged", s->state.name,
		s->n[POLD_ADDED], s->n[POLD_CHANGED], s->n[POLD_REMOVED], n_unchanged(s));
	if (s->endpoints.added || s->endpoints.changed || s->endpoints.removed)
		printf("; endpoints: %u added, %u changed, %u removed", s->endpoints.added,
			s->endpoints.changed, s->endpoints.removed);
	if (s->workloads.added || s->workloads.changed || s->workloads.removed)
		printf("; workloads: %u added, %u changed, %u removed", s->workloads.added,
			s->workloads.changed, s->workloads.removed);
	if (s->n_by_hand)
		printf(", %zu as told by hand", s->n_by_hand);
	if (s->n_expired)
		printf(", %zu expired", s->n_expired);
	puts(s->options->dry_run ? " (not done)" : "");
	if (s->workloads.unknown)
		printf("%s: the bundle is of an older polc and does not say which pods its tracing "
		       "policies are for: pods that it was not built with are not covered; build "
		       "it again\n",
			s->state.name);
}
