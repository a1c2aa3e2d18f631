/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures the whole program against references, alternately in one run:
 *
 *     bench_runner scenario-overhead SYNFAULT CLIENT DIR
 *     bench_runner waiting-suite SYNFAULT CLIENT DIR
 *     bench_runner shared-overhead SYNFAULT CLIENT DIR
 *     bench_runner capture-cost SYNFAULT CLIENT DIR
 *     bench_runner shared-waiting-suite SYNFAULT CLIENT DIR
 *     bench_runner output-memory SYNFAULT CLIENT DIR
 *     bench_runner established-throughput SYNFAULT BULK DIR
 *
 * CLIENT is targets/clients/tiny.c, BULK is bulk.c, DIR a directory for scenario files. Prints one
 * JSON object. Needs the right to make network namespaces.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "common/strbuf.h"
#include "runner/sandbox/network.h"

enum { OVERHEAD_SCENARIOS = 300, OVERHEAD_JOBS = 8, WAITING_SCENARIOS = 200, ROUNDS = 15 };
/* Many short rounds: the machine's speed changes within seconds, and both have to see the same. */
enum { BULK_ROUNDS = 40 };
#define BULK_BYTES "1000000000"

NORETURN static void die(const char *what)
{
	fprintf(stderr, "bench_runner: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return values[n / 2];
}

static void report(const char *name, double ours, double reference, double ratio, const char *unit,
		   const char *goal)
{
	printf("{\"name\": \"%s\", \"ours\": %.4g, \"reference\": %.4g, \"ratio\": %.3f, "
	       "\"unit\": \"%s\", \"goal\": \"%s\"}\n",
	       name, ours, reference, ratio, unit, goal);
}

/* Imitates a container with CAP_NET_ADMIN alone: its own network, and no further namespaces. */
static void confine(void)
{
	if (unshare(CLONE_NEWNET) < 0 || network_lo_up() < 0)
		die("unshare");
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
			 CAP_NET_ADMIN) < 0 ||
	    capng_apply(CAPNG_SELECT_ALL) < 0)
		die("capabilities");
}

/* Runs a command without output and returns its wall time. */
static double run_in(char *const *command, void (*prepare)(void))
{
	int64_t started_ns = clock_monotonic_ns();
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (prepare)
			prepare();

		dup2(null, STDOUT_FILENO);
		execv(command[0], command);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die("fork");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "bench_runner: %s %s: status %d\n", command[0], command[1], status);
		exit(EXIT_FAILURE);
	}
	return (double)(clock_monotonic_ns() - started_ns) / (double)NS_PER_MS;
}

static double run(char *const *command)
{
	return run_in(command, NULL);
}

static void write_file(const char *path, const struct strbuf *text)
{
	AUTO_FCLOSE FILE *file = fopen(path, "w");

	if (!file || fwrite(strbuf_text(text), 1, text->length, file) != text->length)
		die(path);
}

/* ---- scenario-overhead ---- */

/* The least that a harness with a private network does for a client. */
static pid_t start_bare(char *const *command)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWNET, NULL, NULL, NULL, NULL);

	if (pid < 0)
		die("clone");
	if (pid > 0)
		return pid;
	if (network_lo_up() == 0) {
		pid_t client = fork();
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC), status;

		if (client == 0) {
			dup2(null, STDOUT_FILENO);
			dup2(null, STDERR_FILENO);
			execv(command[0], command);
			_exit(127);
		}
		if (waitpid(client, &status, 0) == client && WIFEXITED(status))
			_exit(WEXITSTATUS(status));
	}
	_exit(126);
}

static double bare_overhead(char *const *command)
{
	int64_t started_ns = clock_monotonic_ns();
	int n_running = 0, n_started = 0;

	while (n_started < OVERHEAD_SCENARIOS || n_running > 0) {
		int status;

		for (; n_running < OVERHEAD_JOBS && n_started < OVERHEAD_SCENARIOS; n_running++) {
			start_bare(command);
			n_started++;
		}
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 1)
			die("the bare client was not refused");
		n_running--;
	}
	return (double)(clock_monotonic_ns() - started_ns) / (double)NS_PER_MS;
}

/* Writes the file of trivial scenarios; returns its path, owned by the caller. */
static char *write_overhead(const char *client, const char *directory)
{
	char *path = xasprintf("%s/overhead.yaml", directory);
	AUTO_STRBUF struct strbuf text = {0};

	for (int i = 0; i < OVERHEAD_SCENARIOS; i++)
		strbuf_printf(&text,
			      "---\nname: refused %d\n"
			      "endpoints: {api: {faults: [refuse]}}\n"
			      "client: {command: [%s, \"${api}\"]}\n"
			      "expect: {exit: 1, attempts: 1}\n",
			      i, client);
	write_file(path, &text);
	return path;
}

static void scenario_overhead(char *program, char *client, const char *directory)
{
	AUTO_FREE char *path = write_overhead(client, directory);
	double ours[ROUNDS], reference[ROUNDS], ratios[ROUNDS];
	char jobs[] = "-j8", quiet[] = "-q", verb[] = "run", closed[] = "127.0.0.1:8080";
	char *const our_command[] = {program, verb, quiet, jobs, path, NULL};
	char *const bare_command[] = {client, closed, NULL};

	for (int i = 0; i < ROUNDS; i++) {
		reference[i] = bare_overhead(bare_command) / OVERHEAD_SCENARIOS;
		ours[i] = run(our_command) / OVERHEAD_SCENARIOS;
		ratios[i] = ours[i] / reference[i];
	}
	report("scenario-overhead", median(ours, ROUNDS), median(reference, ROUNDS),
	       median(ratios, ROUNDS), "ms per scenario", "<= 3");
}

/* Compares scenarios in one shared namespace with the same in namespaces of their own. */
static void shared_overhead(char *program, char *client, const char *directory)
{
	AUTO_FREE char *path = write_overhead(client, directory);
	double ours[ROUNDS], reference[ROUNDS], ratios[ROUNDS];
	char jobs[] = "-j8", quiet[] = "-q", verb[] = "run", shared[] = "--isolation=shared";
	char *const shared_command[] = {program, verb, quiet, jobs, shared, path, NULL};
	char *const private_command[] = {program, verb, quiet, jobs, path, NULL};

	for (int i = 0; i < ROUNDS; i++) {
		reference[i] = run(private_command) / OVERHEAD_SCENARIOS;
		ours[i] = run_in(shared_command, confine) / OVERHEAD_SCENARIOS;
		ratios[i] = ours[i] / reference[i];
	}
	report("shared-overhead", median(ours, ROUNDS), median(reference, ROUNDS),
	       median(ratios, ROUNDS), "ms per scenario", "<= 1.5");
}

/* Compares scenarios that write captures with the same without. */
static void capture_cost(char *program, char *client, const char *directory)
{
	AUTO_FREE char *path = write_overhead(client, directory);
	double ours[ROUNDS], reference[ROUNDS], ratios[ROUNDS];
	char jobs[] = "-j8", quiet[] = "-q", verb[] = "run", always[] = "--capture=always";
	char *const without[] = {program, verb, quiet, jobs, path, NULL};

	for (int i = 0; i < ROUNDS; i++) {
		/* As in CI: without captures of an earlier run, which would be removed first. */
		AUTO_FREE char *captures = xasprintf("--capture-dir=%s/captures-%d", directory, i);
		char *const with[] = {program, verb, quiet, jobs, always, captures, path, NULL};

		/* In changing order: what the one leaves to be written to the disk meets the other.
		 */
		for (int turn = 0; turn < 2; turn++) {
			if ((turn + i) % 2 == 0)
				reference[i] = run(without) / OVERHEAD_SCENARIOS;
			else
				ours[i] = run(with) / OVERHEAD_SCENARIOS;
		}
		ratios[i] = ours[i] / reference[i];
	}
	report("capture-cost", median(ours, ROUNDS), median(reference, ROUNDS),
	       median(ratios, ROUNDS), "ms per scenario", "<= 1.2");
}

/* ---- output-memory ---- */

/* Returns the peak memory of the largest process, in MB, for a client with this much output. */
static double memory_of(char *program, const char *directory, unsigned megabytes)
{
	AUTO_FREE char *path = xasprintf("%s/output.yaml", directory);
	AUTO_FREE char *junit = xasprintf("--junit=%s/output.xml", directory);
	AUTO_FREE char *html = xasprintf("--html=%s/output", directory);
	AUTO_FREE char *json = xasprintf("--json=%s/output.json", directory);
	AUTO_STRBUF struct strbuf text = {0};
	char quiet[] = "-q", verb[] = "run";
	char *const command[] = {program, verb, quiet, junit, html, json, path, NULL};
	struct rusage used;
	int status;
	pid_t pid;

	strbuf_printf(&text,
		      "name: writes\nendpoints: {api: {}}\n"
		      "client: {command: [sh, -c, \"yes 'attempt failed: Connection refused' | "
		      "head -c %u000000\"]}\n"
		      "expect: {exit: 0, attempts: 0}\n",
		      megabytes);
	write_file(path, &text);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		execv(program, command);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) < 0)
		die("fork");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die("the run did not pass");
	return (double)used.ru_maxrss / 1000;
}

/*
 * With all reports, for a hundred times the output, relative to once. Only the list of output times
 * grows, up to a limit (MAX_OUTPUT_EVENTS).
 */
static void output_memory(char *program, char *client, const char *directory)
{
	double ours[3], reference[3], ratios[3];

	(void)client;
	for (int i = 0; i < 3; i++) {
		reference[i] = memory_of(program, directory, 5);
		ours[i] = memory_of(program, directory, 500);
		ratios[i] = ours[i] / reference[i];
	}
	report("output-memory", median(ours, 3), median(reference, 3), median(ratios, 3), "MB",
	       "<= 1.2");
}

/* ---- waiting-suite ---- */

static void add_waiting(struct strbuf *text, const char *client, int number)
{
	strbuf_printf(text,
		      "---\nname: waits %d\n"
		      "endpoints: {api: {faults: [refuse, accept]}}\n"
		      "client: {command: [%s, --tries, \"2\", --sleep, \"2000\", \"${api}\"]}\n"
		      "expect: {exit: 0, attempts: 2, backoff: {fixed: 2s}}\n",
		      number, client);
}

static void measure_waiting(const char *name, char *program, char *client, const char *directory,
			    void (*prepare)(void))
{
	AUTO_FREE char *many = xasprintf("%s/waiting.yaml", directory);
	AUTO_FREE char *one = xasprintf("%s/waiting-one.yaml", directory);
	AUTO_STRBUF struct strbuf text = {0}, single = {0};
	double ours[3], reference[3], ratios[3];
	char quiet[] = "-q", verb[] = "run";
	char *const many_command[] = {program, verb, quiet, many, NULL};
	char *const one_command[] = {program, verb, quiet, one, NULL};

	for (int i = 0; i < WAITING_SCENARIOS; i++)
		add_waiting(&text, client, i);
	add_waiting(&single, client, 0);
	write_file(many, &text);
	write_file(one, &single);
	for (int i = 0; i < 3; i++) {
		reference[i] = run_in(one_command, prepare);
		ours[i] = run_in(many_command, prepare);
		ratios[i] = ours[i] / reference[i];
	}
	report(name, median(ours, 3), median(reference, 3), median(ratios, 3), "ms", "<= 1.3");
}

static void waiting_suite(char *program, char *client, const char *directory)
{
	measure_waiting("waiting-suite", program, client, directory, NULL);
}

static void shared_waiting_suite(char *program, char *client, const char *directory)
{
	measure_waiting("shared-waiting-suite", program, client, directory, confine);
}

/* ---- established-throughput ---- */

static double read_rate(const char *path)
{
	AUTO_FCLOSE FILE *file = fopen(path, "r");
	double rate;

	if (!file || fscanf(file, "%lf", &rate) != 1)
		die(path);
	return rate / 1e9;
}

static void run_nft(const char *rules)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execlp("nft", "nft", rules, (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		die("nft");
}

/* Both ends in a network namespace. @rules: of its firewall; NULL: none */
static void bare_throughput(char *bulk, const char *rules, const char *result)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWNET, NULL, NULL, NULL, NULL);
	int status;

	if (pid < 0)
		die("clone");
	if (pid == 0) {
		pid_t server, client;

		if (network_lo_up() < 0)
			_exit(1);
		if (rules)
			run_nft(rules);
		server = fork();
		if (server == 0)
			execl(bulk, bulk, "serve", "127.0.0.1", "8080", (char *)NULL);
		while (network_listens(&(struct address){.family = AF_INET,
							 .port = 8080,
							 .bytes = {127, 0, 0, 1}},
				       1, false) != 1)
			usleep(1000);
		client = fork();
		if (client == 0)
			execl(bulk, bulk, "send", "127.0.0.1", "8080", BULK_BYTES, result,
			      (char *)NULL);
		waitpid(client, &status, 0);
		kill(server, SIGTERM);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		die("bare throughput");
}

/*
 * @faults: of the endpoint; @others: endpoints that the client does not use; @rules: of the
 * reference, see bare_throughput()
 */
static void measure_throughput(const char *name, const char *faults, const char *others,
			       const char *rules, const char *goal, char *program, char *bulk,
			       const char *directory)
{
	AUTO_FREE char *path = xasprintf("%s/throughput.yaml", directory);
	AUTO_FREE char *result = xasprintf("%s/throughput.txt", directory);
	AUTO_STRBUF struct strbuf text = {0};
	double ours[BULK_ROUNDS], reference[BULK_ROUNDS], ratios[BULK_ROUNDS];
	char quiet[] = "-q", verb[] = "run";
	char *const command[] = {program, verb, quiet, path, NULL};

	strbuf_printf(&text,
		      "name: throughput\n"
		      "endpoints: {api: {serve: {command: [%s, serve, \"${api.ipv4}\", "
		      "\"${api.port}\"]}, faults: [%s]}%s}\n"
		      "client: {command: [%s, send, \"${api.ipv4}\", \"${api.port}\", \"%s\", "
		      "\"%s\"]}\nexpect: {exit: 0, attempts: {api: 1%s}}\n",
		      bulk, faults, others, bulk, BULK_BYTES, result, *others ? ", other: 0" : "");
	write_file(path, &text);
	for (int i = 0; i < BULK_ROUNDS; i++) {
		/* In alternating order: the second one must not gain by it. */
		for (int turn = 0; turn < 2; turn++) {
			if ((turn + i) % 2 == 0) {
				bare_throughput(bulk, rules, result);
				reference[i] = read_rate(result);
			} else {
				run(command);
				ours[i] = read_rate(result);
			}
		}
		ratios[i] = ours[i] / reference[i];
	}
	report(name, median(ours, ARRAY_SIZE(ours)), median(reference, ARRAY_SIZE(reference)),
	       median(ratios, ARRAY_SIZE(ratios)), "GB/s", goal);
}

static void established_throughput(char *program, char *bulk, const char *directory)
{
	measure_throughput("established-throughput", "accept", "", NULL, ">= 0.98", program, bulk,
			   directory);
}

/* Another endpoint has a fault that takes its connections through the queue. */
static void established_beside_fault(char *program, char *bulk, const char *directory)
{
	measure_throughput("established-beside-fault", "accept",
			   ", other: {faults: [stall after 1000 bytes]}", NULL, ">= 0.95", program,
			   bulk, directory);
}

/* Its own connection goes through the queue up to a fault at the very end. */
static void established_fault(char *program, char *bulk, const char *directory)
{
	measure_throughput("established-fault", "reset after " BULK_BYTES " bytes to-server", "",
			   NULL, ">= 0.5", program, bulk, directory);
}

/* Some of its packets get lost, here in the queue, there by a rule of the firewall. */
static void lossy_throughput(char *program, char *bulk, const char *directory)
{
	measure_throughput("lossy-throughput", "packet-loss 0.1% to-server", "",
			   "add table inet t; add chain inet t c { type filter hook input priority "
			   "0; }; add rule inet t c tcp dport 8080 meta length > 100 numgen random "
			   "mod 1000 < 1 drop",
			   ">= 0.5", program, bulk, directory);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*measure)(char *program, char *client, const char *directory);
	} figures[] = {
		{"scenario-overhead", scenario_overhead},
		{"waiting-suite", waiting_suite},
		{"shared-overhead", shared_overhead},
		{"capture-cost", capture_cost},
		{"output-memory", output_memory},
		{"shared-waiting-suite", shared_waiting_suite},
		{"established-throughput", established_throughput},
		{"established-beside-fault", established_beside_fault},
		{"established-fault", established_fault},
		{"lossy-throughput", lossy_throughput},
	};

	for (size_t i = 0; argc == 5 && i < ARRAY_SIZE(figures); i++)
		if (!strcmp(argv[1], figures[i].name)) {
			figures[i].measure(argv[2], argv[3], argv[4]);
			return EXIT_SUCCESS;
		}
	fputs("usage: bench_runner FIGURE SYNFAULT CLIENT DIR\n", stderr);
	return 64;
}
