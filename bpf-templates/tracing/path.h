/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Paths of files as the process sees them: relative to current's root, across mounts, in text; and
 * what the dentries alone say against a domain of strings. A walk of our own, as bpf_d_path() may
 * be called at a few hooks only. Without locks: a rename at the same time may give a mixed path.
 *
 * "typed" pointers are BTF pointers, which are loaded from directly (NULL gives 0); others are
 * numbers, read with bpf_probe_read_kernel().
 *
 * Budget, instructions executed with the attachment's 130 (6.12): a rejection by the leaf 230, by
 * the root 420 typed, 600 across a mount; the text of two components and one look-up 1,600. The
 * text that was judged is the event's: it is put together once.
 * Verifier: 5,000 for the walk.
 */
#ifndef POLT_PATH_H
#define POLT_PATH_H

#include "kernel.h"
#include "strings.h"

/* Components and mounts of a path at most: longer ones lose their front. */
enum { POLT_PATH_ROUNDS = 512, POLT_PATH_PER_ROUND = 4, POLT_TOP_COMPONENTS = 16 };

struct polt_path {
	__u64 mnt, dentry; /* struct vfsmount *, struct dentry * */
	bool dentry_only;  /* the mount is not known: up to its root */
};

/* --- the path of a value ------------------------------------------------------------------------
 */

/* One read where the kernel has the members one behind the other (every one so far). */
static __always_inline bool polt_read_dentry(struct polt_dentry_view *v, __u64 dentry)
{
	__u64 parent = polt_offset(struct dentry, d_parent);
	__u64 name = polt_offset(struct dentry, d_name);

	if (name == parent + 8)
		return !bpf_probe_read_kernel(v, sizeof(*v), (void *)(dentry + parent));
	return !bpf_probe_read_kernel(&v->parent, 8, (void *)(dentry + parent)) &&
	       !bpf_probe_read_kernel(&v->hash, 16, (void *)(dentry + name));
}

static __always_inline bool polt_read_mount(struct polt_mount_view *v, const void *mnt)
{
	__u64 parent = polt_offset(struct mount, mnt_parent);
	__u64 point = polt_offset(struct mount, mnt_mountpoint);
	__u64 own = polt_offset(struct mount, mnt.mnt_root);
	const void *mount = mnt - polt_offset(struct mount, mnt);

	if (point == parent + 8 && own == parent + 16)
		return !bpf_probe_read_kernel(v, sizeof(*v), mount + parent);
	return !bpf_probe_read_kernel(&v->parent, 8, mount + parent) &&
	       !bpf_probe_read_kernel(&v->mountpoint, 8, mount + point) &&
	       !bpf_probe_read_kernel(&v->root, 8, mount + own);
}

static __always_inline bool polt_path_of_path(struct polt_path *out, __u64 path, const bool typed)
{
	out->dentry_only = false;
	if (!path)
		return false;
	if (typed) {
		const struct path *p = (const struct path *)path;

		out->mnt = (__u64)p->mnt;
		out->dentry = (__u64)p->dentry;
	} else if (bpf_probe_read_kernel(out, 16, (void *)(path + polt_offset(struct path, mnt)))) {
		return false;
	}
	return out->mnt && out->dentry;
}

/* false: NULL or unreadable. */
static __always_inline bool polt_path_of_file(struct polt_path *out, __u64 file, const bool typed)
{
	out->dentry_only = false;
	if (!file)
		return false;
	if (typed) {
		const struct file *f = (const struct file *)file;

		out->mnt = (__u64)f->f_path.mnt;
		out->dentry = (__u64)f->f_path.dentry;
	} else if (bpf_probe_read_kernel(
			   out, 16, (void *)(file + polt_offset(struct file, f_path)))) {
		return false;
	}
	return out->mnt && out->dentry;
}

static __always_inline bool polt_path_of_dentry(
	struct polt_path *out, __u64 dentry, const bool typed)
{
	(void)typed;
	*out = (struct polt_path){.dentry = dentry, .dentry_only = true};
	return dentry;
}

static __always_inline bool polt_path_of_binprm(
	struct polt_path *out, __u64 binprm, const bool typed)
{
	__u64 file = 0;

	if (!binprm)
		return false;
	if (typed)
		file = (__u64)((const struct linux_binprm *)binprm)->file;
	else if (bpf_probe_read_kernel(
			 &file, 8, (void *)(binprm + polt_offset(struct linux_binprm, file))))
		return false;
	return polt_path_of_file(out, file, typed);
}

static __always_inline bool polt_path_of_kiocb(struct polt_path *out, __u64 kiocb, const bool typed)
{
	__u64 file = 0;

	if (!kiocb)
		return false;
	if (typed)
		file = (__u64)((const struct kiocb *)kiocb)->ki_filp;
	else if (bpf_probe_read_kernel(
			 &file, 8, (void *)(kiocb + polt_offset(struct kiocb, ki_filp))))
		return false;
	return polt_path_of_file(out, file, typed);
}

/* *pointer = the 8 bytes there; false: NULL or unreadable. */
static __always_inline bool polt_follow(__u64 *pointer, __u64 offset)
{
	__u64 base = *pointer;

	return base && !bpf_probe_read_kernel(pointer, 8, (void *)(base + offset)) && *pointer;
}

/* A file descriptor of current; the path is not typed. */
static __always_inline bool polt_path_of_fd(struct polt_path *out, __u64 fd)
{
	__u64 p = bpf_get_current_task();
	__u32 n = 0;

	fd = (__u32)fd;
	if (!polt_follow(&p, polt_offset(struct task_struct, files)) ||
		!polt_follow(&p, polt_offset(struct files_struct, fdt)) ||
		bpf_probe_read_kernel(&n, 4, (void *)(p + polt_offset(struct fdtable, max_fds))) ||
		fd >= n || !polt_follow(&p, polt_offset(struct fdtable, fd)) ||
		!polt_follow(&p, fd * 8))
		return false;
	return polt_path_of_file(out, p, false);
}

/* The inode's mode, 0 when there is none. Not for typed paths' hot way: two reads. */
static __always_inline __u32 polt_path_mode(const struct polt_path *path)
{
	__u64 inode = path->dentry;
	__u16 mode = 0;

	if (polt_follow(&inode, polt_offset(struct dentry, d_inode)))
		bpf_probe_read_kernel(
			&mode, 2, (void *)(inode + polt_offset(struct inode, i_mode)));
	return mode;
}

/* --- text ---------------------------------------------------------------------------------------
 */

static __always_inline void polt_read_root(struct polt_root *root)
{
	__u64 fs = bpf_get_current_task();

	*root = (struct polt_root){};
	if (polt_follow(&fs, polt_offset(struct task_struct, fs)))
		bpf_probe_read_kernel(root, 16, (void *)(fs + polt_offset(struct fs_struct, root)));
}

enum { POLT_WALK_NONE = -1, POLT_DELETED_BYTES = 10 };

/* " (deleted)" in words; of a memfd, which has no directory, "/" and the name as well. */
static __always_inline void polt_path_put_deleted(struct polt_scratch *s)
{
	*(__u64 *)(s->path + POLB_PATH_BYTES - POLT_DELETED_BYTES) = 0x6574656c65642820ull;
	*(__u16 *)(s->path + POLB_PATH_BYTES - 2) = 0x2964;
}

static __always_inline bool polt_is_unhashed(__u64 dentry)
{
	__u64 pprev = 1;

	bpf_probe_read_kernel(
		&pprev, 8, (void *)(dentry + polt_offset(struct dentry, d_hash.pprev)));
	return !pprev;
}

/* A dentry without a place in a tree: a pipe, a socket, an anonymous inode; but a memfd has a name.
 */
static __always_inline bool polt_is_memfd(const struct polt_dentry_view *d)
{
	char name[8] = {};

	bpf_probe_read_kernel(name, 6, (void *)d->name);
	return *(__u64 *)name == 0x3a64666d656dull;
}

/* Puts "/name" before what there is. false: no room, or it cannot be read. */
static __always_inline bool polt_path_prepend(struct polt_scratch *s, struct polt_walker *w)
{
	__u64 length = w->d.length, to = w->at;

	if (length > 255 || length + 1 > to)
		return false;
	to -= length;
	polt_forget(to); /* what is known of it must not undo the mask, which is for the verifier */
	if (bpf_probe_read_kernel(
		    s->path + (to & (POLB_PATH_BYTES - 1)), length & 255, (void *)w->d.name))
		return false;
	to--;
	polt_forget(to);
	s->path[to & (POLB_PATH_BYTES - 1)] = '/';
	w->at = to;
	return true;
}

enum polt_walk_step { POLT_STEP_ON, POLT_STEP_NAME, POLT_STEP_END, POLT_STEP_LOST };

/* What the walker's dentry is; at the root of a mount it goes on at the mount point. */
static __always_inline enum polt_walk_step polt_path_look(struct polt_walker *w)
{
	__u64 dentry = w->dentry;

	if (dentry == w->root.dentry && w->mnt == w->root.mnt)
		return POLT_STEP_END;
	if (dentry != w->mount.root && w->d.parent != dentry)
		return POLT_STEP_NAME;
	__u64 mnt = w->mount.parent + polt_offset(struct mount, mnt);
	if (w->dentry_only || dentry != w->mount.root || mnt == w->mnt)
		return POLT_STEP_END;
	w->dentry = w->mount.mountpoint;
	w->mnt = mnt;
	if (!polt_read_mount(&w->mount, (void *)mnt) || !polt_read_dentry(&w->d, w->dentry))
		return POLT_STEP_LOST;
	return POLT_STEP_ON;
}

static __always_inline enum polt_walk_step polt_path_up(struct polt_walker *w)
{
	w->dentry = w->d.parent;
	return polt_read_dentry(&w->d, w->dentry) ? POLT_STEP_ON : POLT_STEP_LOST;
}

/*
 * A function, so that the loops around it are as simple as 5.10 wants them: one way back. What it
 * found is left in memory, so that all its ends are one to the verifier.
 */
static __noinline void polt_path_step(struct polt_scratch *s)
{
	struct polt_walker *w = &s->walker;
	enum polt_walk_step step = polt_path_look(w);

	if (step == POLT_STEP_NAME)
		step = polt_path_prepend(s, w) ? polt_path_up(w) : POLT_STEP_LOST;
	w->step = step;
}

/* Global: verified once, so that there can be many rounds. */
__noinline int polt_path_round(__u32 slot)
{
	struct polt_scratch *s = polt_scratch_at(slot);

	if (!s)
		return POLT_STEP_LOST;
	for (int i = 0; i < POLT_PATH_PER_ROUND; i++) {
		polt_path_step(s);
		if (READ_ONCE(s->walker.step) != POLT_STEP_ON)
			break;
	}
	return s->walker.step;
}

/* When the front is lost no '/' leads: neither a prefix nor a whole path may be seen in the rest.
 */
static __always_inline void polt_path_components(struct polt_scratch *s)
{
	for (int i = 0; i < POLT_PATH_ROUNDS; i++)
		if (polt_path_round(s->slot) != POLT_STEP_ON)
			break;
	if (READ_ONCE(s->walker.step) == POLT_STEP_END)
		return;
	s->walker.at += 1;
	s->walker.flags |= POLB_PATH_UNRESOLVED_COMPONENTS;
}

/* mnt, dentry and dentry_only are set. */
static __always_inline bool polt_walk_begin(struct polt_walker *w)
{
	w->at = POLB_PATH_BYTES;
	w->mount = (struct polt_mount_view){};
	polt_read_root(&w->root);
	if (!w->dentry_only && !polt_read_mount(&w->mount, (void *)w->mnt))
		return false;
	return polt_read_dentry(&w->d, w->dentry);
}

/* What is behind the last name; a file that is in no directory is done with (step END or LOST). */
static __noinline void polt_walk_leaf(struct polt_scratch *s)
{
	struct polt_walker *w = &s->walker;
	bool alone = w->d.parent == w->dentry && w->dentry != w->mount.root && !w->dentry_only;

	w->step = POLT_STEP_ON;
	w->flags = 0;
	if (alone || (w->d.parent != w->dentry && polt_is_unhashed(w->dentry))) {
		polt_path_put_deleted(s);
		w->at -= POLT_DELETED_BYTES;
		w->flags = POLB_PATH_UNLINKED;
	}
	w->end = w->at;
	if (alone)
		w->step = polt_is_memfd(&w->d) && polt_path_prepend(s, w) ? POLT_STEP_END
									  : POLT_STEP_LOST;
}

static __always_inline __s64 polt_path_put(struct polt_scratch *s)
{
	struct polt_walker *w = &s->walker;

	if (!polt_walk_begin(w))
		return POLT_WALK_NONE;
	polt_walk_leaf(s);
	if (READ_ONCE(w->step) == POLT_STEP_LOST)
		return POLT_WALK_NONE;
	if (READ_ONCE(w->step) == POLT_STEP_ON)
		polt_path_components(s);
	__u32 at = READ_ONCE(w->at), end = w->end;
	if (at > end) /* not one name could be read */
		return POLT_WALK_NONE;
	if (at == end) { /* the root itself */
		at--;
		s->path[at & (POLB_PATH_BYTES - 1)] = '/';
	}
	return at | (__u64)w->flags << 16;
}

/*
 * The text of scratch->walker's path at the end of scratch->path: where it begins, and flags << 16;
 * POLT_WALK_NONE: it has none. Global: verified once per program.
 */
__noinline __s64 polt_path_walk(__u32 slot)
{
	struct polt_scratch *s = polt_scratch_at(slot);

	if (!s)
		return POLT_WALK_NONE;
	const struct polt_walker *w = &s->walker;
	struct polt_walked *last = &s->walked;
	if (last->dentry == w->dentry && last->mnt == w->mnt && last->dentry_only == w->dentry_only)
		return last->found;
	last->mnt = w->mnt;
	last->dentry = w->dentry;
	last->dentry_only = w->dentry_only;
	return last->found = polt_path_put(s);
}

/*
 * The path as text at the end of scratch->path: its offset there, *size and *flags (POLB_PATH_*).
 * -1: it has none (pipe, socket, anonymous inode).
 */
static __always_inline int polt_path_text(
	struct polt_scratch *s, const struct polt_path *path, __u32 *size, __u32 *flags)
{
	s->walker.mnt = path->mnt;
	s->walker.dentry = path->dentry;
	s->walker.dentry_only = path->dentry_only;
	__s64 found = polt_path_walk(s->slot);
	__u32 at = found & 0xffff;

	if (found < 0 || at > POLB_PATH_BYTES)
		return -1;
	*flags = found >> 16;
	*size = POLB_PATH_BYTES - at;
	return at;
}

/* --- what the dentries say
 * ------------------------------------------------------------------------ */

static __always_inline bool polt_bit_of_256(const __u64 bits[4], __u32 n)
{
	__u64 word = n < 64 ? bits[0] : n < 128 ? bits[1] : n < 192 ? bits[2] : bits[3];

	return n > 255 || word >> (n & 63) & 1;
}

/* The last 8 bytes of a name, the last one on top; zeros below a shorter one. */
static __always_inline __u64 polt_name_tail(__u64 name, __u32 length)
{
	__u64 tail = 0;

	bpf_probe_read_kernel(&tail, 8, (void *)(length > 8 ? name + length - 8 : name));
	return length < 8 ? length ? tail << 8 * (8 - length) : 0 : tail;
}

static __always_inline bool polt_one_of(
	__u64 word, __u32 n, const __u64 values[8], const __u64 masks[8], __u64 known)
{
	bool found = false;

#pragma unroll
	for (__u32 i = 0; i < 8; i++)
		if (i < n && !((word ^ values[i]) & masks[i] & known))
			found = true;
	return found;
}

/* The root of a mount: its name is that of the mount point. */
static __always_inline bool polt_is_mount_root(const struct polt_path *path, const bool typed)
{
	__u64 root = path->mnt;

	if (path->dentry_only)
		return false;
	if (typed)
		return ((const struct vfsmount *)path->mnt)->mnt_root ==
		       (const struct dentry *)path->dentry;
	return !polt_follow(&root, polt_offset(struct vfsmount, mnt_root)) || root == path->dentry;
}

/* No string of the domain ends in this name. */
static __always_inline bool polt_name_rejects(
	const struct polt_dentry_view *d, const struct polt_domain *domain)
{
	if (!polt_bit_of_256(domain->leaf_lengths, d->length))
		return true;
	return domain->n_tails && !polt_one_of(polt_name_tail(d->name, d->length), domain->n_tails,
					  domain->tails, domain->tail_masks, ~0ull);
}

static __always_inline bool polt_leaf_rejects(
	const struct polt_path *path, const bool typed, const struct polt_domain *domain)
{
	struct polt_dentry_view d;

	if (typed) {
		const struct dentry *dentry = (const struct dentry *)path->dentry;

		if (dentry->d_parent == dentry)
			return false;
		d.length = dentry->d_name.len;
		d.name = (__u64)dentry->d_name.name;
	} else if (!polt_read_dentry(&d, path->dentry) || d.parent == path->dentry) {
		return false;
	}
	return polt_name_rejects(&d, domain) && !polt_is_mount_root(path, typed);
}

/* The name right below current's root on the way to a file; `below`: it is not the file's own. */
struct polt_top {
	__u64 name;
	__u64 text; /* its first bytes, when has_text */
	__u32 length;
	bool below, has_text;
};

static __noinline int polt_top_step(struct polt_walker *w, struct polt_top *top)
{
	enum polt_walk_step step = polt_path_look(w);

	if (step != POLT_STEP_NAME)
		return step;
	if (w->d.parent == w->root.dentry && w->mnt == w->root.mnt) {
		top->name = w->d.name;
		top->length = w->d.length;
		return POLT_STEP_NAME;
	}
	top->below = true;
	return polt_path_up(w);
}

/* From the walker's dentry on; false: not found. */
static __always_inline bool polt_top_walk(struct polt_walker *w, struct polt_top *top)
{
	int step = POLT_STEP_ON;

	for (int i = 0; i < POLT_TOP_COMPONENTS; i++) {
		step = polt_top_step(w, top);
		if (step != POLT_STEP_ON)
			break;
	}
	return step == POLT_STEP_NAME;
}

static __always_inline void polt_read_root_typed(struct polt_root *root)
{
	if (!polt_has_helper(get_current_task_btf)) {
		polt_read_root(root);
		return;
	}
	const struct task_struct *task = bpf_get_current_task_btf();
	const struct fs_struct *fs = task->fs;

	root->mnt = (__u64)fs->root.mnt;
	root->dentry = (__u64)fs->root.dentry;
}

/* With the first bytes of a short name, which is in the dentry itself, behind d_inode. */
struct polt_dentry_short {
	struct polt_dentry_view d;
	__u64 inode, text;
};

/* A mount right below the root of the mount that current's root is in: two reads tell. */
static __always_inline bool polt_top_near(
	const struct polt_mount_view *mount, const struct polt_root *root, struct polt_top *top)
{
	__u64 parent = polt_offset(struct dentry, d_parent);
	struct polt_dentry_short v;

	if (mount->parent + polt_offset(struct mount, mnt) != root->mnt ||
		polt_offset(struct dentry, d_name) != parent + 8 ||
		bpf_probe_read_kernel(&v, sizeof(v), (void *)(mount->mountpoint + parent)) ||
		v.d.parent != root->dentry)
		return false;
	top->name = v.d.name;
	top->length = v.d.length;
	top->below = true;
	top->has_text =
		v.d.name == mount->mountpoint + parent + __builtin_offsetof(typeof(v), text);
	top->text = v.text;
	return true;
}

/* At the root of a mount, on the way up. */
static __noinline bool polt_top_cross(
	const struct vfsmount *mnt, const struct polt_root *root, struct polt_top *top)
{
	struct polt_walker w = {};

	if (!polt_read_mount(&w.mount, mnt))
		return false;
	if (top->below && polt_top_near(&w.mount, root, top))
		return true;
	/* numbers from here on: a BTF pointer in memory becomes one when it is read as memory */
	bpf_probe_read_kernel(&w.root, sizeof(w.root), root);
	bpf_probe_read_kernel(&w.mnt, 8, &mnt);
	w.dentry = w.mount.root;
	return polt_top_walk(&w, top);
}

static __noinline bool polt_path_top_typed(const struct polt_path *path, struct polt_top *top)
{
	const struct vfsmount *mnt = (const struct vfsmount *)path->mnt;
	const struct dentry *d = (const struct dentry *)path->dentry, *up, *end = mnt->mnt_root;
	struct polt_root root;

	polt_read_root_typed(&root);
	bool same = path->mnt == root.mnt;
	if (same && path->dentry == root.dentry)
		return false;
#pragma unroll
	for (int i = 0; i < POLT_TOP_COMPONENTS; i++) {
		if (d == end)
			return polt_top_cross(mnt, &root, top);
		up = d->d_parent;
		if (same && (__u64)up == root.dentry) {
			top->name = (__u64)d->d_name.name;
			top->length = d->d_name.len;
			return true;
		}
		top->below = true;
		d = up;
	}
	return false;
}

static __noinline bool polt_path_top_read(const struct polt_path *path, struct polt_top *top)
{
	struct polt_walker w = {.mnt = path->mnt, .dentry = path->dentry};

	return polt_walk_begin(&w) && polt_top_walk(&w, top);
}

/* The first bytes of the text behind its '/' are those of no string of the domain. */
static __always_inline bool polt_root_rejects(
	const struct polt_path *path, const bool typed, const struct polt_domain *domain)
{
	struct polt_top top = {};
	__u64 text, known = ~0ull;

	if (path->dentry_only)
		return false;
	if (typed ? !polt_path_top_typed(path, &top) : !polt_path_top_read(path, &top))
		return false;
	text = top.text;
	if (!top.has_text && bpf_probe_read_kernel(&text, 8, (void *)top.name))
		return false;
	if (top.length < 8) {
		known = (1ull << 8 * top.length) - 1;
		text &= known;
		if (top.below) {
			text |= (__u64)'/' << 8 * top.length;
			known = known << 8 | 0xff;
		}
	}
	return !polt_one_of(text, domain->n_roots, domain->roots, domain->root_masks, known);
}

/* Certain that no set of the domain holds; the path is known to have a text. */
static __always_inline bool polt_path_rejects(
	const struct polt_path *path, const bool typed, const struct polt_domain *domain)
{
	if (domain->leaf_only && polt_leaf_rejects(path, typed, domain))
		return true;
	return domain->n_roots && polt_root_rejects(path, typed, domain);
}

/* Bits of the path in a domain; < 0: unknown, it has no text. */
static __always_inline int polt_path_bits(struct polt_scratch *s, const struct polt_path *path,
	const bool typed, const struct polt_domain *domain, __u64 *bits)
{
	__u32 size, flags;

	*bits = 0;
	if (polt_path_rejects(path, typed, domain))
		return 0;
	int at = polt_path_text(s, path, &size, &flags);
	if (at < 0)
		return -1;
	*bits = polt_classify(s, POLT_PATH + at, size, domain);
	return 0;
}

#endif
