/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `synfault inject`: see inject_options.h. */
#include "runner/command/inject_options.h"

#include <errno.h>
#include <fcntl.h>

#include "common/random.h"
#include "runner/command/captures.h"

static bool apply_filter(void *options, const char *value, char **ret_message)
{
	selection_add_glob(&((struct inject_options *)options)->selection, value);
	return true;
}

static bool apply_netns(void *options, const char *value, char **ret_message)
{
	((struct inject_options *)options)->netns = value;
	return true;
}

static bool apply_control(void *options, const char *value, char **ret_message)
{
	((struct inject_options *)options)->control = value;
	return true;
}

static bool apply_ready_fd(void *options, const char *value, char **ret_message)
{
	int64_t fd;

	if (!option_number(value, 0, INT32_MAX, &fd)) {
		*ret_message = xstrdup("the number of a descriptor is expected");
		return false;
	}
	/* Nothing that is started here is to have it. */
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0) {
		*ret_message = xstrdup("that descriptor is not open");
		return false;
	}
	((struct inject_options *)options)->ready_fd = (int)fd;
	return true;
}

static bool apply_format(void *options, const char *value, char **ret_message)
{
	return option_format(value, &((struct inject_options *)options)->json, ret_message);
}

static bool apply_junit(void *options, const char *value, char **ret_message)
{
	((struct inject_options *)options)->junit = value;
	return true;
}

static bool apply_record(void *options, const char *value, char **ret_message)
{
	((struct inject_options *)options)->record = value;
	return true;
}

static bool apply_capture(void *options, const char *value, char **ret_message)
{
	((struct inject_options *)options)->capture = value;
	return true;
}

static bool apply_capture_size(void *options, const char *value, char **ret_message)
{
	return captures_parse_size(value, &((struct inject_options *)options)->capture_size,
				   ret_message);
}

static bool apply_seed(void *options, const char *value, char **ret_message)
{
	struct inject_options *inject = options;
	char *end;

	errno = 0;
	inject->seed = strtoull(value, &end, 0);
	inject->seed_given = true;
	if (!errno && end != value && !*end && value[0] != '-')
		return true;
	*ret_message = xstrdup("a number such as 0x1f or 17 is expected");
	return false;
}

static bool apply_timing_scale(void *options, const char *value, char **ret_message)
{
	if (option_decimal(value, 0.01, 1000, &((struct inject_options *)options)->timing_scale))
		return true;
	*ret_message = xstrdup("a factor from 0.01 to 1000 is expected");
	return false;
}

static bool apply_most_attempts(void *options, const char *value, char **ret_message)
{
	int64_t number;

	if (option_number(value, 1, INT32_MAX, &number)) {
		((struct inject_options *)options)->most_attempts = (size_t)number;
		return true;
	}
	*ret_message = xstrdup("a number from 1 on is expected");
	return false;
}

static bool apply_check(void *options, const char *value, char **ret_message)
{
	((struct inject_options *)options)->check = true;
	return true;
}

static bool apply_color(void *options, const char *value, char **ret_message)
{
	return option_color(value, &((struct inject_options *)options)->console.color, ret_message);
}

static bool apply_verbose(void *options, const char *value, char **ret_message)
{
	((struct inject_options *)options)->console.verbose = true;
	return true;
}

static bool apply_quiet(void *options, const char *value, char **ret_message)
{
	((struct inject_options *)options)->console.quiet = true;
	return true;
}

static bool apply_help(void *options, const char *value, char **ret_message)
{
	((struct inject_options *)options)->help = true;
	return true;
}

static const struct option_spec inject_options[] = {
	{"filter", 'f', "GLOB", "only scenarios whose name matches; again: or this one",
	 apply_filter},
	{"netns", 0, "WHICH", "inject in this network namespace: a pid, or a path", apply_netns},
	{"control", 0, "PATH", "take orders there (default: see docs/inject.md)", apply_control},
	{"ready-fd", 0, "N", "write a line to descriptor N when armed, and close it",
	 apply_ready_fd, .command_line_only = true},
	{"format", 0, "FORMAT", "of what is printed: text or json", apply_format,
	 .words = "text json"},
	{"junit", 0, "FILE", "write a JUnit XML report at the end", apply_junit},
	{"record", 0, "FILE", "write the records there, as JSON, one per line", apply_record},
	/* The variable of that name is that of run, which is no file. */
	{"capture", 0, "FILE", "write the packets of all scenarios there, as pcapng", apply_capture,
	 .command_line_only = true},
	{"capture-size", 0, "SIZE", "at most so many bytes of packets of a scenario (default: 16M)",
	 apply_capture_size},
	{"seed", 0, "N", "seed of everything that is drawn (default: a new one)", apply_seed},
	{"timing-scale", 0, "F", "multiply all tolerances of time by F", apply_timing_scale},
	{"most-attempts", 0, "N", "keep so many attempts for the judgement (default: 1000000)",
	 apply_most_attempts},
	{"check", 0, NULL, "find all errors in the file, and inject nothing", apply_check,
	 .command_line_only = true},
	{"color", 0, "WHEN", "auto, always or never", apply_color, .words = "auto always never"},
	{"verbose", 'v', NULL, "show the attempts at the end also when all is well", apply_verbose},
	{"quiet", 'q', NULL, "print no single events", apply_quiet},
	{"help", 'h', NULL, "show this help", apply_help, .command_line_only = true},
};

const struct option_table inject_option_table = OPTION_TABLE(inject_options);

bool inject_options_parse(int argc, char **argv, struct inject_options *options,
			  int *ret_n_operands, char ***ret_rest, char **ret_message)
{
	*options = (struct inject_options){
		.ready_fd = -1,
		.timing_scale = 1,
		.most_attempts = 1000000,
		.console.failures = FAILURES_IMMEDIATE,
		.capture_size = CAPTURE_DEFAULT_SIZE,
	};
	if (!options_parse(inject_options, ARRAY_SIZE(inject_options), argc, argv, options,
			   ret_n_operands, ret_rest, ret_message))
		return false;
	if (!options->seed_given)
		options->seed = random_seed();
	return true;
}

void inject_options_free(struct inject_options *options)
{
	selection_free(&options->selection);
}
