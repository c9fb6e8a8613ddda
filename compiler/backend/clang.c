/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Runs clang, as an external program and without a shell, on the embedded templates and the
 * generated headers, in a private temporary directory. What it would see is also the key of the
 * object cache. Sees no headers of the machine and no path, so the same input gives the same bytes
 * anywhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sodium.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runtime/cleanup.h"
#include "backend.h"
#include "templates.h"

extern char **environ;

#define CLANG_OUTPUT_MAX 65536
#define OBJECT_MAX (64u << 20)
#define CONFIG_NAME "polc_config.h"
#define TRACING_NAME "polc_tracing.h"
#define SOURCE_NAME "bpf-templates/bundle.c"
#define OBJECT_NAME "bundle.o"
/* abi.h includes <linux/types.h>: our own stands in for it */
#define TYPES_TEMPLATE "bpf-templates/lib/types.h"
#define TYPES_NAME "linux/types.h"

/*
 * v3: 32-bit ALU and jumps, kernel 5.1. Run in the directory of the sources, so every path is
 * relative; the compilation directory would otherwise still get into the BTF line information.
 */
static const char *const flags[] = {"-target", "bpf", "-mcpu=v3", "-O2", "-g", "-std=gnu11",
	"-nostdinc", "-I.", "-fdebug-compilation-dir=.", "-ffile-prefix-map=./=", "-fno-ident",
	"-Werror=implicit-function-declaration", "-c", SOURCE_NAME, "-o", OBJECT_NAME, NULL};

static const char *clang_program(const struct polc_build_options *options)
{
	const char *program = options->clang;

	if (!program)
		program = getenv("POLC_CLANG");
	return program && *program ? program : "clang";
}

/* Reads up to `max` bytes and swallows the rest, so that the writer does not block. */
static size_t read_all(int fd, char *to, size_t max)
{
	char rest[4096];
	size_t n = 0;

	for (;;) {
		bool full = n == max;
		ssize_t got = read(fd, full ? rest : to + n, full ? sizeof(rest) : max - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return n;
		if (!full)
			n += (size_t)got;
	}
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int spawn(pid_t *pid, const char *program, const char *directory, int out,
	const char *const *arguments)
{
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return -err;
	err = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out, 2);
	if (!err && directory)
		err = posix_spawn_file_actions_addchdir_np(&actions, directory);
	if (!err)
		err = posix_spawnp(pid, program, &actions, NULL, (char *const *)arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

/* Runs a program; its output (both streams, cut) is NUL-terminated. Exit status, or -errno. */
static int run(const char *program, const char *directory, const char *const *arguments,
	char output[CLANG_OUTPUT_MAX])
{
	char absolute[PATH_MAX];
	int ends[2], err;
	pid_t pid;

	/* a relative path means the caller's directory, not the one it will run in */
	if (strchr(program, '/') && realpath(program, absolute))
		program = absolute;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	err = spawn(&pid, program, directory, ends[1], arguments);
	close(ends[1]);
	if (!err) {
		output[read_all(ends[0], output, CLANG_OUTPUT_MAX - 1)] = 0;
		err = wait_for(pid);
	}
	close(ends[0]);
	return err;
}

/* All of `clang --version`, in the arena: part of the cache's key. */
static int version_text(
	struct polc *polc, const struct polc_build_options *options, const char **text)
{
	const char *program = clang_program(options);
	const char *arguments[] = {program, "--version", NULL};
	char *output = polc_arena_alloc(&polc->arena, CLANG_OUTPUT_MAX);
	int status = run(program, NULL, arguments, output);

	if (status == -ENOENT || status == -EACCES) {
		polc_environment_error(
			"clang not found: %s (install clang, or name it with POLC_CLANG)", program);
		return -ENOENT;
	}
	if (status) {
		polc_environment_error("cannot run %s --version", program);
		return status < 0 ? status : -EIO;
	}
	*text = output;
	return 0;
}

int polc_clang_version(
	struct polc *polc, const struct polc_build_options *options, const char **version)
{
	const char *text;
	int err = version_text(polc, options, &text);

	if (!err)
		*version = polc_arena_strndup(&polc->arena, text, strcspn(text, "\n"));
	return err;
}

/* The tracing templates are there only with tracing programs. */
static bool wanted(const struct polc_template *template, const struct polc_generated *generated)
{
	return !strcmp(template->path, SOURCE_NAME) ||
	       !strncmp(template->path, "bpf-templates/network/", 22) ||
	       !strncmp(template->path, "bpf-templates/lib/", 18) ||
	       !strcmp(template->path, "runtime/abi.h") ||
	       (generated->tracing && (!strncmp(template->path, "bpf-templates/tracing/", 22) ||
					      !strcmp(template->path, "runtime/trace_abi.h")));
}

static void hash_text(crypto_hash_sha256_state *state, const char *text, size_t len)
{
	unsigned char size[8];

	for (int i = 0; i < 8; i++)
		size[i] = (unsigned char)((uint64_t)len >> (8 * i));
	crypto_hash_sha256_update(state, size, sizeof(size));
	crypto_hash_sha256_update(state, (const unsigned char *)text, len);
}

/* Everything that the object depends on, in hexadecimal. */
static void cache_key(const struct polc_generated *generated, const char *version, char key[65])
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	hash_text(&state, "polc object 2", 13);
	hash_text(&state, POLC_VERSION, strlen(POLC_VERSION));
	hash_text(&state, version, strlen(version));
	for (size_t i = 0; flags[i]; i++)
		hash_text(&state, flags[i], strlen(flags[i]));
	hash_text(&state, generated->config, strlen(generated->config));
	if (generated->tracing)
		hash_text(&state, generated->tracing, strlen(generated->tracing));
	for (size_t i = 0; i < polc_n_templates; i++) {
		if (!wanted(&polc_templates[i], generated))
			continue;
		hash_text(&state, polc_templates[i].path, strlen(polc_templates[i].path));
		hash_text(&state, polc_templates[i].text, polc_templates[i].len);
	}
	crypto_hash_sha256_final(&state, digest);
	sodium_bin2hex(key, 65, digest, sizeof(digest));
}

/* Makes the directories above the last '/' of `path`. */
static int make_parents(const char *path)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof(copy))
		return -ENAMETOOLONG;
	strcpy(copy, path);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(copy, 0777) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int write_fd(int fd, const void *data, size_t size)
{
	for (const char *p = data; size;) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_file(const char *directory, const char *name, const void *data, size_t size)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	int err = make_parents(path);
	if (err)
		return err;
	POLB_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fd < 0 ? -errno : write_fd(fd, data, size);
}

/* The files as clang sees them. */
static int write_sources(const char *directory, const struct polc_generated *generated)
{
	int err = write_file(directory, CONFIG_NAME, generated->config, strlen(generated->config));

	if (!err && generated->tracing)
		err = write_file(
			directory, TRACING_NAME, generated->tracing, strlen(generated->tracing));
	for (size_t i = 0; !err && i < polc_n_templates; i++) {
		const struct polc_template *t = &polc_templates[i];

		if (!wanted(t, generated))
			continue;
		err = write_file(directory, t->path, t->text, t->len);
		if (!err && !strcmp(t->path, TYPES_TEMPLATE))
			err = write_file(directory, TYPES_NAME, t->text, t->len);
	}
	return err;
}

static int read_object(const char *path, void **object, size_t *size)
{
	POLB_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > OBJECT_MAX)
		return -EINVAL;
	POLB_FREE char *data = malloc((size_t)st.st_size);
	if (!data)
		return -ENOMEM;
	if (read_all(fd, data, (size_t)st.st_size) != (size_t)st.st_size)
		return -EIO;
	*object = POLB_TAKE(data);
	*size = (size_t)st.st_size;
	return 0;
}

/* The first lines of what clang said: enough to see whether it is the environment or us. */
static void report_failure(const char *program, int status, char *output)
{
	char *end = output;

	for (int lines = 0; *end && lines < 12; lines++)
		end += strcspn(end, "\n") + (strchr(end, '\n') != NULL);
	*end = 0;
	if (status < 0)
		polc_environment_error("cannot run %s: %s", program, strerror(-status));
	else
		polc_environment_error(
			"%s failed with status %d on the templates:\n%s", program, status, output);
}

static int compile_in(const char *directory, const struct polc_generated *generated,
	const struct polc_build_options *options, void **object, size_t *size)
{
	const char *program = clang_program(options);
	const char *arguments[POLC_ARRAY_SIZE(flags) + 1] = {program};
	POLB_FREE char *output = malloc(CLANG_OUTPUT_MAX);
	char path[PATH_MAX + sizeof(OBJECT_NAME)];

	if (!output)
		return -ENOMEM;
	int err = write_sources(directory, generated);
	if (err) {
		polc_environment_error("cannot write %s: %s", directory, strerror(-err));
		return err;
	}
	memcpy(arguments + 1, flags, sizeof(flags));
	*output = 0;
	int status = run(program, directory, arguments, output);
	if (status) {
		report_failure(program, status, output);
		return status < 0 ? status : -EIO;
	}
	snprintf(path, sizeof(path), "%s/%s", directory, OBJECT_NAME);
	err = read_object(path, object, size);
	if (err)
		polc_environment_error("%s wrote no object: %s", program, strerror(-err));
	return err;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

static int compile_apart(const struct polc_generated *generated,
	const struct polc_build_options *options, void **object, size_t *size)
{
	const char *base = getenv("TMPDIR");
	char directory[PATH_MAX];

	if (snprintf(directory, sizeof(directory), "%s/polc-XXXXXX",
		    base && *base ? base : "/tmp") >= (int)sizeof(directory) - 64)
		return -ENAMETOOLONG;
	if (!mkdtemp(directory)) {
		int err = -errno;

		polc_environment_error("cannot make %s: %s", directory, strerror(-err));
		return err;
	}
	int err = compile_in(directory, generated, options, object, size);
	nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	return err;
}

/* Path of a cached object; false: there is nowhere to keep one. */
static bool cache_path(const char *key, char path[PATH_MAX])
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n;

	if (cache && *cache == '/')
		n = snprintf(path, PATH_MAX, "%s/polc/%s.o", cache, key);
	else if (home && *home == '/')
		n = snprintf(path, PATH_MAX, "%s/.cache/polc/%s.o", home, key);
	else
		return false;
	return n < PATH_MAX - 16;
}

/* A cached file that is cut or foreign must not become a bundle: its digest is its last 32 bytes.
 */
static int cache_load(const char *path, void **object, size_t *size)
{
	POLB_FREE void *data = NULL;
	unsigned char digest[crypto_hash_sha256_BYTES];
	size_t n;

	if (read_object(path, &data, &n) || n <= sizeof(digest))
		return -ENOENT;
	n -= sizeof(digest);
	crypto_hash_sha256(digest, data, n);
	if (memcmp(digest, (const char *)data + n, sizeof(digest)))
		return -EINVAL;
	*object = POLB_TAKE(data);
	*size = n;
	return 0;
}

/* Complete or not at all: written beside its place, then renamed. Failing to is no error. */
static void cache_store(const char *path, const void *object, size_t size)
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	char temporary[PATH_MAX + 16];

	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	if (make_parents(path))
		return;
	POLB_FD fd = mkstemp(temporary);
	if (fd < 0)
		return;
	crypto_hash_sha256(digest, object, size);
	if (write_fd(fd, object, size) || write_fd(fd, digest, sizeof(digest)) ||
		rename(temporary, path))
		unlink(temporary);
}

int polc_clang_compile_generated(struct polc *polc, const struct polc_generated *generated,
	const struct polc_build_options *options, void **object, size_t *size)
{
	const char *version;
	char key[65], path[PATH_MAX];
	int err = version_text(polc, options, &version);

	if (err)
		return err;
	if (options->keep_c) {
		err = write_sources(options->keep_c, generated);
		if (err) {
			polc_environment_error(
				"cannot write %s: %s", options->keep_c, strerror(-err));
			return err;
		}
	}
	cache_key(generated, version, key);
	bool cached = !options->no_cache && cache_path(key, path);
	if (cached && !cache_load(path, object, size))
		return 0;
	err = compile_apart(generated, options, object, size);
	if (!err && cached)
		cache_store(path, *object, *size);
	return err;
}

int polc_clang_compile(struct polc *polc, const char *header,
	const struct polc_build_options *options, void **object, size_t *size)
{
	const struct polc_generated generated = {.config = header};

	return polc_clang_compile_generated(polc, &generated, options, object, size);
}
