/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Opens targets and answers what is known of a kernel's functions, hooks and configuration. What
 * BTF says of types is target_btf.c's.
 */
#include "target_private.h"

#include <dirent.h>
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* fentry on x86-64 before 6.8; the registers that carry arguments. */
#define FENTRY_PARAMETERS 6

/* --- opening ---------------------------------------------------------------------------------- */

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static const char *directory_or_null(const char *path)
{
	return is_directory(path) && !access(path, R_OK | X_OK) ? path : NULL;
}

/* BTF's magic number or an ELF object; libbpf would print what it thinks of others. */
static bool may_have_btf(const char *path)
{
	unsigned char start[4] = {0};
	FILE *file = fopen(path, "r");
	size_t n = file ? fread(start, 1, sizeof(start), file) : 0;

	if (file)
		fclose(file);
	return n == sizeof(start) && (!memcmp(start, "\x9f\xeb", 2) || !memcmp(start,
									       "\x7f"
									       "ELF",
									       4));
}

static int load_btf(struct polc_target *target, const char *path)
{
	struct btf *btf = NULL;
	int error;

	errno = 0;
	if (!path)
		btf = btf__load_vmlinux_btf();
	else if (may_have_btf(path))
		btf = btf__parse(path, NULL);
	if (!btf) {
		error = errno ? -errno : -EINVAL;
		/* libbpf has error numbers of its own from 4000 on: the file is no BTF */
		error = error <= -4000 ? -EINVAL : error;
		polc_environment_error(
			"no BTF in %s: %s", path ? path : "the running kernel", strerror(-error));
		return error;
	}
	target->kernel.btf = btf;
	polc_target_btf_index(&target->polc->arena, &target->kernel);
	return 0;
}

static void running_config(struct polc_target *target)
{
	struct polc_arena *arena = &target->polc->arena;
	struct utsname name;

	target->has_config = polc_facts_config(arena, "/proc/config.gz", &target->config);
	if (!target->has_config && !uname(&name))
		target->has_config = polc_facts_config(arena,
			polc_arena_printf(arena, "/boot/config-%s", name.release), &target->config);
}

static int open_running(struct polc_target *target)
{
	struct polc_arena *arena = &target->polc->arena;
	int error = load_btf(target, NULL);

	if (error)
		return error;
	target->has_symbols = polc_facts_symbols(arena, "/proc/kallsyms", &target->symbols);
	target->has_error_injection = polc_facts_error_injection(
		arena, "/sys/kernel/debug/error_injection/list", &target->error_injection);
	running_config(target);
	target->modules_directory = directory_or_null("/sys/kernel/btf");
	target->events_directory = directory_or_null("/sys/kernel/tracing/events");
	if (!target->events_directory)
		target->events_directory = directory_or_null("/sys/kernel/debug/tracing/events");
	return 0;
}

static int open_directory(struct polc_target *target, const char *path)
{
	struct polc_arena *arena = &target->polc->arena;
	const char *btf = polc_arena_printf(arena, "%s/vmlinux.btf", path);
	int error;

	if (access(btf, F_OK))
		btf = polc_arena_printf(arena, "%s/btf", path);
	error = load_btf(target, btf);
	if (error)
		return error;
	target->has_symbols = polc_facts_symbols(
		arena, polc_arena_printf(arena, "%s/kallsyms", path), &target->symbols);
	target->has_error_injection = polc_facts_error_injection(arena,
		polc_arena_printf(arena, "%s/error_injection", path), &target->error_injection);
	target->has_config = polc_facts_config(
		arena, polc_arena_printf(arena, "%s/config", path), &target->config);
	target->modules_directory = directory_or_null(polc_arena_printf(arena, "%s/modules", path));
	target->events_directory = directory_or_null(polc_arena_printf(arena, "%s/events", path));
	return 0;
}

const char *polc_target_home(struct polc_arena *arena)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (data && *data)
		return polc_arena_printf(arena, "%s/polc/targets", data);
	return home && *home ? polc_arena_printf(arena, "%s/.local/share/polc/targets", home)
			     : NULL;
}

/* The directory that a NAME stands for; NULL when there is none. */
static const char *named_directory(struct polc_arena *arena, const char *name)
{
	const char *own = polc_target_home(arena), *path;

	path = own ? polc_arena_printf(arena, "%s/%s", own, name) : NULL;
	if (path && is_directory(path))
		return path;
	path = polc_arena_printf(arena, "/usr/share/polc/targets/%s", name);
	return is_directory(path) ? path : NULL;
}

const char *polc_target_directory(struct polc_arena *arena, const char *name)
{
	if (is_directory(name))
		return name;
	return strchr(name, '/') ? NULL : named_directory(arena, name);
}

/* What exists under that path comes before what is installed under that name. */
static int open_path_or_name(struct polc_target *target, const char *name)
{
	const char *directory = is_directory(name) ? name : NULL;

	if (!directory && (strchr(name, '/') || !access(name, F_OK)))
		return load_btf(target, name);
	if (!directory)
		directory = named_directory(&target->polc->arena, name);
	if (directory)
		return open_directory(target, directory);
	polc_environment_error(
		"no target \"%s\": neither a file, a directory, nor an installed target", name);
	return -ENOENT;
}

int polc_target_open(struct polc *polc, const char *name, struct polc_target **out)
{
	struct polc_target *target = POLC_NEW(&polc->arena, struct polc_target);
	int error;

	target->polc = polc;
	target->name = polc_arena_strndup(&polc->arena, name, strlen(name));
	target->modules = POLC_NEW(&polc->arena, struct polc_target_modules);
	error = strcmp(name, "running") ? open_path_or_name(target, name) : open_running(target);
	if (error)
		return error;
	*out = target;
	return 0;
}

void polc_target_close(struct polc_target *target)
{
	if (!target)
		return;
	for (size_t i = 0; i < target->modules->list.n; i++)
		btf__free(target->modules->list.items[i].btf);
	target->modules->list.n = 0;
	btf__free(target->kernel.btf);
	target->kernel.btf = NULL;
}

const char *polc_target_name(const struct polc_target *target)
{
	return target->name;
}

/* --- modules ---------------------------------------------------------------------------------- */

/* "nf_tables.btf" -> "nf_tables"; a plain name is one of /sys/kernel/btf. */
static const char *module_name(struct polc_arena *arena, const char *file)
{
	const char *dot = strrchr(file, '.');

	if (file[0] == '.' || !strcmp(file, "vmlinux") || (dot && strcmp(dot, ".btf")))
		return NULL;
	return polc_arena_strndup(arena, file, dot ? (size_t)(dot - file) : strlen(file));
}

static void read_module(const struct polc_target *target, const char *file)
{
	struct polc_arena *arena = &target->polc->arena;
	struct polc_target_btf module = {.module = module_name(arena, file)};
	const char *path = polc_arena_printf(arena, "%s/%s", target->modules_directory, file);

	/* the upper bits of btf_id have room for so many */
	if (!module.module || target->modules->list.n + 1 >= 1u << (32 - POLC_BTF_SHIFT))
		return;
	module.btf = may_have_btf(path) ? btf__parse_split(path, target->kernel.btf) : NULL;
	if (!module.btf)
		return;
	polc_target_btf_index(arena, &module);
	*polc_vec_push(arena, &target->modules->list) = module;
}

/* In order of name: which of two modules has a name must not depend on the directory's order. */
void polc_target_read_modules(const struct polc_target *target)
{
	struct dirent **entries = NULL;
	int n = 0;

	if (target->modules->read)
		return;
	target->modules->read = true;
	if (target->modules_directory)
		n = scandir(target->modules_directory, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		read_module(target, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/* --- functions -------------------------------------------------------------------------------- */

static enum polc_answer known(bool yes)
{
	return yes ? POLC_YES : POLC_NO;
}

static bool has_prefix(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static bool in_btf(const struct polc_target *target, const char *name)
{
	return polc_target_find(target, POLC_BTF_FUNCTION, name).in;
}

enum polc_answer polc_target_has_function(const struct polc_target *target, const char *name)
{
	if (target->has_symbols)
		return known(polc_names_find(&target->symbols, name) != POLC_NO_NAME);
	if (in_btf(target, name))
		return POLC_YES;
	/* BTF describes every function of C but for some that were inlined; of assembly none */
	return target->kernel.functions.n ? POLC_NO : POLC_UNKNOWN;
}

static bool in_register(const struct polc_value_type *type)
{
	return (type->kind == POLC_VALUE_INT || type->kind == POLC_VALUE_POINTER) &&
	       type->size <= 8;
}

enum polc_answer polc_target_has_fentry(const struct polc_target *target, const char *name)
{
	struct polc_function_type type;

	if (polc_target_has_function(target, name) == POLC_NO ||
		polc_target_function(target->polc, target, name, &type))
		return POLC_NO;
	if (type.variadic || type.n_parameters > FENTRY_PARAMETERS)
		return POLC_NO;
	for (uint32_t i = 0; i < type.n_parameters; i++)
		if (!in_register(&type.parameters[i]))
			return POLC_NO;
	return known(type.result.kind == POLC_VALUE_VOID || in_register(&type.result));
}

static bool is_syscall_symbol(const char *name)
{
	return has_prefix(name, "__x64_sys_") || has_prefix(name, "__ia32_sys_") ||
	       has_prefix(name, "__ia32_compat_sys_") || has_prefix(name, "__arm64_sys_");
}

enum polc_answer polc_target_overridable(const struct polc_target *target, const char *name)
{
	if (has_prefix(name, "security_"))
		return POLC_YES; /* fmod_ret takes them by that prefix */
	/* newer kernels (seen in 7.3) let fmod_ret replace native system calls without that list;
	 * nothing that a target has tells it: loading does */
	if (polc_target_config(target, "CONFIG_FUNCTION_ERROR_INJECTION") == POLC_NO)
		return has_prefix(name, "__x64_sys_") ? POLC_UNKNOWN : POLC_NO;
	if (is_syscall_symbol(name))
		return POLC_YES;
	if (!target->has_error_injection)
		return POLC_UNKNOWN;
	return known(polc_names_find(&target->error_injection, name) != POLC_NO_NAME);
}

enum polc_answer polc_target_config(const struct polc_target *target, const char *symbol)
{
	if (!target->has_config)
		return POLC_UNKNOWN;
	return known(polc_names_find(&target->config, symbol) != POLC_NO_NAME);
}

/* --- LSM hooks -------------------------------------------------------------------------------- */

enum polc_answer polc_target_has_lsm_hook(const struct polc_target *target, const char *name)
{
	return known(in_btf(target, polc_arena_printf(&target->polc->arena, "bpf_lsm_%s", name)));
}

static bool same_type(const struct polc_value_type *a, const struct polc_value_type *b)
{
	return a->kind == b->kind && a->size == b->size && a->is_signed == b->is_signed &&
	       a->is_struct == b->is_struct && !strcmp(a->name, b->name);
}

enum polc_answer polc_target_lsm_same_parameters(const struct polc_target *target, const char *name)
{
	struct polc *polc = target->polc;
	struct polc_function_type hook, function;

	if (polc_target_function(
		    polc, target, polc_arena_printf(&polc->arena, "bpf_lsm_%s", name), &hook) ||
		polc_target_function(polc, target,
			polc_arena_printf(&polc->arena, "security_%s", name), &function))
		return POLC_UNKNOWN;
	if (hook.n_parameters != function.n_parameters)
		return POLC_NO;
	for (uint32_t i = 0; i < hook.n_parameters; i++)
		if (!same_type(&hook.parameters[i], &function.parameters[i]))
			return POLC_NO;
	return POLC_YES;
}

/* --- lists ------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int polc_target_functions_matching(struct polc *polc, const struct polc_target *target,
	const char *pattern, const char *const **out, size_t *n)
{
	const struct polc_name_table *functions = &target->kernel.functions;
	POLC_VEC(const char *) names = {0};
	regex_t regex;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		return -EINVAL;
	for (size_t i = 0; i < functions->size; i++) {
		const char *name = functions->slots[i].name;

		if (name && !regexec(&regex, name, 0, NULL, 0) &&
			polc_target_has_function(target, name) != POLC_NO)
			*polc_vec_push(&polc->arena, &names) = name;
	}
	regfree(&regex);
	if (names.n)
		qsort(names.items, names.n, sizeof(*names.items), by_name);
	*out = names.items;
	*n = names.n;
	return 0;
}
