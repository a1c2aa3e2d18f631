/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Observations as JSON: see observation.h. */
#include "runner/observe/observation.h"

#include "runner/record/json_fields.h"
#include "runner/report/file.h"

#define WHAT "JSON report"

static const struct json_field time_fields[] = {{.kind = JSON_KIND_I64}};
static const struct json_type time_type = JSON_ELEMENT(int64_t, time_fields);

#define COUNT(member) JSON_SIZE(struct observed, member)
#define TIME(member)  JSON_DURATION(struct observed, member), .optional = true

static const struct json_field run_fields[] = {
	{"ended", JSON_BOOL(struct observed, ended),
	 .about = "Whether the client ended on its own; otherwise its time ran out."},
	{"wait_status", JSON_INT(struct observed, wait_status), .max = 0xffff,
	 .about = "What waitpid(2) gives on Linux."},
	{"duration_ns", JSON_TIME(struct observed, duration_ns)},
	{"attempts", COUNT(n_attempts)},
	{"attempts_after_exit", COUNT(n_after_exit),
	 .about = "Attempts by processes that the client left behind."},
	{"attempts_ipv4", COUNT(n_by_family[FAMILY_IPV4])},
	{"attempts_ipv6", COUNT(n_by_family[FAMILY_IPV6])},
	{"addresses", COUNT(n_addresses), .about = "Different addresses that it tried."},
	{"connected", COUNT(n_connected), .about = "Attempts whose handshake succeeded."},
	{"overlaps", JSON_BOOL(struct observed, overlaps),
	 .about = "Whether an attempt began before the previous one ended."},
	{"backoff_ns", JSON_LIST(struct observed, backoff_ns, n_backoff, int64_t, &time_type),
	 .about = "From the end of each attempt to the start of the next."},
	{"given_up", COUNT(n_abandoned), .about = "Unanswered attempts that the client ended."},
	{"given_up_shortest_ns", TIME(shortest_ns)},
	{"given_up_longest_ns", TIME(longest_ns)},
	{"timed_out", COUNT(n_timed_out), .about = "Unanswered attempts that the kernel ended."},
	{"timed_out_longest_ns", TIME(timed_out_ns)},
	{"left_open", COUNT(n_open),
	 .about = "Unanswered attempts whose socket was open until the client's end, or until "
		  "synfault ended it."},
	{"left_open_longest_ns", TIME(longest_open_ns)},
	{"schedule_ns", JSON_DURATION(struct observed, schedule_ns),
	 .about = "When the kernel ends an unanswered attempt."},
	{"fallback_ns", JSON_TIME(struct observed, fallback_ns), .optional = true, .absent = -1,
	 .about = "From the first attempt to the first over the other address family; missing if "
		  "there was none."},
	{"said", JSON_TEXT(struct observed, said), .optional = true,
	 .about = "The last line of output that says something, cut to 100 columns."},
};
static const struct json_type run_type = {JSON_TYPE(struct observed, run_fields)};

/* A part with the policy that its backoff shows. */
struct json_part {
	const char *name, *steps, *obstacle;
	bool identified;
	char *policy;
	const struct observed *runs;
	size_t n_runs;
};

static const struct json_field part_fields[] = {
	{"name", JSON_TEXT(struct json_part, name)},
	{"steps", JSON_TEXT(struct json_part, steps), .optional = true,
	 .about = "Missing if several endpoints have steps of their own."},
	{"obstacle", JSON_TEXT(struct json_part, obstacle), .optional = true,
	 .about = "Why it could not be observed; then there are no runs."},
	{"identified", JSON_BOOL(struct json_part, identified),
	 .about = "Whether the backoff identifies the policy."},
	{"policy", JSON_TEXT(struct json_part, policy), .optional = true,
	 .about = "The policy, or why none is named."},
	{"runs", JSON_LIST(struct json_part, runs, n_runs, const struct observed, &run_type)},
};
static const struct json_type part_type = {JSON_TYPE(struct json_part, part_fields)};

struct json_observation {
	const char *program;
	char **command;
	int64_t timeout_ns;
	struct json_part *parts;
	size_t n_parts;
};

static const struct json_field observation_fields[] = {
	{"format", JSON_CONSTANT("synfault-observation")},
	{"version", JSON_VERSION(1)},
	{"program", JSON_TEXT(struct json_observation, program),
	 .about = "The version of synfault."},
	{"command", JSON_TEXTS(struct json_observation, command)},
	{"timeout_ns", JSON_DURATION(struct json_observation, timeout_ns),
	 .about = "When a client that was still running was ended."},
	{"parts", JSON_LIST(struct json_observation, parts, n_parts, struct json_part, &part_type)},
};
const struct json_type observation_type = {
	JSON_TYPE(struct json_observation, observation_fields),
	.about = "What `synfault record --json FILE` and `synfault try --json FILE` write "
		 "(docs/observing.md).",
};

void observation_json(const struct observation *observation, struct strbuf *out)
{
	AUTO_FREE struct json_part *parts = xzalloc((observation->n_parts + 1) * sizeof(*parts));
	AUTO_STRV char **command = strv_copy(observation->command);
	const struct json_observation json = {
		.program = SYNFAULT_VERSION,
		.command = command,
		.timeout_ns = observation->timeout_ns,
		.parts = parts,
		.n_parts = observation->n_parts,
	};

	for (size_t i = 0; i < observation->n_parts; i++) {
		const struct observation_part *part = &observation->parts[i];
		struct fit fit;

		parts[i] = (struct json_part){
			.name = part->name,
			.steps = part->steps,
			.obstacle = part->obstacle,
			.runs = part->runs,
			.n_runs = part->obstacle ? 0 : part->n_runs,
		};
		if (part->obstacle)
			continue;
		fit = observed_fit(part->runs, part->n_runs);
		parts[i].identified = fit.found;
		parts[i].policy = fit.text ? xstrdup(fit.text) : NULL;
		fit_free(&fit);
	}
	json_fields_print(&observation_type, &json, out);
	for (size_t i = 0; i < observation->n_parts; i++)
		free(parts[i].policy);
}

int observation_check_path(const char *path, struct diag_list *diags)
{
	return report_file_check(WHAT, path, diags);
}

int observation_write(const struct observation *observation, const char *path,
		      struct diag_list *diags)
{
	AUTO_STRBUF struct strbuf text = {0};

	observation_json(observation, &text);
	return report_file_write(WHAT, path, strbuf_text(&text), text.length, diags);
}
