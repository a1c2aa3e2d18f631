/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A JUnit report read back, as a CI server reads it. */
#ifndef SYNFAULT_TESTS_LIB_JUNIT_READER_H
#define SYNFAULT_TESTS_LIB_JUNIT_READER_H

#include "tests/lib/program.h"

struct junit_case {
	char *suite, *name;
	enum outcome outcome;
	char *type, *message, *text; /* of the failure, error or skip; "" if passed */
	char *out, *err;             /* "" without output */
};

struct junit {
	struct junit_case *cases;
	size_t n_cases, capacity;
	/* Attributes of the outermost element; skipped is the sum of the suites'. */
	int tests, failures, errors, skipped;
};

/* Reads the program's report; fails the test unless it is well-formed. */
struct junit *junit_read(const struct program *program, const char *path);
void junit_free(struct junit *junit);
void junit_freep(struct junit **junit);
#define AUTO_JUNIT CLEANUP(junit_freep)

/* Finds the case of that name; fails the test without one. */
const struct junit_case *junit_case(const struct junit *junit, const char *name);

/* Counts the cases with this outcome. */
int junit_count(const struct junit *junit, enum outcome outcome);

/*
 * Fails the test unless the case has this outcome, this type, and @text in its message or text.
 * NULL: any type, any text.
 */
void junit_says(const struct junit *junit, const char *name, enum outcome outcome, const char *type,
		const char *text);

/*
 * Validates the report's suites against an XSD file, without the attributes that it does not know
 * and all servers do; fails the test if they are invalid.
 */
void junit_validate(const struct program *program, const char *path, const char *schema);

#endif
