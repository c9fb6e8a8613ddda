/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* status: when and from what the generation in force was applied, and what it returns to. */
#include "loader.h"

#include <stdio.h>
#include <time.h>

static void digest_text(const struct pold_state *state, char out[65])
{
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", state->bundle.digest[i]);
}

/* As RFC 3339 has it, in UTC. */
static void time_text(const struct pold_state *state, char *out, size_t size)
{
	time_t seconds = (time_t)(state->archive->applied_ns / 1000000000ull);
	struct tm parts;

	if (!gmtime_r(&seconds, &parts) || !strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &parts))
		out[0] = '\0';
}

static double age_s(const struct pold_state *state)
{
	return ((double)pold_boot_ns() - (double)state->archive->applied_boot_ns) / 1e9;
}

static bool open_previous(const struct pold_state *state, struct pold_state *out)
{
	return state->archive->previous &&
	       pold_state_generation(out, state->name, state->archive->previous) == 0;
}

bool pold_returns_in(const struct pold_state *state, double *seconds)
{
	uint64_t deadline_ns;

	if (!pold_pending_read(state->name, state->generation, &deadline_ns))
		return false;
	*seconds = ((double)deadline_ns - (double)pold_boot_ns()) / 1e9;
	return true;
}

void pold_status_apply_text(const struct pold_state *state)
{
	POLD_STATE previous = POLD_STATE_INIT;
	char time[32], digest[65];
	double seconds;

	time_text(state, time, sizeof(time));
	printf("applied     %s (%.0f s ago), %s\n", time, age_s(state), state->archive->file);
	if (pold_returns_in(state, &seconds))
		printf("unconfirmed %s %.0f s (polload confirm)\n",
			seconds < 0 ? "overdue by" : "returns in",
			seconds < 0 ? -seconds : seconds);
	if (!open_previous(state, &previous))
		return;
	digest_text(&previous, digest);
	time_text(&previous, time, sizeof(time));
	printf("previous    %.16s, generation %u of %s, %s\n", digest, previous.generation, time,
		previous.archive->file);
}

void pold_status_apply_json(const struct pold_state *state)
{
	POLD_STATE previous = POLD_STATE_INIT;
	char time[32], digest[65];
	double seconds;

	time_text(state, time, sizeof(time));
	printf(",\"applied\":\"%s\",\"age_s\":%.0f,\"file\":", time, age_s(state));
	pold_json_string(state->archive->file);
	if (pold_returns_in(state, &seconds))
		printf(",\"unconfirmed\":{\"returns_in_s\":%.1f}", seconds);
	if (!open_previous(state, &previous))
		return;
	digest_text(&previous, digest);
	time_text(&previous, time, sizeof(time));
	printf(",\"previous\":{\"generation\":%u,\"digest\":\"%s\",\"applied\":\"%s\",\"file\":",
		previous.generation, digest, time);
	pold_json_string(previous.archive->file);
	putchar('}');
}
