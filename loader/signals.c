/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What would end an apply half-done is only noted: before the cutover it is asked for and
 * everything made so far is taken back, from the cutover on the work is completed.
 */
#include "loader.h"

#include <signal.h>

static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
static volatile sig_atomic_t interrupted;

static void note(int number)
{
	(void)number;
	interrupted = 1;
}

static void set_all(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler}; /* without SA_RESTART: waits end */

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		struct sigaction now;

		/* nohup, and a shell's background: what is ignored stays so */
		if (sigaction(caught[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaction(caught[i], &action, NULL);
	}
}

void pold_signals_catch(void)
{
	interrupted = 0;
	set_all(note);
}

void pold_signals_restore(void)
{
	interrupted = 0;
	set_all(SIG_DFL);
}

bool pold_interrupted(void)
{
	return interrupted;
}
