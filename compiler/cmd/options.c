/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The option parser: one table per subcommand drives parsing, --help and suggestions. Options and
 * operands may be mixed; "--" ends options; "-" is an operand.
 */
#include <string.h>

#include "config.h"

const char *const polc_dialect_names[] = {"kubernetes", "cilium", NULL};
const char *const polc_unsupported_names[] = {"error", "deny", NULL};
const char *const polc_posture_names[] = {"allow", "deny", "always", NULL};

enum outcome { GO_ON, HELP, WRONG };

/* What is left of the command line; `next` is the index of the next word. */
struct words {
	int argc, next;
	char **argv;
};

int polc_cmd_usage_error(const struct polc_cmd *cmd, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "polc %s: ", cmd->command->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry 'polc %s --help'.\n", cmd->command->name);
	return POLC_EXIT_USAGE;
}

static size_t choices_count(const struct polc_option *option)
{
	size_t n = 0;

	while (option->choices && option->choices[n])
		n++;
	return n;
}

static void print_option(const struct polc_option *option)
{
	char left[96];
	int n = snprintf(left, sizeof(left), "  %c%c%s%s%s", option->letter ? '-' : ' ',
		option->letter ? option->letter : ' ', option->letter && option->name ? ", " : "  ",
		option->name ? "--" : "", option->name ? option->name : "");

	if (option->argument)
		n += snprintf(left + n, sizeof(left) - (size_t)n, " %s", option->argument);
	for (size_t i = 0; i < choices_count(option); i++)
		n += snprintf(left + n, sizeof(left) - (size_t)n, "%c%s", i ? '|' : ' ',
			option->choices[i]);
	if (n < 30)
		printf("%-30s %s\n", left, option->help);
	else
		printf("%s\n%-30s %s\n", left, "", option->help);
}

static void print_help(const struct polc_command *command)
{
	printf("Usage: polc %s %s\n%s.\n\nOptions:\n", command->name, command->synopsis,
		command->summary);
	for (size_t i = 0; i < command->n_options; i++)
		if (command->options[i].kind != POLC_OPTION_LATER)
			print_option(&command->options[i]);
	printf("%-30s %s\n", "  -h, --help", "this text");
}

static const struct polc_option *find_long(
	const struct polc_command *command, const char *name, size_t len)
{
	for (size_t i = 0; i < command->n_options; i++) {
		const char *candidate = command->options[i].name;

		if (candidate && strlen(candidate) == len && !memcmp(candidate, name, len))
			return &command->options[i];
	}
	return NULL;
}

static const struct polc_option *find_letter(const struct polc_command *command, char letter)
{
	for (size_t i = 0; i < command->n_options; i++)
		if (command->options[i].letter && command->options[i].letter == letter)
			return &command->options[i];
	return NULL;
}

static enum outcome unknown_option(struct polc_cmd *cmd, const char *word)
{
	size_t n = 0;
	const char **names =
		POLC_NEW_ARRAY(&cmd->polc.arena, cmd->command->n_options + 1, const char *);

	for (size_t i = 0; i < cmd->command->n_options; i++)
		if (cmd->command->options[i].name)
			names[n++] = cmd->command->options[i].name;
	const char *near = word[1] == '-' ? polc_nearest(word + 2, names, n) : NULL;

	if (near)
		polc_cmd_usage_error(cmd, "unknown option '%s'; did you mean '--%s'?", word, near);
	else
		polc_cmd_usage_error(cmd, "unknown option '%s'", word);
	return WRONG;
}

static enum outcome store_choice(
	struct polc_cmd *cmd, const struct polc_option *option, const char *value)
{
	size_t n = choices_count(option);
	unsigned *field = (unsigned *)((char *)cmd + option->offset);

	for (size_t i = 0; i < n; i++) {
		if (!strcmp(option->choices[i], value)) {
			*field = (unsigned)i;
			return GO_ON;
		}
	}
	struct polc_buf list = {.arena = &cmd->polc.arena};

	for (size_t i = 0; i < n; i++)
		polc_buf_printf(&list, "%s%s", i ? ", " : "", option->choices[i]);
	polc_cmd_usage_error(cmd, "--%s: '%s' is none of %s", option->name, value, list.p);
	return WRONG;
}

static enum outcome store(struct polc_cmd *cmd, const struct polc_option *option, const char *value)
{
	void *field = (char *)cmd + option->offset;

	cmd->given |= 1ull << (option - cmd->command->options);
	switch (option->kind) {
	case POLC_OPTION_FLAG:
		*(bool *)field = true;
		return GO_ON;
	case POLC_OPTION_TEXT:
		*(const char **)field = value;
		return GO_ON;
	case POLC_OPTION_OPTIONAL:
		*(const char **)field = value ? value : "-";
		return GO_ON;
	case POLC_OPTION_LIST:
		*polc_vec_push(&cmd->polc.arena, (polc_text_list *)field) = value;
		return GO_ON;
	case POLC_OPTION_CHOICE:
		return store_choice(cmd, option, value);
	case POLC_OPTION_LATER:
		polc_cmd_usage_error(cmd, "--%s is not supported yet", option->name);
		return WRONG;
	}
	return WRONG;
}

static bool takes_value(const struct polc_option *option)
{
	return option->kind != POLC_OPTION_FLAG && option->kind != POLC_OPTION_LATER;
}

/* `inline_value`: what followed "=" or the letter, or NULL. */
static enum outcome take_option(struct polc_cmd *cmd, const struct polc_option *option,
	const char *word, const char *inline_value, struct words *words)
{
	if (!takes_value(option)) {
		if (inline_value && option->kind == POLC_OPTION_FLAG) {
			polc_cmd_usage_error(cmd, "'%s': this option takes no value", word);
			return WRONG;
		}
		return store(cmd, option, NULL);
	}
	if (option->kind == POLC_OPTION_OPTIONAL)
		return store(cmd, option, inline_value);
	if (!inline_value && words->next < words->argc)
		inline_value = words->argv[words->next++];
	if (!inline_value) {
		polc_cmd_usage_error(cmd, "'%s' needs a value", word);
		return WRONG;
	}
	return store(cmd, option, inline_value);
}

static enum outcome parse_long(struct polc_cmd *cmd, const char *word, struct words *words)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const struct polc_option *option = find_long(cmd->command, name, len);

	if (!strcmp(name, "help"))
		return HELP;
	if (!option)
		return unknown_option(cmd, word);
	return take_option(cmd, option, word, name[len] ? name + len + 1 : NULL, words);
}

static enum outcome parse_letter(struct polc_cmd *cmd, const char *word, struct words *words)
{
	const struct polc_option *option = find_letter(cmd->command, word[1]);

	if (!strcmp(word, "-h"))
		return HELP;
	if (!option)
		return unknown_option(cmd, word);
	return take_option(cmd, option, word, word[2] ? word + 2 : NULL, words);
}

static enum outcome parse_words(struct polc_cmd *cmd, struct words *words)
{
	bool options_ended = false;
	enum outcome outcome = GO_ON;

	while (outcome == GO_ON && words->next < words->argc) {
		const char *word = words->argv[words->next++];

		if (options_ended || word[0] != '-' || !word[1])
			*polc_vec_push(&cmd->polc.arena, &cmd->operands) = word;
		else if (!strcmp(word, "--"))
			options_ended = true;
		else if (word[1] == '-')
			outcome = parse_long(cmd, word, words);
		else
			outcome = parse_letter(cmd, word, words);
	}
	return outcome;
}

bool polc_cmd_given(const struct polc_cmd *cmd, const char *name)
{
	const struct polc_option *option = find_long(cmd->command, name, strlen(name));

	return option && cmd->given >> (option - cmd->command->options) & 1;
}

static enum outcome check_operands(struct polc_cmd *cmd)
{
	const struct polc_command *command = cmd->command;

	if (cmd->operands.n < command->min_operands) {
		polc_cmd_usage_error(cmd, "a file is missing; usage: polc %s %s", command->name,
			command->synopsis);
		return WRONG;
	}
	if (cmd->operands.n > command->max_operands) {
		polc_cmd_usage_error(
			cmd, "unexpected '%s'", cmd->operands.items[command->max_operands]);
		return WRONG;
	}
	return GO_ON;
}

/* While a subcommand is only asked for its table: where that goes. */
static const struct polc_command **described;

const struct polc_command *polc_cmd_describe(int (*run)(int argc, char **argv))
{
	const struct polc_command *out = NULL;
	char name[] = "polc", *argv[] = {name, NULL};

	described = &out;
	run(1, argv);
	described = NULL;
	return out;
}

bool polc_cmd_parse(
	const struct polc_command *command, void *self, int argc, char **argv, int *exit_code)
{
	struct polc_cmd *cmd = self;
	struct words words = {.argc = argc, .next = 1, .argv = argv};

	cmd->command = command;
	if (command->n_options > 64) /* bits of cmd->given */
		POLC_BUG("%s has too many options", command->name);
	polc_init(&cmd->polc);
	if (described) {
		*described = command;
		*exit_code = POLC_EXIT_OK;
		return false;
	}
	enum outcome outcome = parse_words(cmd, &words);

	if (outcome == GO_ON)
		outcome = check_operands(cmd);
	if (outcome == HELP)
		print_help(command);
	*exit_code = outcome == WRONG ? POLC_EXIT_USAGE : POLC_EXIT_OK;
	if (outcome == GO_ON)
		*exit_code = polc_cmd_configure(cmd);
	return outcome == GO_ON && *exit_code == POLC_EXIT_OK;
}

void polc_cmd_free(void *self)
{
	struct polc_cmd *cmd = self;

	polc_cmd_close_targets(cmd);
	polc_free(&cmd->polc);
}
