/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * imaHash: the hash of an LSM hook's file. Only programs that may sleep can have it made, and they
 * can do little else before 5.15; so three programs are on the hook, one behind the other: the
 * first (polt_h4_look) judges and asks for the hash when a selector holds that wants it, the
 * second, which may sleep, has it made, the third is the hook's usual one and puts it into its
 * event. Files are read for calls that match only. Where the kernel gives none there is none in the
 * event.
 */
#ifndef POLT_TRACING_IMA_H
#define POLT_TRACING_IMA_H

#include "arguments.h"
#include "path.h"

#if POLT_HAS_IMA
/* Hashing may open the file again, and come by the same hook: it asks for nothing then. */
enum { POLT_HASH_WANTED, POLT_HASH_BEING_MADE, POLT_HASH_MADE };
struct polt_hash_key {
	__u64 thread; /* bpf_get_current_pid_tgid() */
	__u64 hook;
};
struct polt_hash {
	__u32 state, algorithm;
	__u8 digest[POLB_HASH_BYTES];
};
/* Preallocated: sleepable programs could use no other map before 5.15. The least recently used one
 * goes: another program may have refused the call before its event took the hash. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct polt_hash_key);
	__type(value, struct polt_hash);
} polt_hashes SEC(".maps");

static __noinline void polt_hash_want(__u32 hook)
{
	struct polt_hash_key key = {bpf_get_current_pid_tgid(), hook};
	const struct polt_hash *old = bpf_map_lookup_elem(&polt_hashes, &key);
	struct polt_hash hash = {.state = POLT_HASH_WANTED};

	if (!old || old->state != POLT_HASH_BEING_MADE)
		bpf_map_update_elem(&polt_hashes, &key, &hash, BPF_ANY);
}

/* The kernel reads the file to hash it: that is no call of the process. */
static __noinline bool polt_hash_is_being_made(__u32 hook)
{
	struct polt_hash_key key = {bpf_get_current_pid_tgid(), hook};
	const struct polt_hash *hash = bpf_map_lookup_elem(&polt_hashes, &key);

	return hash && hash->state == POLT_HASH_BEING_MADE;
}

/* Helpers that only programs that may sleep have; the digest's algorithm, or an error. */
static __always_inline long polt_hash_file(struct file *file, void *digest)
{
	if (polt_has_helper(ima_file_hash))
		return bpf_ima_file_hash(file, digest, POLB_HASH_BYTES);
	/* what IMA itself has made already, for its policy */
	if (polt_has_helper(ima_inode_hash)) {
		struct inode *inode = file->f_inode;

		return inode ? bpf_ima_inode_hash(inode, digest, POLB_HASH_BYTES) : -1;
	}
	return -1;
}

/* The program that may sleep. `is_binprm`: what the first parameter of the hook is. */
static __always_inline int polt_hash_make(void *ctx, const __u32 hook, const bool is_binprm)
{
	struct polt_hash_key key = {bpf_get_current_pid_tgid(), hook};
	struct polt_hash made = {.state = POLT_HASH_BEING_MADE};
	const struct polt_hash *wanted = bpf_map_lookup_elem(&polt_hashes, &key);
	struct file *file = (struct file *)polt_context_word(ctx, 0);

	if (!wanted || wanted->state != POLT_HASH_WANTED)
		return 0;
	if (is_binprm)
		file = ((struct linux_binprm *)file)->file;
	if (!file)
		return 0;
	bpf_map_update_elem(&polt_hashes, &key, &made, BPF_ANY);
	long algorithm = polt_hash_file(file, made.digest);
	if (algorithm < 0) {
		bpf_map_delete_elem(&polt_hashes, &key);
		return 0;
	}
	made.state = POLT_HASH_MADE;
	made.algorithm = algorithm;
	bpf_map_update_elem(&polt_hashes, &key, &made, BPF_ANY);
	return 0;
}

/* Into the event, behind its arguments. */
static __noinline void polt_put_hash(struct polt_scratch *s, __u32 hook)
{
	const __u32 what = POLT_WHAT(POLB_ARGUMENT_HASH, 0, POLB_TYPE_NOP);
	struct polt_hash_key key = {bpf_get_current_pid_tgid(), hook};
	const struct polt_hash *hash = bpf_map_lookup_elem(&polt_hashes, &key);
	char *to;

	if (!hash || hash->state != POLT_HASH_MADE)
		return;
	to = polt_put_begin(s, what);
	if (to) {
		*(__u64 *)(to + 8) = hash->algorithm;
		for (int i = 0; i < POLB_HASH_BYTES / 8; i++)
			((__u64 *)(to + 16))[i] = ((const __u64 *)hash->digest)[i];
		polt_put_end(s, to, what, sizeof(struct polb_payload_hash));
	}
	bpf_map_delete_elem(&polt_hashes, &key);
}
#endif

#endif
