/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What this kernel says of bundles, in lines that polc verify reads
 * (compiler/backend/verify_report.c), fields separated by tabs:
 *
 *   polc-report 1                        the format
 *   kernel RELEASE
 *   bundle NUMBER                        what follows is about this one, from 0
 *   error TEXT                           it could not be asked about at all
 *   program NAME accepted|refused        what the verifier says of a program
 *   log TEXT                             its words, line by line
 *   calls CALLER>CALLEE...               of an accepted program: by number of function, main is 0
 *   alternative HOOK NUMBER can|cannot|missing WHY     as far as apply knows before it loads
 *   end
 */
#ifndef POLD_VERIFY_H
#define POLD_VERIFY_H

#include <stdio.h>

void pold_verify_begin(FILE *out);
void pold_verify_bundle(FILE *out, unsigned int number, const char *path);
void pold_verify_end(FILE *out);

#endif
