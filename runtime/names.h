/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Numbers of the kernel's interfaces as people and Tetragon's events write them. */
#ifndef POLB_NAMES_H
#define POLB_NAMES_H

#include <stdint.h>

/* X(NAME, table) */
#define POLB_NAME_TABLES(X)                                                                        \
	X(CAPABILITY, capabilities)                                                                \
	X(FAMILY, families)                                                                        \
	X(SOCKET_TYPE, socket_types)                                                               \
	X(PROTOCOL, protocols)                                                                     \
	X(TCP_STATE, tcp_states)                                                                   \
	X(BPF_PROGRAM, bpf_programs)                                                               \
	X(BPF_MAP, bpf_maps)                                                                       \
	X(BPF_COMMAND, bpf_commands)                                                               \
	X(PERF_TYPE, perf_types)                                                                   \
	X(SIGNAL, signals)
enum polb_name_table {
#define X(name, table) POLB_NAMES_##name,
	POLB_NAME_TABLES(X)
#undef X
		POLB_N_NAME_TABLES
};

#define POLB_NAME_TEXT 16
/* "CAP_SYS_ADMIN" of 21; a number without a name as decimal digits in `scratch`. */
const char *polb_name(enum polb_name_table table, uint32_t number, char scratch[POLB_NAME_TEXT]);
/* The name, or NULL. */
const char *polb_name_known(enum polb_name_table table, uint32_t number);

#endif
