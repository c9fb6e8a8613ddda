/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * CONFIG_HZ, which the kernel tells nobody: a two-instruction program returns its jiffies. They
 * start at -300 * HZ (in 32 bits), so their value at a known time since boot gives HZ; about 300 s
 * after boot all candidates agree, and then the ticks of a tenth of a second are counted instead.
 */
#include "instance_private.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <math.h>
#include <time.h>

#include "cleanup.h"

#define FALLBACK_HZ 250
#define MAX_ERROR_S 5.0
#define COUNT_NS 100000000L

static const uint32_t candidates[] = {100, 250, 300, 1000};

static double monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int load_program(void)
{
	const struct bpf_insn program[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "polt_hz", "Dual BSD/GPL", program,
		sizeof(program) / sizeof(program[0]), NULL);
}

static int read_jiffies(int program_fd, uint32_t *out)
{
	char packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet),
		.repeat = 1);
	int err = bpf_prog_test_run_opts(program_fd, &run);

	if (!err)
		*out = run.retval;
	return err;
}

/* How far `hz` is off, in seconds, modulo the wrap of 32 bits. */
static double candidate_error_s(uint32_t jiffies, double now_s, uint32_t hz)
{
	uint32_t ticks = jiffies + 300 * hz;
	uint32_t expected = (uint32_t)(uint64_t)(now_s * hz);

	return fabs((double)(int32_t)(ticks - expected)) / hz;
}

/* The candidate nearest to ticks counted over a tenth of a second; 0 when none is near. */
static uint32_t count_ticks(int program_fd)
{
	const struct timespec pause = {.tv_nsec = COUNT_NS};
	double start_s = monotonic_s(), rate;
	uint32_t first = 0, last = 0;

	if (read_jiffies(program_fd, &first) || nanosleep(&pause, NULL) ||
		read_jiffies(program_fd, &last))
		return 0;
	rate = (last - first) / (monotonic_s() - start_s);
	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++)
		if (fabs(rate - candidates[i]) < 0.09 * candidates[i])
			return candidates[i];
	return 0;
}

static uint32_t determine(int program_fd)
{
	double best_s = INFINITY, second_s = INFINITY, now_s;
	uint32_t jiffies = 0, best = 0;

	if (read_jiffies(program_fd, &jiffies))
		return 0;
	now_s = monotonic_s();
	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		double error_s = candidate_error_s(jiffies, now_s, candidates[i]);

		if (error_s < best_s) {
			second_s = best_s;
			best_s = error_s;
			best = candidates[i];
		} else if (error_s < second_s) {
			second_s = error_s;
		}
	}
	if (best_s < MAX_ERROR_S && second_s > 3 * best_s + 2)
		return best;
	return count_ticks(program_fd);
}

uint32_t polb_kernel_hz(void)
{
	static uint32_t known;
	POLB_FD program_fd = -1;

	if (known)
		return known;
	program_fd = load_program();
	if (program_fd >= 0)
		known = determine(program_fd);
	return known ? known : FALLBACK_HZ;
}
