/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Programs that do nothing, on the hooks that tests/trace/bench measures: what a hook itself costs.
 */
#define SEC(name) __attribute__((section(name), used))

SEC("lsm/file_open") int empty_file_open(void *ctx)
{
	return 0;
}
SEC("fexit/security_file_permission") int empty_file_permission(void *ctx)
{
	return 0;
}
SEC("fentry/tcp_connect") int empty_tcp_connect(void *ctx)
{
	return 0;
}
SEC("tp_btf/sched_process_fork") int empty_fork(void *ctx)
{
	return 0;
}
SEC("tp_btf/sched_process_exec") int empty_exec(void *ctx)
{
	return 0;
}
SEC("tp_btf/sched_process_exit") int empty_exit(void *ctx)
{
	return 0;
}
char licence[] SEC("license") = "Dual BSD/GPL";
