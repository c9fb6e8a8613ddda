/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What systemd wants to be told of a service with Type=notify. */
#ifndef POLD_NOTIFY_H
#define POLD_NOTIFY_H

/* "READY=1" and the like to $NOTIFY_SOCKET; without one nothing happens. */
void pold_notify(const char *state);

#endif
