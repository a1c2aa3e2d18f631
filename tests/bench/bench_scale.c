/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What large files cost: the processor time of `synfault check` on files with many endpoints, steps
 * and broken documents, and the memory of `check`, `judge` and `report`, less that of a program
 * that does nothing, over the size of the file. Prints JSON objects.
 *
 *     bench_scale SYNFAULT DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runner/report/run_json.h"
#include "tests/lib/report_fixture.h"

/* A scenario has at most 4000 endpoints. */
enum { MAX_ENDPOINTS = 4000, ENDPOINTS = 50000, STEPS = 80000, BROKEN = 16000, SCENARIOS = 10000 };
enum { RESULTS = 1000, ATTEMPTS = 20, ROUNDS = 5 };

#define REST "client: {command: [curl, \"http://${e0}/\"]}\nexpect: {exit: 0}\n"

NORETURN static void die(const char *what)
{
	fprintf(stderr, "bench_scale: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* ---- files ---- */

static FILE *create(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		die(path);
	return file;
}

static void write_endpoints(FILE *file)
{
	for (unsigned i = 0; i < ENDPOINTS; i++) {
		if (i % MAX_ENDPOINTS == 0)
			fprintf(file, "%s---\nname: s%u\nendpoints:\n", i ? REST : "", i);
		fprintf(file, "  e%u: {faults: [refuse, accept]}\n", i % MAX_ENDPOINTS);
	}
	fputs(REST, file);
}

static void write_steps(FILE *file)
{
	fputs("name: s\nendpoints:\n  e0:\n    faults:\n", file);
	for (unsigned i = 0; i < STEPS; i++)
		fprintf(file, "    - %s\n", i % 2 ? "accept" : "refuse x3");
	fputs(REST, file);
}

static void write_broken(FILE *file)
{
	for (unsigned i = 0; i < BROKEN; i++)
		fprintf(file, "---\nname: s%u\nendpoints: {e0: {fualts: [refuse]}}\n" REST, i);
}

static void write_scenarios(FILE *file)
{
	for (unsigned i = 0; i < SCENARIOS; i++)
		fprintf(file,
			"---\nname: client %u retries what the network did to it\n"
			"timeout: %us\n\nendpoints:\n  e0:\n    families: [ipv4, ipv6]\n"
			"    serve: http\n    faults: [refuse x3, delay 300ms, accept]\n\n"
			"client:\n  command: [curl, --retry, \"%u\", \"http://${e0}/%u\"]\n\n"
			"expect:\n  exit: 0\n  attempts: 1..%u\n"
			"  backoff: {exponential: {base: 100ms, cap: 10s, jitter: full}}\n",
			i, 20 + i % 40, i % 9, i, 4 + i % 7);
}

/* A run with records of refused attempts and their output. */
static void write_run(FILE *file, const char *path)
{
	static const char line[] = "attempt failed: Connection refused\n";
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *scenarios = report_fixture_file(fixture, "a.yaml", "");
	AUTO_DIAG struct diag_list diags = {0};

	fclose(file);
	for (unsigned i = 0; i < RESULTS; i++) {
		struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "refuse");
		AUTO_FREE char *name = xasprintf("scenario %u", i);

		for (int k = 0; k < ATTEMPTS; k++) {
			record_builder_attempt_refused(b, api, k * 1000);
			record_builder_client_writes(b, STREAM_STDERR, k * 1000 + 1, line,
						     sizeof(line) - 1);
		}
		record_builder_client_exits(b, ATTEMPTS * 1000, 0);
		report_fixture_result(fixture, scenarios, name, 1, b, NULL)->number = i + 1;
	}
	if (run_json_write(&fixture->results, path, &diags) < 0)
		die(path);
}

static const struct input {
	const char *name;
	void (*write)(FILE *file);
} inputs[] = {
	{"endpoints.yaml", write_endpoints},
	{"steps.yaml", write_steps},
	{"broken.yaml", write_broken},
	{"scenarios.yaml", write_scenarios},
	{"run.json", NULL},
};

/* In a process of its own: what a process has used counts for the programs that it starts. */
static void write_inputs(const char *directory)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (pid > 0) {
		if (waitpid(pid, &status, 0) < 0 || status != 0)
			die("the inputs could not be written");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", directory, inputs[i].name);
		FILE *file = create(path);

		if (!inputs[i].write) {
			write_run(file, path);
			continue;
		}
		inputs[i].write(file);
		fclose(file);
	}
	_exit(EXIT_SUCCESS);
}

/* ---- measuring ---- */

struct cost {
	double seconds; /* of a processor */
	double bytes;   /* at most, of memory */
};

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static struct cost run_once(const char *synfault, const char *command, const char *path)
{
	char *argv[] = {(char *)(uintptr_t)synfault, (char *)(uintptr_t)command,
			(char *)(uintptr_t)path, NULL};
	posix_spawn_file_actions_t files;
	struct rusage used;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	if ((errno = posix_spawn(&pid, synfault, &files, NULL, argv, environ)) != 0)
		die(synfault);
	posix_spawn_file_actions_destroy(&files);
	if (wait4(pid, &status, 0, &used) != pid || !WIFEXITED(status))
		die(command);
	return (struct cost){seconds(&used.ru_utime) + seconds(&used.ru_stime),
			     (double)used.ru_maxrss * 1024};
}

/* Returns the least of several runs: other processes only add to it. */
static struct cost run(const char *synfault, const char *command, const char *path)
{
	struct cost least = run_once(synfault, command, path);

	for (int i = 1; i < ROUNDS; i++) {
		struct cost cost = run_once(synfault, command, path);

		least.seconds = MIN(least.seconds, cost.seconds);
		least.bytes = MIN(least.bytes, cost.bytes);
	}
	return least;
}

static void measure_time(const char *name, const char *synfault, const char *path)
{
	printf("{\"name\": \"%s\", \"ours\": %.4g, \"reference\": null, \"ratio\": null, "
	       "\"unit\": \"s\", \"goal\": \"ours <= 1\"}\n",
	       name, run(synfault, "check", path).seconds);
}

static void measure_memory(const char *name, const char *synfault, const char *command,
			   const char *path)
{
	const double nothing = run(synfault, "--version", NULL).bytes;
	const double ours = run(synfault, command, path).bytes - nothing;
	struct stat status;

	if (stat(path, &status) < 0)
		die(path);
	printf("{\"name\": \"%s\", \"ours\": %.4g, \"reference\": %.4g, \"ratio\": %.3f, "
	       "\"unit\": \"MB\", \"goal\": \"<= 4\"}\n",
	       name, ours / 1e6, (double)status.st_size / 1e6, ours / (double)status.st_size);
}

int main(int argc, char **argv)
{
	const char *paths[ARRAY_SIZE(inputs)];

	if (argc != 3) {
		fprintf(stderr, "Usage: bench_scale SYNFAULT DIR\n");
		return EXIT_FAILURE;
	}
	write_inputs(argv[2]);
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++)
		paths[i] = xasprintf("%s/%s", argv[2], inputs[i].name);
	measure_time("check-endpoints", argv[1], paths[0]);
	measure_time("check-steps", argv[1], paths[1]);
	measure_time("check-broken", argv[1], paths[2]);
	measure_memory("check-memory", argv[1], "check", paths[3]);
	measure_memory("judge-memory", argv[1], "judge", paths[4]);
	measure_memory("report-memory", argv[1], "report", paths[4]);
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		unlink(paths[i]);
		free((void *)(uintptr_t)paths[i]);
	}
	return 0;
}
