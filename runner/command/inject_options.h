/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of `synfault inject`, from the command line and the environment. */
#ifndef SYNFAULT_RUNNER_COMMAND_INJECT_OPTIONS_H
#define SYNFAULT_RUNNER_COMMAND_INJECT_OPTIONS_H

#include "runner/command/options.h"
#include "runner/command/select.h"
#include "runner/report/console.h"
#include "runner/scenario/inline_scenario.h"

/* Texts are borrowed from the command line or the environment. */
struct inject_options {
	struct selection selection;
	struct inline_endpoints endpoints; /* those given without a file */
	uint16_t port;                     /* of endpoints without a file; 0: choose free ones */
	const char *netns;                 /* NULL: the current one */
	const char *control;               /* NULL: the default place */
	const char *listen;                /* NULL: no commands over TCP */
	int ready_fd;                      /* -1: none */
	bool json;
	const char *junit, *record;
	size_t max_attempts;
	const char *capture; /* NULL: packets are not captured */
	uint64_t capture_size;
	struct option_seed seed;
	bool check;
	double timing_scale;
	struct console_options console;
};

extern const struct option_table inject_option_table;

#endif
