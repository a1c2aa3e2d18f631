/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sudden ends: the program, its supervisors and its rules are interrupted, killed or removed while
 * scenarios run. Then no scenario may pass, and nothing may be left behind.
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "common/random.h"
#include "tests/lib/junit_reader.h"

#define NEXT  "---\n"
#define QUIET "endpoints: {api: {}}\n"

/* A client that says that it runs and then keeps running longer than any test. */
#define ENDLESS(name)                                                                              \
	"name: " name "\n"                                                                         \
	"timeout: 10m\n"                                                                           \
	"endpoints: {api: {faults: [refuse, accept]}}\n"                                           \
	"client: {command: [sh, -c, 'synfault-tiny --tries 2 ${api}; touch ${dir}/" name           \
	"; sleep 1000']}\n"                                                                        \
	"expect: {attempts: 2}\n"

static pid_t the_supervisor(const struct program *synfault)
{
	AUTO_FREE pid_t *pids = NULL;
	size_t n = program_supervisors(synfault, &pids);

	cr_assert_eq(n, 1, "%zu supervisors", n);
	return pids[0];
}

/* ---- the harness is removed ---- */

static void supervisor_is_killed(struct program *synfault)
{
	program_writes(synfault, "a.yaml", ENDLESS("endless"));
	program_starts(synfault, "run --junit junit.xml a.yaml");
	program_waits_for_file(synfault, "endless");
	cr_assert_eq(kill(the_supervisor(synfault), SIGKILL), 0);
	program_ends(synfault);
	program_exited(synfault, STATUS_UNJUDGED);
	program_concluded(synfault, "0 passed, 1 failed, 0 skipped");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "endless", OUTCOME_ERROR, "harness",
		   "the scenario's supervisor was killed by signal 9");
	program_removes(synfault, "endless");
	program_left_nothing_but(synfault, "junit.xml");
}

Test(supervisor, killed_supervisor_makes_an_error_and_ends_its_client)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	supervisor_is_killed(synfault);
}

Test(supervisor, killed_supervisor_of_an_ordinary_user_ends_its_client)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	synfault->uid = PROGRAM_NOBODY;
	supervisor_is_killed(synfault);
}

/*
 * The client's first attempt is refused; all later ones are accepted. So without the rules
 * everything looks as expected, although nothing was observed.
 */
static void nft_rules_are_taken(struct program *synfault, const char *how)
{
	AUTO_FREE char *command = NULL;

	program_needs(synfault, "nsenter nft");
	program_writes(
		synfault, "a.yaml",
		"name: unwatched\n"
		"endpoints: {api: {faults: [refuse, accept]}}\n"
		"client:\n"
		"  command:\n"
		"    - sh\n"
		"    - -c\n"
		"    - synfault-tiny --tries 2 ${api} && touch ${dir}/ready; while ! test -e "
		"${dir}/go; do sleep 0.05; done; synfault-tiny ${api}; synfault-tiny ${api}\n"
		"expect: {exit: 0, attempts: 2..}\n");
	program_starts(synfault, "run --junit junit.xml a.yaml");
	program_waits_for_file(synfault, "ready");
	command = xasprintf("nsenter -t %d -n nft '%s'", the_supervisor(synfault), how);
	cr_assert_eq(system(command), 0, "%s", command);
	program_writes(synfault, "go", "%s", "");
	program_ends(synfault);
	program_exited(synfault, STATUS_UNJUDGED);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "unwatched", OUTCOME_ERROR, "harness", "rules");
}

Test(rules, deleted_rules_make_an_error)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	nft_rules_are_taken(synfault, "flush ruleset");
}

Test(rules, emptied_rules_make_an_error)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	nft_rules_are_taken(synfault, "flush table inet synfault");
}

/* ---- interrupts ---- */

#define QUICK                                                                                      \
	"name: quick\n"                                                                            \
	"endpoints: {api: {faults: [refuse, accept]}}\n"                                           \
	"client: {command: [synfault-tiny, --tries, '2', '${api}']}\n"                             \
	"expect: {exit: 0, attempts: 2}\n"

/* Until one scenario has ended, two are running, and one has not begun. */
static void start_four(struct program *synfault)
{
	program_writes(synfault, "a.yaml",
		       QUICK NEXT ENDLESS("first") NEXT ENDLESS("second") NEXT ENDLESS("third"));
	program_starts(synfault, "run -j 2 --junit junit.xml a.yaml");
	program_waits_for_file(synfault, "first");
	program_waits_for_file(synfault, "second");
}

static void was_interrupted(struct program *synfault)
{
	program_exited(synfault, STATUS_INTERRUPTED);
	program_concluded(synfault, "1 passed, 3 failed, 0 skipped");
	program_printed(synfault, "interrupted: 1 was not run");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	cr_assert_eq(junit->n_cases, 4);
	junit_says(junit, "quick", OUTCOME_PASS, NULL, NULL);
	junit_says(junit, "first", OUTCOME_ERROR, NULL, "interrupted");
	junit_says(junit, "second", OUTCOME_ERROR, NULL, "interrupted");
	junit_says(junit, "third", OUTCOME_ERROR, NULL, "interrupted");
	program_removes(synfault, "first");
	program_removes(synfault, "second");
	program_left_nothing_but(synfault, "junit.xml");
}

static void signal_interrupts(int number)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	start_four(synfault);
	cr_assert_eq(kill(synfault->pid, number), 0);
	program_ends(synfault);
	was_interrupted(synfault);
}

Test(interrupt, interrupt_ends_the_run_with_a_report)
{
	signal_interrupts(SIGINT);
}

Test(interrupt, sigterm_ends_the_run_with_a_report)
{
	signal_interrupts(SIGTERM);
}

/* A supervisor that does not answer delays the first interrupt, but not the second. */
Test(interrupt, second_interrupt_ends_the_run_at_once)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_FREE pid_t *pids = NULL;
	size_t n;

	start_four(synfault);
	n = program_supervisors(synfault, &pids);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(kill(pids[i], SIGSTOP), 0);
	cr_assert_eq(kill(synfault->pid, SIGINT), 0);
	poll(NULL, 0, 500);
	cr_assert_eq(waitpid(synfault->pid, NULL, WNOHANG), 0, "the first was enough");
	cr_assert_eq(kill(synfault->pid, SIGINT), 0);
	/* Less than after the first interrupt alone. */
	synfault->patience_ns = clock_monotonic_ns() - synfault->started_ns + 8 * NS_PER_S;
	program_ends(synfault);
	was_interrupted(synfault);
}

/* A terminal signals its foreground process group: the client must not belong to that. */
Test(interrupt, interrupt_from_the_terminal_does_not_reach_the_client)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml",
		       "name: endless\n" QUIET "client:\n"
		       "  command:\n"
		       "    - sh\n"
		       "    - -c\n"
		       "    - trap 'echo interrupted' INT; trap 'echo ended; exit' TERM; touch "
		       "${dir}/ready; while :; do sleep 0.05; done\n"
		       "expect: {exit: 0}\n");
	program_starts(synfault, "run --junit junit.xml a.yaml");
	program_waits_for_file(synfault, "ready");
	cr_assert_eq(kill(-synfault->pid, SIGINT), 0);
	program_ends(synfault);
	program_exited(synfault, STATUS_INTERRUPTED);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");
	const char *out = junit_case(junit, "endless")->out;

	cr_assert(strstr(out, "\nended\n") && !strstr(out, "\ninterrupted\n"), "%s", out);
}

/* ---- sudden death ---- */

Test(death, death_by_any_signal_leaves_nothing)
{
	static const int signals[] = {SIGKILL, SIGHUP, SIGALRM, SIGUSR2};
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml", ENDLESS("first") NEXT ENDLESS("second"));
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		program_starts(synfault, "run a.yaml");
		program_waits_for_file(synfault, "first");
		program_waits_for_file(synfault, "second");
		program_removes(synfault, "first");
		program_removes(synfault, "second");
		cr_assert_eq(kill(synfault->pid, signals[i]), 0);
		program_ends(synfault);
		program_was_killed(synfault, signals[i]);
		program_left_nothing(synfault);
	}
}

Test(death, run_whose_output_reader_dies_ends_and_writes_its_report)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml", QUICK NEXT ENDLESS("endless"));
	program_runs_shell(synfault, "synfault run --junit junit.xml a.yaml | head -n 1");
	program_printed(synfault, "2 scenarios");
	cr_assert(!strstr(synfault->out, "passed"));
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "quick", OUTCOME_PASS, NULL, NULL);
	junit_says(junit, "endless", OUTCOME_ERROR, NULL, "interrupted");
	program_removes(synfault, "junit.xml");
	/* Its client may still have written this. */
	program_left_nothing_but(synfault, "endless");
}

/* Everything that a run can have: servers, names, files, delays, clients in several languages. */
static const char manifold[] =
	"name: python ${matrix.n}\n"
	"matrix: {n: [1, 2]}\n"
	"endpoints:\n"
	"  api: {hostname: api.example.test, families: [ipv6, ipv4], faults: [refuse x3, drop]}\n"
	"client:\n"
	"  command: [python3, '${tmp}/client.py']\n"
	"  files:\n"
	"    client.py: |\n"
	"      import socket, subprocess, time\n"
	"      subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
	"      while True:\n"
	"          try: socket.create_connection(('${api.host}', ${api.port}), timeout=0.2)\n"
	"          except OSError: time.sleep(0.02)\n"
	"expect: {exit: 0}\n" NEXT "name: shell ${matrix.n}\n"
	"matrix: {n: [1, 2, 3, 4]}\n"
	"endpoints:\n"
	"  api: {families: [ipv4, ipv6], faults: ['delay 100ms', 'delay 1h']}\n"
	"client:\n"
	"  command:\n"
	"    - sh\n"
	"    - -c\n"
	"    - trap '' TERM; touch $TMPDIR/x /dev/shm/y; while :; do timeout 0.1 synfault-tiny "
	"[${api.ipv6}]:${api.port}; sleep 0.02; done\n"
	"expect: {exit: 0}\n" NEXT "name: server ${matrix.n}\n"
	"matrix: {n: [1, 2, 3]}\n"
	"endpoints:\n"
	"  api:\n"
	"    serve:\n"
	"      command: [python3, -m, http.server, --bind, '${api.host}', '${api.port}']\n"
	"  other: {serve: {command: [sleep, '1000']}}\n"
	"client: {command: [sleep, '1000']}\n"
	"expect: {exit: 0}\n" NEXT QUICK;

enum { ROUNDS = 25 };

static uint64_t chosen_seed(void)
{
	const char *given = getenv("SYNFAULT_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : random_seed();

	fprintf(stderr, "SYNFAULT_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

static void kill_at_random(struct program *synfault, uint64_t seed)
{
	int64_t longest_ns = 0;

	program_writes(synfault, "a.yaml", "%s", manifold);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t moment_ns = random_draw(seed, round, 0, 0) % (700 * NS_PER_MS);
		int64_t killed_ns;

		program_starts(synfault, "run -j 8 a.yaml");
		poll(NULL, 0, (int)(moment_ns / NS_PER_MS));
		cr_assert_eq(kill(synfault->pid, SIGKILL), 0);
		program_ends(synfault);
		program_was_killed(synfault, SIGKILL);
		killed_ns = clock_monotonic_ns();
		program_left_nothing(synfault);
		longest_ns = MAX(longest_ns, clock_monotonic_ns() - killed_ns);
	}
	fprintf(stderr, "killed %d times; cleared away after %lld ms at most\n", ROUNDS,
		(long long)(longest_ns / NS_PER_MS));
}

Test(death, death_at_random_moments_leaves_nothing)
{
	uint64_t seed = chosen_seed();
	AUTO_PROGRAM struct program *synfault = program_new();

	kill_at_random(synfault, seed);
}

Test(death, death_of_an_ordinary_users_run_at_random_moments_leaves_nothing)
{
	uint64_t seed = chosen_seed();
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	synfault->uid = PROGRAM_NOBODY;
	kill_at_random(synfault, seed);
}
