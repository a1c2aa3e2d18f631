/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is expected of the client: the keys below "expect". */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "runner/scenario/decode.h"

#include <pcre2.h>

/* A new expectation; it is the scenario's at once. */
struct expectation *add_expectation(struct loader *loader, enum expectation_kind kind,
				    const struct node *value)
{
	struct scenario *scenario = loader->scenario;
	struct expectation expectation = {
		.kind = kind,
		.place = loader_place(loader, value),
		.endpoint = ALL_ENDPOINTS,
		.tolerance = loader->tolerance,
	};

	array_append(scenario->expectations, scenario->n_expectations,
		     loader->expectations_capacity, expectation);
	return &scenario->expectations[scenario->n_expectations - 1];
}

static void decode_signal_key(struct loader *loader, const struct field *field, void *target)
{
	struct expectation *expectation = target;

	decode_signal(loader, field->value, &expectation->value.exit.signal);
}

static const struct schema_key exit_keys[] = {
	{
		.name = "signal",
		.value = "a signal's name",
		.description = "The signal that has to end the client.",
		.example = "TERM",
		.forms = SCHEMA_SCALAR,
		.type = SCHEMA_SIGNAL,
		.required = true,
		.decode = decode_signal_key,
	},
};
static const struct schema schema_exit = {"an exit by signal", exit_keys, ARRAY_SIZE(exit_keys)};

static void decode_statuses(struct loader *loader, const struct node *list,
			    struct expectation *expectation)
{
	bool seen[256] = {0};

	if (!list->count)
		loader_error(loader, list, "the list of exit statuses is empty");
	expectation->value.exit.codes = xzalloc((list->count + 1) * sizeof(int));
	for (size_t i = 0; i < list->count; i++) {
		const struct node *item = list->items[i];
		int64_t status;

		if (item->kind == NODE_TEXT && strcmp(item->text, "nonzero") == 0) {
			loader_error(loader, item, "\"nonzero\" has to stand alone, not in a list");
			continue;
		}
		if (item->kind == NODE_MAPPING) {
			loader_error(loader, item, "a list of exit statuses can't hold a signal");
			continue;
		}
		if (!decode_count(loader, item, "an exit status", 0, 255, &status))
			continue;
		if (seen[status])
			loader_error(loader, item, "the status %d is given twice", (int)status);
		seen[status] = true;
		expectation->value.exit.codes[expectation->value.exit.n_codes++] = (int)status;
	}
}

static void decode_exit(struct loader *loader, const struct field *field, void *target)
{
	const struct node *value = field->value;
	struct expectation *expectation = add_expectation(loader, EXPECT_EXIT, value);
	int64_t status;

	if (value->kind == NODE_MAPPING) {
		decode_mapping(loader, &schema_exit, value, field->key, expectation);
	} else if (value->kind == NODE_LIST) {
		decode_statuses(loader, value, expectation);
	} else if (strcmp(value->text, "nonzero") == 0) {
		expectation->value.exit.nonzero = true;
	} else if (decode_count(loader, value, "an exit status", 0, 255, &status)) {
		expectation->value.exit.codes = xmalloc(sizeof(int));
		expectation->value.exit.codes[0] = (int)status;
		expectation->value.exit.n_codes = 1;
	} else if (value->text[0] >= 'A' && value->text[0] <= 'Z') {
		loader_hint(loader, "for a signal, write {signal: %s}", value->text);
	}
}

static void decode_duration_key(struct loader *loader, const struct field *field, void *target)
{
	struct expectation *expectation = add_expectation(loader, EXPECT_DURATION, field->value);

	decode_duration_range(loader, field->value, &expectation->value.range.range,
			      &expectation->value.range.exact);
}

/* The index of the endpoint that a key names; false when there is none. */
bool find_endpoint(struct loader *loader, const struct node *key, bool policies,
		   size_t *ret_endpoint)
{
	const struct scenario *scenario = loader->scenario;
	AUTO_FREE const char **names = NULL;
	size_t endpoint = scenario_endpoint(scenario, key->text), n = 0;

	if (endpoint != SIZE_MAX) {
		*ret_endpoint = endpoint;
		return true;
	}
	*ret_endpoint = ALL_ENDPOINTS;
	if (!loader->endpoints_known)
		return true;
	names = xzalloc((scenario->n_endpoints + 5) * sizeof(*names));
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		names[n++] = scenario->endpoints[i].name;
	if (policies) {
		names[n++] = "fixed";
		names[n++] = "linear";
		names[n++] = "exponential";
		names[n++] = "policy";
		loader_error(loader, key, "\"%s\" is neither an endpoint nor a policy", key->text);
	} else {
		loader_error(loader, key, "there is no endpoint \"%s\"", key->text);
	}
	loader_hint_names(loader, key->text, names, "there are");
	return false;
}

static void decode_one_count(struct loader *loader, const struct node *value,
			     enum expectation_kind kind, size_t endpoint)
{
	struct expectation *expectation = add_expectation(loader, kind, value);

	expectation->endpoint = endpoint;
	decode_count_range(loader, value, &expectation->value.range.range,
			   &expectation->value.range.exact);
}

const struct schema_key schema_count_named = {
	.name = "ENDPOINT",
	.value = "a number or a range",
	.description = "How many at this endpoint.",
	.example = "1..3",
	.forms = SCHEMA_SCALAR,
	.type = SCHEMA_COUNT_RANGE,
};

void decode_counts(struct loader *loader, const struct field *field, enum expectation_kind kind)
{
	const struct node *value = field->value;

	if (value->kind != NODE_MAPPING) {
		decode_one_count(loader, value, kind, ALL_ENDPOINTS);
		return;
	}
	if (!value->count)
		loader_error(loader, value, "\"%s\" names no endpoint", field->key->text);
	for (size_t i = 0; i < value->count; i++) {
		struct field entry = {&schema_count_named, value->pairs[i].key,
				      value->pairs[i].value};
		size_t endpoint;

		if (find_endpoint(loader, entry.key, false, &endpoint) &&
		    decode_form(loader, &entry))
			decode_one_count(loader, entry.value, kind, endpoint);
	}
}

static void decode_attempts(struct loader *loader, const struct field *field, void *target)
{
	decode_counts(loader, field, EXPECT_ATTEMPTS);
}

static void decode_retransmissions(struct loader *loader, const struct field *field, void *target)
{
	decode_counts(loader, field, EXPECT_RETRANSMISSIONS);
}

/* What the keys of "stdout" and "stderr" have to know. */
struct output {
	enum expectation_kind kind;
	bool negated;
};

static bool check_pattern(struct loader *loader, const struct node *node)
{
	PCRE2_UCHAR message[128];
	PCRE2_SIZE offset;
	pcre2_code *code;
	int error;

	code = pcre2_compile((PCRE2_SPTR)node->text, node->count, PCRE2_UTF, &error, &offset, NULL);
	if (code) {
		pcre2_code_free(code);
		return true;
	}
	pcre2_get_error_message(error, message, sizeof(message));
	return loader_error_within(loader, node, MIN((size_t)offset, node->count), 1,
				   "the pattern is wrong at offset %zu: %s", (size_t)offset,
				   (const char *)message);
}

static void add_text(struct loader *loader, const struct node *node, const struct output *output,
		     enum text_match_kind match)
{
	struct expectation *expectation;
	const char *text;

	if (!decode_text(loader, node, &text))
		return;
	if (!*text) {
		loader_error(loader, node, "an empty text is found everywhere");
		return;
	}
	if (match == TEXT_MATCHES && !check_pattern(loader, node))
		return;
	expectation = add_expectation(loader, output->kind, node);
	expectation->value.text.match = match;
	expectation->value.text.negated = output->negated;
	expectation->value.text.text = xstrdup(text);
}

/* A text or a list of texts. */
static void add_texts(struct loader *loader, const struct field *field, const struct output *output,
		      enum text_match_kind match)
{
	const struct node *value = field->value;

	if (value->kind == NODE_TEXT) {
		add_text(loader, value, output, match);
		return;
	}
	if (!value->count)
		loader_error(loader, value, "\"%s\" is empty", field->key->text);
	for (size_t i = 0; i < value->count; i++)
		add_text(loader, value->items[i], output, match);
}

static void decode_contains(struct loader *loader, const struct field *field, void *target)
{
	add_texts(loader, field, target, TEXT_CONTAINS);
}

static void decode_matches(struct loader *loader, const struct field *field, void *target)
{
	add_texts(loader, field, target, TEXT_MATCHES);
}

/* A mapping of texts; one that asks for nothing is an error. */
static void decode_texts(struct loader *loader, const struct schema *schema,
			 const struct field *field, struct output *output)
{
	if (!field->value->count) {
		loader_error(loader, field->value, "\"%s\" is empty", field->key->text);
		loader_hint(loader, "for example: %s: %s", field->key->text,
			    field->schema->example);
	}
	decode_mapping(loader, schema, field->value, field->key, output);
}

#define CONTAINS_KEY                                                                               \
	{                                                                                          \
		.name = "contains", .value = "a text or a list of texts",                          \
		.description = "Each of these texts occurs in the output.",                        \
		.example = "\"Connection refused\"", .forms = SCHEMA_SCALAR | SCHEMA_LIST,         \
		.type = SCHEMA_TEXT, .decode = decode_contains,                                    \
	}
#define MATCHES_KEY                                                                                \
	{                                                                                          \
		.name = "matches", .value = "a pattern or a list of patterns",                     \
		.description = "Each of these patterns (PCRE2) matches somewhere in the output.",  \
		.example = "'attempt \\d+'", .forms = SCHEMA_SCALAR | SCHEMA_LIST,                 \
		.type = SCHEMA_PATTERN, .decode = decode_matches,                                  \
	}

static const struct schema_key not_keys[] = {CONTAINS_KEY, MATCHES_KEY};
static const struct schema schema_not = {"what must not be in an output", not_keys,
					 ARRAY_SIZE(not_keys)};

static void decode_not(struct loader *loader, const struct field *field, void *target)
{
	struct output output = *(const struct output *)target;

	output.negated = true;
	if (field->value->kind == NODE_MAPPING)
		decode_texts(loader, &schema_not, field, &output);
	else
		add_texts(loader, field, &output, TEXT_CONTAINS);
}

static const struct schema_key output_keys[] = {
	CONTAINS_KEY,
	MATCHES_KEY,
	{
		.name = "not",
		.value = "a text, a list of texts, or a mapping of contains and matches",
		.description = "None of these texts occurs in the output.",
		.example = "panic",
		.forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING,
		.type = SCHEMA_TEXT,
		.mapping = &schema_not,
		.decode = decode_not,
	},
};
static const struct schema schema_output = {"an output", output_keys, ARRAY_SIZE(output_keys)};

static void decode_stdout(struct loader *loader, const struct field *field, void *target)
{
	decode_texts(loader, &schema_output, field, &(struct output){.kind = EXPECT_STDOUT});
}

static void decode_stderr(struct loader *loader, const struct field *field, void *target)
{
	decode_texts(loader, &schema_output, field, &(struct output){.kind = EXPECT_STDERR});
}

static void decode_document_tolerance(struct loader *loader, const struct field *field,
				      void *target)
{
	decode_tolerance(loader, field->value, &loader->tolerance);
}

/* The tolerance comes first: expectations are made with it. */
static const struct schema_key expect_keys[] = {
	{
		.name = "tolerance",
		.value = "a duration, a percentage, or a mapping of both",
		.description = "How far off the times of this document may be.",
		.example = "{absolute: 100ms, relative: 5%}",
		.fallback = "{absolute: 100ms, relative: 5%}",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_TOLERANCE,
		.mapping = &schema_tolerance,
		.decode = decode_document_tolerance,
	},
	{
		.name = "exit",
		.value = "a status, a list of them, nonzero, or {signal: NAME}",
		.description = "How the client has to end.",
		.example = "0",
		.forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING,
		.type = SCHEMA_STATUS,
		.mapping = &schema_exit,
		.decode = decode_exit,
	},
	{
		.name = "duration",
		.value = "a duration or a range",
		.description = "How long the client runs, from start to exit.",
		.example = "1s..5s",
		.forms = SCHEMA_SCALAR,
		.type = SCHEMA_DURATION_RANGE,
		.decode = decode_duration_key,
	},
	{
		.name = "attempts",
		.value = "a number, a range, or a mapping of endpoints to them",
		.description = "How many connection attempts there are.",
		.example = "3",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_COUNT_RANGE,
		.named = &schema_count_named,
		.decode = decode_attempts,
	},
	{
		.name = "retransmissions",
		.value = "a number, a range, or a mapping of endpoints to them",
		.description = "How often the kernel repeats a SYN.",
		.example = "0",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_COUNT_RANGE,
		.named = &schema_count_named,
		.decode = decode_retransmissions,
	},
	{
		.name = "backoff",
		.value = "a policy, or a mapping of endpoints to policies",
		.description = "How long the client waits, from the end of an attempt to the start "
			       "of the next.",
		.example = "{fixed: 2s}",
		.forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING,
		.type = SCHEMA_POLICY,
		.mapping = &schema_policy,
		.named = &schema_policy_named,
		.decode = decode_backoff,
	},
	{
		.name = "attempt-delay",
		.value = "a policy, or a mapping of endpoints to policies",
		.description = "The times from the start of an attempt to the start of the next.",
		.example = "{fixed: 2s}",
		.forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING,
		.type = SCHEMA_POLICY,
		.mapping = &schema_policy,
		.named = &schema_policy_named,
		.decode = decode_attempt_delay,
	},
	{
		.name = "stdout",
		.value = "a mapping of contains, matches and not",
		.description = "What the client writes to its standard output.",
		.example = "{contains: done}",
		.forms = SCHEMA_MAPPING,
		.mapping = &schema_output,
		.decode = decode_stdout,
	},
	{
		.name = "stderr",
		.value = "a mapping of contains, matches and not",
		.description = "What the client writes to its standard error output.",
		.example = "{contains: \"Connection refused\"}",
		.forms = SCHEMA_MAPPING,
		.mapping = &schema_output,
		.decode = decode_stderr,
	},
	{
		.name = "connected",
		.value = "a number or a range, or a mapping of endpoints to these",
		.description = "How many attempts become connections.",
		.example = "1",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_COUNT_RANGE,
		.named = &schema_count_named,
		.decode = decode_connected,
	},
	{
		.name = "bytes",
		.value = "a mapping of received and sent",
		.description = "How many bytes of data the connections carry.",
		.example = "{received: 1000}",
		.forms = SCHEMA_MAPPING,
		.mapping = &schema_bytes,
		.decode = decode_bytes,
	},
	{
		.name = "ended",
		.value = "an end, a list of them, or a mapping of endpoints to these",
		.description =
			"How each attempt ends as the client sees it, or one after the other.",
		.example = "[refused, closed]",
		.forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING,
		.type = SCHEMA_CHOICE,
		.choices = connection_ends,
		.named = &schema_ended_named,
		.decode = decode_ended,
	},
	{
		.name = "herd",
		.value = "a mapping of max and within, or a mapping of endpoints to it",
		.description = "How many attempts may come together.",
		.example = "{max: 5, within: 1s}",
		.forms = SCHEMA_MAPPING,
		.mapping = &schema_herd,
		.named = &schema_herd_named,
		.decode = decode_herd,
	},
	{
		.name = "connect-timeout",
		.value = "a duration or a range, or a mapping of endpoints to them",
		.description =
			"How long the client waits for an answer, from the first SYN until it "
			"closes the socket itself.",
		.example = "5s",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_DURATION_RANGE,
		.named = &schema_time_named,
		.decode = decode_connect_timeout,
	},
	{
		.name = "read-timeout",
		.value = "a duration or a range, or a mapping of endpoints to them",
		.description = "How long the client waits for data, from connected or the last "
			       "byte received "
			       "until it closes or resets the connection itself.",
		.example = "30s",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_DURATION_RANGE,
		.named = &schema_time_named,
		.decode = decode_read_timeout,
	},
	{
		.name = "connecting",
		.value = "a duration or a range, or a mapping of endpoints to them",
		.description =
			"How long all attempts take together, from the first SYN to the last "
			"end of an attempt.",
		.example = "..15s",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_DURATION_RANGE,
		.named = &schema_time_named,
		.decode = decode_connecting,
	},
	{
		.name = "total-backoff",
		.value = "a duration or a range, or a mapping of endpoints to them",
		.description = "How long all pauses of the client are together.",
		.example = "..10s",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_DURATION_RANGE,
		.named = &schema_time_named,
		.decode = decode_total_backoff,
	},
	{
		.name = "gives-up",
		.value = "a mapping of after and attempts, or a mapping of endpoints to it",
		.description = "When there is no further attempt.",
		.example = "{after: 10s}",
		.forms = SCHEMA_MAPPING,
		.mapping = &schema_gives_up,
		.named = &schema_gives_up_named,
		.decode = decode_gives_up,
	},
	{
		.name = "retry-on",
		.value = "a list of endings, or a mapping of endpoints to lists",
		.description =
			"After which endings of an attempt the same address may be tried again.",
		.example = "[refused, unanswered]",
		.forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING,
		.type = SCHEMA_CHOICE,
		.choices = ending_names,
		.named = &schema_retry_on_named,
		.decode = decode_retry_on,
	},
	{
		.name = "order",
		.value = "a list of endpoints, families and addresses, or a mapping of them to "
			 "{after: …}",
		.description = "In which order the client tries them first.",
		.example = "[ipv6, ipv4]",
		.forms = SCHEMA_LIST | SCHEMA_MAPPING,
		.type = SCHEMA_WORD,
		.named = &schema_order_named,
		.decode = decode_order,
	},
	{
		.name = "fallback",
		.value = "a mapping of from, to and within",
		.description = "How soon the client turns to something else.",
		.example = "{from: ipv6, to: ipv4, within: 300ms}",
		.forms = SCHEMA_MAPPING,
		.mapping = &schema_fallback,
		.decode = decode_fallback,
	},
	{
		.name = "concurrent-attempts",
		.value = "a number or a range, or a mapping of endpoints to them",
		.description = "How many attempts are open at once, at most.",
		.example = "1",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_COUNT_RANGE,
		.named = &schema_most_named,
		.decode = decode_concurrent_attempts,
	},
	{
		.name = "leaks",
		.value = "a number or a range, or a mapping of endpoints to them",
		.description = "How many sockets outlive their attempt, or the client.",
		.example = "0",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_COUNT_RANGE,
		.named = &schema_most_named,
		.decode = decode_leaks,
	},
};
const struct schema schema_expect = {"\"expect\"", expect_keys, ARRAY_SIZE(expect_keys)};

void decode_expect(struct loader *loader, const struct field *field, void *target)
{
	const struct node *value = field->value;
	size_t others = value->count - (node_get(value, "tolerance") ? 1 : 0);

	if (!others && !loader->partial) {
		loader_error(loader, field->key, "\"expect\" needs one expectation at least");
		loader_hint(loader, "for example: expect: %s", field->schema->example);
	}
	decode_mapping(loader, &schema_expect, value, field->key, target);
}
