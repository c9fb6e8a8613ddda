/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `polload verify` as a child process; it gets the bundles as files of memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runtime/cleanup.h"
#include "verify.h"

#define ANSWER_MAX ((size_t)256 << 20)

/* An inherited descriptor of the bundle's bytes, or -errno. */
static int memory_file(const struct polb_bundle *bundle)
{
	POLB_FD fd = memfd_create("bundle", 0);

	for (size_t done = 0; fd >= 0 && done < bundle->size;) {
		ssize_t n = write(fd, (const char *)bundle->data + done, bundle->size - done);

		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return fd < 0 ? -errno : polb_take_fd(&fd);
}

/* All that the child says, in the arena. */
static int read_all(struct polc *polc, int fd, char **out, size_t *size)
{
	struct polc_buf text = {.arena = &polc->arena};
	char bytes[1 << 16];
	ssize_t n;

	polc_buf_puts(&text, "");
	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || text.n > ANSWER_MAX)
			return n < 0 ? -errno : -EFBIG;
		polc_buf_add(&text, bytes, (size_t)n);
	}
	*out = text.p;
	*size = text.n;
	return 0;
}

static int run(struct polc *polc, const char *const *words, char **answer, size_t *size)
{
	int ends[2], status, err;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execv(words[0], (char *const *)words);
		_exit(127);
	}
	close(ends[1]);
	err = pid < 0 ? -errno : read_all(polc, ends[0], answer, size);
	close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return err ? err : status ? -EIO : 0;
}

int polc_run_polload(struct polc *polc, const char *program, const struct polc_verify_input *inputs,
	size_t n_inputs, char **answer, size_t *size)
{
	const char **words = POLC_NEW_ARRAY(&polc->arena, n_inputs + 3, const char *);
	int *files = POLC_NEW_ARRAY(&polc->arena, n_inputs, int), err = 0;
	size_t n = 0;

	words[0] = program;
	words[1] = "verify";
	for (; !err && n < n_inputs; n++) {
		files[n] = memory_file(&inputs[n].bundle);
		err = files[n] < 0 ? files[n] : 0;
		words[n + 2] = polc_arena_printf(&polc->arena, "/proc/self/fd/%d", files[n]);
	}
	if (!err)
		err = run(polc, words, answer, size);
	while (n-- > 0)
		if (files[n] >= 0)
			close(files[n]);
	return err;
}
