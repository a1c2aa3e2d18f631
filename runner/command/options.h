/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command-line options as tables. A row has an option's name, argument, help and effect. Parsing,
 * help, error messages, environment variables, shell completion and manual pages follow from it.
 */
#ifndef SYNFAULT_RUNNER_COMMAND_OPTIONS_H
#define SYNFAULT_RUNNER_COMMAND_OPTIONS_H

#include "common/strbuf.h"

/* What a value has to look like, and the type of the field that takes it. */
enum option_kind {
	OPTION_HELP,     /* no field: shows the command's help */
	OPTION_FLAG,     /* bool or an integer: set to 1 */
	OPTION_STRING,   /* const char *, borrowed; if the row has words, one of these */
	OPTION_FILE,     /* const char *, borrowed, not empty */
	OPTION_COUNT,    /* an integer from low to high */
	OPTION_SIZE,     /* an integer of bytes from low to high, as 512K or 64M */
	OPTION_FACTOR,   /* double, from 0.01 to 1000 */
	OPTION_DURATION, /* int64_t: nanoseconds, more than 0 */
	OPTION_SEED,     /* struct option_seed */
	OPTION_CHOICE,   /* bool or an enum: the index of the word */
	OPTION_CUSTOM,   /* set by the row's parse() */
};

struct option_seed {
	uint64_t value;
	bool given;
};

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which rows are read */
struct option_spec {
	const char *name;     /* without the dashes */
	char letter;          /* short form; 0: none */
	const char *argument; /* what the help calls it; NULL: the option takes none */
	const char *help;     /* verb first; wrapped by options_help() */
	enum option_kind kind;
	size_t offset, size; /* of the field; see OPTION_FIELD */
	int64_t low, high;
	const char *words; /* the possible values, separated by blanks; NULL: any value */
	/*
	 * OPTION_CUSTOM: stores the value in the field. Returns true, or false with *@ret_message
	 * (owned by the caller), which says what is expected; with @explains, what is wrong.
	 */
	bool (*parse)(void *field, const char *value, char **ret_message);
	bool explains;
	void (*clear)(void *field); /* frees what the field owns; NULL: nothing */
	bool command_line_only;     /* has no environment variable */
};
/* The field that a row sets. */
#define OPTION_FIELD(type, member) offsetof(type, member), sizeof(((type *)NULL)->member)

/* Rows that many commands have. */
#define OPTION_ROW_HELP                                                                            \
	{                                                                                          \
		"help", 'h', NULL, "show this help", OPTION_HELP, .command_line_only = true        \
	}
#define OPTION_ROW_COLOR(type, member)                                                             \
	{                                                                                          \
		"color", 0, "WHEN", "use colors: auto, always or never", OPTION_CHOICE,            \
			OPTION_FIELD(type, member), .words = "auto always never"                   \
	}
#define OPTION_ROW_FORMAT(type, member, help)                                                      \
	{                                                                                          \
		"format", 0, "FORMAT", help, OPTION_CHOICE, OPTION_FIELD(type, member),            \
			.words = "text json"                                                       \
	}
/* Command line only: SYNFAULT_JSON, which may be set for a whole job, names the file of `run`. */
#define OPTION_ROW_JSON(type, member)                                                              \
	{                                                                                          \
		"json", 0, NULL, "print JSON, as --format json does", OPTION_FLAG,                 \
			OPTION_FIELD(type, member), .command_line_only = true                      \
	}
#define OPTION_ROW_TIMING_SCALE(type, member, help)                                                \
	{                                                                                          \
		"timing-scale", 0, "F", help, OPTION_FACTOR, OPTION_FIELD(type, member)            \
	}
#define OPTION_ROW_SEED(type, member)                                                              \
	{                                                                                          \
		"seed", 0, "N", "draw random values from this seed (default: a new one)",          \
			OPTION_SEED, OPTION_FIELD(type, member)                                    \
	}
#define OPTION_ROW_TIME(type, member)                                                              \
	{                                                                                          \
		"time", 0, "MODE",                                                                 \
			"run in real (default), virtual, or auto time (see docs/time.md)",         \
			OPTION_CHOICE, OPTION_FIELD(type, member), .words = "real virtual auto"    \
	}
#define OPTION_ROW_ISOLATION(type, member)                                                         \
	{                                                                                          \
		"isolation", 0, "MODE",                                                            \
			"run in private or shared namespaces (default: auto; see "                 \
			"docs/isolation.md)",                                                      \
			OPTION_CHOICE, OPTION_FIELD(type, member), .words = "auto private shared"  \
	}

/* All options of a command. */
struct option_table {
	const struct option_spec *specs;
	size_t n_specs;
	size_t size;          /* of the struct whose fields the rows name; 0: none */
	const void *defaults; /* such a struct; NULL: all zero */
};
#define OPTION_TABLE(specs, ...)                                                                   \
	(&(const struct option_table){specs, ARRAY_SIZE(specs), __VA_ARGS__})

/* What a command line holds in addition to the options. */
struct operands {
	char **items; /* within argv */
	int n;
	char **client; /* what follows "--"; NULL: there is no "--" */
	bool help;     /* an OPTION_HELP was given */
};

/**
 * option_variable() - return the environment variable of an option
 *
 * Return: "SYNFAULT_MAX_FAIL" for "max-fail"; owned by the caller.
 */
char *option_variable(const char *name);

/**
 * options_parse() - read options and operands in any order
 * @argv: what follows the command's name; operands are moved to its front
 * @options: the struct whose fields the table names
 * @ret_message: one sentence with a remedy, owned by the caller; only on failure
 *
 * Forms: --name value, --name=value, -x value, -xvalue, -xyz. An option that is not given is taken
 * from its environment variable, if that is set and not empty. There a flag is on for 1, true, yes,
 * on, and off for 0, false, no, off.
 *
 * Return: false on an error.
 */
bool options_parse(const struct option_table *table, int argc, char **argv, void *options,
		   struct operands *ret_operands, char **ret_message);

/** options_help() - add the table as help text, at most 80 columns wide */
void options_help(const struct option_table *table, struct strbuf *out);

/**
 * option_choice() - find a word in a list
 * @words: separated by blanks
 * @ret_message: what is expected, owned by the caller; only on failure
 *
 * Return: its index, or -1.
 */
int option_choice(const char *text, const char *words, char **ret_message);

#endif
