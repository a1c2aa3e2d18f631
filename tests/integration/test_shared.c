/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared sandboxes: what runs, and what is left, in a container that allows CAP_NET_ADMIN and no
 * namespaces. The container is a sandbox whose program is confined (confine.h).
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "injector/nft_rules.h"
#include "injector/queue.h"
#include "runner/sandbox/netns_lock.h"
#include "tests/lib/confine.h"
#include "tests/lib/junit_reader.h"
#include "tests/lib/netns.h"

#define NEXT "---\n"
#define PASSES                                                                                     \
	"name: passes\n"                                                                           \
	"endpoints: {api: {faults: [refuse, accept]}}\n"                                           \
	"client: {command: [synfault-tiny, --tries, '2', '${api}']}\n"                             \
	"expect: {exit: 0, attempts: 2}\n"
/* Long enough to be killed during it. */
#define SLEEPS                                                                                     \
	"endpoints:\n"                                                                             \
	"  api: {families: [ipv4, ipv6], faults: [refuse, accept]}\n"                              \
	"client:\n"                                                                                \
	"  command: [sh, -c, 'setsid sleep 1000 & touch ${tmp}/x; synfault-tiny ${api};\n"         \
	"            touch ${dir}/trace; sleep 1000']\n"                                           \
	"expect: {exit: 0}\n"

static const struct confinement {
	const char *name;
	void (*confine)(void);
} confinements[] = {
	{"NET_ADMIN alone", confine_to_net_admin},
	{"Docker's", confine_as_docker},
	{"Podman's", confine_as_podman},
	{"an ordinary user's", confine_to_user_with_net_admin},
};

static struct program *confined_program(void (*confine)(void))
{
	struct program *synfault = program_new();

	program_needs_root(synfault);
	synfault->prepare = confine;
	return synfault;
}

/* ---- what runs ---- */

Test(shared, run_needs_only_net_admin_and_leaves_nothing)
{
	AUTO_PROGRAM struct program *synfault = confined_program(NULL);

	program_writes(synfault, "a.yaml", "%s",
		       PASSES NEXT "name: both families, and files\n"
				   "endpoints:\n"
				   "  api: {faults: [refuse, delay 50ms]}\n"
				   "  six: {families: [ipv6], faults: [refuse, accept]}\n"
				   "client:\n"
				   "  files: {deep/script: {content: 'synfault-tiny ${six}; "
				   "exec synfault-tiny ${six}', executable: true}}\n"
				   "  command: [sh, -c, 'synfault-tiny ${api}; "
				   "synfault-tiny ${api}; exec sh ${tmp}/deep/script']\n"
				   "expect: {exit: 0, attempts: 4}\n");
	for (size_t i = 0; i < ARRAY_SIZE(confinements); i++) {
		struct record *record;

		synfault->prepare = confinements[i].confine;
		program_runs(synfault, "run --records records-%zu a.yaml", i);
		program_exited(synfault, STATUS_PASSED);
		program_concluded(synfault, "2 passed, 0 failed, 0 skipped");
		AUTO_FREE char *directory = xasprintf("records-%zu", i);
		AUTO_FREE char *path = xasprintf("%s/0001.json", directory);

		program_left_nothing_but(synfault, directory);
		record = program_record(synfault, path);
		cr_expect_str_eq(record->isolation, "shared", "%s", confinements[i].name);
		record_free(record);
	}
}

/* Without bit 12, in the fourth digit from the right; also after executing a program. */
#define NO_NET_ADMIN "[0-9a-f]{12}[02468ace][0-9a-f]{3}"

Test(shared, client_loses_net_admin_even_without_setpcap)
{
	AUTO_PROGRAM struct program *synfault = confined_program(NULL);

	program_writes(synfault, "a.yaml",
		       "name: harmless\n"
		       "endpoints: {api: {faults: [refuse, accept]}}\n"
		       "client: {command: [sh, -c, 'synfault-tiny ${api}; synfault-tiny ${api}; "
		       "sh -c \"grep Cap /proc/self/status\"']}\n"
		       "expect:\n"
		       "  exit: 0\n"
		       "  stdout:\n"
		       "    matches: ['CapEff:\\s" NO_NET_ADMIN "', 'CapPrm:\\s" NO_NET_ADMIN "',\n"
		       "              'CapInh:\\s" NO_NET_ADMIN "', 'CapAmb:\\s" NO_NET_ADMIN
		       "']\n");
	for (size_t i = 0; i < ARRAY_SIZE(confinements); i++) {
		synfault->prepare = confinements[i].confine;
		program_runs(synfault, "run a.yaml");
		if (synfault->wait_status != 0)
			program_fail(synfault, "%s", confinements[i].name);
	}
}

/* Returns the directory of the ready-made scenarios. */
static char *scenario_directory(void)
{
	const char *source = getenv("SYNFAULT_SOURCE");

	cr_assert(source, "SYNFAULT_SOURCE has to name the source tree");
	return xasprintf("%s/scenarios", source);
}

Test(shared, packs_have_the_same_outcomes_as_in_private_sandboxes)
{
	AUTO_PROGRAM struct program *synfault = confined_program(NULL);
	AUTO_FREE char *packs = scenario_directory();
	size_t n_skipped = 0;

	program_needs(synfault, "python3 curl node");
	program_runs(synfault,
		     "run " PROGRAM_PACK_SHARE " --jobs 40 --timing-scale 4 --tag !clients "
		     "--junit private.xml %s",
		     packs);
	synfault->prepare = confine_as_docker;
	program_runs(synfault,
		     "run " PROGRAM_PACK_SHARE " --jobs 40 --timing-scale 4 --tag !clients "
		     "--junit shared.xml %s",
		     packs);
	program_left_nothing_but(synfault, "shared.xml");
	AUTO_JUNIT struct junit *isolated = junit_read(synfault, "private.xml");
	AUTO_JUNIT struct junit *shared = junit_read(synfault, "shared.xml");

	cr_assert_eq(isolated->n_cases, shared->n_cases);
	cr_assert_gt(isolated->n_cases, 50);
	for (size_t i = 0; i < isolated->n_cases; i++) {
		const struct junit_case *a = &isolated->cases[i], *b = &shared->cases[i];

		cr_expect_str_eq(a->name, b->name);
		if (b->outcome == OUTCOME_SKIP) {
			cr_expect(strstr(b->message, "hostname"), "%s: %s", b->name, b->message);
			n_skipped++;
		} else if (a->outcome != b->outcome) {
			program_fail(synfault,
				     "%s: %d in a private sandbox, %d in a shared one: %s", a->name,
				     (int)a->outcome, (int)b->outcome, b->text);
		}
	}
	cr_expect_lt(4 * n_skipped, isolated->n_cases, "most packs need no private sandbox");
}

/* ---- what doesn't run, and why ---- */

Test(shared, impossible_scenarios_are_skipped_with_the_reason)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_as_docker);
	AUTO_STRBUF struct strbuf many = {0};

	for (int i = 0; i <= 250; i++)
		strbuf_printf(&many, "  e%d: {serve: none}\n", i);
	program_writes(synfault, "a.yaml",
		       "defaults: {client: {command: ['true']}, expect: {exit: 0}}\n" NEXT
		       "name: hostname\n"
		       "endpoints: {api: {hostname: api.example.test}}\n" NEXT "name: many\n"
		       "endpoints:\n%s" NEXT "name: kernel\n"
		       "kernel: {tcp_syn_retries: 1}\n"
		       "endpoints: {api: {serve: none}}\n" NEXT "name: addresses\n"
		       "endpoints: {api: {addresses: [127.0.0.2]}}\n" NEXT PASSES,
		       strbuf_text(&many));
	program_runs(synfault, "run --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "1 passed, 0 failed, 4 skipped");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "kernel", OUTCOME_SKIP, NULL, "changing it needs private isolation");
	junit_says(junit, "addresses", OUTCOME_SKIP, NULL, "may belong to another program");
	junit_says(junit, "hostname", OUTCOME_SKIP, NULL, "the hostname of endpoint api needs");
	junit_says(junit, "many", OUTCOME_SKIP, NULL, "more than 250 addresses");
}

Test(shared, ipv4_scenarios_run_where_ipv6_is_off)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_as_docker);

	netns_sysctl("net/ipv6/conf/all/disable_ipv6", "1");
	program_writes(synfault, "a.yaml", "%s",
		       PASSES NEXT "name: six\n"
				   "endpoints: {api: {families: [ipv6], faults: [refuse]}}\n"
				   "client: {command: [synfault-tiny, '${api}']}\n"
				   "expect: {exit: 1}\n");
	program_runs(synfault, "run --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_left_nothing_but(synfault, "junit.xml");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "passes", OUTCOME_PASS, NULL, NULL);
	junit_says(junit, "six", OUTCOME_SKIP, NULL, "net.ipv6.conf.lo.disable_ipv6=0");
}

Test(shared, without_net_admin_scenarios_are_skipped_and_the_remedy_is_named)
{
	static const char *const named[] = {
		"CAP_NET_ADMIN is missing", "docker", "podman", "Kubernetes",
		"GitHub Actions",           "GitLab"};
	AUTO_PROGRAM struct program *synfault = confined_program(confine_without_net_admin);

	program_writes(synfault, "a.yaml", "%s", PASSES);
	for (int i = 0; i < 2; i++) {
		program_runs(synfault, "run %s --junit junit.xml a.yaml",
			     i ? "--isolation shared" : "");
		program_exited(synfault, STATUS_NOTHING_RAN);
		program_left_nothing_but(synfault, "junit.xml");
		AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

		for (size_t k = 0; k < ARRAY_SIZE(named); k++)
			junit_says(junit, "passes", OUTCOME_SKIP, NULL, named[k]);
	}
}

Test(shared, option_selects_shared_isolation)
{
	AUTO_PROGRAM struct program *synfault = confined_program(NULL);
	struct record *record;

	program_writes(synfault, "a.yaml", "%s", PASSES);
	program_runs(synfault, "run --isolation shared --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	record = program_record(synfault, "records/0001.json");
	cr_expect_str_eq(record->isolation, "shared");
	record_free(record);
	program_runs(synfault, "run --records records a.yaml");
	program_exited(synfault, STATUS_PASSED);
	record = program_record(synfault, "records/0001.json");
	cr_expect_str_eq(record->isolation, "private");
	record_free(record);

	synfault->prepare = confine_as_docker;
	program_runs(synfault, "run --isolation private --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_NOTHING_RAN);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "passes", OUTCOME_SKIP, NULL, "CAP_SYS_ADMIN");
}

/* The container allows the capability, but only root in it holds it. */
Test(shared, user_learns_that_root_has_the_capability)
{
	static const char *const named[] = {"root may have it, and this is user 65534",
					    "docker run --user root",
					    "podman run --user root",
					    "securityContext: {runAsUser: 0}",
					    "container: {options: --user root}",
					    "[runners.docker] user = \"root\"",
					    "setcap cap_net_admin+ep"};
	AUTO_PROGRAM struct program *synfault = confined_program(confine_to_user);

	program_writes(synfault, "a.yaml", "%s", PASSES);
	program_runs(synfault, "run a.yaml");
	program_exited(synfault, STATUS_NOTHING_RAN);
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		program_printed(synfault, named[i]);
	program_runs(synfault, "doctor");
	program_exited(synfault, STATUS_UNJUDGED);
	program_printed(synfault, "missing  NET_ADMIN      not held by user 65534; root would\n");
	program_printed(synfault, "docker run --user root\n");
	program_printed(synfault, "docker run --cap-add SYS_ADMIN\n");
}

Test(shared, doctor_names_everything_that_is_missing)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_to_net_admin);

	program_runs(synfault, "doctor");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault,
			  "run works: scenarios share the network namespace that is given");
	program_printed(synfault, "docker run --cap-add SYS_ADMIN --cap-add NET_RAW\n");
	program_printed(synfault, "podman run --cap-add SYS_ADMIN --cap-add NET_RAW\n");
	program_printed(synfault, "{add: [SYS_ADMIN, NET_RAW]}}\n");
	program_printed(synfault, "{options: --cap-add SYS_ADMIN --cap-add NET_RAW}\n");
	program_printed(synfault, "cap_add = [\"SYS_ADMIN\", \"NET_RAW\"]\n");
	program_needs(synfault, "ip");
	cr_assert_eq(system("ip link set lo down"), 0);
	program_runs(synfault, "doctor");
	program_exited(synfault, STATUS_UNJUDGED);
	program_printed(synfault, "ip link set lo up");
}

/* A client that is root needs no capability for this. */
Test(shared, changed_sysctl_is_found)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_to_net_admin);

	program_writes(synfault, "a.yaml",
		       "name: changes\n"
		       "endpoints: {api: {}}\n"
		       "client: {command: [sh, -c, "
		       "'echo 3 >/proc/sys/net/ipv4/tcp_syn_retries']}\n"
		       "expect: {exit: 0}\n");
	program_runs(synfault, "run a.yaml");
	program_exited(synfault, STATUS_UNJUDGED);
	program_printed(synfault,
			"the sysctl net/ipv4/tcp_syn_retries was changed to '3' while the "
			"scenario ran");
}

/* ---- others in the same namespace ---- */

/* Returns what a command prints, run as root, as the test is. */
static char *output_of(const char *command)
{
	FILE *in = popen(command, "re");
	struct strbuf text = {0};
	char buffer[4096];
	size_t length;

	cr_assert(in);
	while ((length = fread(buffer, 1, sizeof(buffer), in)) > 0)
		strbuf_add(&text, buffer, length);
	cr_assert_eq(pclose(in), 0, "%s", command);
	return strbuf_steal(&text);
}

/* Packets that another program's queue is holding. */
struct held {
	struct queue *queue;
	uint32_t ids[16];
	size_t n;
};

static void hold(void *userdata, const struct queued_packet *packet)
{
	struct held *held = userdata;

	if (held->n < ARRAY_SIZE(held->ids))
		held->ids[held->n++] = packet->id;
}

static void connect_to(const struct address *address)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(address, &storage);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* It stays open until the test ends. */
	cr_assert(connect(fd, (struct sockaddr *)&storage, length) < 0 && errno == EINPROGRESS);
}

static void release(struct held *held)
{
	struct queue_losses losses;

	cr_assert_eq(queue_dispatch(held->queue), 0);
	cr_assert_geq(held->n, 1);
	for (size_t i = 0; i < held->n; i++)
		cr_assert_eq(queue_set_verdict(held->queue, held->ids[i],
					       &(struct packet_verdict){VERDICT_ACCEPT}),
			     0);
	(void)queue_dispatch(held->queue);
	cr_assert_eq(queue_losses(held->queue, &losses), 0);
	cr_expect_eq(losses.failed_verdicts, 0, "held packets of others were dropped");
}

#define FOREIGN_SETUP                                                                              \
	"set -e; nft add table inet other\n"                                                       \
	"nft 'add chain inet other in { type filter hook input priority -200; }'\n"                \
	"nft add rule inet other in tcp dport 9998 meta mark 0x5f000001 drop\n"                    \
	"nft add table inet synfault-sandbox\n"                                                    \
	"ip address add fd73:796e::77/128 dev lo\n"                                                \
	"ip address add fd73:796e:12::1:1/128 dev lo\n"                                            \
	"ip address add 10.9.9.9/32 dev lo\n"

Test(shared, foreign_firewall_and_its_queue_are_left_alone)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_as_docker);
	const struct address foreign = {.family = AF_INET, .port = 9999, .bytes = {127, 0, 0, 1}};
	const struct nft_rules_config rules = {
		.table = "foreign", .queue_number = 7, .endpoints = &foreign, .n_endpoints = 1};
	struct held held = {0};
	const struct queue_config queue = {.number = 7, .on_packet = hold, .userdata = &held};
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_STRBUF struct strbuf text = {0};
	struct rules *foreign_rules;

	program_needs(synfault, "nft ip");
	if (nft_rules_install(&rules, &diags, &foreign_rules) < 0)
		netns_skip("%s", diags.items[0].message);
	cr_assert_eq(queue_open(&queue, &diags, &held.queue), 0);
	cr_assert_eq(system(FOREIGN_SETUP), 0);
	AUTO_FREE char *before = output_of("nft -s -a list ruleset; ip address");

	for (int i = 0; i < 20; i++)
		strbuf_printf(&text, "name: number %d\n%s" NEXT, i, strchr(PASSES, '\n') + 1);
	strbuf_puts(&text, "name: long\n"
			   "endpoints: {api: {faults: ['delay 2s', accept]}}\n"
			   "client: {command: [synfault-tiny, '${api}']}\n"
			   "expect: {exit: 0}\n");
	program_writes(synfault, "a.yaml", "%s", strbuf_text(&text));
	connect_to(&foreign);
	program_starts(synfault, "run --jobs 4 a.yaml");
	poll(NULL, 0, 1500);
	release(&held);
	program_ends(synfault);
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "21 passed, 0 failed, 0 skipped");
	AUTO_FREE char *after = output_of("nft -s -a list ruleset; ip address");

	cr_expect_str_eq(before, after);
	queue_free(held.queue);
	nft_rules_free(foreign_rules);
}

static int listen_everywhere(uint16_t port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 16), 0);
	return fd;
}

Test(shared, foreign_server_is_not_taken_for_our_own)
{
	static const char *const skipped[] = {"without a listener", "ours", "a command of ours"};
	AUTO_PROGRAM struct program *synfault = confined_program(confine_as_docker);
	AUTO_CLOSE int server = listen_everywhere(9000);

	program_needs(synfault, "python3");
	cr_assert_geq(server, 0);
	program_writes(synfault, "a.yaml",
		       "name: without a listener\n"
		       "endpoints: {api: {port: 9000, serve: none}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 1}\n" NEXT "name: ours\n"
		       "endpoints: {api: {port: 9000}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 0}\n" NEXT "name: a command of ours\n"
		       "endpoints:\n"
		       "  api: {port: 9000, serve: {command: [python3, -m, http.server, '9000']}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 0}\n" NEXT PASSES);
	program_runs(synfault, "run --junit junit.xml a.yaml");
	program_exited(synfault, STATUS_PASSED);
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	for (size_t i = 0; i < ARRAY_SIZE(skipped); i++)
		junit_says(junit, skipped[i], OUTCOME_SKIP, NULL, "another program listens");
	junit_says(junit, "passes", OUTCOME_PASS, NULL, NULL);
}

/* Sandboxes come and go while SYNs are held. */
Test(shared, two_programs_can_run_at_once)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_as_docker);
	AUTO_STRBUF struct strbuf text = {0};

	for (int i = 0; i < 60; i++)
		strbuf_printf(&text,
			      "name: number %d\n"
			      "endpoints:\n"
			      "  api: {families: [%s], faults: [refuse, 'delay %dms', accept]}\n"
			      "client: {command: [synfault-tiny, --tries, '3', '${api}']}\n"
			      "expect: {exit: 0, attempts: 2}\n%s",
			      i, i % 3 ? "ipv4" : "ipv6", 100 + i * 37 % 600, i < 59 ? NEXT : "");
	program_writes(synfault, "a.yaml", "%s", strbuf_text(&text));
	program_runs_shell(synfault,
			   "synfault run --timing-scale 4 --jobs 20 a.yaml >one & one=$!\n"
			   "synfault run --timing-scale 4 --jobs 20 a.yaml >two\n"
			   "two=$?; wait $one; one=$?; cat one two; rm one two\n"
			   "exit $((one * 10 + two))");
	program_exited(synfault, 0);
	program_left_nothing(synfault);
}

/* A user's server that listens on all addresses and counts simultaneous connections. */
#define GREEDY                                                                                     \
	"endpoints:\n"                                                                             \
	"  api:\n"                                                                                 \
	"    port: 19000\n"                                                                        \
	"    serve:\n"                                                                             \
	"      ready: 30s\n"                                                                       \
	"      command:\n"                                                                         \
	"        - python3\n"                                                                      \
	"        - -c\n"                                                                           \
	"        - |\n"                                                                            \
	"          import socket\n"                                                                \
	"          server = socket.create_server(('', ${api.port}))\n"                             \
	"          while True:\n"                                                                  \
	"              server.accept()\n"                                                          \
	"    faults: [refuse, accept]\n"                                                           \
	"client: {command: [synfault-tiny, --tries, '2', '${api}']}\n"                             \
	"expect: {exit: 0, attempts: 2}\n"

/* Adds scenarios with the same port, and some that choose their own. */
static void write_greedy(const struct program *synfault, const char *path)
{
	program_writes(synfault, path, "%s",
		       "name: greedy\n" GREEDY NEXT "name: as greedy\n" GREEDY NEXT "name: modest\n"
		       "endpoints: {api: {port: 19000, faults: [refuse, accept]}}\n"
		       "client: {command: [synfault-tiny, --tries, '2', '${api}']}\n"
		       "expect: {exit: 0, attempts: 2}\n" NEXT PASSES);
}

Test(shared, servers_of_the_same_port_run_one_after_the_other)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_as_docker);

	program_needs(synfault, "python3");
	write_greedy(synfault, "a.yaml");
	program_runs(synfault, "run --jobs 8 --repeat 2 a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_concluded(synfault, "8 passed, 0 failed, 0 skipped");
	program_left_nothing(synfault);
}

Test(shared, servers_of_two_programs_run_one_after_the_other)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_as_docker);

	program_needs(synfault, "python3");
	write_greedy(synfault, "a.yaml");
	program_runs_shell(synfault, "synfault run --jobs 8 a.yaml >one & one=$!\n"
				     "synfault run --jobs 8 a.yaml >two\n"
				     "two=$?; wait $one; one=$?; cat one two; rm one two\n"
				     "exit $((one * 10 + two))");
	program_exited(synfault, 0);
	program_left_nothing(synfault);
}

Test(shared, interrupted_run_does_not_wait_for_a_port)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_as_docker);

	program_needs(synfault, "python3");
	program_writes(synfault, "a.yaml", "%s",
		       "name: one\n" GREEDY NEXT "name: two\n" GREEDY NEXT "name: three\n" GREEDY);
	program_runs(synfault, "run --jobs 8 --global-timeout 1ms a.yaml");
	cr_expect_neq(synfault->wait_status, 0);
	program_left_nothing(synfault);
}

/* ---- killed processes ---- */

/* Waits until the sandbox is as @before. */
static void all_is_again(struct program *synfault, const char *before)
{
	strbuf_free(&synfault->before);
	synfault->before = (struct strbuf){0};
	strbuf_printf(&synfault->before, "%s", before);
	program_left_nothing(synfault);
}

static void write_sleepers(const struct program *synfault, int n)
{
	AUTO_STRBUF struct strbuf text = {0};

	for (int i = 0; i < n; i++)
		strbuf_printf(&text, "%sname: sleeper %d\n" SLEEPS, i ? NEXT : "", i);
	program_writes(synfault, "sleeps.yaml", "%s", strbuf_text(&text));
	program_writes(synfault, "passes.yaml", "%s", PASSES);
	program_writes(synfault, "trace", "%s", "");
}

static void start_until_one_sleeps(struct program *synfault, const char *arguments)
{
	program_removes(synfault, "trace");
	program_starts(synfault, "%s", arguments);
	program_waits_for_file(synfault, "trace");
}

Test(shared, killed_program_leaves_nothing)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_as_docker);
	AUTO_STRBUF struct strbuf before = {0};

	write_sleepers(synfault, 3);
	test_host_describe(synfault->host, &before);
	start_until_one_sleeps(synfault, "run sleeps.yaml");
	kill(synfault->pid, SIGKILL);
	program_ends(synfault);
	program_was_killed(synfault, SIGKILL);
	all_is_again(synfault, strbuf_text(&before));
}

Test(shared, killed_supervisor_makes_an_error_and_leaves_nothing)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_as_docker);
	pid_t *supervisors = NULL;
	size_t n;

	write_sleepers(synfault, 1);
	start_until_one_sleeps(synfault, "run --jobs 1 --junit junit.xml sleeps.yaml passes.yaml");
	n = program_supervisors(synfault, &supervisors);
	cr_assert_eq(n, 1);
	kill(supervisors[0], SIGKILL);
	free(supervisors);
	program_ends(synfault);
	program_exited(synfault, STATUS_UNJUDGED);
	program_removes(synfault, "trace");
	program_left_nothing_but(synfault, "junit.xml");
	AUTO_JUNIT struct junit *junit = junit_read(synfault, "junit.xml");

	junit_says(junit, "sleeper 0", OUTCOME_ERROR, "harness", "killed by signal 9");
	junit_says(junit, "passes", OUTCOME_PASS, NULL, NULL);
}

/* Kills the program and all its supervisors at one moment: no process is left to clean up. */
static void kill_all(struct program *synfault)
{
	pid_t *supervisors = NULL;
	size_t n;

	kill(synfault->pid, SIGSTOP);
	n = program_supervisors(synfault, &supervisors);
	for (size_t i = 0; i < n; i++)
		kill(supervisors[i], SIGSTOP);
	for (size_t i = 0; i < n; i++)
		kill(supervisors[i], SIGKILL);
	kill(synfault->pid, SIGKILL);
	program_ends(synfault);
	/* The kernel releases what a process has a little later. */
	for (size_t i = 0; i < n; i++)
		while (kill(supervisors[i], 0) == 0)
			poll(NULL, 0, 1);
	free(supervisors);
}

Test(shared, next_run_removes_what_a_killed_run_left)
{
	enum { N_LATE = 4, N_RUNS = 20 };
	AUTO_PROGRAM struct program *synfault = confined_program(NULL);
	AUTO_STRBUF struct strbuf before = {0};
	int64_t longest_ns = 0;

	write_sleepers(synfault, 6);
	test_host_describe(synfault->host, &before);
	/* First when a client runs, then at any moment until then. */
	for (int i = 0; i < N_RUNS; i++) {
		AUTO_STRBUF struct strbuf left = {0};

		synfault->prepare = confinements[i % 4].confine;
		if (i < N_LATE) {
			start_until_one_sleeps(synfault, "run sleeps.yaml");
			longest_ns = MAX(longest_ns, clock_monotonic_ns() - synfault->started_ns);
		} else {
			program_starts(synfault, "run sleeps.yaml");
			poll(NULL, 0,
			     (int)(longest_ns / NS_PER_MS * (i - N_LATE) / (N_RUNS - N_LATE)));
		}
		kill_all(synfault);
		program_was_killed(synfault, SIGKILL);
		test_host_describe(synfault->host, &left);
		/* Otherwise there was nothing to remove. */
		if (i < N_LATE)
			cr_assert_str_neq(strbuf_text(&left), strbuf_text(&before));

		program_runs(synfault, "run passes.yaml");
		program_exited(synfault, STATUS_PASSED);
		all_is_again(synfault, strbuf_text(&before));
	}
}

Test(shared, cleanup_leaves_living_sandboxes_alone)
{
	AUTO_PROGRAM struct program *synfault = confined_program(confine_as_docker);

	program_writes(
		synfault, "long.yaml",
		"name: long\n"
		"endpoints: {api: {families: [ipv6], faults: [refuse, 'delay 1s', accept]}}\n"
		"client: {command: [sh, -c, 'touch ${tmp}/x; synfault-tiny ${api}; touch "
		"${dir}/trace; synfault-tiny ${api} && test -e ${tmp}/x']}\n"
		"expect: {exit: 0, attempts: 2}\n");
	program_writes(synfault, "passes.yaml", "%s", PASSES);
	program_runs_shell(synfault,
			   "synfault run long.yaml & long=$!\n"
			   "until test -e trace; do sleep 0.01; done\n"
			   "synfault run passes.yaml && synfault run passes.yaml; short=$?\n"
			   "wait $long; long=$?; rm trace; exit $((long * 10 + short))");
	program_exited(synfault, 0);
	program_left_nothing(synfault);
}
