/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `synfault inject`: see inject_options.h. */
#include "runner/command/inject_options.h"

#include <fcntl.h>

#include "common/text.h"
#include "runner/schedule/captures.h"

static bool parse_ready_fd(void *field, const char *value, char **ret_message)
{
	int64_t fd;

	if (!text_to_integer(value, 0, INT32_MAX, &fd)) {
		*ret_message = xstrdup("not the number of a descriptor");
		return false;
	}
	/* Servers that the daemon starts must not inherit it. */
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0) {
		*ret_message = xstrdup("that descriptor is not open");
		return false;
	}
	*(int *)field = (int)fd;
	return true;
}

#define TO(member) OPTION_FIELD(struct inject_options, member)
static const struct option_spec rows[] = {
	{"endpoint", 'e', "NAME=STEPS",
	 "inject STEPS at endpoint NAME, without a file (repeatable)", OPTION_CUSTOM, TO(endpoints),
	 .parse = inline_endpoints_parse, .clear = inline_endpoints_free, .explains = true,
	 .command_line_only = true},
	{"port", 0, "N", "use port N for endpoints without a file (default: free ones)",
	 OPTION_COUNT, TO(port), 1, UINT16_MAX, .command_line_only = true},
	OPTION_ROW_FILTER(struct inject_options),
	{"netns", 0, "WHICH", "inject in this network namespace: a pid or a path", OPTION_STRING,
	 TO(netns)},
	{"control", 0, "PATH", "take commands on this socket (default: see docs/inject.md)",
	 OPTION_STRING, TO(control)},
	{"listen", 0, "ADDRESS",
	 "take commands over TCP, too: PORT on 127.0.0.1, or HOST:PORT; needs a secret in "
	 "SYNFAULT_TOKEN",
	 OPTION_STRING, TO(listen), .command_line_only = true},
	{"ready-fd", 0, "N", "write a line to descriptor N when armed, and close it", OPTION_CUSTOM,
	 TO(ready_fd), .parse = parse_ready_fd, .explains = true, .command_line_only = true},
	OPTION_ROW_FORMAT(struct inject_options, json, "print text or json"),
	{"junit", 0, "FILE", "write a JUnit XML report at the end", OPTION_FILE, TO(junit)},
	{"record", 0, "FILE", "write the records as JSON, one per line", OPTION_FILE, TO(record)},
	/* SYNFAULT_CAPTURE is a mode of `run`. */
	{"capture", 0, "FILE", "write the packets of all scenarios as pcapng", OPTION_FILE,
	 TO(capture), .command_line_only = true},
	{"capture-size", 0, "SIZE", "keep at most SIZE bytes of packets each (default: 16M)",
	 OPTION_SIZE, TO(capture_size), CAPTURE_MIN_SIZE, CAPTURE_MAX_SIZE},
	OPTION_ROW_SEED(struct inject_options, seed),
	OPTION_ROW_TIMING_SCALE(struct inject_options, timing_scale,
				"multiply all timing tolerances by F"),
	{"max-attempts", 0, "N", "judge at most N attempts (default: 1000000)", OPTION_COUNT,
	 TO(max_attempts), 1, INT32_MAX},
	{"check", 0, NULL, "find all errors in the file, and inject nothing", OPTION_FLAG,
	 TO(check), .command_line_only = true},
	OPTION_ROW_COLOR(struct inject_options, console.color),
	{"verbose", 'v', NULL, "show attempts at the end of a passed scenario, too", OPTION_FLAG,
	 TO(console.verbose)},
	{"quiet", 'q', NULL, "do not print single events", OPTION_FLAG, TO(console.quiet)},
	OPTION_ROW_HELP,
};

static const struct inject_options defaults = {
	.ready_fd = -1,
	.timing_scale = 1,
	.max_attempts = 1000000,
	.console.failures = FAILURES_IMMEDIATE,
	.capture_size = CAPTURE_DEFAULT_SIZE,
};

const struct option_table inject_option_table = {rows, ARRAY_SIZE(rows), sizeof(defaults),
						 &defaults};
