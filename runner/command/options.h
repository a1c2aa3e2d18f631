/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command-line options as tables: one entry says an option's name, argument, help and effect. */
#ifndef SYNFAULT_RUNNER_COMMAND_OPTIONS_H
#define SYNFAULT_RUNNER_COMMAND_OPTIONS_H

#include "common/strbuf.h"
#include "runner/report/console.h"
#include "runner/sandbox/isolation.h"

struct option_spec {
	const char *name;     /* without the dashes */
	char letter;          /* short form; 0: none */
	const char *argument; /* what the help calls it; NULL: the option takes none */
	const char *help;
	/*
	 * Puts the value (NULL without argument) into the options. Returns true, or false with
	 * *@ret_message (owned by the caller): what was expected.
	 */
	bool (*apply)(void *options, const char *value, char **ret_message);
	bool command_line_only; /* no environment variable stands for it */
	const char *words;      /* the values that it can have, if they can be listed; by blanks */
};

/* All options of a command. */
struct option_table {
	const struct option_spec *specs;
	size_t n_specs;
};
#define OPTION_TABLE(specs)                                                                        \
	{                                                                                          \
		specs, ARRAY_SIZE(specs)                                                           \
	}

/*
 * The environment variable that stands for an option: "SYNFAULT_MAX_FAIL" for "max-fail". Owned by
 * the caller.
 */
char *option_variable(const char *name);

/*
 * Reads options and operands in any order; everything after "--" goes to *@ret_rest. Forms:
 * --name value, --name=value, -x value, -xvalue, -xyz. Operands are moved to the front of @argv;
 * *@ret_n_operands says how many.
 *
 * An option that is not given is taken from its environment variable, when that is set and not
 * empty; an option without argument is on for 1, true, yes, on, and off for 0, false, no, off.
 *
 * Returns true, or false with *@ret_message (owned by the caller), one sentence with a remedy.
 */
bool options_parse(const struct option_spec *table, size_t n_specs, int argc, char **argv,
		   void *options, int *ret_n_operands, char ***ret_rest, char **ret_message);

/* Adds the table as help text, one option per line. */
void options_help(const struct option_spec *table, size_t n_specs, struct strbuf *out);

/* Numbers for apply functions: whole text, within the bounds. Return false on anything else. */
bool option_number(const char *text, int64_t low, int64_t high, int64_t *ret);
bool option_decimal(const char *text, double low, double high, double *ret);

/*
 * One of @words (NULL-terminated, at least two). Returns true with its index, or false with
 * *@ret_message (owned by the caller).
 */
bool option_choice(const char *text, const char *const *words, size_t *ret_index,
		   char **ret_message);

/* A duration of more than zero, in nanoseconds. The same. */
bool option_duration(const char *text, int64_t *ret_ns, char **ret_message);

/* The value of --format, text or json. The same. */
bool option_format(const char *text, bool *ret_json, char **ret_message);

/* The value of --seed, and of --isolation. The same. */
bool option_seed(const char *text, uint64_t *ret, char **ret_message);
bool option_isolation(const char *text, enum isolation_mode *ret, char **ret_message);

/* The value of --color. Returns true, or false with *@ret_message (owned by the caller). */
bool option_color(const char *text, enum color_mode *ret, char **ret_message);

#endif
