/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Arguments that are summaries of kernel structures: polt_put_X(s, place, number, pointer) for the
 * type POLB_TYPE_X; pointer is the address of the structure (NULL: ABSENT; unreadable: FAULT).
 */
#ifndef POLT_RECORDS_H
#define POLT_RECORDS_H

#include "arguments.h"

/* --- credentials, namespaces
 * ----------------------------------------------------------------------- */

static __always_inline int polt_get_user_namespace(
	struct polb_payload_user_namespace *out, __u64 address)
{
	const struct user_namespace *ns = (const void *)address;

	polt_read_member(out->level, ns, level);
	polt_read_member(out->uid, ns, owner);
	polt_read_member(out->gid, ns, group);
	return polt_read_member(out->inum, ns, ns.inum);
}

static __always_inline int polt_get_cred(struct polb_payload_cred *out, __u64 address)
{
	const struct cred *cred = (const void *)address;
	struct user_namespace *ns = NULL;

	polt_read_credentials(&out->credentials, cred);
	if (polt_read_member(ns, cred, user_ns))
		return -1;
	polt_get_user_namespace(
		(struct polb_payload_user_namespace *)&out->user_ns_level, (__u64)ns);
	return 0;
}
_Static_assert(__builtin_offsetof(struct polb_payload_cred, user_ns_inum) -
			       __builtin_offsetof(struct polb_payload_cred, user_ns_level) ==
		       __builtin_offsetof(struct polb_payload_user_namespace, inum),
	"the end of one is the other");

/* --- BPF
 * --------------------------------------------------------------------------------------------- */

enum bpf_prog_type { POLT_ANY_PROG_TYPE };
enum bpf_map_type { POLT_ANY_MAP_TYPE };
struct bpf_prog_aux {
	char name[16];
} POLT_KERNEL;
struct bpf_prog {
	enum bpf_prog_type type;
	__u32 len;
	struct bpf_prog_aux *aux;
} POLT_KERNEL;
struct bpf_map {
	enum bpf_map_type map_type;
	__u32 key_size, value_size, max_entries;
	char name[16];
} POLT_KERNEL;

/* BPF_PROG_LOAD's part of union bpf_attr (uapi): type, number of instructions, name at 48. */
static __always_inline int polt_get_bpf_attr(struct polb_payload_bpf_attr *out, __u64 address)
{
	const char *attr = (const char *)address;

	bpf_probe_read_kernel(out->name, sizeof(out->name), attr + 48);
	return bpf_probe_read_kernel(out, 8, attr);
}

static __always_inline int polt_get_bpf_prog(struct polb_payload_bpf_prog *out, __u64 address)
{
	const struct bpf_prog *prog = (const void *)address;
	struct bpf_prog_aux *aux = NULL;

	polt_read_member(aux, prog, aux);
	polt_read_member(out->name, aux, name);
	polt_read_member(out->instructions, prog, len);
	return polt_read_member(out->program_type, prog, type);
}

static __always_inline int polt_get_bpf_map(struct polb_payload_bpf_map *out, __u64 address)
{
	const struct bpf_map *map = (const void *)address;

	polt_read_member(out->map_type, map, map_type);
	polt_read_member(out->key_size, map, key_size);
	polt_read_member(out->value_size, map, value_size);
	polt_read_member(out->name, map, name);
	return polt_read_member(out->max_entries, map, max_entries);
}

/* --- perf events
 * ------------------------------------------------------------------------------------- */

struct perf_event_attr {
	__u32 type;
	__u64 config, config1, config2;
} POLT_KERNEL;
struct perf_event {
	struct perf_event_attr attr;
} POLT_KERNEL;
enum { POLT_PERF_TYPE_MAX = 6 }; /* types from here on are of dynamic PMUs: kprobe, uprobe, ... */

/* config1 and config2 of a kprobe or uprobe event are its function (user memory, read while the
 * system call that makes it runs) and its offset. */
static __always_inline int polt_get_perf_event(struct polb_payload_perf_event *out, __u64 address)
{
	const struct perf_event *event = (const void *)address;
	const char *name = NULL;

	if (polt_read_member(out->type, event, attr.type))
		return -1;
	polt_read_member(out->config, event, attr.config);
	if (out->type < POLT_PERF_TYPE_MAX)
		return 0;
	polt_read_member(name, event, attr.config1);
	polt_read_member(out->probe_offset, event, attr.config2);
	if (name)
		bpf_probe_read_user_str(out->function, sizeof(out->function), name);
	return 0;
}

/* --- modules
 * ------------------------------------------------------------------------------------------- */

struct module {
	char name[56];
	bool sig_ok; /* with CONFIG_MODULE_SIG */
	unsigned long taints;
} POLT_KERNEL;
struct load_info { /* before the module is laid out: its name points into the image */
	const char *name;
	struct module *mod;
	bool sig_ok;
} POLT_KERNEL;
enum { POLT_SIGNATURE_UNKNOWN = 2 };

static __always_inline int polt_get_module(struct polb_payload_module *out, __u64 address)
{
	const struct module *module = (const void *)address;
	__u8 ok = POLT_SIGNATURE_UNKNOWN;

	if (bpf_probe_read_kernel_str(out->name, sizeof(module->name), &module->name) < 0)
		return -1;
	polt_read_member(out->taints, module, taints);
	if (polt_field_exists(module->sig_ok))
		polt_read_member(ok, module, sig_ok);
	out->signature_ok = ok;
	return 0;
}

static __always_inline int polt_get_load_info(struct polb_payload_load_info *out, __u64 address)
{
	const struct load_info *info = (const void *)address;
	__u8 ok = POLT_SIGNATURE_UNKNOWN;
	struct module *module = NULL;
	const char *name = NULL;

	if (polt_read_member(name, info, name))
		return -1;
	bpf_probe_read_kernel_str(out->name, sizeof(out->name), name);
	polt_read_member(module, info, mod);
	if (module)
		polt_read_member(out->taints, module, taints);
	if (polt_field_exists(info->sig_ok))
		polt_read_member(ok, info, sig_ok);
	out->signature_ok = ok;
	return 0;
}

/* --- put
 * ------------------------------------------------------------------------------------------------
 */

#define POLT_RECORD_TYPES(X)                                                                       \
	X(CRED, cred)                                                                              \
	X(USER_NAMESPACE, user_namespace)                                                          \
	X(BPF_ATTR, bpf_attr)                                                                      \
	X(BPF_PROG, bpf_prog)                                                                      \
	X(BPF_MAP, bpf_map)                                                                        \
	X(PERF_EVENT, perf_event)                                                                  \
	X(MODULE, module)                                                                          \
	X(LOAD_INFO, load_info)

/* polt_put_cred(s, place, number, pointer) and so on. */
#define X(NAME, name)                                                                              \
	static __noinline void polt_put_##name(                                                    \
		struct polt_scratch *s, __u32 place, __u32 number, __u64 pointer)                  \
	{                                                                                          \
		__u32 what = POLT_WHAT(place, number, POLB_TYPE_##NAME);                           \
		struct polb_payload_##name *to;                                                    \
                                                                                                   \
		if (!pointer) {                                                                    \
			polt_put_entry_error(s, POLT_WHAT_ERROR(what, POLB_ARGUMENT_ABSENT));      \
			return;                                                                    \
		}                                                                                  \
		char *entry = polt_put_begin(s, what);                                             \
		if (!entry)                                                                        \
			return;                                                                    \
		to = (struct polb_payload_##name *)(entry + 8);                                    \
		__builtin_memset(to, 0, sizeof(*to));                                              \
		if (polt_get_##name(to, pointer))                                                  \
			polt_put_entry_error(s, POLT_WHAT_ERROR(what, POLB_ARGUMENT_FAULT));       \
		else                                                                               \
			polt_put_end(s, entry, what, sizeof(*to));                                 \
	}
POLT_RECORD_TYPES(X)
#undef X

#endif
