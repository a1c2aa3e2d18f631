/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results of a run made by hand, for the tests of reports; records come from record_builder.h. */
#ifndef SYNFAULT_TESTS_LIB_REPORT_FIXTURE_H
#define SYNFAULT_TESTS_LIB_REPORT_FIXTURE_H

#include "runner/report/result.h"
#include "tests/lib/record_builder.h"

/* A run and the scenario files it was made from. */
struct report_fixture {
	struct run_results results;
	struct scenario_file *files[4];
	size_t n_files;
};

/* Seed 42, started 2023-11-14 22:13:20 UTC, 12.3 s long; no results yet. */
struct report_fixture *report_fixture_new(void);
void report_fixture_free(struct report_fixture *fixture);
void report_fixture_freep(struct report_fixture **fixture);
#define AUTO_FIXTURE CLEANUP(report_fixture_freep)

/* Adds a scenario file from memory; the fixture owns it. */
struct scenario_file *report_fixture_file(struct report_fixture *fixture, const char *path,
					  const char *source);

/*
 * Adds a result of 523 ms. The scenario gets this name and line and belongs to the file; the
 * builder is used up. @judgement NULL: as judged; else the result owns what is in it. The pointer
 * is valid until the next one.
 */
struct result *report_fixture_result(struct report_fixture *fixture, struct scenario_file *file,
				     const char *name, unsigned line,
				     struct record_builder *builder,
				     const struct judgement *judgement);
/* A scenario that never ran: it has no record, and an empty judgement. */
struct result *report_fixture_not_run(struct report_fixture *fixture, struct scenario_file *file,
				      const char *name, unsigned line);
/* A document that is wrong, with one diagnostic that marks columns 5 to 10 of @line. */
struct result *report_fixture_broken(struct report_fixture *fixture, struct scenario_file *file,
				     const char *name, unsigned line, const char *message);

/* A client that connected at once, exit status 0. */
struct record_builder *report_fixture_passing(void);
/*
 * A client whose exit status is 1, not 0, after @n_attempts; with several attempts the last backoff
 * is 1.03 s, not 2 s.
 */
struct record_builder *report_fixture_failing(unsigned n_attempts);
/* A judgement with one finding. */
struct judgement report_fixture_judgement(enum outcome outcome, const char *type,
					  const char *message);

/* Returns how often @part occurs in @text. */
size_t report_fixture_count(const char *text, const char *part);

/* Adds a finding; NULLs are allowed but for @message. */
struct finding *report_fixture_finding(struct judgement *judgement, const char *type,
				       const char *subject, const char *expected,
				       const char *actual, const char *message);

#endif
