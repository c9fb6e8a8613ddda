/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Texts, files and capabilities of described calls as objects in memory. */
#include "described_objects.h"

#include <netinet/in.h>
#include <string.h>

enum { FILES = 16, NAME_MAX_BYTES = 255, SUN_PATH = 108 };

/* ---- texts ---- */

static uint64_t put_bytes(struct polc_layout *l, bool user, const void *bytes, size_t size)
{
	if (user)
		return polc_layout_take_user(l, bytes, size);
	uint64_t address = polc_layout_take(l, size);

	polc_layout_put(l, address, bytes, size);
	return address;
}

static uint64_t put_text(struct polc_layout *l, bool user, const struct polc_string *text)
{
	char *copy = polc_arena_alloc(l->arena, text->n + 1);

	if (text->n)
		memcpy(copy, text->bytes, text->n);
	return put_bytes(l, user, copy, text->n + 1);
}

/* A structure whose member points at the text, or holds it. */
static uint64_t put_filename(struct polc_layout *l, const struct polc_string *text)
{
	uint64_t filename = polc_layout_new(l, "filename");

	polc_layout_set(l, filename, "filename", "name", put_text(l, false, text), 8);
	return filename;
}

static uint64_t put_device(struct polc_layout *l, const struct polc_string *text)
{
	uint64_t device = polc_layout_new(l, "net_device");

	polc_layout_put(
		l, device + polc_layout_offset(l, "net_device", "name"), text->bytes, text->n);
	return device;
}

/* One segment is enough. */
static uint64_t put_iovec(struct polc_layout *l, const struct polc_string *text, uint64_t *size)
{
	const uint64_t vector[2] = {put_bytes(l, true, text->bytes, text->n), text->n};

	*size = 1;
	return polc_layout_take_user(l, vector, sizeof(vector));
}

static uint64_t enumerator(struct polc_layout *l, const char *type, const char *name)
{
	__s32 id = btf__find_by_name_kind(l->btf, type, BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(l->btf, (__u32)id) : NULL;

	for (__u16 i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(l->btf, btf_enum(t)[i].name_off), name))
			return (uint32_t)btf_enum(t)[i].val;
	polc_layout_fail(l, "this kernel has no %s", name);
	return 0;
}

static uint64_t put_iov_iter(struct polc_layout *l, const struct polc_string *text)
{
	uint64_t iter = polc_layout_new(l, "iov_iter");

	polc_layout_set(
		l, iter, "iov_iter", "iter_type", enumerator(l, "iter_type", "ITER_UBUF"), 1);
	polc_layout_set(l, iter, "iov_iter", "ubuf", put_bytes(l, true, text->bytes, text->n), 8);
	polc_layout_set(l, iter, "iov_iter", "count", text->n, 8);
	return iter;
}

/* struct sockaddr_un; *size: addrlen */
static uint64_t put_unix(struct polc_layout *l, const struct polc_trace_value *value,
	const struct polc_call_value *said, uint64_t *size)
{
	const struct polc_string *text = &said->text.text;
	char address[2 + SUN_PATH + 2] = {0};
	uint16_t family = said->family.said == POLC_SAID ? (uint16_t)said->family.value : AF_UNIX;

	memcpy(address, &family, 2);
	if (text->n > SUN_PATH || (family == AF_UNIX && !text->n))
		polc_layout_fail(l, "a name of a socket has 1 to %d bytes", SUN_PATH);
	else if (text->n)
		memcpy(address + 2, text->bytes, text->n);
	*size = 2 + text->n + 1;
	if (text->n && text->bytes[0] == '@') {
		address[2] = 0; /* abstract */
		*size = 2 + text->n;
		if (text->n > 1 && !text->bytes[text->n - 1])
			polc_layout_fail(l, "an abstract name does not end in NUL");
	}
	return put_bytes(l, value->user_memory, address, sizeof(address));
}

/* ---- files ---- */

static void set_inode(struct polc_layout *l, uint64_t dentry, const struct polc_call_number *mode)
{
	uint64_t inode;

	if (mode->said != POLC_SAID)
		return;
	inode = polc_layout_new(l, "inode");
	polc_layout_set(l, inode, "inode", "i_mode", mode->value, 2);
	polc_layout_set(l, dentry, "dentry", "d_inode", inode, 8);
}

static uint64_t new_dentry(struct polc_layout *l, uint64_t parent, const char *name, size_t n)
{
	uint64_t dentry = polc_layout_new(l, "dentry"), text = polc_layout_take(l, n + 16);
	uint32_t qstr = polc_layout_offset(l, "dentry", "d_name");

	polc_layout_put(l, text, name, n);
	polc_layout_set(l, dentry, "dentry", "d_parent", parent ? parent : dentry, 8);
	polc_layout_set(l, dentry, "dentry", "d_hash.pprev", dentry, 8);
	polc_layout_put_number(l, dentry + qstr + polc_layout_offset(l, "qstr", "len"), n, 4);
	polc_layout_put_number(l, dentry + qstr + polc_layout_offset(l, "qstr", "name"), text, 8);
	return dentry;
}

/* The dentry of an absolute path; "": of a file that is in no directory. */
static uint64_t put_dentries(struct polc_layout *l, const struct polc_string *path)
{
	uint64_t dentry = l->root_dentry;

	if (!path->n)
		return new_dentry(l, 0, "pipe", 4);
	if (path->bytes[0] != '/')
		polc_layout_fail(l, "'%s' is no absolute path", path->bytes);
	for (size_t i = 1; i < path->n && !l->why;) {
		const char *name = path->bytes + i, *end = memchr(name, '/', path->n - i);
		size_t n = end ? (size_t)(end - name) : path->n - i;

		if (!n || n > NAME_MAX_BYTES || (end && i + n + 1 == path->n))
			polc_layout_fail(l, "'%s' is no path of the kernel", path->bytes);
		else
			dentry = new_dentry(l, dentry, name, n);
		i += n + 1;
	}
	return dentry;
}

static uint64_t dentry_of(struct polc_layout *l, const struct polc_call_value *said)
{
	static const struct polc_string any = {"/x", 2};
	uint64_t dentry = put_dentries(l, said->text.said == POLC_SAID ? &said->text.text : &any);

	set_inode(l, dentry, &said->mode);
	return dentry;
}

static void set_path(struct polc_layout *l, uint64_t path, const struct polc_call_value *said)
{
	polc_layout_set(l, path, "path", "mnt", l->root_mnt, 8);
	polc_layout_set(l, path, "path", "dentry", dentry_of(l, said), 8);
}

static uint64_t put_file(struct polc_layout *l, const struct polc_call_value *said)
{
	uint64_t file = polc_layout_new(l, "file");

	set_path(l, file + polc_layout_offset(l, "file", "f_path"), said);
	return file;
}

static uint64_t put_holder(
	struct polc_layout *l, const char *structure, const char *member, uint64_t pointer)
{
	uint64_t holder = polc_layout_new(l, structure);

	polc_layout_set(l, holder, structure, member, pointer, 8);
	return holder;
}

/* An open file; its number. */
static uint64_t put_open_file(struct polc_layout *l, const struct polc_call_value *said)
{
	if (!l->files) {
		l->files = polc_layout_take(l, FILES * 8);
		uint64_t table = put_holder(l, "fdtable", "fd", l->files);

		polc_layout_set(l, table, "fdtable", "max_fds", FILES, 4);
		polc_layout_set(l, l->task, "task_struct", "files",
			put_holder(l, "files_struct", "fdt", table), 8);
	}
	uint64_t number = l->n_files++;

	if (number >= FILES)
		polc_layout_fail(l, "more than %d open files", FILES);
	else
		polc_layout_put_number(l, l->files + 8 * number, put_file(l, said), 8);
	return number;
}

/* ---- by type ---- */

static uint64_t put_path_type(
	struct polc_layout *l, uint8_t type, const struct polc_call_value *said)
{
	uint64_t path;

	switch (type) {
	case POLB_TYPE_FD:
		return put_open_file(l, said);
	case POLB_TYPE_FILE:
		return put_file(l, said);
	case POLB_TYPE_DENTRY:
		if (said->text.said == POLC_SAID && !said->text.text.n)
			polc_layout_fail(l, "a dentry always has a name");
		return dentry_of(l, said);
	case POLB_TYPE_LINUX_BINPRM:
		return put_holder(l, "linux_binprm", "file", put_file(l, said));
	case POLB_TYPE_KIOCB:
		return put_holder(l, "kiocb", "ki_filp", put_file(l, said));
	default:
		path = polc_layout_new(l, "path");
		set_path(l, path, said);
		return path;
	}
}

static uint64_t put_text_type(struct polc_layout *l, const struct polc_trace_value *value,
	const struct polc_call_value *said, uint64_t *size)
{
	const struct polc_string *text = &said->text.text;

	*size = text->n;
	switch (value->type) {
	case POLB_TYPE_FILENAME:
		return put_filename(l, text);
	case POLB_TYPE_NET_DEVICE:
		return put_device(l, text);
	case POLB_TYPE_CHAR_IOVEC:
		return put_iovec(l, text, size);
	case POLB_TYPE_IOV_ITER:
		return put_iov_iter(l, text);
	default:
		return put_text(l, value->user_memory, text);
	}
}

uint64_t polc_described_object(struct polc_layout *l, const struct polc_trace_value *value,
	const struct polc_call_value *said, uint64_t *size)
{
	uint64_t caps;

	switch (polc_trace_type_class(value->type)) {
	case POLB_CLASS_CAPS:
		caps = polc_layout_take(l, 8);
		polc_layout_put_number(l, caps, said->number.value, 8);
		return caps;
	case POLB_CLASS_STRING:
	case POLB_CLASS_BYTES:
		return put_text_type(l, value, said, size);
	case POLB_CLASS_UNIX:
		return put_unix(l, value, said, size);
	case POLB_CLASS_PATH:
		return put_path_type(l, value->type, said);
	case POLB_CLASS_NET:
		return polc_described_net(l, value, said);
	case POLB_CLASS_NOTHING:
	case POLB_CLASS_INT:
	case POLB_CLASS_RECORD:
		break;
	}
	polc_layout_fail(l, "type '%s' has no object", polc_trace_type_name(value->type));
	return 0;
}

void polc_described_object_at(struct polc_layout *l, const struct polc_trace_value *value,
	const struct polc_call_value *said, uint64_t address)
{
	const struct polc_string *text = &said->text.text;

	if (polc_trace_type_class(value->type) == POLB_CLASS_CAPS)
		polc_layout_put_number(l, address, said->number.value, 8);
	else if (value->type == POLB_TYPE_PATH)
		set_path(l, address, said);
	else if (value->type == POLB_TYPE_STRING ||
		 polc_trace_type_class(value->type) == POLB_CLASS_BYTES)
		polc_layout_put(l, address, text->bytes, text->n);
	else
		polc_layout_fail(l, "type '%s' does not lie in another structure",
			polc_trace_type_name(value->type));
}
