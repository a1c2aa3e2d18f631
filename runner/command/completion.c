/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `synfault completion`: see completion.h. The scripts are generated from the table of commands, so
 * they know every command, option and value.
 */
#include "runner/command/completion.h"

/* What completes an argument. */
enum argument_kind {
	ARGUMENT_NONE,
	ARGUMENT_WORDS,     /* one of the option's words */
	ARGUMENT_FILE,      /* or a directory */
	ARGUMENT_DIRECTORY, /* only that */
	ARGUMENT_OTHER,
};

static enum argument_kind kind_of(const struct option_spec *spec)
{
	if (!spec->argument)
		return ARGUMENT_NONE;
	if (spec->words)
		return ARGUMENT_WORDS;
	if (strcmp(spec->argument, "FILE") == 0 || strcmp(spec->argument, "PATH") == 0)
		return ARGUMENT_FILE;
	return strcmp(spec->argument, "DIR") == 0 ? ARGUMENT_DIRECTORY : ARGUMENT_OTHER;
}

/* ---- bash ---- */

/* Lists a table's options: "--jobs -j --filter …". */
static void bash_options(const struct option_table *table, struct strbuf *out)
{
	for (size_t i = 0; i < table->n_specs; i++) {
		strbuf_printf(out, "%s--%s", i > 0 ? " " : "", table->specs[i].name);
		if (table->specs[i].letter)
			strbuf_printf(out, " -%c", table->specs[i].letter);
	}
}

/* Adds the patterns of "COMMAND OPTION" for each kind of value; words differ between options. */
static void bash_values(const struct command *command, struct strbuf *out)
{
	for (size_t i = 0; i < command->options->n_specs; i++) {
		const struct option_spec *spec = &command->options->specs[i];
		enum argument_kind kind = kind_of(spec);

		if (kind == ARGUMENT_NONE)
			continue;
		strbuf_printf(out, "\t'%s --%s'", command->name, spec->name);
		if (spec->letter)
			strbuf_printf(out, "|'%s -%c'", command->name, spec->letter);
		if (kind == ARGUMENT_WORDS)
			strbuf_printf(out, ") words='%s' ;;\n", spec->words);
		else
			strbuf_printf(out, ") kind=%s ;;\n",
				      kind == ARGUMENT_FILE        ? "file"
				      : kind == ARGUMENT_DIRECTORY ? "directory"
								   : "other");
	}
}

static void bash(const struct command *const *commands, struct strbuf *out)
{
	strbuf_puts(out,
		    "# bash completion for synfault; made by `synfault completion bash`\n"
		    "_synfault()\n{\n"
		    "\tlocal current=${COMP_WORDS[COMP_CWORD]} before='' command='' words='' "
		    "kind='' i\n"
		    "\tCOMPREPLY=()\n"
		    "\t# \"--option=value\" is three words to bash.\n"
		    "\tif [[ $current == = ]]; then\n"
		    "\t\tcurrent='' before=${COMP_WORDS[COMP_CWORD-1]}\n"
		    "\telif ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then\n"
		    "\t\tbefore=${COMP_WORDS[COMP_CWORD-2]}\n"
		    "\telif ((COMP_CWORD > 0)); then\n"
		    "\t\tbefore=${COMP_WORDS[COMP_CWORD-1]}\n"
		    "\tfi\n"
		    "\tif ((COMP_CWORD == 1)); then\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -W '");
	for (size_t i = 0; commands[i]; i++)
		strbuf_printf(out, "%s ", commands[i]->name);
	strbuf_puts(out, "help --help --version' -- \"$current\")\n"
			 "\t\treturn\n"
			 "\tfi\n"
			 "\tcommand=${COMP_WORDS[1]}\n"
			 "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
			 "\t\tif [[ ${COMP_WORDS[i]} == -- ]]; then\n"
			 "\t\t\tif ((i + 1 == COMP_CWORD)); then\n"
			 "\t\t\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$current\")\n"
			 "\t\t\tfi\n"
			 "\t\t\treturn\n"
			 "\t\tfi\n"
			 "\tdone\n"
			 "\tcase \"$command $before\" in\n");
	for (size_t i = 0; commands[i]; i++)
		bash_values(commands[i], out);
	strbuf_puts(out, "\tesac\n"
			 "\tcase $kind in\n"
			 "\tfile) return ;;\n"
			 "\tdirectory)\n"
			 "\t\tcompopt -o filenames\n"
			 "\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$current\")\n"
			 "\t\treturn\n\t\t;;\n"
			 "\tother)\n"
			 "\t\tcompopt +o default\n"
			 "\t\treturn\n\t\t;;\n"
			 "\tesac\n"
			 "\tif [[ -z $words && $current == -* ]]; then\n"
			 "\t\tcase $command in\n");
	for (size_t i = 0; commands[i]; i++) {
		strbuf_printf(out, "\t\t%s) words='", commands[i]->name);
		bash_options(commands[i]->options, out);
		strbuf_puts(out, "' ;;\n");
	}
	strbuf_puts(out, "\t\tesac\n"
			 "\tfi\n"
			 "\tif [[ -z $words && $command == completion ]]; then\n"
			 "\t\twords='bash zsh fish'\n"
			 "\tfi\n"
			 "\t[[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
			 "\"$current\")\n"
			 "}\n"
			 "complete -o default -F _synfault synfault\n");
}

/* ---- zsh ---- */

/* Quotes text for single quotes, in brackets, where a colon would end a field. */
static void zsh_text(const char *text, struct strbuf *out)
{
	for (; *text; text++) {
		if (*text == '\'')
			strbuf_puts(out, "'\\''");
		else if (strchr("[]:\\", *text))
			strbuf_printf(out, "\\%c", *text);
		else
			strbuf_putc(out, *text);
	}
}

static void zsh_option(const struct option_spec *spec, struct strbuf *out)
{
	strbuf_puts(out, "\t\t\t");
	/* Any option can be repeated, except those that only print something. */
	if (spec->letter)
		strbuf_printf(out, "'*'{-%c%s,--%s%s}'[", spec->letter, spec->argument ? "+" : "",
			      spec->name, spec->argument ? "=" : "");
	else
		strbuf_printf(out, "'*--%s%s[", spec->name, spec->argument ? "=" : "");
	zsh_text(spec->help, out);
	strbuf_putc(out, ']');
	if (spec->argument) {
		strbuf_putc(out, ':');
		zsh_text(spec->argument, out);
		strbuf_putc(out, ':');
	}
	switch (kind_of(spec)) {
	case ARGUMENT_WORDS:
		strbuf_printf(out, "(%s)", spec->words);
		break;
	case ARGUMENT_FILE:
		strbuf_puts(out, "_files");
		break;
	case ARGUMENT_DIRECTORY:
		strbuf_puts(out, "_files -/");
		break;
	case ARGUMENT_NONE:
	case ARGUMENT_OTHER:
		break;
	}
	strbuf_puts(out, "' \\\n");
}

static void zsh(const struct command *const *commands, struct strbuf *out)
{
	strbuf_puts(out, "#compdef synfault\n"
			 "# zsh completion for synfault; made by `synfault completion zsh`\n"
			 "_synfault()\n{\n"
			 "\tlocal -a commands\n"
			 "\tcommands=(\n");
	for (size_t i = 0; commands[i]; i++) {
		strbuf_printf(out, "\t\t'%s:", commands[i]->name);
		zsh_text(commands[i]->summary, out);
		strbuf_puts(out, "'\n");
	}
	strbuf_puts(out, "\t\t'help:show all commands'\n"
			 "\t)\n"
			 "\tif ((CURRENT == 2)); then\n"
			 "\t\t_describe -t commands command commands\n"
			 "\t\treturn\n"
			 "\tfi\n"
			 "\tlocal command=$words[2]\n"
			 "\tshift words\n"
			 "\t((CURRENT--))\n"
			 "\tcase $command in\n");
	for (size_t i = 0; commands[i]; i++) {
		const struct option_table *options = commands[i]->options;
		bool shells = strcmp(commands[i]->name, "completion") == 0;

		strbuf_printf(out, "\t%s)\n\t\t_arguments -s \\\n", commands[i]->name);
		for (size_t k = 0; k < options->n_specs; k++)
			zsh_option(&options->specs[k], out);
		strbuf_printf(out, "\t\t\t%s\n\t\t;;\n",
			      shells ? "'1:shell:(bash zsh fish)'" : "'*:file:_files'");
	}
	strbuf_puts(out, "\tesac\n"
			 "}\n"
			 "if [[ $funcstack[1] == _synfault ]]; then\n"
			 "\t_synfault \"$@\"\n"
			 "else\n"
			 "\tcompdef _synfault synfault\n"
			 "fi\n");
}

/* ---- fish ---- */

/* Quotes text for single quotes. */
static void fish_text(const char *text, struct strbuf *out)
{
	for (; *text; text++) {
		if (strchr("'\\", *text))
			strbuf_putc(out, '\\');
		strbuf_putc(out, *text);
	}
}

static void fish_option(const struct command *command, const struct option_spec *spec,
			struct strbuf *out)
{
	strbuf_printf(out, "complete -c synfault -n '__fish_seen_subcommand_from %s' -l %s",
		      command->name, spec->name);
	if (spec->letter)
		strbuf_printf(out, " -s %c", spec->letter);
	switch (kind_of(spec)) {
	case ARGUMENT_WORDS:
		strbuf_printf(out, " -x -a '%s'", spec->words);
		break;
	case ARGUMENT_FILE:
		strbuf_puts(out, " -r -F");
		break;
	case ARGUMENT_DIRECTORY:
		strbuf_puts(out, " -x -a '(__fish_complete_directories)'");
		break;
	case ARGUMENT_OTHER:
		strbuf_puts(out, " -x");
		break;
	case ARGUMENT_NONE:
		break;
	}
	strbuf_puts(out, " -d '");
	fish_text(spec->help, out);
	strbuf_puts(out, "'\n");
}

static void fish(const struct command *const *commands, struct strbuf *out)
{
	strbuf_puts(out, "# fish completion for synfault; made by `synfault completion fish`\n"
			 "complete -c synfault -n __fish_use_subcommand -f\n");
	for (size_t i = 0; commands[i]; i++) {
		strbuf_printf(out, "complete -c synfault -n __fish_use_subcommand -a %s -d '",
			      commands[i]->name);
		fish_text(commands[i]->summary, out);
		strbuf_puts(out, "'\n");
		for (size_t k = 0; k < commands[i]->options->n_specs; k++)
			fish_option(commands[i], &commands[i]->options->specs[k], out);
	}
	strbuf_puts(out, "complete -c synfault -n '__fish_seen_subcommand_from completion' -f -a "
			 "'bash zsh fish'\n");
}

/* ---- the command ---- */

static int run_completion(int argc, char **argv, const struct command_context *context)
{
	static void (*const scripts[])(const struct command *const *, struct strbuf *) = {bash, zsh,
											  fish};
	AUTO_FREE char *message = NULL;
	AUTO_STRBUF struct strbuf text = {0};
	struct operands operands;
	int shell, status;

	if (!command_parse(&command_completion, argc, argv, NULL, context, &operands, &status))
		return status;
	shell = option_choice(operands.items[0], "bash zsh fish", &message);
	if (shell < 0)
		return command_usage_error(&command_completion, context->err, message);
	scripts[shell](context->commands, &text);
	fputs(strbuf_text(&text), context->out);
	return STATUS_PASSED;
}

static const struct option_spec completion_options[] = {OPTION_ROW_HELP};

const struct command command_completion = {
	.name = "completion",
	.arguments = "bash|zsh|fish",
	.summary = "print a shell completion script",
	.description =
		"Prints the script by which a shell completes synfault's command line, where none\n"
		"is installed. For example, in ~/.bashrc:\n\n"
		"  source <(synfault completion bash)\n",
	.options = OPTION_TABLE(completion_options),
	.min_operands = 1,
	.max_operands = 1,
	.needs = "one shell is needed: bash, zsh or fish",
	.run = run_completion,
};
