/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A USDT probe as systemtap's <sys/sdt.h> makes it: a nop, and a note that says where it and its
 * arguments are. Three values, in rax, rbx and rcx. */
#ifndef POLC_TESTS_PROBE_H
#define POLC_TESTS_PROBE_H

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

#endif
