/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* attach OBJECT COMMAND...: runs the command while all programs of a BPF object are attached. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_object *object = argc > 2 ? bpf_object__open(argv[1]) : NULL;
	struct bpf_program *program;
	int status = 1;

	if (!object || bpf_object__load(object)) {
		fprintf(stderr, "usage: attach OBJECT COMMAND...\n");
		return 2;
	}
	bpf_object__for_each_program(program, object)
	{
		if (!bpf_program__attach(program)) {
			fprintf(stderr, "cannot attach %s\n", bpf_program__name(program));
			return 3;
		}
	}
	pid_t pid = fork();

	if (!pid) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}
