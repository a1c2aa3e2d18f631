/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The synfault program under test, run in a sandbox, by verbs that make a test read as prose:
 *
 *     struct program *synfault = program_new();
 *
 *     program_writes(synfault, "a.yaml", "name: …");
 *     program_runs(synfault, "run --junit junit.xml a.yaml");
 *     program_exited(synfault, STATUS_PASSED);
 *     program_concluded(synfault, "1 passed, 0 failed, 0 skipped");
 *     program_left_nothing_but(synfault, "junit.xml");
 *
 * A failed check ends the test and prints all output of the program.
 */
#ifndef SYNFAULT_TESTS_LIB_PROGRAM_H
#define SYNFAULT_TESTS_LIB_PROGRAM_H

#include "runner/judge/judge.h"
#include "tests/lib/test_host.h"

/* What the program promises. */
enum program_status {
	STATUS_PASSED = 0,
	STATUS_FAILED = 1,
	STATUS_INTERRUPTED = 2,
	STATUS_UNJUDGED = 3,
	STATUS_USAGE = 4,
	STATUS_NOTHING_RAN = 5,
};

/* The unprivileged user nobody. */
#define PROGRAM_NOBODY 65534

struct program {
	struct test_host *host;
	char *work; /* directory the program is started in */

	/* How it is to be started; may be changed between runs. */
	uid_t uid;                     /* and gid, with no other groups and no HOME; 0: root */
	void (*prepare)(void);         /* called in the child, as root, just before; or NULL */
	int64_t patience_ns;           /* when it has not ended after this time, the test fails */
	void (*while_running)(void *); /* called again and again while it is waited for; or NULL */
	void *userdata;                /* for it */

	/* The run: under way while pid is not 0. */
	char *command;
	pid_t pid;
	int out_fd, err_fd;
	int64_t started_ns;
	struct strbuf before; /* what there was in the sandbox before it */

	/* What became of it. */
	int wait_status;
	char *out, *err; /* what it wrote */
	int64_t duration_ns;
	int64_t peak_memory; /* in bytes, of the largest of its processes */
};

/*
 * Skips or fails the test where a sandbox can't be had. PATH holds synfault, the built target
 * clients, and what the test's own PATH holds.
 */
struct program *program_new(void);
void program_free(struct program *program);
void program_freep(struct program **program);
#define AUTO_PROGRAM CLEANUP(program_freep)

/* Skips the test unless it is run by root, who alone can become others. */
void program_needs_root(const struct program *program);
/* Skips the test unless all programs, separated by blanks, are in PATH. */
void program_needs(const struct program *program, const char *names);

/* Writes a file; a relative path counts from the working directory, here and below. */
void program_writes(const struct program *program, const char *path, const char *format, ...)
	PRINTF(3, 4);
/* Removes a file if there is one. */
void program_removes(const struct program *program, const char *path);
bool program_has_file(const struct program *program, const char *path);
/* A whole file, owned by the caller; the test fails when there is none. */
char *program_reads(const struct program *program, const char *path, size_t *ret_length);

/* Runs synfault with arguments that are given as to a shell, to its end. */
void program_runs(struct program *program, const char *format, ...) PRINTF(2, 3);
/* Runs a whole shell command, in the same surroundings. */
void program_runs_shell(struct program *program, const char *format, ...) PRINTF(2, 3);
/* The same in two parts. */
void program_starts(struct program *program, const char *format, ...) PRINTF(2, 3);
void program_ends(struct program *program);
/* While it runs: waits until the file is there. */
void program_waits_for_file(struct program *program, const char *path);
/* While it runs: its supervising processes, one per scenario under way; the caller's. */
size_t program_supervisors(const struct program *program, pid_t **ret);

/* ---- what became of it ---- */

void program_exited(const struct program *program, int status);
void program_was_killed(const struct program *program, int signal);
/* The last line of standard output. */
void program_concluded(const struct program *program, const char *last_line);
/* Standard output or error hold a text. */
void program_printed(const struct program *program, const char *text);
void program_did_not_print(const struct program *program, const char *text);
void program_complained(const struct program *program, const char *text);
/*
 * Waits for a while until all is as before the run, but for files in the working directory: the
 * given one, or those in it; NULL: none.
 */
void program_left_nothing_but(const struct program *program, const char *path);
/* What is not as before, right now: a line each with + or -; "": nothing. Owned by the caller. */
char *program_leftovers(const struct program *program, const char *path);
#define program_left_nothing(program) program_left_nothing_but(program, NULL)

/* Fails the test, with what the program wrote. */
#define program_fail(program, ...)                                                                 \
	do {                                                                                       \
		AUTO_FREE char *fail_text_ = program_text(program);                                \
		AUTO_FREE char *fail_reason_ = xasprintf(__VA_ARGS__);                             \
		cr_assert_fail("%s\n%s", fail_reason_, fail_text_);                                \
	} while (0)
char *program_text(const struct program *program);

/* A record that --records wrote, which has to be readable; record_free() it. */
struct record *program_record(const struct program *program, const char *path);

#endif
