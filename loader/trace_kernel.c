/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What this kernel can do, asked of its own tables: BTF (functions, parameters, tracepoints), its
 * symbols, its list of security modules, its error injection list. What a table does not say is
 * left to trying.
 */
#include "trace.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/cleanup.h"

/* Of a kernel's BTF, which is copied once: more than any has, less than other large blocks have. */
#define BTF_BYTES (12 << 20)

/* A kernel symbol that some program names. */
struct symbol {
	const char *name;
	uint32_t n;  /* functions of that name */
	bool traced; /* ftrace has it */
};

struct pold_kernel {
	const struct polb_bundle *bundle;
	struct btf *vmlinux; /* NULL: none, or not read */
	struct btf **modules;
	size_t n_modules;
	bool vmlinux_read, modules_read;
	struct symbol *symbols; /* sorted */
	size_t n_symbols;
	bool symbols_known, in_init; /* in_init: the line read is of code freed after boot */
	bool traced_read, traced_known;
	char *lsm;      /* "lockdown,capability,bpf"; NULL: not known */
	char *injected; /* lines "name\ttype"; NULL: not known */
};

__attribute__((format(printf, 3, 4))) static enum pold_can because(
	enum pold_can can, char why[POLD_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, POLD_WHY, format, args);
	va_end(args);
	return can;
}

/* A file system of the kernel's own, mounted for this descriptor only. */
static int detached(const char *type)
{
	POLB_FD fs = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int pold_kernel_file(const char *type, const char *mount, const char *path)
{
	char full[POLD_PATH];
	POLB_FD root = -1;
	int fd;

	pold_path(full, "%s/%s", mount, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	root = detached(type);
	if (root < 0)
		return root;
	fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The whole of a file whose size is not known, NUL-terminated, malloc'd; NULL when it cannot. */
static char *read_text(int fd)
{
	size_t capacity = 1 << 16, n = 0;
	POLB_FREE char *text = fd < 0 ? NULL : malloc(capacity);

	while (text) {
		ssize_t got = read(fd, text + n, capacity - n - 1);

		if (got < 0)
			return NULL;
		if (got == 0) {
			text[n] = '\0';
			return POLB_TAKE(text);
		}
		n += (size_t)got;
		if (n + 1 == capacity) {
			char *larger = realloc(text, capacity * 2);

			if (!larger)
				return NULL;
			text = larger;
			capacity *= 2;
		}
	}
	return NULL;
}

static char *read_kernel_text(const char *type, const char *mount, const char *path)
{
	POLB_FD fd = pold_kernel_file(type, mount, path);

	return read_text(fd);
}

/* The functions that may be overridden; "" when this kernel is built without; NULL: not known. */
static char *read_injected(void)
{
	POLB_FD fd = pold_kernel_file("debugfs", "/sys/kernel/debug", "error_injection/list");

	return fd == -ENOENT ? strdup("") : read_text(fd);
}

/* --- symbols ---------------------------------------------------------------------------------- */

static int compare_symbols(const void *a, const void *b)
{
	return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

static struct symbol *find_symbol(const struct pold_kernel *k, const char *name)
{
	const struct symbol wanted = {.name = name};

	return bsearch(&wanted, k->symbols, k->n_symbols, sizeof(wanted), compare_symbols);
}

/* "ffffffff81000000 T name\t[module]", by address: counts it when it is code that still is there.
 */
static void count_line(struct pold_kernel *k, char *line)
{
	char *type = strchr(line, ' '), *name = type ? type + 3 : NULL;
	struct symbol *symbol;

	if (!type || !type[1] || type[2] != ' ' || !strchr("tTwW", type[1]))
		return;
	name[strcspn(name, "\t")] = '\0';
	k->in_init =
		(k->in_init || strcmp(name, "_sinittext") == 0) && strcmp(name, "_einittext") != 0;
	symbol = k->in_init ? NULL : find_symbol(k, name);
	if (symbol)
		symbol->n++;
}

static bool by_symbol(const struct polb_bundle_trace_program *p)
{
	return p->mechanism == POLB_MECHANISM_KPROBE || p->mechanism == POLB_MECHANISM_KRETPROBE ||
	       p->mechanism == POLB_MECHANISM_FENTRY || p->mechanism == POLB_MECHANISM_FEXIT ||
	       p->mechanism == POLB_MECHANISM_FMOD_RET;
}

/* Those that programs name, sorted and without duplicates. */
static int collect_symbols(struct pold_kernel *k)
{
	const struct polb_bundle *b = k->bundle;
	size_t n = 0, kept = 0;

	k->symbols = calloc(b->n_trace_programs + 1, sizeof(*k->symbols));
	if (!k->symbols)
		return -ENOMEM;
	for (size_t i = 0; i < b->n_trace_programs; i++)
		if (by_symbol(&b->trace_programs[i]))
			k->symbols[n++].name = polb_bundle_string(b, b->trace_programs[i].target);
	qsort(k->symbols, n, sizeof(*k->symbols), compare_symbols);
	for (size_t i = 0; i < n; i++)
		if (!kept || strcmp(k->symbols[kept - 1].name, k->symbols[i].name) != 0)
			k->symbols[kept++] = k->symbols[i];
	k->n_symbols = kept;
	return 0;
}

static void read_symbols(struct pold_kernel *k)
{
	FILE *file = k->n_symbols ? fopen("/proc/kallsyms", "re") : NULL;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return;
	for (ssize_t n; (n = getline(&line, &size, file)) > 0;) {
		line[n - 1] = '\0';
		count_line(k, line);
		k->symbols_known = true;
	}
	free(line);
	fclose(file);
}

/* "name [module]" per line: what remains when inlined, "notrace" and freed functions are left out.
 */
static void read_traced(struct pold_kernel *k)
{
	POLB_FREE char *text =
		read_kernel_text("tracefs", "/sys/kernel/tracing", "available_filter_functions");
	char *rest = text;

	k->traced_read = true;
	k->traced_known = text && *text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		struct symbol *symbol;

		line[strcspn(line, " \t")] = '\0';
		symbol = find_symbol(k, line);
		if (symbol)
			symbol->traced = true;
	}
}

enum pold_can pold_kernel_can_trace(
	struct pold_kernel *k, const struct polb_bundle_trace_program *p, char why[POLD_WHY])
{
	const char *target = polb_bundle_string(k->bundle, p->target);
	const struct symbol *symbol;

	if (!k->traced_read)
		read_traced(k);
	symbol = find_symbol(k, target);
	if (k->traced_known && symbol && !symbol->traced)
		return because(POLD_MISSING, why, "this kernel cannot trace %s", target);
	return POLD_CAN;
}

/* --- BTF -------------------------------------------------------------------------------------- */

/* Of the kernel itself, read when it is first asked for. NULL: there is none. */
static struct btf *vmlinux(struct pold_kernel *k)
{
	if (!k->vmlinux_read)
		k->vmlinux = btf__load_vmlinux_btf();
	k->vmlinux_read = true;
	return k->vmlinux;
}

/*
 * libbpf reads the same again for each load: its megabytes go where ours were, instead of pages
 * that are new to the process.
 */
void pold_kernel_forget(struct pold_kernel *k)
{
	for (size_t i = 0; i < k->n_modules; i++)
		btf__free(k->modules[i]);
	free(k->modules);
	btf__free(k->vmlinux);
	k->modules = NULL;
	k->n_modules = 0;
	k->vmlinux = NULL;
	k->vmlinux_read = k->modules_read = false;
}

static void add_module(struct pold_kernel *k, __u32 id)
{
	char name[64] = "";
	struct bpf_btf_info info = {.name = (uintptr_t)name, .name_len = sizeof(name)};
	__u32 size = sizeof(info);
	POLB_FD fd = bpf_btf_get_fd_by_id(id);
	struct btf **larger, *btf;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) || !info.kernel_btf ||
		strcmp(name, "vmlinux") == 0)
		return;
	larger = realloc(k->modules, (k->n_modules + 1) * sizeof(*larger));
	if (!larger)
		return;
	k->modules = larger;
	btf = btf__load_from_kernel_by_id_split(id, vmlinux(k));
	if (btf)
		k->modules[k->n_modules++] = btf;
}

/* Those of modules, from 5.11; earlier kernels have no such BTF, and all ids are programs'. */
static void read_modules(struct pold_kernel *k)
{
	__u32 id = 0;

	while (!k->modules_read && bpf_btf_get_next_id(id, &id) == 0)
		add_module(k, id);
	k->modules_read = true;
}

/* The BTF that has it, with its id. NULL: none. */
static const struct btf *find_type(
	struct pold_kernel *k, const char *name, __u32 kind, const struct btf_type **out)
{
	const struct btf *btf = vmlinux(k);
	__s32 id = btf ? btf__find_by_name_kind(btf, name, kind) : -ENOENT;

	if (id < 0 && btf)
		read_modules(k);
	for (size_t i = 0; id < 0 && i < k->n_modules; i++) {
		btf = k->modules[i];
		id = btf__find_by_name_kind(btf, name, kind);
	}
	if (id < 0)
		return NULL;
	*out = btf__type_by_id(btf, (__u32)id);
	return btf;
}

/* A function's prototype. */
static const struct btf *find_function(
	struct pold_kernel *k, const char *name, const struct btf_type **prototype)
{
	const struct btf_type *function;
	const struct btf *btf = find_type(k, name, BTF_KIND_FUNC, &function);

	if (btf)
		*prototype = btf__type_by_id(btf, function->type);
	return btf && *prototype && btf_is_func_proto(*prototype) ? btf : NULL;
}

/* Equal as a program sees them: through pointers, qualifiers left out, structs by name. */
static bool same_type(const struct btf *a, __u32 a_id, const struct btf *b, __u32 b_id)
{
	for (int depth = 0; depth < 32; depth++) {
		const struct btf_type *x, *y;

		while ((x = btf__type_by_id(a, a_id)) && btf_is_mod(x))
			a_id = x->type;
		while ((y = btf__type_by_id(b, b_id)) && btf_is_mod(y))
			b_id = y->type;
		if (!a_id || !b_id)
			return a_id == b_id;
		if (!x || !y || btf_kind(x) != btf_kind(y) ||
			strcmp(btf__name_by_offset(a, x->name_off),
				btf__name_by_offset(b, y->name_off)) != 0)
			return false;
		if (!btf_is_ptr(x))
			return x->name_off || x->size == y->size;
		a_id = x->type;
		b_id = y->type;
	}
	return false;
}

static enum pold_can check_same(struct pold_kernel *k, const struct btf *btf,
	const struct btf_type *prototype, const char *other, char why[POLD_WHY])
{
	const struct btf_type *wanted = NULL;
	const struct btf *wanted_btf = find_function(k, other, &wanted);

	if (!wanted_btf)
		return because(POLD_CANNOT, why, "no BTF of %s to compare parameters with", other);
	if (btf_vlen(wanted) != btf_vlen(prototype))
		return because(POLD_CANNOT, why, "it has other parameters than %s", other);
	for (int i = 0; i < btf_vlen(wanted); i++)
		if (!same_type(btf, btf_params(prototype)[i].type, wanted_btf,
			    btf_params(wanted)[i].type))
			return because(POLD_CANNOT, why, "it has other parameters than %s", other);
	return POLD_CAN;
}

/* --- mechanisms ------------------------------------------------------------------------------- */

static enum pold_can check_function(struct pold_kernel *k,
	const struct polb_bundle_trace_program *p, const char *name, char why[POLD_WHY])
{
	const char *same = polb_bundle_string(k->bundle, p->same_as);
	const struct btf_type *prototype = NULL;
	const struct btf *btf;

	if (!vmlinux(k))
		return because(POLD_CANNOT, why, "this kernel has no BTF");
	btf = find_function(k, name, &prototype);
	if (!btf)
		return because(POLD_MISSING, why, "this kernel's BTF has no function %s", name);
	if (btf_vlen(prototype) < p->n_arguments)
		return because(POLD_CANNOT, why, "%s has only %u parameters in this kernel", name,
			btf_vlen(prototype));
	if ((p->flags & POLB_PROGRAM_EXACT_ARGUMENTS) && btf_vlen(prototype) != p->n_arguments)
		return because(POLD_CANNOT, why, "%s has %u parameters in this kernel, not %u",
			name, btf_vlen(prototype), p->n_arguments);
	return *same ? check_same(k, btf, prototype, same, why) : POLD_CAN;
}

/* Whether the name is a line's first word; true when the list is not known. */
static bool injectable(const struct pold_kernel *k, const char *name)
{
	size_t n = strlen(name);

	if (!k->injected)
		return true;
	for (const char *line = k->injected; *line;) {
		size_t length = strcspn(line, "\n");

		if (length > n && strncmp(line, name, n) == 0 &&
			(line[n] == '\t' || line[n] == ' '))
			return true;
		line += length + (line[length] == '\n');
	}
	return false;
}

static bool in_list(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; *at;) {
		size_t length = strcspn(at, ",\n");

		if (length == n && strncmp(at, word, n) == 0)
			return true;
		at += length + (at[length] != '\0');
	}
	return false;
}

static enum pold_can check_lsm(struct pold_kernel *k, const struct polb_bundle_trace_program *p,
	const char *target, char why[POLD_WHY])
{
	char name[256];

	if (k->lsm && !in_list(k->lsm, "bpf"))
		return because(POLD_CANNOT, why,
			"bpf is not among this kernel's security modules (boot with lsm=...,bpf)");
	snprintf(name, sizeof(name), "bpf_lsm_%s", target);
	return check_function(k, p, name, why);
}

/* BTF alone does not tell: it describes functions of __init, and one for all of the same name. */
static enum pold_can check_symbol(
	const struct pold_kernel *k, const char *target, char why[POLD_WHY])
{
	const struct symbol *symbol = find_symbol(k, target);

	if (k->symbols_known && (!symbol || symbol->n == 0))
		return because(POLD_MISSING, why, "this kernel has no function %s", target);
	if (k->symbols_known && symbol->n > 1)
		return because(POLD_CANNOT, why, "this kernel has %u functions named %s", symbol->n,
			target);
	return POLD_CAN;
}

static enum pold_can check_kprobe(struct pold_kernel *k, const struct polb_bundle_trace_program *p,
	const char *target, char why[POLD_WHY])
{
	enum pold_can can = check_symbol(k, target, why);

	if (can != POLD_CAN)
		return can;
	if ((p->flags & POLB_PROGRAM_OVERRIDES) && !injectable(k, target))
		return because(POLD_CANNOT, why,
			"this kernel does not allow %s to be overridden (error injection list)",
			target);
	return POLD_CAN;
}

static enum pold_can check_tracepoint(const char *target, char why[POLD_WHY])
{
	char path[POLD_PATH];
	POLB_FD fd = -1;

	pold_path(path, "events/%s/id", target);
	fd = pold_kernel_file("tracefs", "/sys/kernel/tracing", path);
	if (fd == -ENOENT)
		return because(POLD_MISSING, why, "this kernel has no tracepoint %s", target);
	if (fd < 0)
		return because(POLD_CANNOT, why, "cannot read this kernel's tracepoints: %s",
			strerror(-fd));
	return POLD_CAN;
}

static enum pold_can check_raw(struct pold_kernel *k, const char *target, char why[POLD_WHY])
{
	const struct btf_type *type;
	char name[256];

	if (!vmlinux(k))
		return POLD_CAN;
	snprintf(name, sizeof(name), "btf_trace_%s", target);
	if (!find_type(k, name, BTF_KIND_TYPEDEF, &type))
		return because(POLD_MISSING, why, "this kernel has no tracepoint %s", target);
	return POLD_CAN;
}

/* Whether the kernel has a helper that programs of this kind need, by its name in BTF. */
static bool has_helper(struct pold_kernel *k, const char *name)
{
	const struct btf *btf = vmlinux(k);
	__s32 id = btf ? btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM) : -ENOENT;
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);

	for (int i = 0; type && i < btf_vlen(type); i++)
		if (strcmp(btf__name_by_offset(btf, btf_enum(type)[i].name_off), name) == 0)
			return true;
	return false;
}

/* These programs are there to hash files, and nothing else. */
static enum pold_can check_sleepable(struct pold_kernel *k,
	const struct polb_bundle_trace_program *p, const char *target, char why[POLD_WHY])
{
	if (!has_helper(k, "BPF_FUNC_ima_inode_hash"))
		return because(POLD_CANNOT, why, "this kernel gives programs no hashes of files");
	return check_lsm(k, p, target, why);
}

enum pold_can pold_kernel_can(
	struct pold_kernel *k, const struct polb_bundle_trace_program *p, char why[POLD_WHY])
{
	const char *target = polb_bundle_string(k->bundle, p->target);
	enum pold_can can;

	switch ((enum polb_mechanism)p->mechanism) {
	case POLB_MECHANISM_FENTRY:
	case POLB_MECHANISM_FEXIT:
	case POLB_MECHANISM_FMOD_RET: /* which results may be changed is no list: loading tells */
		can = check_symbol(k, target, why);
		return can == POLD_CAN ? check_function(k, p, target, why) : can;
	case POLB_MECHANISM_LSM:
		return check_lsm(k, p, target, why);
	case POLB_MECHANISM_LSM_SLEEPABLE:
		return check_sleepable(k, p, target, why);
	case POLB_MECHANISM_KPROBE:
	case POLB_MECHANISM_KRETPROBE:
		return check_kprobe(k, p, target, why);
	case POLB_MECHANISM_TRACEPOINT:
		return check_tracepoint(target, why);
	case POLB_MECHANISM_RAW_TRACEPOINT:
	case POLB_MECHANISM_TP_BTF:
		return check_raw(k, target, why);
	case POLB_MECHANISM_UPROBE:
	case POLB_MECHANISM_URETPROBE:
	case POLB_MECHANISM_USDT:
	case POLB_N_MECHANISMS:
		break;
	}
	return POLD_CAN;
}

int pold_kernel_open(const struct polb_bundle *bundle, struct pold_kernel **out)
{
	struct pold_kernel *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return -ENOMEM;
	k->bundle = bundle;
	mallopt(M_MMAP_THRESHOLD, BTF_BYTES); /* see pold_kernel_forget() */
	mallopt(M_TRIM_THRESHOLD, 3 * BTF_BYTES);
	err = collect_symbols(k);
	if (err) {
		pold_kernel_free(k);
		return err;
	}
	read_symbols(k);
	k->lsm = read_kernel_text("securityfs", "/sys/kernel/security", "lsm");
	k->injected = read_injected();
	*out = k;
	return 0;
}

void pold_kernel_free(struct pold_kernel *k)
{
	if (!k)
		return;
	pold_kernel_forget(k);
	free(k->symbols);
	free(k->lsm);
	free(k->injected);
	free(k);
}
