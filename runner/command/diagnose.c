/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault diagnose`: see diagnose.h. */
#include "runner/command/diagnose.h"

#include "common/duration.h"
#include "runner/command/options.h"
#include "runner/diagnose/examine.h"
#include "runner/diagnose/format.h"

struct diagnose_options {
	struct examine_plan plan;
	uint16_t local_port;
	bool json, help;
};

static bool apply_port(const char *value, uint16_t *ret, char **ret_message)
{
	int64_t port;

	if (!option_number(value, 1, UINT16_MAX, &port)) {
		*ret_message = xstrdup("a port from 1 to 65535");
		return false;
	}
	*ret = (uint16_t)port;
	return true;
}

static bool apply_trials(void *options, const char *value, char **ret_message)
{
	int64_t trials;

	if (!option_number(value, 1, MAX_TRIALS, &trials)) {
		*ret_message = xasprintf("a number from 1 to %d", MAX_TRIALS);
		return false;
	}
	((struct diagnose_options *)options)->plan.handshake.n_trials = (unsigned)trials;
	return true;
}

static bool apply_interval(void *options, const char *value, char **ret_message)
{
	return option_duration(value,
			       &((struct diagnose_options *)options)->plan.handshake.interval_ns,
			       ret_message);
}

static bool apply_timeout(void *options, const char *value, char **ret_message)
{
	return option_duration(value,
			       &((struct diagnose_options *)options)->plan.handshake.patience_ns,
			       ret_message);
}

static bool apply_compare(void *options, const char *value, char **ret_message)
{
	return apply_port(value, &((struct diagnose_options *)options)->plan.handshake.compare_port,
			  ret_message);
}

static bool apply_local(void *options, const char *value, char **ret_message)
{
	return apply_port(value, &((struct diagnose_options *)options)->local_port, ret_message);
}

static bool apply_path(void *options, const char *value, char **ret_message)
{
	((struct diagnose_options *)options)->plan.path = true;
	return true;
}

static bool apply_intrusive(void *options, const char *value, char **ret_message)
{
	((struct diagnose_options *)options)->plan.intrusive = true;
	return true;
}

static bool apply_json(void *options, const char *value, char **ret_message)
{
	((struct diagnose_options *)options)->json = true;
	return true;
}

static bool apply_help(void *options, const char *value, char **ret_message)
{
	((struct diagnose_options *)options)->help = true;
	return true;
}

static const struct option_spec diagnose_options[] = {
	{"trials", 'n', "N", "connect N times to each address (5)", apply_trials,
	 .command_line_only = true},
	{"interval", 0, "TIME", "start a trial every TIME (300ms)", apply_interval,
	 .command_line_only = true},
	{"timeout", 0, "TIME", "wait TIME for each handshake (3500ms)", apply_timeout,
	 .command_line_only = true},
	{"compare", 0, "PORT", "compare with PORT of the same host, which is open", apply_compare,
	 .command_line_only = true},
	{"local", 0, "PORT", "look at PORT of this host, on all its addresses", apply_local,
	 .command_line_only = true},
	{"path", 0, NULL, "show the routers on the way, and which one answers or swallows",
	 apply_path, .command_line_only = true},
	{"intrusive", 0, NULL, "trace this host's nftables rules, by a table of its own",
	 apply_intrusive, .command_line_only = true},
	{"json", 0, NULL, "print a JSON object", apply_json, .command_line_only = true},
	{"help", 'h', NULL, "show this help", apply_help, .command_line_only = true},
};

const struct option_table diagnose_option_table = OPTION_TABLE(diagnose_options);

static enum exit_status look(const char *target, const struct diagnose_options *options, FILE *out,
			     FILE *err)
{
	AUTO_EVIDENCE struct evidence evidence = {0};
	AUTO_DIAGNOSIS struct diagnosis diagnosis = {0};
	AUTO_STRBUF struct strbuf text = {0};

	if (examine(target, options->local_port, &options->plan, &evidence) < 0) {
		fprintf(err, "synfault diagnose: \"%s\" is not HOST:PORT or [ADDRESS]:PORT\n",
			target);
		return STATUS_USAGE;
	}
	diagnosis = diagnose(&evidence);
	if (options->json)
		diagnosis_format_json(&evidence, &diagnosis, &text);
	else
		diagnosis_format_text(&evidence, &diagnosis, &text);
	fputs(strbuf_text(&text), out);
	if (evidence.n_addresses == 0 && diagnosis.n_causes == 0)
		return STATUS_UNJUDGED;
	return diagnosis.n_causes > 0 ? STATUS_FAILED : STATUS_PASSED;
}

int command_diagnose(int argc, char **argv, FILE *out, FILE *err)
{
	struct diagnose_options options = {
		.plan.handshake = {.n_trials = 5,
				   .interval_ns = 300 * NS_PER_MS,
				   .patience_ns = 3500 * NS_PER_MS},
	};
	AUTO_FREE char *message = NULL;
	AUTO_STRBUF struct strbuf help = {0};
	int n_operands = 0;
	char **rest = NULL;

	if (options_parse(diagnose_options, ARRAY_SIZE(diagnose_options), argc, argv, &options,
			  &n_operands, &rest, &message) &&
	    !options.help && (rest || n_operands != (options.local_port ? 0 : 1)))
		message = xstrdup("takes one HOST:PORT, or --local PORT");
	if (message) {
		fprintf(err, "synfault diagnose: %s\nTry 'synfault diagnose --help'.\n", message);
		return STATUS_USAGE;
	}
	if (options.help) {
		options_help(diagnose_options, ARRAY_SIZE(diagnose_options), &help);
		fprintf(out,
			"Usage: synfault diagnose [OPTION...] HOST:PORT\n\n"
			"Connects a few times, watches the packets, and says why the connection "
			"is\n"
			"refused, dropped or slow. Root sees more than an ordinary user.\n\n%s",
			strbuf_text(&help));
		return STATUS_PASSED;
	}
	return (int)look(n_operands ? argv[0] : NULL, &options, out, err);
}
