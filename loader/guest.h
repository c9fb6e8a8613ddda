/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* polload as the only program of a virtual machine. */
#ifndef POLD_GUEST_H
#define POLD_GUEST_H

#include <stdio.h>

/* Does what the kernel's command line asks for and powers off. */
int pold_guest_main(int argc, char **argv);

/* A gzipped cpio archive of what this kernel shows of itself (compiler/ir/target.h). */
void pold_guest_facts(FILE *out);

#endif
