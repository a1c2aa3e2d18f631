/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all commands do first: see command.h. */
#include "runner/command/command.h"

static void print_help(const struct command *command, FILE *out)
{
	const struct option_table *table = command->options;
	AUTO_STRBUF struct strbuf text = {0};
	size_t first = 0;

	options_help(table, &text);
	fprintf(out, "Usage: synfault %s %s\n\n%s\n%s", command->name, command->arguments,
		command->description, strbuf_text(&text));
	while (first < table->n_specs && table->specs[first].command_line_only)
		first++;
	if (first < table->n_specs) {
		AUTO_FREE char *variable = option_variable(table->specs[first].name);

		fprintf(out,
			"\nEach option is also an environment variable: %s for --%s.\n"
			"Command-line options take precedence.\n",
			variable, table->specs[first].name);
	}
}

int command_usage_error(const struct command *command, FILE *err, const char *message)
{
	fprintf(err, "synfault %s: %s\nTry 'synfault %s --help'.\n", command->name, message,
		command->name);
	return STATUS_USAGE;
}

/* Returns what is wrong with the operands, or NULL. */
static const char *check_operands(const struct command *command, const struct operands *operands)
{
	if (operands->client && command->client == CLIENT_NONE)
		return "takes no client command";
	if (command->client == CLIENT_REQUIRED && !operands->client &&
	    operands->n > MAX(command->max_operands, 0))
		return "a command is needed after --";
	if (operands->n < command->min_operands ||
	    (command->max_operands >= 0 && operands->n > command->max_operands))
		return command->needs;
	if (operands->client ? !*operands->client : command->client == CLIENT_REQUIRED)
		return "a command is needed after --";
	return NULL;
}

/* Completes a message about options: those of a command that comes without "--" are taken for ours.
 */
static void explain_separator(const struct command *command, int argc, char *const *argv,
			      char **message)
{
	char *explained;

	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return;
	if (command->client != CLIENT_REQUIRED)
		return;
	explained = xasprintf("%s (the command comes after --)", *message);
	free(*message);
	*message = explained;
}

int command_execute(const struct command *command, int argc, char **argv,
		    const struct command_context *context)
{
	const struct option_table *table = command->options;
	AUTO_FREE void *options = table->defaults ? xmemdup(table->defaults, table->size)
						  : xzalloc(MAX(table->size, 1U));
	AUTO_FREE char *message = NULL;
	struct operands operands;
	const char *problem;
	int status = STATUS_PASSED;

	if (!options_parse(table, argc, argv, options, &operands, &message)) {
		explain_separator(command, argc, argv, &message);
		status = command_usage_error(command, context->err, message);
	} else if (operands.help) {
		print_help(command, context->out);
	} else if ((problem = check_operands(command, &operands))) {
		status = command_usage_error(command, context->err, problem);
	} else {
		status = command->run(options, &operands, context);
	}
	for (size_t i = 0; i < table->n_specs; i++)
		if (table->specs[i].clear)
			table->specs[i].clear((char *)options + table->specs[i].offset);
	return status;
}
