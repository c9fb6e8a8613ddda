/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* polload's entry: finds the subcommand. */
#include "loader.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

static const struct command {
	const char *name, *usage;
	int (*run)(const struct pold_options *options);
} commands[] = {
	{"apply",
		"apply BUNDLE [--name NAME] [--audit] [--node NAME] [--adopt SECONDS] [--room N]\n"
		"       [--processes N] [--ring BYTES] [--avoid MECHANISM,...] [--dry-run [-o "
		"json]]\n"
		"       [--confirm TIME] [--health COMMAND] [--absent refuse|wait|create]\n"
		"       [--trusted-key FILE]... [--wait TIME]",
		pold_cmd_apply},
	{"rollback",
		"rollback [--name NAME] [--dry-run [-o json]] [--confirm TIME] [--health COMMAND]",
		pold_cmd_rollback},
	{"confirm", "confirm [--name NAME] | --expired", pold_cmd_confirm},
	{"status", "status [--name NAME] [--all] [-o text|json]", pold_cmd_status},
	{"remove", "remove [--name NAME]", pold_cmd_remove},
	{"mode", "mode audit|enforce [--name NAME] [--policy NAME]...", pold_cmd_mode},
	{"endpoint",
		"endpoint add NAMESPACE/NAME --cgroup PATH|UNIT | --container ID | --interface "
		"NAME\n"
		"       [--label KEY=VALUE]...\n"
		"       polload endpoint del NAMESPACE/NAME\n"
		"       polload endpoint list [-o text|json]",
		pold_cmd_endpoint},
	{"identity",
		"identity add ADDRESS --label KEY=VALUE... [--namespace NAME] [--kind KIND]\n"
		"       polload identity del ADDRESS\n"
		"       polload identity list [-o text|json]",
		pold_cmd_identity},
	{"events",
		"events [--name NAME] [-o compact|json] [--policy NAME]... [--type TYPE,...]\n"
		"         [--verdict allow,deny,audit] [--process REGEX] [--pid PID] [--namespace "
		"NAME] [--pod NAME] [--count "
		"N]\n"
		"         [--timeout SECONDS] [--output-file FILE [--rotate SIZE[,COUNT]]] "
		"[--caps]\n"
		"         [--namespaces] [--stack-addresses] [--callbacks]",
		pold_cmd_events},
	{"sync",
		"sync FILE|- [--name NAME] [--ttl TIME] [--on-expiry deny|keep] [--dry-run] "
		"[-o text|json]\n"
		"       polload sync --watch DIR ...",
		pold_cmd_sync},
	{"metrics",
		"metrics [--output-file FILE | --listen ADDRESS:PORT] [--interval TIME]\n"
		"       [--compat tetragon]",
		pold_cmd_metrics},
	{"report", "report [--name NAME] [--policy NAME]... [-o text|json|yaml|pol] [--reset]",
		pold_cmd_report},
	{"explain",
		"explain --from WHO --to WHO --port PROTOCOL/PORT [--name NAME] [-o text|json]\n"
		"       polload explain --pid PID [--call HOOK]",
		pold_cmd_explain},
	{"doctor", "doctor [BUNDLE [--node NAME] [--trusted-key FILE]...] [-o text|json]",
		pold_cmd_doctor},
	{"verify", "verify BUNDLE...", pold_cmd_verify},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int help(FILE *out, int code)
{
	fputs("usage: polload COMMAND ...\n\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "       polload %s\n", commands[i].usage);
	fputs("\nPuts polc bundles into force on this node. See polload(8).\n", out);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct pold_options options;
	int code = pold_options_parse(argc, argv, &options);

	if (code)
		return code;
	if (options.help) {
		printf("usage: polload %s\n", command->usage);
		return POLD_OK;
	}
	pold_stdout_protect();
	if (options.wait_s >= 0)
		pold_lock_wait_set(options.wait_s);
	pold_prepare();
	code = pold_privileges_drop(command->name, &options);
	if (code)
		return code;
	code = command->run(&options);
	if (fflush(stdout) && !code)
		return pold_fail(POLD_ENVIRONMENT, "cannot write the output");
	return code;
}

int main(int argc, char **argv)
{
	libbpf_set_print(silent);
	if (getpid() == 1 && strcmp(argv[0], "/init") == 0)
		return pold_guest_main(argc, argv);
	if (argc < 2)
		return help(stderr, POLD_USAGE);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help(stdout, POLD_OK);
	if (strcmp(argv[1], "--version") == 0) {
		printf("polload %s\n", POLC_VERSION);
		return POLD_OK;
	}
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return run(&commands[i], argc - 1, argv + 1);
	return pold_fail(POLD_USAGE, "unknown command %s (polload --help lists them)", argv[1]);
}
