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

	/* How to start it; may be changed between runs. */
	uid_t uid;                     /* and gid, without other groups and HOME; 0: root */
	void (*prepare)(void);         /* called in the child, as root, before exec; or NULL */
	int64_t patience_ns;           /* the test fails if it has not ended after this time */
	void (*while_running)(void *); /* called repeatedly while the test waits; or NULL */
	void *userdata;                /* for it */

	/* The run, which has not ended while pid is not 0. */
	char *command;
	pid_t pid;
	int out_fd, err_fd;
	int64_t started_ns;
	struct strbuf before; /* what was in the sandbox before the run */

	/* The result. */
	int wait_status;
	char *out, *err; /* what it wrote */
	int64_t duration_ns;
	int64_t peak_memory; /* in bytes, of the largest of its processes */
};

/*
 * Skips or fails the test if a sandbox is not available. PATH contains synfault, the built target
 * clients, and the test's own PATH.
 */
struct program *program_new(void);
void program_free(struct program *program);
void program_freep(struct program **program);
#define AUTO_PROGRAM CLEANUP(program_freep)

/* Skips the test unless root runs it: only root can become another user. */
void program_needs_root(const struct program *program);
/* Skips the test unless all programs, separated by blanks, are in PATH. */
void program_needs(const struct program *program, const char *names);

/* Writes a file; a relative path counts from the working directory, here and below. */
void program_writes(const struct program *program, const char *path, const char *format, ...)
	PRINTF(3, 4);
/* Removes a file if it exists. */
void program_removes(const struct program *program, const char *path);
bool program_has_file(const struct program *program, const char *path);
/* Reads a whole file, owned by the caller; fails the test if it does not exist. */
char *program_reads(const struct program *program, const char *path, size_t *ret_length);

/* Runs synfault to its end, with arguments quoted as for a shell. */
void program_runs(struct program *program, const char *format, ...) PRINTF(2, 3);
/* Runs a shell command in the same environment. */
void program_runs_shell(struct program *program, const char *format, ...) PRINTF(2, 3);
/* The same in two parts. */
void program_starts(struct program *program, const char *format, ...) PRINTF(2, 3);
void program_ends(struct program *program);
/* While it runs: waits until the file exists. */
void program_waits_for_file(struct program *program, const char *path);
/* While it runs: waits until the text is on standard error. */
void program_waits_for_complaint(struct program *program, const char *text);
/* While it runs: finds its supervisors, one per running scenario; the caller frees the array. */
size_t program_supervisors(const struct program *program, pid_t **ret);

/* ---- results ---- */

/* Each fails the test unless the program did this in its last run. */
void program_exited(const struct program *program, int status);
void program_was_killed(const struct program *program, int signal);
/* Compares the last line of standard output. */
void program_concluded(const struct program *program, const char *last_line);
/* Looks for a text in standard output or standard error. */
void program_printed(const struct program *program, const char *text);
void program_did_not_print(const struct program *program, const char *text);
void program_complained(const struct program *program, const char *text);
/*
 * Waits for a while until the sandbox is as before the run, except for a file in the working
 * directory, or the files in a directory there; NULL: no exception.
 */
void program_left_nothing_but(const struct program *program, const char *path);
/* Lists what differs from before the run, a line each with + or -. Owned by the caller. */
char *program_leftovers(const struct program *program, const char *path);
#define program_left_nothing(program) program_left_nothing_but(program, NULL)

/* Fails the test and prints the program's output. */
#define program_fail(program, ...)                                                                 \
	do {                                                                                       \
		AUTO_FREE char *fail_text_ = program_text(program);                                \
		AUTO_FREE char *fail_reason_ = xasprintf(__VA_ARGS__);                             \
		cr_assert_fail("%s\n%s", fail_reason_, fail_text_);                                \
	} while (0)
/* Returns the command with all output of the program, owned by the caller. */
char *program_text(const struct program *program);

/* Reads a record that --records wrote; free it with record_free(). */
struct record *program_record(const struct program *program, const char *path);

/*
 * An option of run: how many of all packs a test runs. A sanitizer sees as much in half of them, in
 * several times the time.
 */
#ifdef __SANITIZE_ADDRESS__
#define PROGRAM_PACK_SHARE "--shard 1/2"
#else
#define PROGRAM_PACK_SHARE "--shard 1/1"
#endif

#endif
