/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bundle: one relocatable ELF object with the programs and maps that clang made, and .polc.*
 * sections made here. Little-endian fixed records, all offsets bounds-checked by the one reader
 * below; text is offsets into .polc.strings (NUL-terminated; offset 0 is ""). A bundle is hostile
 * until it has been read completely.
 */
#ifndef POLB_BUNDLE_H
#define POLB_BUNDLE_H

#include "abi.h"
#include "selector.h"
#include "sign.h"
#include "trace_abi.h"

#define POLB_BUNDLE_MAGIC 0x434c4f50u /* "POLC" */
#define POLB_BUNDLE_VERSION 2

enum { POLB_HOOK_CGROUP = 1, POLB_HOOK_TC = 2, POLB_HOOK_XDP = 4, POLB_HOOK_TRACE = 8 };

/* Endpoints that no policy selects; the numbers of the compiler's enum polc_posture. */
enum polb_posture { POLB_POSTURE_ALLOW, POLB_POSTURE_DENY, POLB_POSTURE_ALWAYS };

struct polb_manifest {
	__u32 magic, version, abi_version;
	__u32 hooks;       /* POLB_HOOK_* present */
	__u32 n_words;     /* u64 words of a full bit vector (POLT_WORDS) */
	__u32 class_words; /* capacity of a sparse class (POLT_CLASS_WORDS) */
	__u32 n_port_classes;
	__u32 n_tables;
	__u32 has_cidr4, has_cidr6;
	__u32 n_rules;      /* user rules; counters hold POLB_RULE_FIRST + n_rules */
	__u32 flow_entries; /* size of the flow table */
	__u32 udp_timeout_s, closing_timeout_s;
	__u32 posture;       /* enum polb_posture */
	__u32 dialect;       /* enum polc_dialect */
	__u32 audit;         /* start in audit mode */
	__u32 polc_version;  /* string */
	__u32 clang_version; /* string */
	__u32 cluster_name;  /* string */
	/* tracing */
	__u32 binary_words;      /* POLT_BINARY_WORDS */
	__u32 workload_words;    /* POLT_WORKLOAD_WORDS */
	__u32 n_trace_selectors; /* counters */
	__u32 string_seed;       /* of the hash in polt_strings */
	__u8 inventory_hash[32]; /* SHA-256 of the canonical inventory, zero without one */
};

struct polb_bundle_prefix {
	__u8 addr[16];
	__u8 family, len;
	__u8 pad[2];
};
struct polb_bundle_requirement {
	__u32 op;                    /* enum polb_operator */
	__u32 source, key;           /* strings */
	__u32 first_value, n_values; /* in .polc.values: u32 string offsets */
};
struct polb_bundle_selector {
	__u32 kinds;
	__u32 first_requirement, n_requirements; /* in .polc.requirements */
	__u32 has_prefix;
	struct polb_bundle_prefix prefix;
	__u32 first_except, n_excepts; /* in .polc.prefixes */
	__u32 port_name;               /* string, 0: none */
	__u16 port_number;
	__u8 port_protocol;
	__u8 pad;
};
struct polb_bundle_rule {
	__u32 policy_kind;                   /* string: "CiliumNetworkPolicy" */
	__u32 policy_namespace, policy_name; /* strings */
	__u32 spec;
	__u32 index;     /* within the policy's spec, from 0 */
	__u32 direction; /* enum polb_direction */
	__u32 action;    /* enum polb_verdict */
	__u32 log;       /* string */
};
/* .polc.source, separate so that it can be left out (polc build --no-source): per rule */
struct polb_bundle_source {
	__u32 file; /* string in .polc.source.strings */
	__u32 line, column;
};
/*
 * The rule of what a switchable policy denies by isolating: no line of it, but an entry behind its
 * lines in .polc.rules, so that counters and events name the policy. index of such a rule:
 */
#define POLB_RULE_INDEX_ISOLATION UINT32_MAX
struct polb_bundle_endpoint {                           /* endpoint number = index + 1 */
	__u32 namespace, name, node, cgroup, interface; /* strings */
	__u32 identity;
	__u32 table[2];
	__u32 flags; /* POLB_ENDPOINT_* */
};
struct polb_bundle_peer { /* sorted by family, address */
	__u8 addr[16];
	__u32 family; /* 4 or 6 */
	__u32 identity;
	__u32 class_id, local_class_id;
	__u32 node; /* string */
};
struct polb_bundle_cidr {
	struct polb_bundle_prefix prefix;
	__u32 identity;
	__u32 class_id;
};
struct polb_bundle_ports {
	__u32 first, last;
	__u32 class_id;
};
/*
 * Which tables an endpoint gets that the compiler did not know (subjects.h). A subject is whom some
 * policies govern: alternatives of selectors, and the named ports of their ingress rules. A
 * combination is a set of subjects that an endpoint may satisfy and the table that it then has in
 * one direction; where the table depends on the endpoint's named ports, those are part of it.
 */
struct polb_bundle_named_port {
	__u32 name; /* string */
	__u16 port; /* of a subject: 0 */
	__u8 protocol;
	__u8 pad;
};
struct polb_bundle_subject {
	__u32 first_selector, n_selectors; /* in .polc.subjects.selectors */
	__u32 first_port, n_ports;         /* in .polc.subjects.ports */
	__u32 directions;                  /* bit 1 << enum polb_direction: has policies for it */
};
enum { POLB_COMBINATION_OTHER = 2 }; /* direction of the last one: denies whatever is not listed */
struct polb_bundle_combination {     /* sorted, each once: see polb_combination_compare */
	__u32 direction;             /* enum polb_direction, or OTHER */
	__u32 first_subject, n_subjects; /* in .polc.combinations.subjects: numbers, ascending */
	__u32 first_port, n_ports;       /* in .polc.combinations.ports: by name, protocol, port */
	__u32 table;
};
/* Labels of identities, so that the node can add addresses to known ones and name peers. */
struct polb_bundle_identity {
	__u32 number;
	__u32 kinds;
	__u32 first_label, n_labels; /* in .polc.labels: {source, key, value} strings */
};
struct polb_bundle_label {
	__u32 source, key, value;
};

/*
 * Network policies whose mode can be switched while the bundle is in force. A table that such
 * policies have a part in has a variant record; endpoints name the table, which the data path
 * resolves by polt_tables.
 */
enum { POLB_MAX_SWITCHABLE_OF_TABLE = 4 };
struct polb_bundle_switchable {             /* number = index */
	__u32 policy_kind, namespace, name; /* strings */
	__u32 audit;                        /* mode at start: 0 enforce, 1 audit */
};
struct polb_bundle_variant { /* sorted by table */
	__u32 table;         /* as endpoints have it */
	__u32 first_policy,
		n_policies; /* in .polc.variants.numbers: switchable policies, ascending */
	/* in .polc.variants.numbers: 2^n_policies tables; bit i of the position: policy i is
	 * enforced */
	__u32 first_table;
};

/* --- tracing -----------------------------------------------------------------------------------
 */

/* How a program is attached. X(NAME, "name") */
#define POLB_MECHANISMS(X)                                                                         \
	X(FENTRY, "fentry")                                                                        \
	X(FEXIT, "fexit")                                                                          \
	X(FMOD_RET, "fmod_ret")                                                                    \
	X(LSM, "lsm")                                                                              \
	X(LSM_SLEEPABLE, "lsm.s")                                                                  \
	X(KPROBE, "kprobe")                                                                        \
	X(KRETPROBE, "kretprobe")                                                                  \
	X(TRACEPOINT, "tracepoint")                                                                \
	X(RAW_TRACEPOINT, "raw_tp")                                                                \
	X(TP_BTF, "tp_btf")                                                                        \
	X(UPROBE, "uprobe")                                                                        \
	X(URETPROBE, "uretprobe")                                                                  \
	X(USDT, "usdt")
enum polb_mechanism {
#define X(name, text) POLB_MECHANISM_##name,
	POLB_MECHANISMS(X)
#undef X
		POLB_N_MECHANISMS
};

struct polb_bundle_trace_policy {    /* policy number = index */
	__u32 name, namespace, kind; /* strings */
	__u32 mode;                  /* enum polb_policy_mode at start */
	__u32 events_per_second, burst, sample;
	__u32 enforces;   /* has an enforcement action: its mode can be switched */
	__u32 file, line; /* file: string in .polc.source.strings; 0, 0 without source */
};
struct polb_bundle_trace_spec { /* spec number = index */
	__u32 policy;
	__u32 section; /* enum polc_trace_section's value: kprobes 0, fentries, ... */
	__u32 first_symbol, n_symbols; /* in .polc.trace.symbols */
	__u32 first_value, n_values;   /* args, data, return: in .polc.trace.values */
	__u32 first_selector, n_selectors;
	__u32 message;              /* string */
	__u32 first_tag, n_tags;    /* in .polc.values: string offsets */
	__u32 path, provider, name; /* strings: uprobes, USDT */
	__u32 raw;
	__u32 line;
};
struct polb_bundle_trace_symbol {
	__u32 name; /* string, as Tetragon reports it: "__x64_sys_openat", "raw_syscalls/sys_enter"
		     */
};
struct polb_bundle_trace_value {
	__u32 place, number; /* POLB_ARGUMENT_*, position */
	__u32 index;         /* as written */
	__u32 type;          /* enum polb_trace_type */
	__u32 label;         /* string */
	__u32 resolve;       /* string */
};
struct polb_bundle_trace_selector { /* number = index */
	__u32 spec, position;       /* within its spec */
	__u32 label;                /* string */
	__u32 line;
	__u64 actions, return_actions;
	__u32 url, fqdn; /* strings: GetUrl, DnsLookup */
};
/*
 * What must hold for a selector to match, besides being at its hook: for `polload explain --pid`.
 * The programs do not read this. selector ~0: of the whole spec (its policy's workloads).
 */
enum polb_condition_kind {
	POLB_CONDITION_BINARY = 1, /* bit of a process's vector */
	POLB_CONDITION_WORKLOAD,   /* bit of a cgroup's */
	POLB_CONDITION_OTHER,      /* text: "matchArgs" */
};
enum {
	POLB_CONDITION_NEGATED = 1,
	POLB_CONDITION_PARENT = 2,
	POLB_CONDITION_FOLLOWS = 4, /* lineage, too */
	POLB_CONDITION_HOST = 8,    /* WORKLOAD: processes of no workload satisfy it */
};
struct polb_bundle_trace_condition {
	__u32 spec, selector;
	__u32 kind, flags;
	__u32 word, bit;
	__u32 text; /* string */
};
/*
 * A hook is what must be attached for the policies to hold. Its alternatives are in order of
 * preference: the loader takes the first one that this kernel can do, and refuses the bundle when
 * there is none (but for `optional` hooks whose symbol does not exist).
 */
struct polb_bundle_trace_hook {
	__u32 text; /* string for people: "kprobe security_file_permission" */
	__u32 first_alternative, n_alternatives;
	__u32 flags; /* POLB_TRACE_* */
};
enum {
	POLB_TRACE_OPTIONAL = 1, /* ignore.callNotFound */
	POLB_TRACE_TRACKING = 2, /* process tracking: attached first, works before the cutover */
	POLB_TRACE_ENFORCES = 4,
	POLB_TRACE_OPTIONAL_DIGEST = 8, /* ignore.digestVerificationFailure */
	POLB_TRACE_BY_PATTERN = 16,     /* a list by pattern: of functions that can be traced */
};
struct polb_bundle_trace_alternative {
	__u32 first_program, n_programs;
	__u32 reason; /* string: why this one, "one program sees arguments and result" */
};
struct polb_bundle_trace_program {
	__u32 name;      /* string: function in the object */
	__u32 mechanism; /* enum polb_mechanism */
	__u32 target;    /* string: kernel symbol, LSM hook, "subsystem/event", event, file path */
	__u32 symbol;    /* string: uprobe symbol ("name" or "name+0x10"), USDT "provider:name" */
	__u64 offset;    /* uprobe without symbol: file offset, or address with IS_ADDRESS */
	__u64 ref_ctr_offset;
	__u32 n_arguments; /* parameters that it reads: fentry needs as many in BTF */
	__u32 flags;       /* POLB_PROGRAM_* */
	__u32 same_as;     /* string: attach only if BTF gives this function the same parameters */
	__u32 first_digest, n_digests; /* in .polc.values: strings "sha256:hex" */
	__u32 usdt;                    /* number of the probe in polt_usdt */
};
enum {
	POLB_PROGRAM_IS_ADDRESS = 1, /* offset is a virtual address of the file */
	/* kprobe that calls bpf_override_return; uprobe that writes registers (rodata variable
	 * polt_registers_writable, 6.18) */
	POLB_PROGRAM_OVERRIDES = 2,
	POLB_PROGRAM_SLEEPABLE = 4,
	/* reads the result behind the arguments: the function has n_arguments parameters, not more
	 */
	POLB_PROGRAM_EXACT_ARGUMENTS = 8,
};
struct polb_bundle_trace_string { /* strings.h of the templates; bits of sets by domain */
	__u32 domain;
	__u32 op; /* enum polc_string_op: equal 0, prefix 1, postfix 2; substrings are automata */
	__u32 offset, size; /* in .polc.trace.bytes */
	__u64 bits;
};
struct polb_bundle_trace_interval {
	__u64 lo, hi;
};
struct polb_bundle_trace_net {
	__u32 set;
	struct polb_bundle_prefix prefix;
};
/* A cgroup of the inventory: what its processes are. */
struct polb_bundle_trace_cgroup {
	__u32 cgroup;                           /* string: path below the cgroup2 mount, or */
	__u32 container_id;                     /* string: part of a cgroup's name */
	__u32 namespace, pod, container, image; /* strings */
	__u32 first_word; /* workload bits: workload_words entries of .polc.trace.words */
	__u32 first_label, n_labels; /* in .polc.labels */
};
/* A selector of workloads (workload.h): sources of requirements are not looked at. */
enum { POLB_WORKLOAD_PODS = 1, POLB_WORKLOAD_CONTAINERS = 2, POLB_WORKLOAD_HOST = 4 };
struct polb_bundle_trace_workload { /* bit of a cgroup's words = index */
	__u32 namespace;            /* string: only pods of it; 0: any */
	__u32 flags;                /* POLB_WORKLOAD_*: which selectors there are */
	__u32 first_pod, n_pods;    /* in .polc.requirements */
	__u32 first_container, n_containers;
};

/* What a kernel's verifier took for a program that it accepted (polc build --verify). */
struct polb_bundle_verified {
	__u32 kernel, program; /* strings: release, function in the object */
	__u32 instructions, total_states, peak_states;
	__u32 stack_bytes; /* of the deepest chain of calls; 0: not known */
};

/*
 * X(field, section name, record type); the manifest is section ".polc.manifest". ".polc.policy" is
 * the policies themselves as canonical YAML (for `polc diff`; nothing on the node reads it), absent
 * with --no-source and when the YAML cannot say everything (--unsupported=deny).
 */
#define POLB_BUNDLE_TABLES(X)                                                                      \
	POLB_BUNDLE_NETWORK_TABLES(X)                                                              \
	POLB_BUNDLE_SUBJECT_TABLES(X)                                                              \
	POLB_BUNDLE_MODE_TABLES(X)                                                                 \
	POLB_BUNDLE_TRACE_TABLES(X)                                                                \
	X(verified, ".polc.verified", struct polb_bundle_verified)
#define POLB_BUNDLE_NETWORK_TABLES(X)                                                              \
	X(selectors, ".polc.selectors", struct polb_bundle_selector)                               \
	X(requirements, ".polc.requirements", struct polb_bundle_requirement)                      \
	X(values, ".polc.values", __u32)                                                           \
	X(prefixes, ".polc.prefixes", struct polb_bundle_prefix)                                   \
	X(rules, ".polc.rules", struct polb_bundle_rule)                                           \
	X(sources, ".polc.source", struct polb_bundle_source)                                      \
	X(endpoints, ".polc.endpoints", struct polb_bundle_endpoint)                               \
	X(peers, ".polc.peers", struct polb_bundle_peer)                                           \
	X(cidrs, ".polc.cidrs", struct polb_bundle_cidr)                                           \
	X(ports, ".polc.ports", struct polb_bundle_ports)                                          \
	X(rows, ".polc.rows", struct polb_row)                                                     \
	X(rows_index, ".polc.index", __u32)                                                        \
	X(step_words, ".polc.stepwords", struct polb_step_word)                                    \
	X(rule_ids, ".polc.ruleids", __u32)                                                        \
	X(identities, ".polc.identities", struct polb_bundle_identity)                             \
	X(labels, ".polc.labels", struct polb_bundle_label)                                        \
	X(policy, ".polc.policy", __u8)
#define POLB_BUNDLE_SUBJECT_TABLES(X)                                                              \
	X(subjects, ".polc.subjects", struct polb_bundle_subject)                                  \
	X(subject_selectors, ".polc.subjects.selectors", struct polb_bundle_selector)              \
	X(subject_ports, ".polc.subjects.ports", struct polb_bundle_named_port)                    \
	X(combinations, ".polc.combinations", struct polb_bundle_combination)                      \
	X(combination_subjects, ".polc.combinations.subjects", __u32)                              \
	X(combination_ports, ".polc.combinations.ports", struct polb_bundle_named_port)
#define POLB_BUNDLE_MODE_TABLES(X)                                                                 \
	X(switchable, ".polc.switchable", struct polb_bundle_switchable)                           \
	X(variants, ".polc.variants", struct polb_bundle_variant)                                  \
	X(variant_numbers, ".polc.variants.numbers", __u32)
#define POLB_BUNDLE_TRACE_TABLES(X)                                                                \
	X(trace_policies, ".polc.trace.policies", struct polb_bundle_trace_policy)                 \
	X(trace_specs, ".polc.trace.specs", struct polb_bundle_trace_spec)                         \
	X(trace_symbols, ".polc.trace.symbols", struct polb_bundle_trace_symbol)                   \
	X(trace_values, ".polc.trace.values", struct polb_bundle_trace_value)                      \
	X(trace_selectors, ".polc.trace.selectors", struct polb_bundle_trace_selector)             \
	X(trace_conditions, ".polc.trace.conditions", struct polb_bundle_trace_condition)          \
	X(trace_hooks, ".polc.trace.hooks", struct polb_bundle_trace_hook)                         \
	X(trace_alternatives, ".polc.trace.alternatives", struct polb_bundle_trace_alternative)    \
	X(trace_programs, ".polc.trace.programs", struct polb_bundle_trace_program)                \
	X(trace_strings, ".polc.trace.strings", struct polb_bundle_trace_string)                   \
	X(trace_bytes, ".polc.trace.bytes", __u8)                                                  \
	X(trace_automata, ".polc.trace.automata", __u32)                                           \
	X(trace_intervals, ".polc.trace.intervals", struct polb_bundle_trace_interval)             \
	X(trace_nets, ".polc.trace.nets", struct polb_bundle_trace_net)                            \
	X(trace_cgroups, ".polc.trace.cgroups", struct polb_bundle_trace_cgroup)                   \
	X(trace_words, ".polc.trace.words", __u64)                                                 \
	X(trace_workloads, ".polc.trace.workloads", struct polb_bundle_trace_workload)

/*
 * A bundle as read (pointers into `data`) or as to be written (pointers to the writer's arrays).
 * classes: n_classes values of the class map, each polb_class_value_size(class_words) bytes;
 * steps: n_steps values of the step map, each polb_step_value_size(n_words) bytes.
 */
struct polb_bundle {
	const void *data; /* the whole ELF file; what libbpf opens */
	size_t size;
	__u8 digest[32]; /* SHA-256 over the file with .polc.digest (and .polc.signature) zeroed */
	struct polb_manifest manifest;
	const char *strings; /* .polc.strings */
	size_t strings_size;
	const char *source_strings; /* .polc.source.strings */
	size_t source_strings_size;
#define X(field, section, type)                                                                    \
	const type *field;                                                                         \
	size_t n_##field;
	POLB_BUNDLE_TABLES(X)
#undef X
	const void *classes; /* .polc.classes */
	size_t n_classes;
	const void *steps; /* .polc.steps */
	size_t n_steps;
	const struct polb_signature *signatures; /* .polc.signature: the used slots, unverified */
	size_t n_signatures;
};

static inline size_t polb_class_value_size(__u32 class_words)
{
	return sizeof(struct polb_class_head) +
	       (size_t)class_words * sizeof(struct polb_class_word);
}
static inline size_t polb_step_value_size(__u32 n_words)
{
	return sizeof(struct polb_step_head) + POLB_STEP_SLOTS((size_t)n_words) * sizeof(__u16);
}

#define POLB_ERROR_TEXT 256
/*
 * Reads and checks a bundle completely: ELF, digest, every offset, index and count against its
 * table, rows against steps, tables against the index. Borrows data (8-byte aligned). 0, or -EINVAL
 * with one line in `error`.
 */
int polb_bundle_read(
	const void *data, size_t size, struct polb_bundle *out, char error[POLB_ERROR_TEXT]);
/* Reads a whole file into malloc'd memory (at most 1 GiB). 0 or -errno. */
int polb_file_read(const char *path, void **data, size_t *size);
/*
 * Writes object (clang's ELF) plus the .polc.* sections of `bundle` as one ELF into malloc'd
 * memory, digest included. Deterministic. 0 or -errno with one line in `error`.
 */
int polb_bundle_write(const void *object, size_t object_size, const struct polb_bundle *bundle,
	void **out, size_t *out_size, char error[POLB_ERROR_TEXT]);
/* Offset to text, "" when out of range (readers have checked every offset of a read bundle). */
const char *polb_bundle_string(const struct polb_bundle *bundle, __u32 offset);
/*
 * Rebuilds selector `index` as a predicate; the arrays it needs are malloc'd into *scratch (one
 * block, free()).
 */
int polb_bundle_selector(
	const struct polb_bundle *bundle, size_t index, struct polb_selector *out, void **scratch);
/* The same of a record of any of the tables of selectors. */
int polb_bundle_selector_of(const struct polb_bundle *bundle,
	const struct polb_bundle_selector *stored, struct polb_selector *out, void **scratch);
/* "namespace/name" and "file:line" of a rule id (reserved ones included), for people. */
void polb_bundle_rule_text(const struct polb_bundle *bundle, __u32 rule_id, char *out, size_t size);

#endif
