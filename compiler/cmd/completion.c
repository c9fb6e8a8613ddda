/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * `polc completion`: scripts by which shells complete polc's command lines, written from the tables
 * of subcommands and options, so that they say what the parser takes.
 */
#include <string.h>

#include "cmd.h"

struct completion {
	struct polc_cmd cmd;
};

static const struct polc_command command = {
	.name = "completion",
	.synopsis = "bash|zsh|fish",
	.summary = "Prints the script by which a shell completes polc's command lines",
	.min_operands = 1,
	.max_operands = 1,
};

static const struct polc_subcommand *subcommands;
static size_t n_subcommands;

void polc_completion_commands(const struct polc_subcommand *commands, size_t n)
{
	subcommands = commands;
	n_subcommands = n;
}

/* What a value is, by its placeholder in the help text. */
enum value { NO_VALUE, VALUE_FILE, VALUE_DIRECTORY, VALUE_KERNEL, VALUE_WORDS, VALUE_ANY };

static enum value value_of(const struct polc_option *option)
{
	static const char *const files[] = {"FILE", "OUT", "OUT.o", "BUNDLE", "IMAGE", "KEY"};

	if (option->kind == POLC_OPTION_FLAG || option->kind == POLC_OPTION_LATER ||
		option->kind == POLC_OPTION_OPTIONAL)
		return NO_VALUE;
	if (option->choices)
		return VALUE_WORDS;
	if (!option->argument)
		return VALUE_ANY;
	if (!strcmp(option->argument, "DIR"))
		return VALUE_DIRECTORY;
	if (!strcmp(option->argument, "KERNEL"))
		return VALUE_KERNEL;
	for (size_t i = 0; i < POLC_ARRAY_SIZE(files); i++)
		if (!strcmp(option->argument, files[i]))
			return VALUE_FILE;
	return VALUE_ANY;
}

/* A synopsis that begins with words in small letters and bars says what the first operand is. */
static size_t operand_words(const struct polc_command *of)
{
	size_t n = strspn(of->synopsis, "abcdefghijklmnopqrstuvwxyz-|");

	return memchr(of->synopsis, '|', n) && strchr(" ", of->synopsis[n]) ? n : 0;
}

static void print_words(const char *words, size_t n, const char *separator)
{
	for (size_t i = 0; i < n; i++) {
		if (words[i] == '|')
			fputs(separator, stdout);
		else
			putchar(words[i]);
	}
}

static void print_choices(const struct polc_option *option)
{
	for (size_t i = 0; option->choices[i]; i++)
		printf("%s%s", i ? " " : "", option->choices[i]);
}

/* In single quotes; `also`: characters that a backslash goes before. */
static void print_quoted(const char *text, const char *also)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr(also, *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

typedef void command_printer(
	const struct polc_subcommand *subcommand, const struct polc_command *of);

static void for_each_command(command_printer *print)
{
	for (size_t i = 0; i < n_subcommands; i++) {
		const struct polc_command *of =
			subcommands[i].run ? polc_cmd_describe(subcommands[i].run) : NULL;

		if (of)
			print(&subcommands[i], of);
	}
}

/* bash */

static void bash_case(const struct polc_option *option)
{
	enum value value = value_of(option);

	if (value == NO_VALUE)
		return;
	printf("\t\t");
	if (option->name)
		printf("--%s%s", option->name, option->letter ? "|" : "");
	if (option->letter)
		printf("-%c", option->letter);
	fputs(") ", stdout);
	switch (value) {
	case VALUE_FILE:
		fputs("_polc_files", stdout);
		break;
	case VALUE_DIRECTORY:
		fputs("_polc_directories", stdout);
		break;
	case VALUE_KERNEL:
		fputs("_polc_words running; _polc_files", stdout);
		break;
	case VALUE_WORDS:
		fputs("_polc_words '", stdout);
		print_choices(option);
		fputs("'", stdout);
		break;
	case VALUE_ANY:
	case NO_VALUE:
		fputs(":", stdout);
		break;
	}
	puts("; return ;;");
}

static void bash_command(const struct polc_subcommand *subcommand, const struct polc_command *of)
{
	size_t n = operand_words(of);

	printf("\t%s)\n\t\tcase \"$before\" in\n", subcommand->name);
	for (size_t i = 0; i < of->n_options; i++)
		bash_case(&of->options[i]);
	fputs("\t\tesac\n\t\toptions='--help", stdout);
	for (size_t i = 0; i < of->n_options; i++)
		if (of->options[i].name && of->options[i].kind != POLC_OPTION_LATER)
			printf(" --%s", of->options[i].name);
	fputs("' words='", stdout);
	print_words(of->synopsis, n, " ");
	puts("' ;;");
}

static void print_bash(void)
{
	fputs("# bash completion of polc; made by `polc completion bash`\n"
	      "_polc_words()\n{\n"
	      "\tCOMPREPLY+=($(compgen -W \"$1\" -- \"$word\"))\n}\n"
	      "_polc_paths()\n{\n"
	      "\tlocal path\n"
	      "\twhile IFS= read -r path; do COMPREPLY+=(\"$path\"); done < <(compgen \"$1\" -- "
	      "\"$word\")\n"
	      "\tcompopt -o filenames 2>/dev/null\n}\n"
	      "_polc_files() { _polc_paths -f; }\n"
	      "_polc_directories() { _polc_paths -d; }\n"
	      "_polc()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal options= words=\n"
	      "\tCOMPREPLY=()\n"
	      "\tif ((COMP_CWORD == 1)); then\n"
	      "\t\t_polc_words '--help --version",
		stdout);
	for (size_t i = 0; i < n_subcommands; i++)
		if (subcommands[i].run)
			printf(" %s", subcommands[i].name);
	fputs("'\n\t\treturn\n\tfi\n"
	      "\t# --option=value is three words to bash\n"
	      "\tif [[ $word == = ]]; then\n\t\tword=\n"
	      "\telif [[ $before == = ]]; then\n\t\tbefore=${COMP_WORDS[COMP_CWORD-2]}\n\tfi\n"
	      "\tcase \"${COMP_WORDS[1]}\" in\n",
		stdout);
	for_each_command(bash_command);
	fputs("\tesac\n"
	      "\tif [[ $word == -* ]]; then\n\t\t_polc_words \"$options\"\n"
	      "\telif [[ $words ]] && ((COMP_CWORD == 2)); then\n\t\t_polc_words \"$words\"\n"
	      "\telse\n\t\t_polc_files\n\tfi\n}\n"
	      "complete -F _polc polc\n",
		stdout);
}

/* zsh */

static void zsh_value(const struct polc_option *option)
{
	switch (value_of(option)) {
	case NO_VALUE:
		return;
	case VALUE_FILE:
		fputs(":file:_files", stdout);
		return;
	case VALUE_DIRECTORY:
		fputs(":directory:_files -/", stdout);
		return;
	case VALUE_KERNEL:
		fputs(":kernel:_files", stdout);
		return;
	case VALUE_WORDS:
		fputs(":word:(", stdout);
		print_choices(option);
		fputs(")", stdout);
		return;
	case VALUE_ANY:
		fputs(":value: ", stdout);
		return;
	}
}

/* One spelling of an option; the other one goes with it, unless it may be given again. */
static void zsh_spelling(const struct polc_option *option, const char *spelling, bool equals)
{
	fputs("\t\t\t'", stdout);
	if (option->kind == POLC_OPTION_LIST)
		fputs("*", stdout);
	printf("%s%s[", spelling, equals && value_of(option) != NO_VALUE ? "=" : "");
	print_quoted(option->help, "[]:\\");
	fputs("]", stdout);
	zsh_value(option);
	puts("' \\");
}

static void zsh_command(const struct polc_subcommand *subcommand, const struct polc_command *of)
{
	size_t n = operand_words(of);
	char spelling[80];

	printf("\t\t%s)\n\t\t\t_arguments -s \\\n", subcommand->name);
	for (size_t i = 0; i < of->n_options; i++) {
		const struct polc_option *option = &of->options[i];

		if (option->kind == POLC_OPTION_LATER)
			continue;
		snprintf(spelling, sizeof(spelling), "--%s", option->name ? option->name : "");
		if (option->name)
			zsh_spelling(option, spelling, true);
		snprintf(spelling, sizeof(spelling), "-%c", option->letter);
		if (option->letter)
			zsh_spelling(option, spelling, false);
	}
	fputs("\t\t\t'(- *)'{-h,--help}'[show the options]'", stdout);
	if (n) {
		fputs(" \\\n\t\t\t'1:word:(", stdout);
		print_words(of->synopsis, n, " ");
		fputs(")'", stdout);
	}
	puts(of->max_operands > (n > 0) ? " \\\n\t\t\t'*:file:_files'\n\t\t\t;;" : "\n\t\t\t;;");
}

static void print_zsh(void)
{
	fputs("#compdef polc\n# zsh completion of polc; made by `polc completion zsh`\n"
	      "_polc()\n{\n"
	      "\tlocal context state state_descr line\n"
	      "\ttypeset -A opt_args\n"
	      "\t_arguments -C '1:command:->command' '*::argument:->argument'\n"
	      "\tcase $state in\n"
	      "\tcommand)\n"
	      "\t\tlocal -a commands=(\n",
		stdout);
	for (size_t i = 0; i < n_subcommands; i++) {
		if (!subcommands[i].run)
			continue;
		printf("\t\t\t'%s:", subcommands[i].name);
		print_quoted(subcommands[i].summary, "");
		puts("'");
	}
	fputs("\t\t)\n\t\t_describe command commands\n\t\t;;\n"
	      "\targument)\n\t\tcase $line[1] in\n",
		stdout);
	for_each_command(zsh_command);
	fputs("\t\tesac\n\t\t;;\n\tesac\n}\n"
	      "if [[ $funcstack[1] == _polc ]]; then\n\t_polc \"$@\"\nelse\n\tcompdef _polc polc\n"
	      "fi\n",
		stdout);
}

/* fish */

static void fish_option(const char *name, const struct polc_option *option)
{
	printf("complete -c polc -n '__fish_seen_subcommand_from %s'", name);
	if (option->name)
		printf(" -l %s", option->name);
	if (option->letter)
		printf(" -s %c", option->letter);
	switch (value_of(option)) {
	case NO_VALUE:
		break;
	case VALUE_FILE:
		fputs(" -r -F", stdout);
		break;
	case VALUE_DIRECTORY:
		fputs(" -x -a '(__fish_complete_directories)'", stdout);
		break;
	case VALUE_KERNEL:
		fputs(" -r -F -a running", stdout);
		break;
	case VALUE_WORDS:
		fputs(" -x -a '", stdout);
		print_choices(option);
		fputs("'", stdout);
		break;
	case VALUE_ANY:
		fputs(" -x", stdout);
		break;
	}
	fputs(" -d '", stdout);
	print_quoted(option->help, "\\");
	puts("'");
}

static void fish_command(const struct polc_subcommand *subcommand, const struct polc_command *of)
{
	size_t n = operand_words(of);

	for (size_t i = 0; i < of->n_options; i++)
		if (of->options[i].kind != POLC_OPTION_LATER)
			fish_option(subcommand->name, &of->options[i]);
	if (n) {
		printf("complete -c polc -n '__fish_seen_subcommand_from %s' -f -a '",
			subcommand->name);
		print_words(of->synopsis, n, " ");
		puts("'");
	}
}

static void print_fish(void)
{
	puts("# fish completion of polc; made by `polc completion fish`");
	for (size_t i = 0; i < n_subcommands; i++) {
		if (!subcommands[i].run)
			continue;
		printf("complete -c polc -n __fish_use_subcommand -f -a %s -d '",
			subcommands[i].name);
		print_quoted(subcommands[i].summary, "\\");
		puts("'");
	}
	for_each_command(fish_command);
}

static int run(struct completion *completion)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
	const char *shell = completion->cmd.operands.items[0];

	for (size_t i = 0; i < POLC_ARRAY_SIZE(shells); i++) {
		if (!strcmp(shells[i].name, shell)) {
			shells[i].print();
			return POLC_EXIT_OK;
		}
	}
	return polc_cmd_usage_error(&completion->cmd, "'%s' is none of bash, zsh, fish", shell);
}

int polc_cmd_completion(int argc, char **argv)
{
	struct completion completion = {0};
	int exit_code;

	if (polc_cmd_parse(&command, &completion, argc, argv, &exit_code))
		exit_code = run(&completion);
	polc_cmd_free(&completion);
	return exit_code;
}
