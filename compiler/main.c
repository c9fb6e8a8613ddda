/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* polc: finds the subcommand and hands over. Knows their names and nothing of what they do. */
#include <string.h>

#include "cmd/cmd.h"

static const struct polc_subcommand subcommands[] = {
	{"build", "compile policies into a bundle", polc_cmd_build},
	{"check", "report everything that is wrong with policies", polc_cmd_check},
	{"explain", "show how one connection is decided, rule by rule", polc_cmd_explain},
	{"test", "run unit tests of policies, with coverage of their rules", polc_cmd_test},
	{"diff", "show which decisions change between two sets of policies", polc_cmd_diff},
	{"graph", "draw who may talk to whom", polc_cmd_graph},
	{"matrix", "decide every connection between endpoints", polc_cmd_matrix},
	{"fmt", "format policies, or convert them to YAML or the policy language", polc_cmd_fmt},
	{"inspect", "show what a bundle holds", polc_cmd_inspect},
	{"verify", "ask real kernels whether bundles load, and at what cost", polc_cmd_verify},
	{"target", "make, list and remove kernels to compile and verify for", polc_cmd_target},
	{"lsp", "serve an editor: diagnostics, completion, hover, formatting", polc_cmd_lsp},
	{"completion", "print the script by which a shell completes polc", polc_cmd_completion},
	{"sign", "sign a bundle", polc_cmd_sign},
	{"keygen", "make a pair of keys for signing bundles", polc_cmd_keygen},
};

static void print_help(FILE *out)
{
	fputs("Usage: polc COMMAND [OPTION]... FILE...\n"
	      "Compiles network and tracing security policy into BPF objects.\n\nCommands:\n",
		out);
	for (size_t i = 0; i < POLC_ARRAY_SIZE(subcommands); i++)
		if (subcommands[i].run)
			fprintf(out, "  %-10s %s\n", subcommands[i].name, subcommands[i].summary);
	fputs("\n`polc COMMAND --help` lists the options of a command.\n"
	      "Exit codes: 0 ok; 1 the input was judged bad; 2 usage; 3 the environment; 70 a "
	      "bug.\n",
		out);
}

static const struct polc_subcommand *find(const char *name)
{
	for (size_t i = 0; i < POLC_ARRAY_SIZE(subcommands); i++)
		if (!strcmp(subcommands[i].name, name))
			return &subcommands[i];
	return NULL;
}

static int unknown_command(const char *word)
{
	const char *names[POLC_ARRAY_SIZE(subcommands)];
	size_t n = 0;

	for (size_t i = 0; i < POLC_ARRAY_SIZE(subcommands); i++)
		if (subcommands[i].run)
			names[n++] = subcommands[i].name;
	const char *near = polc_nearest(word, names, n);

	fprintf(stderr, "polc: unknown command '%s'", word);
	if (near)
		fprintf(stderr, "; did you mean '%s'?", near);
	fputs("\nTry 'polc --help'.\n", stderr);
	return POLC_EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return POLC_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return POLC_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("polc " POLC_VERSION);
		return POLC_EXIT_OK;
	}
	const struct polc_subcommand *subcommand = find(argv[1]);

	if (!subcommand)
		return unknown_command(argv[1]);
	if (!subcommand->run) {
		fprintf(stderr, "polc: '%s' is not supported yet\n", argv[1]);
		return POLC_EXIT_USAGE;
	}
	return subcommand->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	polc_completion_commands(subcommands, POLC_ARRAY_SIZE(subcommands));

	int exit_code = dispatch(argc, argv);

	/* A full disk or a closed pipe must not look like success. */
	if (fflush(stdout) || ferror(stdout)) {
		polc_environment_error("cannot write to standard output");
		return exit_code == POLC_EXIT_OK ? POLC_EXIT_ENVIRONMENT : exit_code;
	}
	return exit_code;
}
