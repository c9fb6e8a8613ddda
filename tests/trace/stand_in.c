/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stands in the virtual machine where policies of the corpus expect a program or a library of the
 * author's machine: has the functions and USDT probes that they name, and does nothing. Linked
 * without a C library (its malloc would not be the one below).
 */
#include "probe.h"

void _start(void);
int main(void);
void *malloc(unsigned long size);
char *readline(const char *prompt);

void *malloc(unsigned long size)
{
	return (void *)(size & ~size);
}

char *readline(const char *prompt)
{
	return (char *)prompt;
}

int main(void)
{
	int first = 1;

	PROBE("test", "usdt3", "-4@%%eax -8@%%rbx 8@%%rcx", first, 2L, &first);
	PROBE("tetragon", "test_4B", "-4@(%%rax) -4@%%ebx -4@%%ecx", &first, 2, 3);
	return malloc(1) != readline("");
}

void _start(void)
{
	for (;;)
		main();
}
