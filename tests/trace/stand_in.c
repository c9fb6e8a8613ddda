/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stands in the virtual machine where policies of the corpus expect a program or a library of the
 * author's machine: has the functions and USDT probes that they name, and does nothing. Linked
 * without a C library (its malloc would not be the one below).
 */
void _start(void);
int main(void);
void *malloc(unsigned long size);
char *readline(const char *prompt);

/* What <sys/sdt.h> makes of a probe: a nop, and a note that says where it and its arguments are. */
#define PROBE(provider, name, args, a, b, c)                                                       \
	__asm__ volatile("990: nop\n"                                                              \
			 ".pushsection .note.stapsdt,\"?\",\"note\"\n"                             \
			 ".balign 4\n.4byte 992f-991f,994f-993f,3\n"                               \
			 "991: .asciz \"stapsdt\"\n992: .balign 4\n"                               \
			 "993: .8byte 990b\n.8byte _.stapsdt.base\n.8byte 0\n"                     \
			 ".asciz \"" provider "\"\n.asciz \"" name "\"\n.asciz \"" args "\"\n"     \
			 "994: .balign 4\n.popsection\n"                                           \
			 ".ifndef _.stapsdt.base\n"                                                \
			 ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"   \
			 ".weak _.stapsdt.base\n.hidden _.stapsdt.base\n"                          \
			 "_.stapsdt.base: .space 1\n.size _.stapsdt.base,1\n.popsection\n.endif\n" \
			 :                                                                         \
			 : "a"(a), "b"(b), "c"(c)                                                  \
			 : "memory")

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
