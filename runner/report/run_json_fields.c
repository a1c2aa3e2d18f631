/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See run_json_fields.h. */
#include "runner/report/run_json_fields.h"

#include "runner/record/json.h"

#define TEXT(S, member) JSON_TEXT(S, member), .optional = true

static const char *stop_cause_name(enum stop_cause cause)
{
	static const char *const names[] = {
		[STOP_NONE] = "none",
		[STOP_SIGNAL] = "signal",
		[STOP_TIMEOUT] = "timeout",
		[STOP_FAILURES] = "failures",
	};

	_Static_assert(ARRAY_SIZE(names) == STOP_N_CAUSES, "one name per cause");
	return names[cause];
}

/* ---- judgements ---- */

#define MAX_PLACE 1000000000
#define PLACE_FIELDS(S)                                                                            \
	{"line", JSON_U32(S, line), .max = MAX_PLACE},                                             \
		{"column", JSON_U32(S, column), .max = MAX_PLACE},                                 \
	{                                                                                          \
		"length", JSON_U32(S, length),                                                     \
			.max = MAX_PLACE, .about = "Length of the mark in columns; 0 marks one."   \
	}

static const struct json_field place_fields[] = {PLACE_FIELDS(struct place)};
static const struct json_type place_type = {
	JSON_TYPE(struct place, place_fields),
	.name = "place",
	.about = "A place in the scenario's file; lines and columns count from 1.",
};

static const struct json_field finding_fields[] = {
	{"type", JSON_TEXT(struct finding, type),
	 .about = "The expectation's key, or timeout, never-fired, harness, capability, flaky."},
	{"subject", TEXT(struct finding, subject),
	 .about = "What it is about: \"backoff 2 at api\"."},
	{"expected", TEXT(struct finding, expected)},
	{"actual", TEXT(struct finding, actual)},
	{"miss", TEXT(struct finding, miss), .about = "By how much: \"780 ms too short\"."},
	{"message", JSON_TEXT(struct finding, message), .about = "The finding in one line."},
	{"looks_like", TEXT(struct finding, looks_like),
	 .about = "The policy that the client's backoff looks like."},
	{"caused_by_lag", JSON_BOOL(struct finding, caused_by_lag),
	 .about = "Lag of the machine could have caused it, which makes it an error."},
	{"attempt", JSON_INDEX(struct finding, attempt), .optional = true,
	 .about = "The first attempt that broke the rule: an index into the record's attempts."},
	{"expectation", JSON_INDEX(struct finding, assessment), .optional = true,
	 .about = "The expectation it is about: an index into the judgement's expectations."},
	{"place", JSON_OBJECT(struct finding, place, struct place, &place_type), .optional = true,
	 .about = "The place of the expectation."},
};
static const struct json_type finding_type = {
	JSON_TYPE(struct finding, finding_fields),
	.name = "finding",
	.about = "A reason for an outcome other than pass.",
};

static const struct json_field assessment_fields[] = {
	{"result",
	 JSON_WORD(struct assessment, result, enum assessed, assessed_name, ASSESSED_N_RESULTS),
	 .about =
		 "Undecided: the record does not say, or lag of the machine could have caused it."},
	{"type", JSON_TEXT(struct assessment, type), .about = "The expectation's key."},
	{"subject", JSON_TEXT(struct assessment, subject),
	 .about = "What it is about: \"attempts at api\"."},
	{"expected", TEXT(struct assessment, expected), .about = "\"each 2.00 s ± 200 ms\"."},
	{"actual", TEXT(struct assessment, actual),
	 .about = "What was measured: \"3, of 1.98 s to 2.02 s\"."},
	{"attempt", JSON_INDEX(struct assessment, attempt), .optional = true,
	 .about = "The first attempt that broke it, or the last one looked at: an index into the "
		  "record's attempts."},
	{"event", JSON_INDEX(struct assessment, event), .optional = true,
	 .about = "Where it was seen: an index into the record's events."},
	{"finding", JSON_INDEX(struct assessment, finding), .optional = true,
	 .about = "The first finding about it: an index into the judgement's findings."},
	{"place", JSON_OBJECT(struct assessment, place, struct place, &place_type),
	 .optional = true},
};
static const struct json_type assessment_type = {
	JSON_TYPE(struct assessment, assessment_fields),
	.name = "expectation",
	.about = "An expectation beside what was measured for it, met or not.",
};

static bool check_indices(struct json_reader *reader, void *object)
{
	const struct judgement *judgement = object;

	for (size_t i = 0; i < judgement->n_findings; i++) {
		uint32_t index = judgement->findings[i].assessment;

		if (index != UINT32_MAX && index >= judgement->n_assessments)
			return json_refuse(reader, "findings[%zu]: there is no expectation %u", i,
					   index);
	}
	for (size_t i = 0; i < judgement->n_assessments; i++) {
		uint32_t index = judgement->assessments[i].finding;

		if (index != UINT32_MAX && index >= judgement->n_findings)
			return json_refuse(reader, "expectations[%zu]: there is no finding %u", i,
					   index);
	}
	return true;
}

static const struct json_field judgement_fields[] = {
	{"outcome",
	 JSON_WORD(struct judgement, outcome, enum outcome, outcome_name, OUTCOME_N_KINDS)},
	{"findings",
	 JSON_LIST(struct judgement, findings, n_findings, struct finding, &finding_type),
	 JSON_CAPACITY(struct judgement, capacity), .about = "The one that decided first."},
	{"expectations",
	 JSON_LIST(struct judgement, assessments, n_assessments, struct assessment,
		   &assessment_type),
	 .about = "The result of each expectation, in the scenario's order."},
};
const struct json_type run_json_judgement_type = {
	JSON_TYPE(struct judgement, judgement_fields),
	.name = "judgement",
	.about = "What a record means under the scenario's expectations.",
	.check = check_indices,
};

/* ---- results ---- */

static const struct json_field diagnostic_fields[] = {
	{"message", JSON_TEXT(struct diag, message)},
	{"hint", TEXT(struct diag, hint), .about = "The remedy."},
	PLACE_FIELDS(struct diag),
};
static const struct json_type diagnostic_type = {
	JSON_TYPE(struct diag, diagnostic_fields),
	.about = "An error in a scenario file.",
};

static const struct json_field earlier_fields[] = {
	{"duration_ns", JSON_DURATION(struct earlier_run, duration_ns)},
	{"judgement",
	 JSON_OBJECT(struct earlier_run, judgement, struct judgement, &run_json_judgement_type)},
	{"capture", TEXT(struct earlier_run, capture),
	 .about = "Path of the capture file of its packets."},
	{"record", JSON_POINTER(struct earlier_run, record, struct record, &record_type),
	 .optional = true},
};
static const struct json_type earlier_type = {
	JSON_TYPE(struct earlier_run, earlier_fields),
	.about = "An earlier run.",
};

static bool check_result(struct json_reader *reader, void *object)
{
	const struct json_result *result = object;

	return !result->judgement == (result->n_diagnostics > 0) ||
	       json_refuse(reader, result->judgement ? "both a judgement and diagnostics"
						     : "\"judgement\" is missing");
}

static const struct json_field result_fields[] = {
	{"name", JSON_TEXT(struct json_result, name),
	 .about = "Unique in its file, unless it is repeated (--repeat)."},
	{"path", JSON_TEXT(struct json_result, path),
	 .about = "Path of the scenario file, as on the command line."},
	{"repository_path", JSON_TEXT(struct json_result, repository_path),
	 .about = "The path from the root of its repository."},
	{"line", JSON_U32(struct json_result, line), .max = MAX_PLACE,
	 .about = "Where the scenario starts; 0: not known."},
	{"file", JSON_INDEX(struct json_result, file), JSON_BELOW(struct json_document, n_files),
	 .about = "Index into files."},
	{"tags", JSON_TEXTS(struct json_result, tags), .optional = true},
	{"number", JSON_SIZE(struct json_result, result.number),
	 .about = "Its number in the whole selection, from 1; 0: not known."},
	{"repetition", JSON_U32(struct json_result, result.repetition), .optional = true,
	 .about = "With --repeat: the number of this run, from 1."},
	{"repetitions", JSON_U32(struct json_result, result.n_repetitions), .optional = true,
	 .about = "With --repeat: the number of runs."},
	{"outcome",
	 JSON_WORD(struct json_result, outcome, enum outcome, outcome_name, OUTCOME_N_KINDS),
	 .about = "What is reported and counted: the judgement's outcome, but error for what could "
		  "not be "
		  "judged, and skip for what --max-fail kept from running."},
	{"reason", JSON_TEXT(struct json_result, reason), .about = "Why, in one sentence."},
	{"flaky", JSON_BOOL(struct json_result, result.flaky),
	 .about = "It passed after a run that did not."},
	{"interrupted", JSON_BOOL(struct json_result, result.interrupted),
	 .about = "It was not run, or was cut short, because the run ended."},
	{"stop",
	 JSON_WORD(struct json_result, result.stop, enum stop_cause, stop_cause_name,
		   STOP_N_CAUSES),
	 .about = "Why it ended early; none: it did not."},
	{"duration_ns", JSON_DURATION(struct json_result, result.duration_ns),
	 .about = "Duration of the whole scenario, servers included."},
	{"repeat", TEXT(struct json_result, result.repeat),
	 .about = "The command that reproduces it."},
	{"capture", TEXT(struct json_result, result.capture),
	 .about = "Path of the capture file of its packets."},
	{"no_capture", TEXT(struct json_result, result.no_capture),
	 .about = "Why a capture that was asked for is missing."},
	{"judgement",
	 JSON_POINTER(struct json_result, judgement, struct judgement, &run_json_judgement_type),
	 .optional = true, .about = "Missing for an invalid document."},
	{"diagnostics",
	 JSON_LIST(struct json_result, diagnostics, n_diagnostics, struct diag, &diagnostic_type),
	 .optional = true, .about = "Instead of a judgement: what is wrong with the document."},
	{"earlier",
	 JSON_LIST(struct json_result, result.earlier, result.n_earlier, struct earlier_run,
		   &earlier_type),
	 JSON_CAPACITY(struct json_result, result.earlier_capacity), .optional = true,
	 .about = "Runs that a retry replaced (--retries, --late-retries), the first one first."},
	{"record", JSON_POINTER(struct json_result, result.record, struct record, &record_type),
	 .optional = true, .about = "What was observed; missing if it never ran."},
};
const struct json_type json_result_type = {
	JSON_TYPE(struct json_result, result_fields),
	.name = "result",
	.about = "The result of a scenario, or of an invalid document of a scenario file.",
	.check = check_result,
};

/* ---- the document ---- */

static const struct json_field options_fields[] = {
	{"timing_scale", JSON_REAL(struct run_metadata, timing_scale), .max = 1000,
	 .optional = true, .about = "The factor of all tolerances of time."},
	{"time", TEXT(struct run_metadata, time),
	 .about = "The time asked for: real, virtual or auto."},
	{"isolation", TEXT(struct run_metadata, isolation),
	 .about = "The isolation asked for; each record has the one that was used."},
	{"timeout_ns", JSON_DURATION(struct run_metadata, timeout_ns), .optional = true,
	 .about = "--timeout, if given."},
	{"retries", JSON_U32(struct run_metadata, retries), .about = "--retries."},
	{"flaky_fails", JSON_BOOL(struct run_metadata, flaky_fails),
	 .about = "Whether a scenario that passes in a retry is a failure (--flaky-result)."},
	{"require", JSON_BOOL(struct run_metadata, require),
	 .about = "Whether a missing capability is an error."},
	{"command", JSON_TEXTS(struct run_metadata, command), .optional = true,
	 .about = "The command that replaced those of the clients."},
};
static const struct json_type options_type = {
	JSON_TYPE(struct run_metadata, options_fields),
	.about = "Options that affect the outcome.",
};

static const struct json_field environment_fields[] = {
	{"hostname", TEXT(struct run_metadata, hostname)},
	{"system", TEXT(struct run_metadata, system), .about = "Name of the distribution."},
	{"kernel", TEXT(struct run_metadata, kernel), .about = "uname -r"},
	{"machine", TEXT(struct run_metadata, machine), .about = "uname -m"},
	{"capabilities", TEXT(struct run_metadata, capabilities),
	 .about = "synfault's capabilities: names joined by \", \", all, or none."},
	{"user", JSON_I64(struct run_metadata, user), .min = -1, .max = UINT32_MAX,
	 .about = "Effective user id; -1: not known."},
	{"processors", JSON_I64(struct run_metadata, processors), .max = INT32_MAX,
	 .about = "Processors that synfault could use; 0: not known."},
};
static const struct json_type environment_type = {
	JSON_TYPE(struct run_metadata, environment_fields),
	.about = "Where it ran.",
};

static const struct json_field summary_fields[] = {
	{"scenarios", JSON_SIZE(struct json_document, summary.scenarios)},
	{"passed", JSON_SIZE(struct json_document, summary.passed)},
	{"failed", JSON_SIZE(struct json_document, summary.failed)},
	{"errors", JSON_SIZE(struct json_document, summary.errors)},
	{"skipped", JSON_SIZE(struct json_document, summary.skipped)},
	{"flaky", JSON_SIZE(struct json_document, summary.flaky),
	 .about = "Passed scenarios with an earlier run that did not pass."},
	{"exit_status", JSON_U32(struct json_document, summary.exit_status),
	 .max = STATUS_NOTHING_RAN, .about = "Exit status of `synfault run`."},
};
static const struct json_type summary_type = {
	JSON_TYPE(struct json_document, summary_fields),
	.about = "Totals; errors are counted apart from failures.",
};

static const struct json_field file_fields[] = {
	{"path", JSON_TEXT(struct json_file, path), .about = "Path as on the command line."},
	{"source", JSON_BYTES(struct json_file, source, source_length), .optional = true,
	 .about = "All of its text; missing if it could not be read."},
};
const struct json_type json_file_type = {
	JSON_TYPE(struct json_file, file_fields),
	.about = "A scenario file, as it was when it ran.",
};

/* The last N_LISTS rows are those that the writer adds one by one. */
enum { N_LISTS = 2 };

static const struct json_field document_fields[] = {
	{"format", JSON_CONSTANT(RUN_JSON_FORMAT)},
	{"version", JSON_VERSION(2)},
	{"program", TEXT(struct json_document, run.facts.program),
	 .about = "Version of synfault that ran it."},
	{"started_realtime_ns", JSON_I64(struct json_document, run.started_realtime_ns),
	 .about = "Start of the run, since 1970."},
	{"duration_ns", JSON_DURATION(struct json_document, run.duration_ns)},
	{"interrupted", JSON_BOOL(struct json_document, run.interrupted),
	 .about = "Whether a signal ended it."},
	{"stop",
	 JSON_WORD(struct json_document, run.stop, enum stop_cause, stop_cause_name, STOP_N_CAUSES),
	 .about = "Why it ended early; none: it did not."},
	{"seed", JSON_DECIMAL(struct json_document, run.seed),
	 .about = "Seed of all draws: a decimal number of up to 64 bits, as text."},
	{"shard", TEXT(struct json_document, run.shard),
	 .about = "The part of a suite that this is: \"3/8\"."},
	{"records", TEXT(struct json_document, run.records),
	 .about = "The directory of --records, if given."},
	{"options",
	 JSON_OBJECT(struct json_document, run.facts, struct run_metadata, &options_type)},
	{"environment",
	 JSON_OBJECT(struct json_document, run.facts, struct run_metadata, &environment_type)},
	{"summary", .kind = JSON_KIND_OBJECT, .type = &summary_type},
	{"files",
	 JSON_LIST(struct json_document, files, n_files, struct json_file, &json_file_type)},
	{"scenarios",
	 JSON_LIST(struct json_document, results, n_results, struct json_result, &json_result_type),
	 .about = "One result for each scenario and each invalid document, in the order of the "
		  "files."},
};
const struct json_type json_document_type = {
	JSON_TYPE(struct json_document, document_fields),
	.about = "What `synfault run --json FILE` writes: a whole run with its records and "
		 "judgements "
		 "(docs/json.md). Within a version keys are only added; readers ignore unknown "
		 "keys.",
	.is_scope = true,
};
const struct json_type json_head_type = {
	.fields = document_fields,
	.n_fields = ARRAY_SIZE(document_fields) - N_LISTS,
	.size = sizeof(struct json_document),
};
