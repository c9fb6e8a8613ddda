/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Asks kernels by booting them: each in a virtual machine of its own with polload as its only
 * program (loader/guest.c), which answers on a serial port. Knows nothing of what is asked. Leaves
 * no files: the machine's root and its answer are memory.
 */
#ifndef POLC_VM_H
#define POLC_VM_H

#include "../../runtime/cpio.h"
#include "../base/diagnostic.h"

enum polc_accelerator { POLC_ACCEL_AUTO, POLC_ACCEL_KVM, POLC_ACCEL_TCG };

/* A kernel image: x86-64 bzImage, as distributions install it. */
struct polc_kernel_image {
	const char *path;
	const char *release; /* "6.1.0-18-amd64", as the image's header says */
};
/*
 * IMAGE is a file, a directory with `vmlinuz` in it, or the name of a target that keeps one. 0, or
 * -errno with the environment's error printed.
 */
int polc_kernel_image_find(struct polc *polc, const char *image, struct polc_kernel_image *out);
/* Whether there is an image under that name; prints nothing. */
bool polc_kernel_image_known(struct polc *polc, const char *image);
/* The release in an image's first bytes, or NULL: no such image. Arena-owned. */
const char *polc_kernel_image_release(struct polc_arena *arena, const void *start, size_t size);

/*
 * polload: `path` (--polload) or NULL: beside polc or where `make install` puts it. `standalone`:
 * the static one, that runs in a machine with nothing else. NULL: printed what is missing.
 */
const char *polc_polload_find(struct polc *polc, const char *path, bool standalone);

struct polc_vm_question {
	struct polc_kernel_image kernel;
	const char *word; /* "verify", "facts" */
	const struct polb_cpio_entry *files;
	size_t n_files;
	bool asked; /* internal */
	/* the answer */
	const char *answer; /* arena; NULL: there is none, and `failure` says why */
	size_t answer_size;
	const char *failure; /* several lines: the last ones of the console */
};
struct polc_vm_options {
	const char *polload;
	enum polc_accelerator accelerator;
	unsigned timeout_s; /* of each machine */
	unsigned jobs;      /* machines at a time */
	/* Now and then: what each machine is doing; NULL: nobody wants to know. */
	void (*progress)(void *context, const char *release, const char *step, unsigned seconds);
	void *context;
};
/* 0, or -errno with the environment's error printed: no qemu, no memory. */
int polc_vm_ask(struct polc *polc, const struct polc_vm_options *options,
	struct polc_vm_question *questions, size_t n);

#endif
