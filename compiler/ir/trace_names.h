/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Words that stand for numbers in the values of filters. X(name without prefix, number); the
 * numbers are the kernel's and never change. Only for trace_values.c and tracing_print.c.
 */
#ifndef POLC_TRACE_NAMES_H
#define POLC_TRACE_NAMES_H

#define POLC_CAPABILITIES(X)                                                                       \
	X(CHOWN, 0)                                                                                \
	X(DAC_OVERRIDE, 1)                                                                         \
	X(DAC_READ_SEARCH, 2)                                                                      \
	X(FOWNER, 3)                                                                               \
	X(FSETID, 4)                                                                               \
	X(KILL, 5)                                                                                 \
	X(SETGID, 6)                                                                               \
	X(SETUID, 7)                                                                               \
	X(SETPCAP, 8)                                                                              \
	X(LINUX_IMMUTABLE, 9)                                                                      \
	X(NET_BIND_SERVICE, 10)                                                                    \
	X(NET_BROADCAST, 11)                                                                       \
	X(NET_ADMIN, 12)                                                                           \
	X(NET_RAW, 13)                                                                             \
	X(IPC_LOCK, 14)                                                                            \
	X(IPC_OWNER, 15)                                                                           \
	X(SYS_MODULE, 16)                                                                          \
	X(SYS_RAWIO, 17)                                                                           \
	X(SYS_CHROOT, 18)                                                                          \
	X(SYS_PTRACE, 19)                                                                          \
	X(SYS_PACCT, 20)                                                                           \
	X(SYS_ADMIN, 21)                                                                           \
	X(SYS_BOOT, 22)                                                                            \
	X(SYS_NICE, 23)                                                                            \
	X(SYS_RESOURCE, 24)                                                                        \
	X(SYS_TIME, 25)                                                                            \
	X(SYS_TTY_CONFIG, 26)                                                                      \
	X(MKNOD, 27)                                                                               \
	X(LEASE, 28)                                                                               \
	X(AUDIT_WRITE, 29)                                                                         \
	X(AUDIT_CONTROL, 30)                                                                       \
	X(SETFCAP, 31)                                                                             \
	X(MAC_OVERRIDE, 32)                                                                        \
	X(MAC_ADMIN, 33)                                                                           \
	X(SYSLOG, 34)                                                                              \
	X(WAKE_ALARM, 35)                                                                          \
	X(BLOCK_SUSPEND, 36)                                                                       \
	X(AUDIT_READ, 37)                                                                          \
	X(PERFMON, 38)                                                                             \
	X(BPF, 39)                                                                                 \
	X(CHECKPOINT_RESTORE, 40)

#define POLC_FAMILIES(X)                                                                           \
	X(UNSPEC, 0)                                                                               \
	X(UNIX, 1)                                                                                 \
	X(LOCAL, 1)                                                                                \
	X(INET, 2)                                                                                 \
	X(AX25, 3)                                                                                 \
	X(IPX, 4)                                                                                  \
	X(APPLETALK, 5)                                                                            \
	X(NETROM, 6)                                                                               \
	X(BRIDGE, 7)                                                                               \
	X(ATMPVC, 8)                                                                               \
	X(X25, 9)                                                                                  \
	X(INET6, 10)                                                                               \
	X(ROSE, 11)                                                                                \
	X(DECnet, 12)                                                                              \
	X(NETBEUI, 13)                                                                             \
	X(SECURITY, 14)                                                                            \
	X(KEY, 15)                                                                                 \
	X(NETLINK, 16)                                                                             \
	X(ROUTE, 16)                                                                               \
	X(PACKET, 17)                                                                              \
	X(ASH, 18)                                                                                 \
	X(ECONET, 19)                                                                              \
	X(ATMSVC, 20)                                                                              \
	X(RDS, 21)                                                                                 \
	X(SNA, 22)                                                                                 \
	X(IRDA, 23)                                                                                \
	X(PPPOX, 24)                                                                               \
	X(WANPIPE, 25)                                                                             \
	X(LLC, 26)                                                                                 \
	X(IB, 27)                                                                                  \
	X(MPLS, 28)                                                                                \
	X(CAN, 29)                                                                                 \
	X(TIPC, 30)                                                                                \
	X(BLUETOOTH, 31)                                                                           \
	X(IUCV, 32)                                                                                \
	X(RXRPC, 33)                                                                               \
	X(ISDN, 34)                                                                                \
	X(PHONET, 35)                                                                              \
	X(IEEE802154, 36)                                                                          \
	X(CAIF, 37)                                                                                \
	X(ALG, 38)                                                                                 \
	X(NFC, 39)                                                                                 \
	X(VSOCK, 40)                                                                               \
	X(KCM, 41)                                                                                 \
	X(QIPCRTR, 42)                                                                             \
	X(SMC, 43)                                                                                 \
	X(XDP, 44)                                                                                 \
	X(MCTP, 45)

#define POLC_IP_PROTOCOLS(X)                                                                       \
	X(IP, 0)                                                                                   \
	X(ICMP, 1)                                                                                 \
	X(IGMP, 2)                                                                                 \
	X(IPIP, 4)                                                                                 \
	X(TCP, 6)                                                                                  \
	X(EGP, 8)                                                                                  \
	X(PUP, 12)                                                                                 \
	X(UDP, 17)                                                                                 \
	X(IDP, 22)                                                                                 \
	X(TP, 29)                                                                                  \
	X(DCCP, 33)                                                                                \
	X(IPV6, 41)                                                                                \
	X(RSVP, 46)                                                                                \
	X(GRE, 47)                                                                                 \
	X(ESP, 50)                                                                                 \
	X(AH, 51)                                                                                  \
	X(ICMPV6, 58)                                                                              \
	X(MTP, 92)                                                                                 \
	X(BEETPH, 94)                                                                              \
	X(ENCAP, 98)                                                                               \
	X(PIM, 103)                                                                                \
	X(COMP, 108)                                                                               \
	X(L2TP, 115)                                                                               \
	X(SCTP, 132)                                                                               \
	X(UDPLITE, 136)                                                                            \
	X(MPLS, 137)                                                                               \
	X(ETHERNET, 143)                                                                           \
	X(RAW, 255)                                                                                \
	X(MPTCP, 262)

#define POLC_TCP_STATES(X)                                                                         \
	X(ESTABLISHED, 1)                                                                          \
	X(SYN_SENT, 2)                                                                             \
	X(SYN_RECV, 3)                                                                             \
	X(FIN_WAIT1, 4)                                                                            \
	X(FIN_WAIT2, 5)                                                                            \
	X(TIME_WAIT, 6)                                                                            \
	X(CLOSE, 7)                                                                                \
	X(CLOSE_WAIT, 8)                                                                           \
	X(LAST_ACK, 9)                                                                             \
	X(LISTEN, 10)                                                                              \
	X(CLOSING, 11)                                                                             \
	X(NEW_SYN_RECV, 12)                                                                        \
	X(BOUND_INACTIVE, 13)

/* X(short word, long word, mode & S_IFMT) */
#define POLC_FILE_TYPES(X)                                                                         \
	X("reg", "regular", 0100000)                                                               \
	X("dir", "directory", 0040000)                                                             \
	X("lnk", "symlink", 0120000)                                                               \
	X("blk", "block", 0060000)                                                                 \
	X("chr", "character", 0020000)                                                             \
	X("fifo", "pipe", 0010000)                                                                 \
	X("sock", "socket", 0140000)

/* x86-64: X(64 bits, 32 bits, 16 bits, 8 bits, offset in struct pt_regs) */
#define POLC_REGISTERS(X)                                                                          \
	X("r15", "r15d", "r15w", "r15b", 0)                                                        \
	X("r14", "r14d", "r14w", "r14b", 8)                                                        \
	X("r13", "r13d", "r13w", "r13b", 16)                                                       \
	X("r12", "r12d", "r12w", "r12b", 24)                                                       \
	X("rbp", "ebp", "bp", "bpl", 32)                                                           \
	X("rbx", "ebx", "bx", "bl", 40)                                                            \
	X("r11", "r11d", "r11w", "r11b", 48)                                                       \
	X("r10", "r10d", "r10w", "r10b", 56)                                                       \
	X("r9", "r9d", "r9w", "r9b", 64)                                                           \
	X("r8", "r8d", "r8w", "r8b", 72)                                                           \
	X("rax", "eax", "ax", "al", 80)                                                            \
	X("rcx", "ecx", "cx", "cl", 88)                                                            \
	X("rdx", "edx", "dx", "dl", 96)                                                            \
	X("rsi", "esi", "si", "sil", 104)                                                          \
	X("rdi", "edi", "di", "dil", 112)                                                          \
	X("rip", "eip", "ip", "", 128)                                                             \
	X("rsp", "esp", "sp", "spl", 152)

#endif
