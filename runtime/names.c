/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tables of names: as in Tetragon's protobuf (which writes DAC_OVERRIDE without CAP_). */
#include "names.h"

#include <stddef.h>
#include <stdio.h>

static const char *const capabilities[] = {"CAP_CHOWN", "DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
	"CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
	"CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
	"CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
	"CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
	"CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"};

static const char *const families[] = {"AF_UNSPEC", "AF_UNIX", "AF_INET", "AF_AX25", "AF_IPX",
	"AF_APPLETALK", "AF_NETROM", "AF_BRIDGE", "AF_ATMPVC", "AF_X25", "AF_INET6", "AF_ROSE",
	"AF_DECnet", "AF_NETBEUI", "AF_SECURITY", "AF_KEY", "AF_NETLINK", "AF_PACKET", "AF_ASH",
	"AF_ECONET", "AF_ATMSVC", "AF_RDS", NULL, "AF_IRDA", "AF_PPPOX", "AF_WANPIPE", "AF_LLC",
	"AF_IB", "AF_MPLS", "AF_CAN", "AF_TIPC", "AF_BLUETOOTH", "AF_IUCV", "AF_RXRPC", "AF_ISDN",
	"AF_PHONET", "AF_IEEE802154", "AF_CAIF", "AF_ALG", "AF_NFC", "AF_VSOCK", "AF_KCM",
	"AF_QIPCRTR", "AF_SMC", "AF_XDP", "AF_MCTP"};

static const char *const socket_types[] = {NULL, "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW",
	"SOCK_RDM", "SOCK_SEQPACKET", "SOCK_DCCP", NULL, NULL, NULL, "SOCK_PACKET"};

static const char *const protocols[] = {[0] = "IPPROTO_IP",
	[1] = "IPPROTO_ICMP",
	[2] = "IPPROTO_IGMP",
	[4] = "IPPROTO_IPIP",
	[6] = "IPPROTO_TCP",
	[8] = "IPPROTO_EGP",
	[12] = "IPPROTO_PUP",
	[17] = "IPPROTO_UDP",
	[22] = "IPPROTO_IDP",
	[29] = "IPPROTO_TP",
	[33] = "IPPROTO_DCCP",
	[41] = "IPPROTO_IPV6",
	[46] = "IPPROTO_RSVP",
	[47] = "IPPROTO_GRE",
	[50] = "IPPROTO_ESP",
	[51] = "IPPROTO_AH",
	[58] = "IPPROTO_ICMPV6",
	[92] = "IPPROTO_MTP",
	[94] = "IPPROTO_BEETPH",
	[98] = "IPPROTO_ENCAP",
	[103] = "IPPROTO_PIM",
	[108] = "IPPROTO_COMP",
	[132] = "IPPROTO_SCTP",
	[136] = "IPPROTO_UDPLITE",
	[137] = "IPPROTO_MPLS",
	[143] = "IPPROTO_ETHERNET",
	[255] = "IPPROTO_RAW"};

static const char *const tcp_states[] = {NULL, "TCP_ESTABLISHED", "TCP_SYN_SENT", "TCP_SYN_RECV",
	"TCP_FIN_WAIT1", "TCP_FIN_WAIT2", "TCP_TIME_WAIT", "TCP_CLOSE", "TCP_CLOSE_WAIT",
	"TCP_LAST_ACK", "TCP_LISTEN", "TCP_CLOSING", "TCP_NEW_SYN_RECV"};

#define T(name) "BPF_PROG_TYPE_" name
static const char *const bpf_programs[] = {T("UNSPEC"), T("SOCKET_FILTER"), T("KPROBE"),
	T("SCHED_CLS"), T("SCHED_ACT"), T("TRACEPOINT"), T("XDP"), T("PERF_EVENT"), T("CGROUP_SKB"),
	T("CGROUP_SOCK"), T("LWT_IN"), T("LWT_OUT"), T("LWT_XMIT"), T("SOCK_OPS"), T("SK_SKB"),
	T("CGROUP_DEVICE"), T("SK_MSG"), T("RAW_TRACEPOINT"), T("CGROUP_SOCK_ADDR"),
	T("LWT_SEG6LOCAL"), T("LIRC_MODE2"), T("SK_REUSEPORT"), T("FLOW_DISSECTOR"),
	T("CGROUP_SYSCTL"), T("RAW_TRACEPOINT_WRITABLE"), T("CGROUP_SOCKOPT"), T("TRACING"),
	T("STRUCT_OPS"), T("EXT"), T("LSM"), T("SK_LOOKUP"), T("SYSCALL"), T("NETFILTER")};
#undef T

#define T(name) "BPF_MAP_TYPE_" name
static const char *const bpf_maps[] = {T("UNSPEC"), T("HASH"), T("ARRAY"), T("PROG_ARRAY"),
	T("PERF_EVENT_ARRAY"), T("PERCPU_HASH"), T("PERCPU_ARRAY"), T("STACK_TRACE"),
	T("CGROUP_ARRAY"), T("LRU_HASH"), T("LRU_PERCPU_HASH"), T("LPM_TRIE"), T("ARRAY_OF_MAPS"),
	T("HASH_OF_MAPS"), T("DEVMAP"), T("SOCKMAP"), T("CPUMAP"), T("XSKMAP"), T("SOCKHASH"),
	T("CGROUP_STORAGE"), T("REUSEPORT_SOCKARRAY"), T("PERCPU_CGROUP_STORAGE"), T("QUEUE"),
	T("STACK"), T("SK_STORAGE"), T("DEVMAP_HASH"), T("STRUCT_OPS"), T("RINGBUF"),
	T("INODE_STORAGE"), T("TASK_STORAGE"), T("BLOOM_FILTER"), T("USER_RINGBUF"),
	T("CGRP_STORAGE"), T("ARENA")};
#undef T

static const char *const bpf_commands[] = {"BPF_MAP_CREATE", "BPF_MAP_LOOKUP_ELEM",
	"BPF_MAP_UPDATE_ELEM", "BPF_MAP_DELETE_ELEM", "BPF_MAP_GET_NEXT_KEY", "BPF_PROG_LOAD",
	"BPF_OBJ_PIN", "BPF_OBJ_GET", "BPF_PROG_ATTACH", "BPF_PROG_DETACH", "BPF_PROG_TEST_RUN",
	"BPF_PROG_GET_NEXT_ID", "BPF_MAP_GET_NEXT_ID", "BPF_PROG_GET_FD_BY_ID",
	"BPF_MAP_GET_FD_BY_ID", "BPF_OBJ_GET_INFO_BY_FD", "BPF_PROG_QUERY",
	"BPF_RAW_TRACEPOINT_OPEN", "BPF_BTF_LOAD", "BPF_BTF_GET_FD_BY_ID", "BPF_TASK_FD_QUERY",
	"BPF_MAP_LOOKUP_AND_DELETE_ELEM", "BPF_MAP_FREEZE", "BPF_BTF_GET_NEXT_ID",
	"BPF_MAP_LOOKUP_BATCH", "BPF_MAP_LOOKUP_AND_DELETE_BATCH", "BPF_MAP_UPDATE_BATCH",
	"BPF_MAP_DELETE_BATCH", "BPF_LINK_CREATE", "BPF_LINK_UPDATE", "BPF_LINK_GET_FD_BY_ID",
	"BPF_LINK_GET_NEXT_ID", "BPF_ENABLE_STATS", "BPF_ITER_CREATE", "BPF_LINK_DETACH",
	"BPF_PROG_BIND_MAP", "BPF_TOKEN_CREATE"};

static const char *const perf_types[] = {"PERF_TYPE_HARDWARE", "PERF_TYPE_SOFTWARE",
	"PERF_TYPE_TRACEPOINT", "PERF_TYPE_HW_CACHE", "PERF_TYPE_RAW", "PERF_TYPE_BREAKPOINT",
	"PERF_TYPE_MAX"};

static const char *const signals[] = {NULL, "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP",
	"SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE",
	"SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
	"SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",
	"SIGPWR", "SIGSYS"};

static const struct {
	const char *const *names;
	size_t n;
} tables[] = {
#define X(name, table) {table, sizeof(table) / sizeof(table[0])},
	POLB_NAME_TABLES(X)
#undef X
};

const char *polb_name_known(enum polb_name_table table, uint32_t number)
{
	return number < tables[table].n ? tables[table].names[number] : NULL;
}

const char *polb_name(enum polb_name_table table, uint32_t number, char scratch[POLB_NAME_TEXT])
{
	const char *name = polb_name_known(table, number);

	if (name)
		return name;
	snprintf(scratch, POLB_NAME_TEXT, "%u", number);
	return scratch;
}
