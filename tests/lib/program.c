/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The synfault program under test: see program.h. */
#include "tests/lib/program.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "tests/lib/netns.h"

/* How long the kernel may take to release what a killed program held. */
#define CLEARING_NS (30 * NS_PER_S)
#define POLL_MS     5

/* ---- before a run ---- */

static void add_programs(const struct test_host *host)
{
	static const char *const targets[] = {"synfault-backoff", "synfault-curl-retry",
					      "synfault-tiny", "synfault-waits",
					      "synfault-waits-static"};
	const char *program = getenv("SYNFAULT_PROGRAM"), *directory = getenv("SYNFAULT_TARGETS");

	cr_assert(program, "SYNFAULT_PROGRAM has to name the program under test");
	test_host_add_program(host, "synfault", program);
	for (size_t i = 0; directory && i < ARRAY_SIZE(targets); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", directory, targets[i]);

		if (access(path, X_OK) == 0)
			test_host_add_program(host, targets[i], path);
	}
}

struct program *program_new(void)
{
	struct program *program = xzalloc(sizeof(*program));

	program->host = test_host_new();
	program->work = xasprintf("%s/work", program->host->directory);
	program->patience_ns = 400 * NS_PER_S;
	program->out_fd = program->err_fd = -1;
	add_programs(program->host);
	return program;
}

static void forget_run(struct program *program)
{
	if (program->out_fd >= 0)
		close(program->out_fd);
	if (program->err_fd >= 0)
		close(program->err_fd);
	free(program->out);
	free(program->err);
	free(program->command);
	strbuf_free(&program->before);
	program->before = (struct strbuf){0};
	program->out = program->err = program->command = NULL;
	program->out_fd = program->err_fd = -1;
}

void program_free(struct program *program)
{
	forget_run(program);
	test_host_free(program->host);
	free(program->work);
	free(program);
}

void program_freep(struct program **program)
{
	program_free(*program);
}

/* Returns whether the tests' user namespace knows the uid. */
static bool uid_exists(uid_t uid)
{
	AUTO_FCLOSE FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned long first, outside, count;

	while (map && fscanf(map, "%lu %lu %lu", &first, &outside, &count) == 3)
		if (uid >= first && uid - first < count)
			return true;
	return false;
}

void program_needs_root(const struct program *program)
{
	if (geteuid() != 0 || !uid_exists(PROGRAM_NOBODY))
		netns_skip("only root can run a program as another user");
}

void program_needs(const struct program *program, const char *names)
{
	AUTO_FREE char *copy = xstrdup(names);
	char *rest = copy;

	for (char *name; (name = strsep(&rest, " "));) {
		AUTO_FREE char *command = xasprintf("command -v %s >/dev/null", name);

		if (system(command) != 0)
			netns_skip("%s is not installed", name);
	}
}

static char *path_of(const struct program *program, const char *path)
{
	return *path == '/' ? xstrdup(path) : xasprintf("%s/%s", program->work, path);
}

void program_writes(const struct program *program, const char *path, const char *format, ...)
{
	AUTO_FREE char *whole = path_of(program, path);
	AUTO_FCLOSE FILE *file = fopen(whole, "we");
	va_list arguments;

	cr_assert(file, "%s: %s", whole, strerror(errno));
	va_start(arguments, format);
	cr_assert_geq(vfprintf(file, format, arguments), 0);
	va_end(arguments);
}

void program_removes(const struct program *program, const char *path)
{
	AUTO_FREE char *whole = path_of(program, path);

	cr_assert(unlink(whole) == 0 || errno == ENOENT, "%s: %s", whole, strerror(errno));
}

bool program_has_file(const struct program *program, const char *path)
{
	AUTO_FREE char *whole = path_of(program, path);

	return access(whole, F_OK) == 0;
}

static char *read_all(int fd, size_t *ret_length)
{
	struct strbuf text = {0};
	char buffer[65536];
	ssize_t length;

	while ((length = pread(fd, buffer, sizeof(buffer), (off_t)text.length)) > 0)
		strbuf_add(&text, buffer, (size_t)length);
	if (ret_length)
		*ret_length = text.length;
	return strbuf_steal(&text);
}

char *program_reads(const struct program *program, const char *path, size_t *ret_length)
{
	AUTO_FREE char *whole = path_of(program, path);
	AUTO_CLOSE int fd = open(whole, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		program_fail(program, "%s: %s", path, strerror(errno));
	return read_all(fd, ret_length);
}

/* ---- a run ---- */

static void set_environment(const struct program *program)
{
	static const char *const not_passed_on[] = {
		"NO_COLOR",         "SYNFAULT_MISTAKE",         "SYNFAULT_PROGRAM",
		"SYNFAULT_TARGETS", "SYNFAULT_SCHEMAS",         "SYNFAULT_REQUIRE_PRIVILEGES",
		"SYNFAULT_SOURCE",  "SYNFAULT_CONTAINER_CACHE",
	};
	const char *path = getenv("PATH"), *directory = program->host->directory;
	AUTO_FREE char *new_path =
		xasprintf("%s/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin%s%s", directory,
			  path ? ":" : "", path ? path : "");
	AUTO_FREE char *temporary = xasprintf("%s/tmp", directory);
	AUTO_FREE char *state = xasprintf("%s/state", directory);
	AUTO_FREE char *run = xasprintf("%s/run", directory);

	setenv("PATH", new_path, 1);
	setenv("TMPDIR", temporary, 1);
	setenv("XDG_STATE_HOME", state, 1);
	/* Processes of other tests have the same pids, and may name their sockets in /run by them.
	 */
	setenv("XDG_RUNTIME_DIR", run, 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	for (size_t i = 0; i < ARRAY_SIZE(not_passed_on); i++)
		unsetenv(not_passed_on[i]);
}

static void become(uid_t uid)
{
	if (uid == 0)
		return;
	unsetenv("HOME");
	unsetenv("USER");
	unsetenv("LOGNAME");
	if (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0)
		abort();
}

NORETURN static void be_program(const struct program *program)
{
	int nothing = open("/dev/null", O_RDONLY);

	setsid();
	/* Signals that the caller ignores (nohup) would be ignored by the program, too. */
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	dup2(nothing, 0);
	dup2(program->out_fd, 1);
	dup2(program->err_fd, 2);
	close_range(3, ~0U, 0);
	set_environment(program);
	if (program->prepare)
		program->prepare();
	become(program->uid);
	execl("/bin/sh", "sh", "-c", program->command, (char *)NULL);
	abort();
}

static void start(struct program *program, char *command)
{
	cr_assert_eq(program->pid, 0, "a run is under way already");
	forget_run(program);
	program->command = command;
	program->out_fd = memfd_create("out", MFD_CLOEXEC);
	program->err_fd = memfd_create("err", MFD_CLOEXEC);
	cr_assert(program->out_fd >= 0 && program->err_fd >= 0);
	test_host_describe(program->host, &program->before);
	program->started_ns = clock_monotonic_ns();
	program->pid = test_host_fork(program->host);
	if (program->pid == 0)
		be_program(program);
}

void program_starts(struct program *program, const char *format, ...)
{
	AUTO_FREE char *arguments = NULL;
	va_list list;

	va_start(list, format);
	arguments = xvasprintf(format, list);
	va_end(list);
	start(program, xasprintf("exec synfault %s", arguments));
}

/* Returns whether it has ended, and then fills in the result. */
static bool take_end(struct program *program)
{
	struct rusage usage;
	pid_t pid = wait4(program->pid, &program->wait_status, WNOHANG, &usage);

	cr_assert(pid >= 0 || errno == EINTR, "wait4: %s", strerror(errno));
	if (pid <= 0)
		return false;
	program->duration_ns = clock_monotonic_ns() - program->started_ns;
	program->peak_memory = usage.ru_maxrss * INT64_C(1024);
	program->pid = 0;
	program->out = read_all(program->out_fd, NULL);
	program->err = read_all(program->err_fd, NULL);
	return true;
}

/* Fails a test that has waited too long. */
static void be_patient(struct program *program, int64_t since_ns, const char *what)
{
	if (clock_monotonic_ns() - since_ns > program->patience_ns) {
		kill(program->pid, SIGKILL);
		program->out = read_all(program->out_fd, NULL);
		program->err = read_all(program->err_fd, NULL);
		program_fail(program, "%s after %.1f s", what,
			     (double)program->patience_ns / (double)NS_PER_S);
	}
	poll(NULL, 0, POLL_MS);
}

void program_ends(struct program *program)
{
	while (!take_end(program)) {
		if (program->while_running)
			program->while_running(program->userdata);
		be_patient(program, program->started_ns, "had not ended");
	}
}

void program_runs(struct program *program, const char *format, ...)
{
	AUTO_FREE char *arguments = NULL;
	va_list list;

	va_start(list, format);
	arguments = xvasprintf(format, list);
	va_end(list);
	start(program, xasprintf("exec synfault %s", arguments));
	program_ends(program);
}

void program_runs_shell(struct program *program, const char *format, ...)
{
	va_list list;
	char *command;

	va_start(list, format);
	command = xvasprintf(format, list);
	va_end(list);
	start(program, command);
	program_ends(program);
}

void program_waits_for_file(struct program *program, const char *path)
{
	int64_t since_ns = clock_monotonic_ns();

	while (!program_has_file(program, path)) {
		if (take_end(program))
			program_fail(program, "ended before there was a file %s", path);
		be_patient(program, since_ns, "no file that was waited for");
	}
}

void program_waits_for_complaint(struct program *program, const char *text)
{
	int64_t since_ns = clock_monotonic_ns();

	for (;;) {
		AUTO_FREE char *err = read_all(program->err_fd, NULL);

		if (strstr(err, text))
			return;
		if (take_end(program))
			program_fail(program, "ended before it said \"%s\"", text);
		be_patient(program, since_ns, "did not say what was waited for");
	}
}

size_t program_supervisors(const struct program *program, pid_t **ret)
{
	cr_assert_neq(program->pid, 0, "no run is under way");
	return test_host_children(program->pid, ret);
}

/* ---- results ---- */

char *program_text(const struct program *program)
{
	return xasprintf("$ %s\n[wait status %#x, %.2f s]\n%s%s", program->command,
			 (unsigned)program->wait_status,
			 (double)program->duration_ns / (double)NS_PER_S,
			 program->out ? program->out : "", program->err ? program->err : "");
}

void program_exited(const struct program *program, int status)
{
	if (WIFSIGNALED(program->wait_status))
		program_fail(program, "killed by signal %d instead of exit status %d",
			     WTERMSIG(program->wait_status), status);
	if (WEXITSTATUS(program->wait_status) != status)
		program_fail(program, "exit status %d instead of %d",
			     WEXITSTATUS(program->wait_status), status);
}

void program_was_killed(const struct program *program, int signal)
{
	if (!WIFSIGNALED(program->wait_status) || WTERMSIG(program->wait_status) != signal)
		program_fail(program, "not killed by signal %d", signal);
}

void program_concluded(const struct program *program, const char *last_line)
{
	size_t length = strlen(program->out), start = length;

	while (start > 0 && (start == length || program->out[start - 1] != '\n'))
		start--;
	if (length == 0 || program->out[length - 1] != '\n' ||
	    length - start != strlen(last_line) + 1 ||
	    strncmp(program->out + start, last_line, strlen(last_line)) != 0)
		program_fail(program, "the last line is not \"%s\"", last_line);
}

void program_printed(const struct program *program, const char *text)
{
	if (!strstr(program->out, text))
		program_fail(program, "\"%s\" is not in the output", text);
}

void program_did_not_print(const struct program *program, const char *text)
{
	if (strstr(program->out, text))
		program_fail(program, "\"%s\" is in the output", text);
}

void program_complained(const struct program *program, const char *text)
{
	if (!strstr(program->err, text))
		program_fail(program, "\"%s\" is not on standard error", text);
}

/* Returns whether the line names a file that may exist. */
static bool is_allowed(const struct program *program, const char *line, size_t length,
		       const char *path)
{
	AUTO_FREE char *allowed = xasprintf("file %s/%s", program->work, path ? path : "");
	size_t n = strlen(allowed);

	return path && length >= n && strncmp(line, allowed, n) == 0 &&
	       (length == n || line[n] == '/');
}

static bool has_line(const char *text, const char *line, size_t length)
{
	for (; *text; text += strcspn(text, "\n") + 1)
		if (strcspn(text, "\n") == length && !strncmp(text, line, length))
			return true;
	return false;
}

/* Adds the lines of @text that @other lacks. */
static void add_difference(const struct program *program, const char *text, const char *other,
			   const char *allowed, const char *mark, struct strbuf *out)
{
	size_t length;

	for (; *text; text += length + 1) {
		length = strcspn(text, "\n");
		if (has_line(other, text, length) || is_allowed(program, text, length, allowed) ||
		    (*mark == '-' && !strncmp(text, TEST_HOST_DYING, strlen(TEST_HOST_DYING))))
			continue;
		strbuf_printf(out, "%s %.*s\n", mark, (int)length, text);
	}
}

char *program_leftovers(const struct program *program, const char *path)
{
	AUTO_STRBUF struct strbuf now = {0};
	const char *before = strbuf_text(&program->before);
	struct strbuf difference = {0};

	test_host_describe(program->host, &now);
	add_difference(program, strbuf_text(&now), before, path, "+", &difference);
	add_difference(program, before, strbuf_text(&now), path, "-", &difference);
	return strbuf_steal(&difference);
}

void program_left_nothing_but(const struct program *program, const char *path)
{
	int64_t since_ns = clock_monotonic_ns();

	for (;;) {
		AUTO_FREE char *leftovers = program_leftovers(program, path);

		if (!*leftovers)
			return;
		if (clock_monotonic_ns() - since_ns > CLEARING_NS)
			program_fail(program, "not everything is as before:\n%s", leftovers);
		poll(NULL, 0, POLL_MS);
	}
}

struct record *program_record(const struct program *program, const char *path)
{
	AUTO_FREE char *message = NULL, *text = NULL;
	struct record *record;
	size_t length;

	text = program_reads(program, path, &length);
	record = record_read_json(text, length, &message);
	if (!record)
		program_fail(program, "%s is not a record: %s", path, message);
	return record;
}
