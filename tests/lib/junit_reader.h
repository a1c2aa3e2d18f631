/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A JUnit report read back, as a CI server reads it. */
#ifndef SYNFAULT_TESTS_LIB_JUNIT_READER_H
#define SYNFAULT_TESTS_LIB_JUNIT_READER_H

#include "tests/lib/program.h"

struct junit_case {
	char *suite, *name;
	enum outcome outcome;
	char *type, *message, *text; /* of the failure, error or skip; "" when passed */
	char *out, *err;             /* "" when there is none */
};

struct junit {
	struct junit_case *cases;
	size_t n_cases, capacity;
	/* As the attributes of the outermost element say; skipped is added up from the suites'. */
	int tests, failures, errors, skipped;
};

/* Reads what the program wrote; the test fails when it is not well-formed. */
struct junit *junit_read(const struct program *program, const char *path);
void junit_free(struct junit *junit);
void junit_freep(struct junit **junit);
#define AUTO_JUNIT CLEANUP(junit_freep)

/* The case of that name; the test fails when there is none. */
const struct junit_case *junit_case(const struct junit *junit, const char *name);

/* How many cases have the outcome. */
int junit_count(const struct junit *junit, enum outcome outcome);

/*
 * The test fails unless the case has this outcome, this type and a message or text that holds
 * @text. NULL: any type, any text.
 */
void junit_says(const struct junit *junit, const char *name, enum outcome outcome, const char *type,
		const char *text);

/*
 * Validates the report's suites against a schema (an XSD file) that knows no more attributes than
 * most; the test fails when they are not valid.
 */
void junit_validate(const struct program *program, const char *path, const char *schema);

#endif
