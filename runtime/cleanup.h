/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Ownership that can be checked inside one function: descriptors and memory that end with the
 * scope. */
#ifndef POLB_CLEANUP_H
#define POLB_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void polb_cleanup_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void polb_cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

#define POLB_FD __attribute__((cleanup(polb_cleanup_fd))) int
#define POLB_FREE __attribute__((cleanup(polb_cleanup_free)))

static inline int polb_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
#define POLB_TAKE(pointer)                                                                         \
	({                                                                                         \
		__typeof__(pointer) taken_ = (pointer);                                            \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

#endif
