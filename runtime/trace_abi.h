/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the tracing programs, the compiler and the loader share: argument types, actions, the record
 * of a process, events. Rules as in abi.h: only <linux/types.h>, fixed widths, explicit padding.
 */
#ifndef POLB_TRACE_ABI_H
#define POLB_TRACE_ABI_H

#include <linux/types.h>

/*
 * Argument types (reference 1.3). X(NAME, "name as written", CLASS, width in bytes, signed).
 * CLASS says what operators apply and how the payload of an event looks (below).
 */
#define POLB_TRACE_TYPES(X)                                                                        \
	X(INT, "int", INT, 4, 1)                                                                   \
	X(INT8, "int8", INT, 1, 1)                                                                 \
	X(INT16, "int16", INT, 2, 1)                                                               \
	X(INT32, "int32", INT, 4, 1)                                                               \
	X(INT64, "int64", INT, 8, 1)                                                               \
	X(SINT8, "sint8", INT, 1, 1)                                                               \
	X(SINT16, "sint16", INT, 2, 1)                                                             \
	X(SINT32, "sint32", INT, 4, 1)                                                             \
	X(SINT64, "sint64", INT, 8, 1)                                                             \
	X(LONG, "long", INT, 8, 1)                                                                 \
	X(UINT8, "uint8", INT, 1, 0)                                                               \
	X(UINT16, "uint16", INT, 2, 0)                                                             \
	X(UINT32, "uint32", INT, 4, 0)                                                             \
	X(UINT64, "uint64", INT, 8, 0)                                                             \
	X(ULONG, "ulong", INT, 8, 0)                                                               \
	X(UNSIGNED_LONG, "unsigned long", INT, 8, 0)                                               \
	X(SIZE_T, "size_t", INT, 8, 0)                                                             \
	X(BPF_CMD, "bpf_cmd", INT, 4, 1)                                                           \
	X(SYSCALL64, "syscall64", INT, 8, 0)                                                       \
	X(STRING, "string", STRING, 0, 0)                                                          \
	X(CHAR_BUF, "char_buf", BYTES, 0, 0)                                                       \
	X(CHAR_IOVEC, "char_iovec", BYTES, 0, 0)                                                   \
	X(CONST_BUF, "const_buf", BYTES, 0, 0)                                                     \
	X(IOV_ITER, "iov_iter", BYTES, 0, 0)                                                       \
	X(DATA_LOC, "data_loc", STRING, 0, 0)                                                      \
	X(FILENAME, "filename", STRING, 0, 0)                                                      \
	X(NET_DEVICE, "net_device", STRING, 0, 0)                                                  \
	X(FD, "fd", PATH, 0, 0)                                                                    \
	X(FILE, "file", PATH, 0, 0)                                                                \
	X(PATH, "path", PATH, 0, 0)                                                                \
	X(DENTRY, "dentry", PATH, 0, 0)                                                            \
	X(LINUX_BINPRM, "linux_binprm", PATH, 0, 0)                                                \
	X(KIOCB, "kiocb", PATH, 0, 0)                                                              \
	X(SOCK, "sock", NET, 0, 0)                                                                 \
	X(SOCKET, "socket", NET, 0, 0)                                                             \
	X(SKB, "skb", NET, 0, 0)                                                                   \
	X(SOCKADDR, "sockaddr", NET, 0, 0)                                                         \
	X(SOCKADDR_UN, "sockaddr_un", UNIX, 0, 0)                                                  \
	X(CRED, "cred", RECORD, 0, 0)                                                              \
	X(CAPABILITY, "capability", INT, 4, 1)                                                     \
	X(USER_NAMESPACE, "user_namespace", RECORD, 0, 0)                                          \
	X(BPF_ATTR, "bpf_attr", RECORD, 0, 0)                                                      \
	X(BPF_PROG, "bpf_prog", RECORD, 0, 0)                                                      \
	X(BPF_MAP, "bpf_map", RECORD, 0, 0)                                                        \
	X(PERF_EVENT, "perf_event", RECORD, 0, 0)                                                  \
	X(MODULE, "module", RECORD, 0, 0)                                                          \
	X(LOAD_INFO, "load_info", RECORD, 0, 0)                                                    \
	X(KERNEL_CAP_T, "kernel_cap_t", CAPS, 8, 0)                                                \
	X(CAP_INHERITABLE, "cap_inheritable", CAPS, 8, 0)                                          \
	X(CAP_PERMITTED, "cap_permitted", CAPS, 8, 0)                                              \
	X(CAP_EFFECTIVE, "cap_effective", CAPS, 8, 0)                                              \
	X(NOP, "nop", NOTHING, 0, 0)                                                               \
	X(AUTO, "auto", NOTHING, 0, 0) /* never in an event: resolved by the compiler */

enum polb_trace_type {
#define X(name, text, class, width, is_signed) POLB_TYPE_##name,
	POLB_TRACE_TYPES(X)
#undef X
		POLB_N_TRACE_TYPES
};
enum polb_trace_class {
	POLB_CLASS_NOTHING,
	POLB_CLASS_INT,
	POLB_CLASS_CAPS,
	POLB_CLASS_STRING,
	POLB_CLASS_BYTES,
	POLB_CLASS_PATH,
	POLB_CLASS_NET,
	POLB_CLASS_UNIX,
	POLB_CLASS_RECORD,
};

/* Actions (reference 1.6); bits of masks below are 1 << value. */
#define POLB_TRACE_ACTIONS(X)                                                                      \
	X(POST, "Post")                                                                            \
	X(NO_POST, "NoPost")                                                                       \
	X(SIGKILL, "Sigkill")                                                                      \
	X(SIGNAL, "Signal")                                                                        \
	X(OVERRIDE, "Override")                                                                    \
	X(TRACK_SOCK, "TrackSock")                                                                 \
	X(UNTRACK_SOCK, "UntrackSock")                                                             \
	X(NOTIFY_ENFORCER, "NotifyEnforcer")                                                       \
	X(CLEANUP_ENFORCER, "CleanupEnforcerNotification")                                         \
	X(SET, "Set")                                                                              \
	X(GET_URL, "GetUrl")                                                                       \
	X(DNS_LOOKUP, "DnsLookup")
enum polb_trace_action {
#define X(name, text) POLB_ACTION_##name,
	POLB_TRACE_ACTIONS(X)
#undef X
		POLB_N_TRACE_ACTIONS
};

/* Namespaces, in this order everywhere. */
#define POLB_NAMESPACES(X)                                                                         \
	X(UTS, "Uts")                                                                              \
	X(IPC, "Ipc")                                                                              \
	X(MNT, "Mnt")                                                                              \
	X(PID, "Pid")                                                                              \
	X(PID_FOR_CHILDREN, "PidForChildren")                                                      \
	X(NET, "Net")                                                                              \
	X(TIME, "Time")                                                                            \
	X(TIME_FOR_CHILDREN, "TimeForChildren")                                                    \
	X(CGROUP, "Cgroup")                                                                        \
	X(USER, "User")
enum polb_namespace {
#define X(name, text) POLB_NS_##name,
	POLB_NAMESPACES(X)
#undef X
		POLB_N_NAMESPACES
};

enum { POLB_CAPS_PERMITTED, POLB_CAPS_EFFECTIVE, POLB_CAPS_INHERITABLE, POLB_N_CAPS };

struct polb_credentials {
	__u32 uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
	__u32 securebits;
	__u32 pad;
	__u64 caps[POLB_N_CAPS];
};

/*
 * Value of polt_processes: a thread group, key its tgid (initial pid namespace). Written by the
 * tracking programs (exec, fork, exit) and, for those that exist already, by polload at apply.
 * exec_id: bpf_ktime_get_boot_ns() at its exec (for one without exec: its start): with the pid, the
 * identity of one program run. Behind it come four bit vectors of POLT_BINARY_WORDS u64 each:
 *   own           binary filters that this image's path satisfies
 *   lineage       own of every earlier image of this process and of its ancestors, not its own
 *   parent        own of the parent's image at the time of this exec
 *   parent_lineage  lineage of that parent
 */
struct polb_process {
	__u64 exec_id;
	__u64 parent_exec_id;
	__u32 pid; /* tgid, initial namespace */
	__u32 parent_pid;
	__u32 ns_pid; /* innermost pid namespace; 0 on the host's */
	__u32 auid;
	__u32 flags; /* POLB_PROCESS_* */
	__u32 parent_ns_pid;
	__u64 cgroup;                        /* id at exec */
	__u64 caps[POLB_N_CAPS];             /* at exec */
	__u32 namespaces[POLB_N_NAMESPACES]; /* inums at exec, refreshed by NamespaceChanges */
};
enum {
	POLB_PROCESS_EXEC = 1,    /* seen at exec */
	POLB_PROCESS_CLONE = 2,   /* seen at fork, no exec of its own yet */
	POLB_PROCESS_PROCFS = 4,  /* existed at apply */
	POLB_PROCESS_NO_PATH = 8, /* binary's path could not be read: matches nothing */
};

#define POLB_PATH_BYTES 4096 /* path buffers; longer paths lose their front (reference T31) */
#define POLB_EXEC_BINARY 1024
#define POLB_EXEC_ARGUMENTS 2048
#define POLB_EXEC_CWD 1024
#define POLB_EXEC_TEXT (2 * POLB_EXEC_BINARY + POLB_EXEC_ARGUMENTS + POLB_EXEC_CWD)

/*
 * What a reader needs to describe a process: value of polt_execs (key tgid) and payload of EXEC
 * events. Four texts lie one behind the other, without NUL between them or at their ends, in
 * this order, each at most as long as the macro above says:
 *   binary     mm->exe_file: what matchBinaries compares; its end when longer
 *   arguments  NUL-separated, without argv[0]
 *   cwd
 *   invoked    bprm->filename as passed to execve
 * An EXEC event is cut behind the last text: a record of the ring is offsetof(struct
 * polb_event_exec, exec.text) + polb_exec_text_size() bytes. Values of polt_execs are whole; what
 * is behind the texts has no meaning.
 */
struct polb_exec {
	__u64 exec_id, parent_exec_id;
	__u32 pid, parent_pid, ns_pid, auid;
	__u32 flags; /* POLB_PROCESS_*, POLB_EXEC_* */
	__u32 tid;
	__u64 cgroup;
	__u32 namespaces[POLB_N_NAMESPACES];
	struct polb_credentials credentials;
	__u32 secureexec; /* POLB_SECURE_*: what raised privileges at this exec */
	__u16 binary_size, arguments_size, cwd_size, invoked_size;
	__u32 pad;
	char text[POLB_EXEC_TEXT];
};
enum {
	POLB_EXEC_ARGUMENTS_CUT = 1 << 8,
	POLB_EXEC_CWD_ERROR = 1 << 9,
	POLB_EXEC_ROOT_CWD = 1 << 10,
	POLB_EXEC_UNLINKED = 1 << 11, /* the binary has no link any more */
};
enum { POLB_SECURE_SETUID = 1, POLB_SECURE_SETGID = 2, POLB_SECURE_FILE_CAPS = 4 };

static inline __u32 polb_exec_text_size(const struct polb_exec *exec)
{
	return (__u32)exec->binary_size + exec->arguments_size + exec->cwd_size +
	       exec->invoked_size;
}

/*
 * String tables (bpf-templates/tracing/strings.h). polt_strings: struct polb_string_key -> struct
 * polb_string_value; polt_string_pieces: array of the texts in pieces of POLB_STRING_PIECE bytes,
 * each text from a new piece on, zero-padded; polt_prefixes, polt_postfixes: longest-prefix maps,
 * key as below -> u64 bits of the sets of this prefix and of all shorter ones; polt_automata: one
 * value, the words of struct polc_string_tables.automata.
 */
#define POLB_STRING_PIECE 32
#define POLB_PREFIX_BYTES 252
#define POLB_POSTFIX_BYTES 124
struct polb_string_key {
	__u32 domain;
	__u32 size;
	__u64 hash; /* polb_string_hash_piece() over its pieces, from polt_string_seed on */
};
struct polb_string_value {
	__u64 bits;
	__u32 piece; /* index in polt_string_pieces */
	__u32 pad;
};
/*
 * A seed is chosen at compile time; who knows it can make texts collide, which costs nothing: a hit
 * is compared byte for byte.
 */
static inline __attribute__((always_inline)) __u64 polb_string_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 32;
}

static inline __attribute__((always_inline)) __u64 polb_string_hash_piece(
	__u64 hash, const __u64 *piece)
{
	hash = polb_string_mix(hash, piece[0]);
	hash = polb_string_mix(hash, piece[1]);
	hash = polb_string_mix(hash, piece[2]);
	return polb_string_mix(hash, piece[3]);
}

struct polb_prefix_key {
	__u32 bits; /* 32 for the domain, 8 for each byte */
	__u32 domain;
	__u8 text[POLB_PREFIX_BYTES];
};
struct polb_postfix_key {
	__u32 bits;
	__u32 domain;
	__u8 text[POLB_POSTFIX_BYTES]; /* reversed */
};

/* One-entry array polt_trace_config of a generation, written by the loader. */
struct polb_trace_config {
	__u32 host_namespaces[POLB_N_NAMESPACES]; /* of pid 1 */
	__u32 self_tgid; /* polload's reader: 0 none; its own calls make no events */
	__u32 pad;
	/*
	 * Until then (bpf_ktime_get_boot_ns) this generation acts although it is not in force.
	 * Programs on one hook run one after the other, the newest first: a call that has passed
	 * the new program when the cell is written, and reaches the old one behind it, would be
	 * seen by neither. polload sets it in the old generation just before the cutover and then
	 * detaches it, so that only calls under way are concerned; it ends by itself.
	 */
	__u64 overlap_until_ns;
};

/*
 * Value of polt_policies (array by policy number), written by the loader; `polload mode` changes
 * mode in place. Rate: a token bucket per CPU; 0 is unlimited.
 */
enum polb_policy_mode { POLB_MODE_ENFORCE = 0, POLB_MODE_MONITOR = 1, POLB_MODE_MONITOR_ONLY = 2 };
struct polb_trace_policy_state {
	__u32 mode; /* enum polb_policy_mode */
	__u32 events_per_second;
	__u32 burst;
	__u32 sample; /* over the limit: 0 drop, n > 0 keep one of n */
};

/* Value of polt_trace_counters (per-CPU array by selector number). */
struct polb_trace_counter {
	__u64 matched;
	__u64 posted;
	__u64 rate_limited; /* by rateLimit of the action */
	__u64 over_limit;   /* by the policy's event rate */
	__u64 lost;         /* no room in the ring buffer */
	__u64 signalled;    /* Sigkill and Signal */
	__u64 overridden;   /* Override, and NotifyEnforcer that was recorded */
	__u64 monitored;    /* an enforcement action held back by monitor mode */
	__u64 failed;       /* an action that the kernel refused */
	__u64 unreadable;   /* an argument could not be read while the selector was tested */
};

/*
 * USDT probes: value of polt_usdt (hash), written by the loader from the probe's note. A probe can
 * sit in several places with its arguments elsewhere in each: location is the attach cookie of the
 * place (bpf_get_attach_cookie, 5.15), 0 before: then all places must be alike.
 */
#define POLB_USDT_ARGUMENTS 12
struct polb_usdt_key {
	__u32 probe, location;
};
enum polb_usdt_kind {
	POLB_USDT_CONSTANT,
	POLB_USDT_REGISTER,
	POLB_USDT_MEMORY,  /* at register + constant */
	POLB_USDT_INDEXED, /* at register + (index << shift) + constant */
};
struct polb_usdt_argument {
	__s64 constant;
	__u8 kind; /* enum polb_usdt_kind */
	__u8 size; /* bytes: 1, 2, 4, 8 */
	__u8 is_signed;
	__u8 shift;
	__u16 register_offset, index_offset; /* in struct pt_regs */
};
struct polb_usdt {
	__u32 n_arguments;
	__u32 pad;
	struct polb_usdt_argument arguments[POLB_USDT_ARGUMENTS];
};

/* --- events ------------------------------------------------------------------------------------
 */

/* Continues enum polb_event_type (abi.h): the first byte of every record of polt_events. */
enum {
	POLB_EVENT_EXEC = 16,   /* struct polb_event_exec */
	POLB_EVENT_EXIT = 17,   /* struct polb_event_exit */
	POLB_EVENT_CALL = 18,   /* struct polb_event_call, then arguments */
	POLB_EVENT_DATA = 19,   /* struct polb_event_data: a further piece of a long argument */
	POLB_EVENT_LOADER = 20, /* struct polb_event_call with one FILE argument */
};

struct polb_event_exec {
	__u8 type;
	__u8 pad[7];
	__u64 time_ns; /* bpf_ktime_get_boot_ns, in all tracing events */
	struct polb_exec exec;
};

struct polb_event_exit {
	__u8 type;
	__u8 pad[3];
	__u32 pid;
	__u64 time_ns;
	__u64 exec_id;
	__u32 tid;
	__u32 code; /* task->exit_code: signal in bits 0-6, status in bits 8-15 */
};

/*
 * A call that matched. `arguments_size` bytes follow: for each argument, data entry and the return
 * value that was captured, a struct polb_event_argument and its payload, padded to 8 bytes; then,
 * when they are not zero, kernel_stack and user_stack u64 addresses.
 */
struct polb_event_call {
	__u8 type;
	__u8 returned;         /* this is (also) the return: a RETURN argument may be present */
	__u8 process_unknown;  /* no record of the process: the fields are the task's own */
	__u8 monitored;        /* enforcement was held back */
	__u32 spec;            /* number of the spec in the bundle */
	__u32 selector;        /* number of the selector in the bundle, ~0: the spec has none */
	__u32 return_selector; /* likewise for matchReturnArgs, ~0: none */
	__u32 generation;
	__u32 function; /* index of the symbol in the spec's list, when one program serves several
			 */
	__u64 time_ns;
	__u64 actions; /* bits of enum polb_trace_action carried out (or held back) at entry */
	__u64 return_actions; /* likewise at return */
	__s32 override_error; /* what Override or NotifyEnforcer asked for */
	__u32 signal;
	__u32 pid, tid; /* of the attributed process (TrackSock may change it) */
	__u64 exec_id;  /* 0: unknown */
	__u64 parent_exec_id;
	__u32 parent_pid, cpu;
	__u32 current_pid, current_tid; /* the task that ran */
	__u64 cgroup;
	struct polb_credentials credentials; /* at event time */
	__u32 namespaces[POLB_N_NAMESPACES]; /* at event time */
	__u32 ns_pid;
	__u32 arguments_size;
	__u16 kernel_stack, user_stack; /* numbers of addresses */
	__u32 pad;
	__u64 instruction; /* uprobes: bpf_get_func_ip or the register; else 0 */
};

/* HASH: imaHash; type POLB_TYPE_NOP, payload struct polb_payload_hash */
enum { POLB_ARGUMENT_ENTRY, POLB_ARGUMENT_DATA, POLB_ARGUMENT_RETURN, POLB_ARGUMENT_HASH };
struct polb_event_argument {
	__u8 place;  /* POLB_ARGUMENT_* */
	__u8 number; /* position in the spec's args or data */
	__u8 type;   /* enum polb_trace_type */
	__u8 error;  /* POLB_ARGUMENT_OK, or why there is no payload */
	__u32 size;  /* of the payload, without padding */
};
enum {
	POLB_ARGUMENT_OK,
	POLB_ARGUMENT_FAULT,   /* memory could not be read */
	POLB_ARGUMENT_RESOLVE, /* a pointer on the resolve path could not be followed */
	POLB_ARGUMENT_ABSENT,  /* NULL, closed fd, no file */
	POLB_ARGUMENT_ROOM,    /* no room in the event */
};

/*
 * Payloads, by class of the type:
 *   INT     __s64, sign- or zero-extended from the type's width
 *   CAPS    __u64
 *   STRING  the bytes, no NUL
 *   BYTES   struct polb_payload_bytes, then the bytes; more of it may follow in DATA events
 *   PATH    struct polb_payload_path, then the path (no NUL)
 *   NET     struct polb_payload_net
 *   UNIX    one byte 0 (path) or 1 (abstract), then the bytes
 *   RECORD  the struct of the type below
 */
struct polb_payload_bytes {
	__u64 size; /* of the original */
	/* not 0: DATA events with this id carry what comes behind `size in payload`, until one is
	 * the last; they come behind the event, or before one that is sent at the return */
	__u64 id;
};
struct polb_payload_path {
	__u32 mode;  /* inode mode, 0 unknown */
	__u32 flags; /* POLB_PATH_* */
	__s32 fd;    /* for type fd */
	__u32 pad;
};
enum {
	POLB_PATH_UNRESOLVED_MOUNTS = 1,
	POLB_PATH_UNRESOLVED_COMPONENTS = 2, /* cut at the front: too long, too deep */
	POLB_PATH_UNLINKED = 4,              /* " (deleted)" was appended */
};
struct polb_payload_net {
	__u16 family; /* AF_*, 0 unknown */
	__u8 protocol;
	__u8 state; /* TCP state, 0 unknown */
	__u16 type; /* SOCK_* */
	__u16 pad;
	__u32 source[4]; /* network order; IPv4 in the first word */
	__u32 destination[4];
	__u16 source_port, destination_port; /* host order */
	__u32 mark, priority;
	__u32 length, hash; /* skb */
	__u32 secpath_len, secpath_olen;
	__u64 cookie; /* sock: its address */
};
/* A file's hash as the kernel's integrity subsystem makes it; digest as long as the algorithm says.
 */
#define POLB_HASH_BYTES 64
struct polb_payload_hash {
	__u32 algorithm; /* enum hash_algo of the kernel */
	__u32 pad;
	__u8 digest[POLB_HASH_BYTES];
};
struct polb_payload_cred {
	struct polb_credentials credentials;
	__u32 user_ns_level, user_ns_uid, user_ns_gid, user_ns_inum;
};
struct polb_payload_user_namespace {
	__u32 level, uid, gid, inum;
};
struct polb_payload_bpf_attr {
	__u32 program_type, instructions;
	char name[16];
};
struct polb_payload_bpf_prog {
	__u32 program_type, instructions;
	char name[16];
};
struct polb_payload_bpf_map {
	__u32 map_type, key_size, value_size, max_entries;
	char name[16];
};
struct polb_payload_perf_event {
	char function[64];
	__u64 config, probe_offset;
	__u32 type, pad;
};
struct polb_payload_module {
	char name[64];
	__u64 taints;
	__u32 signature_ok; /* 0, 1; 2: unknown on this kernel */
	__u32 pad;
};
struct polb_payload_load_info {
	char name[64];
	__u64 taints;
	__u32 signature_ok, pad;
};

struct polb_event_data {
	__u8 type;
	__u8 last;
	__u8 pad[2];
	__u32 size;
	__u64 id;
	/* size bytes */
};

/* --- described calls -----------------------------------------------------------------------------
 */

/*
 * The front of the only value of polt_described, in the programs that polc runs on calls that
 * somebody describes (bpf-templates/tracing/described.h); memory for the kernel's structures
 * follows.
 */
struct polb_described {
	__u64 where;  /* kernel address of this structure */
	__u64 task;   /* of the struct task_struct that is current */
	__u64 thread; /* tgid << 32 | tid */
	__u64 cgroup;
	__u64 signals; /* that were sent: bit n & 63 of signal n */
};
#define POLB_DESCRIBED_BYTES (256 * 1024)
/* Words of the context: arguments from 0 on; the address of struct pt_regs; the result. */
enum { POLB_DESCRIBED_REGISTERS = 10, POLB_DESCRIBED_RESULT = 11, POLB_DESCRIBED_WORDS = 12 };

#endif
