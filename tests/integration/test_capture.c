/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captures contain what happened, open in Wireshark's tools, and show an engineer what the script
 * says.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <limits.h>

#include "common/text.h"
#include "injector/step_text.h"
#include "runner/record/history.h"
#include "runner/trace/trace.h"
#include "tests/lib/confine.h"
#include "tests/lib/hosts.h"
#include "tests/lib/pcapng_reader.h"

#define NEXT "---\n"

/* A capture and the record of the same run. */
struct pair {
	char *name;
	char *text;
	struct pcapng_file *file;
	struct record *record;
};

static void pair_free(struct pair *pair)
{
	pcapng_file_freep(&pair->file);
	record_free(pair->record);
	free(pair->text);
	free(pair->name);
}
#define AUTO_PAIR CLEANUP(pair_free)

/* Returns whether a capture is that of a run that another one replaced: "NAME.1.pcapng". */
static bool is_set_aside(const char *name)
{
	const char *dot = strstr(name, ".pcapng");

	while (dot > name && isdigit((unsigned char)dot[-1]))
		dot--;
	return dot > name && dot[-1] == '.';
}

/* Reads the capture and the record of scenario @number. */
static struct pair read_pair(const struct program *synfault, const char *directory, unsigned number)
{
	AUTO_FREE char *path = xasprintf("%s/%s", synfault->work, directory);
	AUTO_FREE char *prefix = xasprintf("%04u-", number);
	AUTO_FREE char *record = xasprintf("%s/%04u.json", directory, number);
	DIR *entries = opendir(path);
	struct pair pair = {0};
	struct dirent *entry;
	size_t length;

	cr_assert(entries);
	while ((entry = readdir(entries)))
		if (!strncmp(entry->d_name, prefix, strlen(prefix)) &&
		    strstr(entry->d_name, ".pcapng") && !is_set_aside(entry->d_name))
			pair.name = xasprintf("%s/%s", directory, entry->d_name);
	closedir(entries);
	if (!pair.name)
		program_fail(synfault, "no capture %s*.pcapng", prefix);
	pair.text = program_reads(synfault, pair.name, &length);
	pair.file = pcapng_read(pair.text, length);
	pair.record = program_record(synfault, record);
	return pair;
}

/* ---- the script, as a capture shows it ---- */

static bool agrees_with_history(enum reading_kind reading, const struct attempt_history *history)
{
	switch (history->end) {
	case END_REFUSED:
	case END_REJECTED:
		return reading == READING_REFUSED;
	case END_ESTABLISHED:
		return reading == READING_COMPLETED || reading == READING_RESET ||
		       reading == READING_UNFINISHED;
	case END_ABANDONED:
	case END_TIMED_OUT:
	case END_OPEN:
		return reading == READING_NO_ANSWER || reading == READING_TOO_LATE ||
		       reading == READING_UNFINISHED;
	case END_UNREACHABLE:
		return reading == READING_ICMP_ERROR;
	case END_N_KINDS:
		break;
	}
	return false;
}

static bool agrees_with_step(enum reading_kind reading, const struct step *step)
{
	/* of two faults, the one of the connection shows */
	if (step->then != STEP_ACCEPT)
		return reading == (step->then == STEP_RESET ? READING_RESET : READING_COMPLETED);
	switch (step->action) {
	case STEP_REFUSE:
		return reading == READING_REFUSED;
	case STEP_DROP:
		return reading == READING_NO_ANSWER;
	case STEP_LOSE:
		return reading == READING_COMPLETED || reading == READING_NO_ANSWER;
	case STEP_DELAY:
		/* The client may give up before that. */
		if (reading == READING_NO_ANSWER)
			return true;
		if (step->then_unreachable)
			return reading == READING_ICMP_ERROR;
		if (step->then_refuse)
			return reading == READING_REFUSED;
		return reading == READING_COMPLETED || reading == READING_TOO_LATE;
	case STEP_UNREACHABLE:
		return reading == READING_ICMP_ERROR;
	case STEP_LOSE_SYN_ACK:
		return reading == READING_UNFINISHED || reading == READING_COMPLETED;
	case STEP_HALF_OPEN:
	case STEP_STALL:
	case STEP_CLOSE:
	case STEP_SLOW:
	case STEP_PACKET_LOSS:
	case STEP_LATENCY:
		return reading == READING_COMPLETED;
	case STEP_PAUSE:
		return reading == READING_COMPLETED || reading == READING_NO_ANSWER;
	case STEP_BACKLOG_FULL:
		return step->abort ? reading == READING_RESET
				   : reading == READING_NO_ANSWER || reading == READING_COMPLETED;
	case STEP_RESET:
		return reading == READING_RESET;
	case STEP_ACCEPT:
		/* Or no server listens; the history says so. */
		return reading == READING_COMPLETED || reading == READING_REFUSED;
	case STEP_N_ACTIONS:
		break;
	}
	return false;
}

/*
 * The text of an attempt's step, from the comment at its first SYN: "…: step 2 (drop x2): …".
 * Returns false for the short forms of conditions.
 */
static bool parse_step(const char *comment, struct step *ret)
{
	const char *start = strstr(comment, ": step ");
	const char *end = start ? strstr(start, "): ") : NULL;
	struct step_error error;
	AUTO_FREE char *text = NULL;
	char *condition;

	cr_assert(end, "no step in: %s", comment);
	start = strchr(start, '(') + 1;
	text = xstrndup(start, (size_t)(end - start));
	if (!strncmp(text, "down ", 5) || !strncmp(text, "flap ", 5))
		return false;
	condition = strstr(text, " when ");
	if (condition)
		*condition = '\0';
	cr_assert_eq(step_parse(text, ret, &error), 0, "%s", text);
	return true;
}

static bool is_syn(const struct trace *trace, size_t packet)
{
	return trace->segments[packet].kind == SEGMENT_TCP &&
	       packet_is_syn(&trace->segments[packet].tcp);
}

static bool has_comment(const struct pcapng_file *file, const char *text)
{
	AUTO_FREE char *end = xasprintf("): %s", text);

	for (size_t i = 0; i < file->n_packets; i++)
		if (file->comments[i] && strstr(file->comments[i], end))
			return true;
	return false;
}

/* Every packet belongs to an attempt, every SYN has its comment, every attempt shows its step. */
static void assert_agreement(const struct pair *pair)
{
	const struct pcapng_file *file = pair->file;
	const struct record *record = pair->record;
	AUTO_TRACE struct trace trace = trace_make(file->packets, file->n_packets, record);
	struct history history = history_make(record);
	AUTO_FREE uint32_t *syns = xzalloc((record->n_attempts + 1) * sizeof(*syns));

	for (size_t i = 0; i < file->n_packets; i++) {
		uint32_t id = trace.attempts[i];
		AUTO_FREE char *head = NULL;
		struct step step;

		cr_assert_neq(id, TRACE_NO_ATTEMPT, "%s: packet %zu", pair->name, i + 1);
		if (!is_syn(&trace, i))
			continue;
		cr_assert(file->comments[i], "%s: packet %zu has no comment", pair->name, i + 1);
		syns[id]++;
		head = xasprintf("%s, attempt %u, SYN %u",
				 record->endpoints[record->attempts[id].endpoint].name,
				 record->attempts[id].number, syns[id]);
		cr_assert(!strncmp(file->comments[i], head, strlen(head)), "%s: \"%s\", not \"%s\"",
			  pair->name, file->comments[i], head);
		/* An outage may have ended the connection instead of its own step. */
		cr_assert(attempt_outage(&history.attempts[id]) ||
				  !parse_step(file->comments[i], &step) ||
				  agrees_with_step(trace.readings[id].kind, &step),
			  "%s: %s reads as %s", pair->name, file->comments[i],
			  reading_kind_text(trace.readings[id].kind));
	}
	for (size_t i = 0; i < record->n_events; i++) {
		const struct event *event = &record->events[i];

		if (event->kind == EVENT_FAULT)
			cr_assert(has_comment(file, fault_kind_name(event->u.net.fault)),
				  "%s: no packet says \"%s\"", pair->name,
				  fault_kind_name(event->u.net.fault));
	}
	for (size_t i = 0; i < record->n_attempts; i++) {
		cr_assert_eq(syns[i], history.attempts[i].syns, "%s: attempt %zu", pair->name,
			     i + 1);
		cr_assert(agrees_with_history(trace.readings[i].kind, &history.attempts[i]),
			  "%s: attempt %zu: %s, but %s", pair->name, i + 1,
			  attempt_end_name(history.attempts[i].end),
			  reading_kind_text(trace.readings[i].kind));
	}
	history_free(&history);
}

/* Reads the number of scenarios from "122 scenarios, 8 at a time, …". */
static size_t count_scenarios(const struct program *synfault)
{
	return (size_t)atol(synfault->out);
}

Test(capture, capture_of_every_pack_matches_its_script)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	size_t n;

	program_needs(synfault, "curl python3");
	program_runs_shell(synfault,
			   "exec synfault run --records c --capture always --timing-scale 3 "
			   "--late-retries 0 --tag '!version' '%s/scenarios'",
			   getenv("SYNFAULT_SOURCE"));
	/* Other tests show that they pass; here the machine may be too slow for some. */
	n = count_scenarios(synfault);
	cr_assert(n > 50, "%zu scenarios", n);
	for (unsigned number = 1; number <= n; number++) {
		AUTO_PAIR struct pair pair = read_pair(synfault, "c", number);

		assert_agreement(&pair);
		cr_assert_eq(pair.file->n_statistics, pair.file->n_interfaces);
		cr_assert_eq(pair.file->statistics[0].dropped, 0);
	}
	program_left_nothing_but(synfault, "c");
}

Test(capture, capture_of_each_fault_matches_its_step)
{
	static const struct {
		const char *step, *reading;
	} cases[] = {
		{"accept", "completed"},
		{"refuse", "refused by RST"},
		{"drop", "no answer"},
		{"lose 1", "completed"},
		{"delay 200ms", "completed"},
		{"delay 200ms then refuse", "refused by RST"},
		{"unreachable net", "ICMP error (net unreachable)"},
		{"unreachable host", "ICMP error (host unreachable)"},
		{"unreachable port", "ICMP error (port unreachable)"},
		{"unreachable admin", "ICMP error (administratively prohibited)"},
		{"unreachable protocol", "ICMP error (protocol unreachable)"},
		{"lose-synack 1", "completed"},
		{"half-open", "completed"},
		{"backlog-full", "no answer"},
		{"backlog-full abort", "reset after SYN-ACK"},
		{"reset after accept", "reset after SYN-ACK"},
		{"reset after 50 bytes", "reset after SYN-ACK"},
		{"stall after accept", "completed"},
		{"stall after 50 bytes", "completed"},
		{"close after accept", "completed"},
		{"close after 50 bytes", "completed"},
		{"slow 1000 bytes/s", "completed"},
	};
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_STRBUF struct strbuf steps = {0};

	program_needs(synfault, "curl");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		strbuf_printf(&steps, "%s'%s'", i ? ", " : "", cases[i].step);
	program_writes(synfault, "a.yaml",
		       "name: ${matrix.step}\n"
		       "matrix: {step: [%s]}\n"
		       "endpoints: {api: {faults: ['${matrix.step}']}}\n"
		       "client: {command: [curl, -sS, -m, '3', 'http://${api}/']}\n"
		       "expect: {attempts: 1}\n",
		       strbuf_text(&steps));
	program_runs(synfault, "run --records c --capture always a.yaml");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *expected =
			xasprintf("this attempt in the trace: %s", cases[i].reading);
		AUTO_PAIR struct pair pair = read_pair(synfault, "c", (unsigned)i + 1);

		assert_agreement(&pair);
		cr_assert(strstr(pair.file->comments[0], expected), "%s: \"%s\" is not in \"%s\"",
			  cases[i].step, expected, pair.file->comments[0]);
	}
}

/* ---- servers on other hosts ---- */

/* Counts packets from and to the servers' port. */
static void count_directions(const struct pair *pair, uint16_t port, size_t ret[static 2])
{
	AUTO_TRACE struct trace trace =
		trace_make(pair->file->packets, pair->file->n_packets, pair->record);

	ret[0] = ret[1] = 0;
	for (size_t i = 0; i < pair->file->n_packets; i++) {
		const struct segment *segment = &trace.segments[i];

		if (segment->kind == SEGMENT_TCP)
			ret[segment->tcp.destination.port == port]++;
	}
}

/* Counts attempts that ended as their step says. */
static size_t count_whole(const struct pair *pair)
{
	AUTO_TRACE struct trace trace =
		trace_make(pair->file->packets, pair->file->n_packets, pair->record);
	size_t n = 0;

	for (size_t i = 0; i < pair->record->n_attempts; i++)
		n += trace.readings[i].server_bytes > 100000 &&
		     trace.readings[i].client_bytes > 50 && trace.readings[i].client_fin &&
		     trace.readings[i].server_fin;
	return n;
}

#define REMOTE(name, address)                                                                      \
	"name: " name "\n"                                                                         \
	"endpoints: {db: {remote: '" address "'}}\n"
#define REMOTE_STEPS                                                                               \
	"accept, refuse, drop, lose 1, delay 1200ms, delay 200ms then refuse, unreachable net, "   \
	"unreachable host, unreachable port, unreachable admin, lose-synack 1, backlog-full, "     \
	"half-open, backlog-full abort, reset after accept, reset after 5000 bytes, "              \
	"stall after 5000 bytes, close after 5000 bytes, slow 500 KB/s"

Test(capture, capture_of_a_remote_server_is_complete)
{
	AUTO_PROGRAM struct program *synfault =
		hosts_new("defaults:\n"
			  "  endpoints: {db: {faults: [" REMOTE_STEPS "]}}\n"
			  "  client:\n"
			  "    command:\n"
			  "    - sh\n"
			  "    - -c\n"
			  "    - 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do\n"
			  "         curl -sS -m 8 http://${db}/ >/dev/null & done; wait'\n"
			  "  expect: {attempts: 19}\n" NEXT REMOTE("there", "192.0.2.2:8000")
				  NEXT REMOTE("there, IPv6", "[2001:db8::2]:8000")
					  NEXT REMOTE("here", "192.0.2.1:8000"));

	program_needs(synfault, "curl tshark capinfos");
	hosts_run(synfault, "synfault run --records c --capture always --timing-scale 20 a.yaml\n"
			    "for f in c/*.pcapng; do tshark -r $f -q -z expert 2>&1 |\n"
			    "  grep -v 'as user \"root\"'; capinfos -Mo $f; done\n");
	program_printed(synfault, "3 passed, 0 failed, 0 skipped\n");
	program_did_not_print(synfault, "Errors");
	program_did_not_print(synfault, "alformed");
	program_did_not_print(synfault, "tshark:");
	program_did_not_print(synfault, "Strict time order:   False");
	program_printed(synfault, "Strict time order:   True");
	for (unsigned i = 1; i <= 3; i++) {
		AUTO_PAIR struct pair pair = read_pair(synfault, "w/c", i);
		size_t directions[2];

		assert_agreement(&pair);
		count_directions(&pair, 8000, directions);
		cr_expect_gt(directions[0], 20, "%zu packets from the server", directions[0]);
		cr_expect_gt(directions[1], 20, "%zu packets to the server", directions[1]);
		/* accept, lose, delay, lose-synack, slow */
		cr_expect_eq(count_whole(&pair), 5, "%zu whole flows", count_whole(&pair));
		cr_expect_eq(pair.file->statistics[0].dropped, 0);
	}
	hosts_left_nothing(synfault);
}

/* ---- inject ---- */

Test(capture, capture_of_a_daemon_has_a_section_for_each_scenario_start)
{
	AUTO_PROGRAM struct program *synfault = hosts_new(
		"name: own\n"
		"endpoints: {api: {families: [ipv4, ipv6], faults: [refuse, accept]}}\n"
		"expect: {attempts: 2}\n" NEXT "name: another's\n"
		"endpoints: {api: {remote: '192.0.2.2:8000', faults: [refuse, reset after 5 KB]}}\n"
		"expect: {attempts: 2}\n");

	program_needs(synfault, "curl tshark capinfos");
	hosts_run(
		synfault,
		"order() { synfault ctl --control c.sock \"$@\" >/dev/null; }\n"
		"mkfifo f\n"
		"synfault inject --control c.sock --ready-fd 3 --record r --capture c.pcapng "
		"a.yaml "
		"3>f >out & pid=$!\n"
		"read line <f\n"
		"own=$(sed -n 's/^armed: .*: api \\([0-9.:]*\\).*/\\1/p' out)\n"
		"curl -s -m 3 $own; order reset\n"
		"for i in 1 2; do curl -s -m 3 $own >/dev/null; done; order next\n"
		"for i in 1 2; do curl -s -m 3 192.0.2.2:8000 >/dev/null; echo $?; done\n"
		"order stop; wait $pid; echo ended $?\n"
		"tshark -r c.pcapng -q -z expert 2>&1 | grep -v 'as user \"root\"'\n"
		/* capinfos of Wireshark 4.4 crashes if it shows more of two sections. */
		"capinfos -M -c -k c.pcapng; echo capinfos $?\n"
		"tshark -r c.pcapng -T fields -e frame.comment | grep 'attempt'\n"
		"tshark -r c.pcapng -T fields -e frame.interface_name -Y 'ip.dst == 192.0.2.2' |\n"
		"  sort -u | sed 's/^/went out by /'\n");
	program_printed(synfault, "went out by v0\n");
	program_did_not_print(synfault, "went out by lo");
	program_printed(synfault, "7\n56\nended 0\n");
	program_did_not_print(synfault, "Errors");
	program_did_not_print(synfault, "alformed");
	program_did_not_print(synfault, "tshark:");
	program_printed(synfault, "capinfos 0\n");
	program_printed(synfault, "scenario: own file: a.yaml outcome: none: it was reset");
	program_printed(synfault, "scenario: own file: a.yaml outcome: pass");
	program_printed(synfault, "scenario: another's file: a.yaml outcome: pass");
	program_printed(synfault, "api, attempt 1, SYN 1: step 1 (refuse): refuse, after ");
	program_printed(synfault, "api, attempt 2, SYN 1: step 2 (accept): accept, after ");
	program_printed(synfault, "api, attempt 2: step 2 (reset after 5 KB): reset, after 5000 "
				  "bytes\n");
	hosts_left_nothing(synfault);
}

/* ---- Wireshark ---- */

Test(capture, capture_opens_in_wireshark_without_a_warning)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_PAIR struct pair pair = {0};

	program_needs(synfault, "curl tshark capinfos");
	program_writes(synfault, "a.yaml",
		       "name: 'hostile <&\"> \\e[31m ä'\n"
		       "endpoints:\n"
		       "  api: {families: [ipv6], hostname: api.example.test,\n"
		       "        faults: [refuse x2, lose 1, accept]}\n"
		       "client:\n"
		       "  command: [sh, -c, 'for i in 1 2 3; do curl -sS http://${api}/; done']\n"
		       "expect: {exit: 3}\n");
	program_runs(synfault,
		     "run --records c --capture failed --seed 7 --timing-scale 10 a.yaml");
	program_exited(synfault, STATUS_FAILED);
	pair = read_pair(synfault, "c", 1);
	program_printed(synfault, pair.name);
	assert_agreement(&pair);

	/* Wireshark warns if root runs it. */
	program_runs_shell(synfault,
			   "tshark -r '%s' -q -z expert 2>&1 | grep -v 'as user \"root\"'",
			   pair.name);
	program_did_not_print(synfault, "Errors");
	program_did_not_print(synfault, "alformed");
	program_did_not_print(synfault, "tshark:");
	program_runs_shell(synfault, "capinfos -M '%s'", pair.name);
	program_exited(synfault, 0);
	program_printed(synfault, "File type:           pcapng");
	program_printed(synfault, "scenario: hostile <&\"> \\e[31m ä");
	program_printed(synfault, "outcome: fail: exit status");
	program_printed(synfault, "seed of the scenario: ");
	program_printed(synfault, "Capture application: synfault");
	program_printed(synfault, "Name = lo");
	program_printed(synfault, "Strict time order:   True");
	program_runs_shell(synfault,
			   "tshark -r '%s' -T json -Y 'tcp.flags.syn==1 && tcp.flags.ack==0'",
			   pair.name);
	program_exited(synfault, 0);
	program_printed(synfault, "api, attempt 1, SYN 1: step 1 (refuse x2): refuse, after ");
	program_printed(
		synfault,
		"api, attempt 3, SYN 2 (retransmission 1): step 2 (lose 1): accept, after ");
	program_runs_shell(synfault,
			   "tshark -r '%s' -N n -T fields -e ip.dst_host -e ipv6.dst_host",
			   pair.name);
	program_printed(synfault, "api.example.test");
}

/* ---- which captures are kept ---- */

#define TWO_SCENARIOS                                                                              \
	"name: passes\n"                                                                           \
	"endpoints: {api: {faults: [refuse]}}\n"                                                   \
	"client: {command: [curl, -sS, 'http://${api}/']}\n"                                       \
	"expect: {attempts: 1}\n" NEXT "name: fails\n"                                             \
	"endpoints: {api: {faults: [refuse]}}\n"                                                   \
	"client: {command: [curl, -sS, 'http://${api}/']}\n"                                       \
	"expect: {attempts: 2}\n"

/* The last two come together: the server's own retransmission, and its answer to a SYN. */
Test(capture, each_lost_syn_ack_has_its_own_comment)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs(synfault, "tshark");
	program_writes(synfault, "a.yaml",
		       "name: lost\n"
		       "endpoints: {api: {faults: [lose-synack 2]}}\n"
		       "client: {command: [synfault-tiny, '${api}']}\n"
		       "expect: {exit: 0, attempts: 1}\n");
	program_runs(synfault, "run --capture always --capture-dir c a.yaml");
	program_exited(synfault, STATUS_PASSED);
	program_runs_shell(synfault,
			   "tshark -r c/*.pcapng -Y 'tcp.flags.syn==1 && tcp.flags.ack==1' "
			   "-T fields -e frame.comment | sed 's/.*: //; s/^$/-/'");
	program_exited(synfault, 0);
	cr_assert_eq(strncmp(synfault->out, "syn-ack-lost\nsyn-ack-lost\n-\n", 28), 0, "%s",
		     synfault->out);
}

Test(capture, capture_option_selects_which_captures_are_kept)
{
	static const struct {
		const char *options;
		bool passed, failed;
	} cases[] = {
		{"", false, false},
		{"--capture never --capture-dir c", false, false},
		{"--capture-dir c", false, true},
		{"--capture failed --capture-dir c", false, true},
		{"--capture always --capture-dir c", true, true},
		/*
		 * Captures of earlier runs are removed, so that they can't be taken for this run's.
		 */
		{"--capture failed --capture-dir c", false, true},
	};
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml", TWO_SCENARIOS);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "run %s a.yaml", cases[i].options);
		program_exited(synfault, STATUS_FAILED);
		cr_assert_eq(program_has_file(synfault, "c/0001-passes.pcapng"), cases[i].passed,
			     "%s", cases[i].options);
		cr_assert_eq(program_has_file(synfault, "c/0002-fails.pcapng"), cases[i].failed,
			     "%s", cases[i].options);
	}
	program_printed(synfault, "  capture: c/0002-fails.pcapng\n");
	program_left_nothing_but(synfault, "c");
}

Test(capture, each_retried_run_has_its_own_capture)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml", TWO_SCENARIOS);
	program_runs(synfault, "run --capture failed --retries 2 -f fails a.yaml");
	program_exited(synfault, STATUS_FAILED);
	cr_assert(program_has_file(synfault, "captures/0001-fails.1.pcapng"));
	cr_assert(program_has_file(synfault, "captures/0001-fails.2.pcapng"));
	cr_assert(program_has_file(synfault, "captures/0001-fails.pcapng"));
	program_left_nothing_but(synfault, "captures");
}

Test(capture, full_capture_keeps_the_beginning_and_the_end)
{
	AUTO_PROGRAM struct program *synfault = program_new();
	AUTO_PAIR struct pair pair = {0};
	const struct read_statistics *statistics;

	program_needs(synfault, "curl python3");
	program_writes(synfault, "a.yaml",
		       "name: bulk\n"
		       "endpoints:\n"
		       "  api:\n"
		       "    faults: [accept]\n"
		       "    serve:\n"
		       "      ready: 30s\n"
		       "      command: [python3, '${tmp}/serve.py', '${api.host}', '${api.port}']\n"
		       "client:\n"
		       "  command: [curl, -sS, -o, /dev/null, 'http://${api}/']\n"
		       "  files:\n"
		       "    serve.py: |\n"
		       "      import http.server, sys\n"
		       "      class Bulk(http.server.BaseHTTPRequestHandler):\n"
		       "          def do_GET(self):\n"
		       "              self.send_response(200)\n"
		       "              self.end_headers()\n"
		       "              for _ in range(200):\n"
		       "                  self.wfile.write(bytes(1 << 20))\n"
		       "      address = (sys.argv[1], int(sys.argv[2]))\n"
		       "      http.server.HTTPServer(address, Bulk).serve_forever()\n"
		       "expect: {exit: 0}\n");
	program_runs(synfault, "run --records c --capture always --capture-size 64K a.yaml");
	program_exited(synfault, STATUS_PASSED);
	pair = read_pair(synfault, "c", 1);
	statistics = &pair.file->statistics[0];
	assert_agreement(&pair);
	cr_assert(statistics->dropped > 100, "%zu packets, %llu dropped", pair.file->n_packets,
		  (unsigned long long)statistics->dropped);
	cr_assert_eq(statistics->received, pair.file->n_packets + statistics->dropped);
	cr_assert(strstr(statistics->comment, "--capture-size"), "%s", statistics->comment);
	program_runs_shell(synfault,
			   "test $(stat -c %%s '%s') -lt 80000 && "
			   "tshark -r '%s' -Y tcp.flags.fin==1",
			   pair.name, pair.name);
	program_exited(synfault, 0);
	program_printed(synfault, "[FIN, ACK]");
}

/* As in a container with only CAP_NET_ADMIN, where packet sockets are not available. */
Test(capture, net_admin_is_enough_for_sandboxes_side_by_side)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_needs_root(synfault);
	program_needs(synfault, "curl");
	synfault->prepare = confine_to_net_admin;
	program_writes(
		synfault, "a.yaml",
		"name: a ${matrix.step} ${matrix.family}\n"
		"matrix: {step: [refuse, lose 1, 'unreachable port', accept],\n"
		"         family: [ipv4, ipv6]}\n"
		"endpoints:\n"
		"  api: {families: ['${matrix.family}'], faults: ['${matrix.step}', accept]}\n"
		"client: {command: [curl, -sS, -m, '3', 'http://${api}/']}\n"
		"expect: {attempts: 1}\n");
	program_runs(synfault, "run --isolation shared --records c --capture always a.yaml");
	program_exited(synfault, STATUS_PASSED);
	for (unsigned number = 1; number <= 8; number++) {
		AUTO_PAIR struct pair pair = read_pair(synfault, "c", number);

		cr_assert_str_eq(pair.record->isolation, "shared");
		cr_assert_gt(pair.file->n_packets, 1);
		assert_agreement(&pair);
	}
	program_left_nothing_but(synfault, "c");
}

Test(capture, capture_options_are_checked)
{
	static const struct {
		const char *options, *complaint;
	} cases[] = {
		{"--capture sometimes", "never, failed or always"},
		{"--capture-size 1", "a size from 4K to 1G is expected"},
		{"--capture-size 2G", "a size from 4K to 1G is expected"},
		{"--capture-size 9999999999999G", "a size from 4K to 1G is expected"},
		{"--capture-size K", "a size from 4K to 1G is expected"},
		{"--capture-size ''", "a size from 4K to 1G is expected"},
		{"--capture-size 10T", "a size from 4K to 1G is expected"},
		{"--capture-dir /proc/nothing", "can't write the packet captures /proc/nothing"},
		{"--capture-dir a.yaml", "can't write the packet captures a.yaml"},
	};
	AUTO_PROGRAM struct program *synfault = program_new();

	program_writes(synfault, "a.yaml", TWO_SCENARIOS);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "run %s a.yaml", cases[i].options);
		program_exited(synfault, STATUS_USAGE);
		program_complained(synfault, cases[i].complaint);
	}
	program_left_nothing(synfault);
}
