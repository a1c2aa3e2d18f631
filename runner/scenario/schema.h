/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scenario language as data: each mapping that can appear in a scenario file is a table of
 * keys, with what each takes, what it is for, and an example. The loader reads files by these
 * tables, and the descriptions for people and programs are made from them, so they always agree. A
 * value can have several forms; a table has all of them.
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_SCHEMA_H
#define SYNFAULT_RUNNER_SCENARIO_SCHEMA_H

#include "common/util.h"

/* What a text means, as a value or as an item of a list. */
enum schema_type {
	SCHEMA_ANY, /* any value (the values of a matrix) */
	SCHEMA_TEXT,
	SCHEMA_LINE,   /* a text of one line, not blank */
	SCHEMA_WORD,   /* a text without blanks and commas */
	SCHEMA_CHOICE, /* one of .choices */
	SCHEMA_BOOLEAN,
	SCHEMA_PORT,
	SCHEMA_COUNT,
	SCHEMA_HOSTNAME,
	SCHEMA_REMOTE,  /* host:port */
	SCHEMA_ADDRESS, /* ipv4, ipv6, or an address */
	SCHEMA_FACTOR,
	SCHEMA_COUNT_RANGE, /* a number or a range */
	SCHEMA_DURATION,
	SCHEMA_DURATION_RANGE, /* a duration or a range */
	SCHEMA_PERCENT,
	SCHEMA_TOLERANCE, /* a duration or a percentage */
	SCHEMA_JITTER,
	SCHEMA_STATUS, /* exit status, or "nonzero" when alone */
	SCHEMA_SIGNAL,
	SCHEMA_STEP,
	SCHEMA_ATTEMPTS, /* numbers of attempts: 2, 1..3, 2+, 1..9+2 */
	SCHEMA_WINDOW,   /* 0s..5s, 2s.., 0s..5s every 20s */
	SCHEMA_PATTERN,  /* PCRE2 */
	SCHEMA_POLICY,   /* a name; each item of its list is a SCHEMA_DURATION_RANGE */
	SCHEMA_N_TYPES,
};

struct schema_type_info {
	const char *name;     /* "duration" */
	const char *pattern;  /* regular expression (ECMA-262); NULL: any text */
	int minimum, maximum; /* of a number; both 0: see the pattern */
};
/** schema_type_info() - describe a type */
const struct schema_type_info *schema_type_info(enum schema_type type);

/* Forms that a value can have. */
#define SCHEMA_SCALAR  1u
#define SCHEMA_LIST    2u
#define SCHEMA_MAPPING 4u

struct loader;
struct field;
struct schema;

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which rows are read */
struct schema_key {
	const char *name;  /* of a key in .named: what the user's key stands for, "ENDPOINT" */
	const char *value; /* what it takes, in words: "a duration" */
	const char *description; /* what it is for, one sentence */
	const char *example;     /* a value as it is written */
	const char *fallback;    /* the default, as it is written, or NULL */
	unsigned forms;          /* 0: a scalar */
	enum schema_type type;
	const char *const *choices;        /* SCHEMA_CHOICE: ends with NULL */
	const struct schema *mapping;      /* the keys that its mapping can have, or NULL */
	const struct schema *mapping_item; /* of its list: the keys of items that are mappings */
	const struct schema_key *named;    /* what each key of its mapping takes whose name the user
					      chooses; NULL: there are none */
	bool required;
	bool of_client; /* not required if another process starts the client */
	/*
	 * Where the value goes in the C object of the mapping, see INTO(): it is read by its type.
	 * size 0: .decode reads it.
	 */
	size_t offset, size;
	const char *what;  /* SCHEMA_COUNT, SCHEMA_PORT: "a port", as in "a port is 1 to 65535" */
	int64_t low, high; /* the same: bounds */
	bool positive;     /* SCHEMA_DURATION: more than 0 */
	bool references;   /* SCHEMA_TEXT: may hold ${…} */
	unsigned expectation; /* enum expectation_kind; 0 also where there is none */
	/* Reads a value of one of .forms into @target, the object of the key's mapping. */
	void (*decode)(struct loader *loader, const struct field *field, void *target);
	/* Checks a value after it was read by its type. */
	void (*check)(struct loader *loader, const struct field *field, void *target);
};

/*
 * The member of an object that a value goes into. Its C type follows from .type: a text is a
 * char *, a list of texts a char **, a choice the index of its word, a duration int64_t
 * nanoseconds, a range struct range, a factor or percentage a double, a signal an int.
 */
#define INTO(object, member)                                                                       \
	.offset = offsetof(object, member), .size = sizeof(((object *)0)->member)

struct schema {
	const char *name; /* such a mapping in words: "an endpoint" */
	const struct schema_key *keys;
	size_t n_keys;
};

/* A document. All other tables are reached from this one. */
extern const struct schema schema_document;

/** schema_forms() - return the forms that a key's value can have, at least one */
unsigned schema_forms(const struct schema_key *key);
/** schema_find() - find a key in a table; return NULL if there is none */
const struct schema_key *schema_find(const struct schema *schema, const char *name);

#endif
