/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Hooks of interfaces, tried on the loopback of a network namespace that a child makes for itself
 * and that ends with it: nothing on this node's own interfaces is touched.
 */
#include "doctor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/cleanup.h"

#define LOOPBACK 1 /* the first interface of every namespace */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define XDP_GENERIC (1u << 1)

/* Returns `result` and does nothing. */
static int load(enum bpf_prog_type type, int result)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = result},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(type, "polc_doctor", "GPL", insns, 2, NULL);

	return fd < 0 ? -errno : fd;
}

static int try_tcx(int program_fd)
{
	POLB_FD fd = bpf_link_create(program_fd, LOOPBACK, TCX_INGRESS, NULL);

	return fd < 0 ? -errno : 0;
}

static int try_clsact(int program_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LOOPBACK, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd, .handle = 1, .priority = 1);
	int err = bpf_tc_hook_create(&hook);

	return err ? err : bpf_tc_attach(&hook, &opts);
}

static int try_xdp(void)
{
	POLB_FD fd = load(BPF_PROG_TYPE_XDP, 2); /* XDP_PASS */

	return fd < 0 ? fd : bpf_xdp_attach(LOOPBACK, fd, XDP_GENERIC, NULL);
}

static void try_all(struct pold_net *net)
{
	POLB_FD fd = -1;

	if (unshare(CLONE_NEWNET)) {
		net->err = -errno;
		return;
	}
	fd = load(BPF_PROG_TYPE_SCHED_CLS, 0);
	net->tcx = fd < 0 ? fd : try_tcx(fd);
	net->clsact = fd < 0 ? fd : try_clsact(fd);
	net->xdp = try_xdp();
}

void pold_net_probe(struct pold_net *out)
{
	struct pold_net net = {.err = -EIO};
	POLB_FD from = -1;
	POLB_FD to = -1;
	int ends[2];
	pid_t child;

	*out = net;
	if (pipe(ends))
		return;
	from = ends[0];
	to = ends[1];
	child = fork();
	if (child == 0) {
		net.err = 0;
		try_all(&net);
		_exit(write(to, &net, sizeof(net)) != sizeof(net));
	}
	close(polb_take_fd(&to)); /* a child that dies makes an end of file */
	if (child > 0 && read(from, &net, sizeof(net)) == sizeof(net))
		*out = net;
	if (child > 0)
		waitpid(child, NULL, 0);
}
