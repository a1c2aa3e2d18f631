/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault try` and `synfault record`: looking at clients without judging them. */
#include <criterion/criterion.h>

#include "common/duration.h"
#include "tests/lib/program.h"

Test(try, shows_what_a_client_does)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault,
		     "try 'refuse x3, accept' -- synfault-backoff --base 200 '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "refuse x3, accept");
	program_printed(synfault, "  attempts    4\n");
	program_printed(synfault, "looks like  exponential, base 200 ms, factor 2, no cap\n");
	program_printed(synfault, "  end         exit 0 after ");
	program_left_nothing(synfault);
}

/* No judgement: what was asked for was seen. */
Test(try, of_a_client_that_fails_or_never_ends_is_no_failure)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try refuse -- synfault-tiny '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "  attempts    1\n");
	program_runs(synfault,
		     "try drop --timeout 700ms -- sh -c 'synfault-tiny $SYNFAULT_SERVER'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "none in the time it was given");
	program_left_nothing(synfault);
}

Test(try, shows_events_live_when_told_to)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try -v refuse -- synfault-tiny '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "server 1  SYN 1 refused");
}

Test(try, takes_its_endpoint_from_options)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try --family ipv6 --serve none --port 4711 --seed 3 --isolation "
			       "private 'delay 100ms..200ms' -- synfault-tiny '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "server at [::1]:4711: delay 100ms..200ms");
	program_runs(synfault, "try --isolation shared refuse -- synfault-tiny '${server}'");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "  attempts    1\n");
}

Test(try, says_when_the_client_never_tried)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try refuse -- true");
	program_exited(synfault, STATUS_PASSED);
	program_printed(synfault, "write ${server} there");
}

Test(try, says_what_keeps_it_from_seeing_anything)
{
	AUTO_PROGRAM struct program *synfault = program_new();

	program_runs(synfault, "try refuse -- no-such-program");
	program_exited(synfault, STATUS_UNJUDGED);
	program_complained(synfault, "no-such-program: not found in PATH");
}

Test(try, refuses_a_wrong_command_line)
{
	static const struct {
		const char *arguments, *complaint;
	} cases[] = {
		{"", "a text of steps is needed"},
		{"refuse accept -- true", "one text of steps is needed, in quotes"},
		{"refuse", "a client command is needed after --"},
		{"refuse --", "a client command is needed after --"},
		{"' , ' -- true", "a step is needed"},
		{"'refuse, refus' -- true", "step \"refus\": unknown step \"refus\"; did you mean"},
		{"'refuse x0' -- true", "step \"refuse x0\": "},
		{"'refuse, accept' -- true '${servr}'", "did you mean \"${server}\"?"},
		{"'{when: {familie: ipv6}, do: drop}, accept' -- true", "unknown key \"familie\""},
		{"'{when: {}' -- true", "unknown step"},
		{"--family ipv5 refuse -- true", "ipv4, ipv6, or both"},
		{"--family ipv4,ipv4 refuse -- true", "ipv4, ipv6, or both"},
		{"--serve smtp refuse -- true", "http, echo, accept or none"},
		{"--port 0 refuse -- true", "a port is 1 to 65535"},
		{"--timeout 3 refuse -- true", "timeout"},
		{"--seed x refuse -- true", "a number such as"},
		{"--isolation none refuse -- true", "auto, private or shared"},
	};
	AUTO_PROGRAM struct program *synfault = program_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		program_runs(synfault, "try %s", cases[i].arguments);
		program_exited(synfault, STATUS_USAGE);
		program_complained(synfault, cases[i].complaint);
	}
}
