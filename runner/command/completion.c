/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `synfault completion`: prints the script by which a shell completes command lines. The script
 * asks the program, with the words of the line so far, for what can come next. So it knows every
 * command, option and value.
 *
 * An answer is a line: a word, a tab, and what it means; or one of the KINDS instead of words,
 * which the shell completes itself.
 */
#include "runner/command/command.h"

#define KIND_FILE      ":file\n" /* or a directory */
#define KIND_DIRECTORY ":directory\n"
#define KIND_COMMAND   ":command\n"
#define KIND_OTHER     ":other\n" /* nothing is known of it */

static const char shells[] = "bash zsh fish";

/* Bash splits "--option=value" into three words. */
static const char bash[] =
	"# bash completion for synfault; made by `synfault completion bash`\n"
	"_synfault()\n{\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} i\n"
	"\tlocal -a words=() answers=()\n"
	"\tfor ((i = 1; i <= COMP_CWORD; i++)); do\n"
	"\t\t[[ ${COMP_WORDS[i]} == = ]] || words+=(\"${COMP_WORDS[i]}\")\n"
	"\tdone\n"
	"\tif [[ $current == = ]]; then\n"
	"\t\tcurrent='' words+=('')\n"
	"\tfi\n"
	"\tmapfile -t answers < <(\"${COMP_WORDS[0]}\" completion words -- \"${words[@]}\" "
	"2>/dev/null)\n"
	"\tCOMPREPLY=()\n"
	"\tcase ${answers[0]-} in\n"
	"\t:file) ;;\n"
	"\t:directory)\n"
	"\t\tcompopt -o filenames\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$current\")\n"
	"\t\t;;\n"
	"\t:command) mapfile -t COMPREPLY < <(compgen -c -- \"$current\") ;;\n"
	"\t:other) compopt +o default ;;\n"
	"\t*) mapfile -t COMPREPLY < <(compgen -W \"${answers[*]%%$'\\t'*}\" -- \"$current\") ;;\n"
	"\tesac\n"
	"}\n"
	"complete -o default -F _synfault synfault\n";

static const char zsh[] =
	"#compdef synfault\n"
	"# zsh completion for synfault; made by `synfault completion zsh`\n"
	"_synfault()\n{\n"
	"\tlocal -a answers\n"
	"\tanswers=(\"${(@f)$(\"$words[1]\" completion words -- \"${(@)words[2,CURRENT]}\" "
	"2>/dev/null)}\")\n"
	"\tcase $answers[1] in\n"
	"\t:file) _files ;;\n"
	"\t:directory) _files -/ ;;\n"
	"\t:command) _command_names ;;\n"
	"\t:other) ;;\n"
	"\t*)\n"
	"\t\tanswers=(\"${(@)answers//:/\\\\:}\")\n"
	"\t\tanswers=(\"${(@)answers/$'\\t'/:}\")\n"
	"\t\t_describe synfault answers\n"
	"\t\t;;\n"
	"\tesac\n"
	"}\n"
	"if [[ $funcstack[1] == _synfault ]]; then\n"
	"\t_synfault \"$@\"\n"
	"else\n"
	"\tcompdef _synfault synfault\n"
	"fi\n";

static const char fish[] =
	"# fish completion for synfault; made by `synfault completion fish`\n"
	"function __synfault_complete\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l current (commandline -ct)\n"
	"\tset -l answers ($words[1] completion words -- $words[2..-1] \"$current\" 2>/dev/null)\n"
	"\tswitch \"$answers[1]\"\n"
	"\t\tcase :command\n"
	"\t\t\tcomplete -C \"$current\"\n"
	"\t\tcase :file\n"
	"\t\t\t__fish_complete_path \"$current\"\n"
	"\t\tcase :directory\n"
	"\t\t\t__fish_complete_directories \"$current\"\n"
	"\t\tcase :other\n"
	"\t\tcase '*'\n"
	"\t\t\tprintf '%s\\n' $answers\n"
	"\tend\n"
	"end\n"
	"complete -c synfault -f -a '(__synfault_complete)'\n";

static void add(struct strbuf *out, const char *prefix, const char *word, const char *meaning)
{
	strbuf_printf(out, "%s%s\t%s\n", prefix, word, meaning);
}

/* Adds each of the words that are separated by blanks. */
static void add_words(struct strbuf *out, const char *prefix, const char *words)
{
	while (*words) {
		size_t length = strcspn(words, " ");
		AUTO_FREE char *word = xstrndup(words, length);

		add(out, prefix, word, "");
		words += length + strspn(words + length, " ");
	}
}

/* Adds what can be the argument of an option. */
static void add_argument(struct strbuf *out, const char *prefix, const struct option_spec *spec)
{
	if (spec->words)
		add_words(out, prefix, spec->words);
	else if (strcmp(spec->argument, "FILE") == 0 || strcmp(spec->argument, "PATH") == 0)
		strbuf_puts(out, KIND_FILE);
	else
		strbuf_puts(out, strcmp(spec->argument, "DIR") == 0 ? KIND_DIRECTORY : KIND_OTHER);
}

static void add_options(struct strbuf *out, const struct option_table *table)
{
	for (size_t i = 0; i < table->n_specs; i++) {
		const struct option_spec *spec = &table->specs[i];

		add(out, "--", spec->name, spec->help);
		if (spec->letter)
			add(out, "-", (char[]){spec->letter, '\0'}, spec->help);
	}
}

/* Returns the option that "--color", "--color=…" or "-c" names, if it takes an argument. */
static const struct option_spec *option_with_argument(const struct option_table *table,
						      const char *word)
{
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < table->n_specs; i++) {
		const struct option_spec *spec = &table->specs[i];

		if (spec->argument &&
		    ((strncmp(word, "--", 2) == 0 && strlen(spec->name) == length - 2 &&
		      strncmp(word + 2, spec->name, length - 2) == 0) ||
		     (spec->letter && strcmp(word, (char[]){'-', spec->letter, '\0'}) == 0)))
			return spec;
	}
	return NULL;
}

/* Adds what can be the last of the @n words. The first is the name of the command. */
static void add_answers(struct strbuf *out, const struct command *command, char *const *words,
			size_t n)
{
	const char *current = words[n - 1];
	const struct option_spec *spec;

	for (size_t i = 1; i + 1 < n; i++) {
		if (strcmp(words[i], "--") != 0)
			continue;
		strbuf_puts(out, i + 2 == n ? KIND_COMMAND : KIND_FILE);
		return;
	}
	spec = n > 2 ? option_with_argument(command->options, words[n - 2]) : NULL;
	if (spec && !strchr(words[n - 2], '=')) {
		add_argument(out, "", spec);
	} else if (current[0] == '-' && strchr(current, '=')) {
		AUTO_FREE char *prefix = xstrndup(current, strcspn(current, "=") + 1);

		spec = option_with_argument(command->options, current);
		if (spec)
			add_argument(out, prefix, spec);
	} else if (current[0] == '-') {
		add_options(out, command->options);
	} else if (command == &command_completion) {
		add_words(out, "", shells);
	} else {
		strbuf_puts(out, KIND_FILE);
	}
}

static void complete(const struct command *const *commands, char *const *words, size_t n,
		     struct strbuf *out)
{
	for (size_t i = 0; n == 1 && commands[i]; i++)
		add(out, "", commands[i]->name, commands[i]->summary);
	if (n == 1) {
		add(out, "", "help", "show all commands");
		add_words(out, "--", "help version");
	}
	for (size_t i = 0; n > 1 && commands[i]; i++)
		if (strcmp(commands[i]->name, words[0]) == 0)
			add_answers(out, commands[i], words, n);
}

static int run_completion(void *parsed, const struct operands *operands,
			  const struct command_context *context)
{
	static const char *const scripts[] = {bash, zsh, fish};
	AUTO_FREE char *message = NULL;
	AUTO_STRBUF struct strbuf text = {0};
	int shell;

	(void)parsed;
	if (operands->client) {
		complete(context->commands, operands->client, strv_length(operands->client), &text);
		fputs(strbuf_text(&text), context->out);
		return STATUS_PASSED;
	}
	shell = option_choice(operands->items[0], shells, &message);
	if (shell < 0)
		return command_usage_error(&command_completion, context->err, message);
	fputs(scripts[shell], context->out);
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
	.client = CLIENT_OPTIONAL, /* the line so far, for the scripts */
	.needs = "one shell is needed: bash, zsh or fish",
	.run = run_completion,
};
