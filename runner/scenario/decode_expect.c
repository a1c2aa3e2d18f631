/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what is expected of the client: the keys below "expect". */
#include "runner/scenario/decode_expect.h"

#include <strings.h>

#include "runner/scenario/contradictions.h"
#include "runner/scenario/decode_behaviour.h"
#include "runner/scenario/decode_connections.h"
#include "runner/scenario/decode_output.h"
#include "runner/scenario/decode_policy.h"
#include "runner/scenario/decode_value.h"
#include "runner/scenario/expectation.h"

static const struct schema_key exit_keys[] = {
	{"signal", "a signal's name", "The signal that must end the client.", .example = "TERM",
	 .forms = SCHEMA_SCALAR, .type = SCHEMA_SIGNAL, .required = true,
	 INTO(struct expectation, value.exit.signal)},
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
			loader_error(loader, item, "\"nonzero\" can't be an item of a list");
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

static void hint_exit(struct loader *loader, const char *text)
{
	static const struct {
		const char *text, *meant;
	} others[] = {
		{"failure", "nonzero"},
		{"fail", "nonzero"},
		{"error", "nonzero"},
		{"failed", "nonzero"},
		{"!= 0", "nonzero"},
		{"!=0", "nonzero"},
		{"false", "nonzero"},
		{"non-zero", "nonzero"},
		{"> 0", "nonzero"},
		{">0", "nonzero"},
		{"1..", "nonzero"},
		{"success", "0"},
		{"ok", "0"},
		{"true", "0"},
		{"pass", "0"},
		{"zero", "0"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (strcasecmp(text, others[i].text) != 0)
			continue;
		loader_hint(loader, "did you mean \"%s\"?", others[i].meant);
		return;
	}
	if (text[0] >= 'A' && text[0] <= 'Z')
		loader_hint(loader, "for a signal, write {signal: %s}", text);
	else if (text[0] == '-')
		loader_hint(loader,
			    "a client that a signal ends has no status: write {signal: TERM}");
	else
		loader_hint(loader, "any status but 0 is \"nonzero\"");
}

static void decode_exit(struct loader *loader, const struct field *field,
			struct expectation *expectation)
{
	const struct node *value = field->value;
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
	} else {
		hint_exit(loader, value->text);
	}
}

static void decode_count_value(struct loader *loader, const struct field *field,
			       struct expectation *expectation)
{
	decode_count_range(loader, field->value, &expectation->value.range.range,
			   &expectation->value.range.exact);
}

static void decode_time_value(struct loader *loader, const struct field *field,
			      struct expectation *expectation)
{
	decode_duration_range(loader, field->value, &expectation->value.range.range,
			      &expectation->value.range.exact);
}

static bool is_any(const struct node *mapping)
{
	return true;
}

static bool is_policy_value(const struct node *mapping)
{
	return !mapping->count || is_policy(mapping) || lacks_family(mapping);
}

/* An endpoint may have the name of a key. Then its value is a mapping. */
static bool holds_no_mapping(const struct node *mapping)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (mapping->pairs[i].value->kind == NODE_MAPPING)
			return false;
	return true;
}

/* How to read and contradict each kind of expectation. Its key is a row further down. */
static const struct expectation_info {
	void (*decode)(struct loader *loader, const struct field *field,
		       struct expectation *expectation);
	void (*contradict)(struct checker *checker, const struct expectation *expectation);
	bool (*is_value)(const struct node *mapping);
} infos[] = {
#define INFO(kind, key, owned, decode, contradict, is_value)                                       \
	[EXPECT_##kind] = {decode, contradict, is_value},
	EXPECTATION_KINDS(INFO)
#undef INFO
};

static void decode_one(struct loader *loader, const struct field *field, unsigned kind,
		       size_t endpoint)
{
	struct expectation *expectation =
		add_expectation(loader, (enum expectation_kind)kind, field->value);

	expectation->endpoint = endpoint;
	infos[kind].decode(loader, field, expectation);
}

/* Reads the value of a key with one kind of expectation, for all endpoints or for some. */
static void decode_expectation(struct loader *loader, const struct field *field, void *target)
{
	const struct node *value = field->value;
	unsigned kind = field->schema->expectation;
	bool policies = kind == EXPECT_BACKOFF || kind == EXPECT_ATTEMPT_DELAY;

	if (value->kind != NODE_MAPPING || (infos[kind].is_value && infos[kind].is_value(value))) {
		decode_one(loader, field, kind, ALL_ENDPOINTS);
		return;
	}
	if (!value->count)
		loader_error(loader, value, "\"%s\" names no endpoint", field->key->text);
	for (size_t i = 0; i < value->count; i++) {
		struct field entry = {field->schema->named, value->pairs[i].key,
				      value->pairs[i].value};
		size_t endpoint;

		if (find_endpoint(loader, entry.key, policies, &endpoint) &&
		    decode_form(loader, &entry))
			decode_one(loader, &entry, kind, endpoint);
	}
}

static const struct schema_key count_named = {
	"ENDPOINT",        "a number or a range",  "How many at this endpoint.",
	.example = "1..3", .forms = SCHEMA_SCALAR, .type = SCHEMA_COUNT_RANGE};

static const struct schema_key time_named = {
	"ENDPOINT",      "a duration or a range", "The time at this endpoint.",
	.example = "5s", .forms = SCHEMA_SCALAR,  .type = SCHEMA_DURATION_RANGE};

/* Rows of counts and times, which can be given for all endpoints or for some. */
#define COUNT_KEY(key, of, shown, text)                                                            \
	{                                                                                          \
		.name = (key), .value = "a number or a range, or a mapping of endpoints to them",  \
		.description = (text), .example = (shown),                                         \
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING, .type = SCHEMA_COUNT_RANGE,               \
		.named = &count_named, .expectation = (of), .decode = decode_expectation,          \
	}
#define TIME_KEY(key, of, shown, text)                                                             \
	{                                                                                          \
		.name = (key),                                                                     \
		.value = "a duration or a range, or a mapping of endpoints to them",               \
		.description = (text), .example = (shown),                                         \
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING, .type = SCHEMA_DURATION_RANGE,            \
		.named = &time_named, .expectation = (of), .decode = decode_expectation,           \
	}
#define POLICY_KEY(key, of, text)                                                                  \
	{                                                                                          \
		.name = (key), .value = "a policy, or a mapping of endpoints to policies",         \
		.description = (text), .example = "{fixed: 2s}",                                   \
		.forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING, .type = SCHEMA_POLICY,      \
		.mapping = &schema_policy, .named = &schema_policy_named, .expectation = (of),     \
		.decode = decode_expectation,                                                      \
	}

static const struct schema_key bytes_keys[] = {
	COUNT_KEY("received", EXPECT_RECEIVED, "1000",
		  "How many bytes of data came from the servers."),
	COUNT_KEY("sent", EXPECT_SENT, "{api: 1..500}",
		  "How many bytes of data the client sent, without retransmissions."),
};
static const struct schema schema_bytes = {"\"bytes\"", bytes_keys, ARRAY_SIZE(bytes_keys)};

static void decode_bytes(struct loader *loader, const struct field *field, void *target)
{
	if (!field->value->count) {
		loader_error(loader, field->value, "\"bytes\" is empty");
		loader_hint(loader, "for example: bytes: %s", field->schema->example);
	}
	decode_mapping(loader, &schema_bytes, field->value, field->key, target);
}

static void decode_document_tolerance(struct loader *loader, const struct field *field,
				      void *target)
{
	decode_tolerance(loader, field->value, &loader->tolerance);
}

/* The tolerance comes first, since all other expectations get it. */
static const struct schema_key expect_keys[] = {
	{"tolerance", "a duration, a percentage, or a mapping of both",
	 "How far off the times of this document may be.",
	 .example = "{absolute: 100ms, relative: 5%}",
	 .fallback = "{absolute: 100ms, relative: 5%}", .forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
	 .type = SCHEMA_TOLERANCE, .mapping = &schema_tolerance,
	 .decode = decode_document_tolerance},
	{"exit", "a status, a list of them, nonzero, or {signal: NAME}", "How the client must end.",
	 .example = "0", .forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING,
	 .type = SCHEMA_STATUS, .mapping = &schema_exit, .expectation = EXPECT_EXIT,
	 .decode = decode_expectation},
	{"duration", "a duration or a range", "How long the client runs, from start to exit.",
	 .example = "1s..5s", .forms = SCHEMA_SCALAR, .type = SCHEMA_DURATION_RANGE,
	 .expectation = EXPECT_DURATION, .decode = decode_expectation},
	COUNT_KEY("attempts", EXPECT_ATTEMPTS, "3", "How many connection attempts there are."),
	COUNT_KEY("retransmissions", EXPECT_RETRANSMISSIONS, "0",
		  "How often the kernel repeats a SYN."),
	POLICY_KEY(
		"backoff", EXPECT_BACKOFF,
		"How long the client pauses, from the end of an attempt to the start of the next."),
	POLICY_KEY("attempt-delay", EXPECT_ATTEMPT_DELAY,
		   "The times from the start of an attempt to the start of the next."),
	{"stdout", "a mapping of contains, matches and not",
	 "What the client writes to its standard output.", .example = "{contains: done}",
	 .forms = SCHEMA_MAPPING, .mapping = &schema_output, .decode = decode_stdout},
	{"stderr", "a mapping of contains, matches and not",
	 "What the client writes to its standard error output.",
	 .example = "{contains: \"Connection refused\"}", .forms = SCHEMA_MAPPING,
	 .mapping = &schema_output, .decode = decode_stderr},
	COUNT_KEY("connected", EXPECT_CONNECTED, "1", "How many attempts become connections."),
	{"bytes", "a mapping of received and sent", "How many bytes of data the connections carry.",
	 .example = "{received: 1000}", .forms = SCHEMA_MAPPING, .mapping = &schema_bytes,
	 .decode = decode_bytes},
	{"ended", "an end, a list of them, or a mapping of endpoints to these",
	 "How every attempt ends as the client sees it, or each in turn.",
	 .example = "[refused, closed]", .forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING,
	 .type = SCHEMA_CHOICE, .choices = connection_ends, .named = &schema_ended_named,
	 .expectation = EXPECT_ENDED, .decode = decode_expectation},
	{"herd", "a mapping of max and within, or a mapping of endpoints to it",
	 "How many attempts may come together.", .example = "{max: 5, within: 1s}",
	 .forms = SCHEMA_MAPPING, .mapping = &schema_herd, .named = &schema_herd_named,
	 .expectation = EXPECT_HERD, .decode = decode_expectation},
	TIME_KEY("connect-timeout", EXPECT_CONNECT_TIMEOUT, "5s",
		 "How long the client waits for an answer, from the first SYN until it closes the "
		 "socket itself."),
	TIME_KEY("read-timeout", EXPECT_READ_TIMEOUT, "30s",
		 "How long the client waits for data, from connected or the last byte received "
		 "until it closes or resets the connection itself."),
	TIME_KEY("connecting", EXPECT_CONNECTING, "..15s",
		 "How long all attempts take together, from the first SYN to the last end of an "
		 "attempt."),
	TIME_KEY("total-backoff", EXPECT_TOTAL_BACKOFF, "..10s",
		 "How long all pauses of the client take together."),
	{"gives-up", "a mapping of after and attempts, or a mapping of endpoints to it",
	 "When the client stops trying.", .example = "{after: 10s}", .forms = SCHEMA_MAPPING,
	 .mapping = &schema_gives_up, .named = &schema_gives_up_named,
	 .expectation = EXPECT_GIVES_UP, .decode = decode_expectation},
	{"retry-on", "a list of endings, or a mapping of endpoints to lists",
	 "After which endings of an attempt the same address may be tried again.",
	 .example = "[refused, unanswered]", .forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING,
	 .type = SCHEMA_CHOICE, .choices = ending_names, .named = &schema_retry_on_named,
	 .expectation = EXPECT_RETRY_ON, .decode = decode_expectation},
	{"order", "a list of endpoints, families and addresses, or a mapping of them to {after: …}",
	 "The order in which the client first tries them.", .example = "[ipv6, ipv4]",
	 .forms = SCHEMA_LIST | SCHEMA_MAPPING, .type = SCHEMA_WORD, .named = &schema_order_named,
	 .decode = decode_order},
	{"fallback", "a mapping of from, to and within",
	 "How soon the client turns to something else.",
	 .example = "{from: ipv6, to: ipv4, within: 300ms}", .forms = SCHEMA_MAPPING,
	 .mapping = &schema_fallback, .expectation = EXPECT_FALLBACK, .decode = decode_expectation},
	COUNT_KEY("concurrent-attempts", EXPECT_CONCURRENT_ATTEMPTS, "1",
		  "How many attempts may be open at once."),
	COUNT_KEY("leaks", EXPECT_LEAKS, "0",
		  "How many sockets outlive their attempt, or the client."),
};
const struct schema schema_expect = {"\"expect\"", expect_keys, ARRAY_SIZE(expect_keys)};

void decode_expect(struct loader *loader, const struct field *field, void *target)
{
	const struct node *value = field->value;
	size_t others = value->count - (node_get(value, "tolerance") ? 1 : 0);

	if (!others && !loader->partial) {
		loader_error(loader, field->key, "\"expect\" needs at least one expectation");
		loader_hint(loader, "for example: expect: %s", field->schema->example);
	}
	decode_mapping(loader, &schema_expect, value, field->key, target);
}

void check_contradictions(struct loader *loader)
{
	const struct scenario *scenario = loader->scenario;
	struct checker checker = {
		.loader = loader,
		.scenario = scenario,
		.n_instances = scenario_n_instances(scenario),
	};

	contradict_run_for(&checker);
	for (size_t i = 0; i < scenario->n_expectations; i++) {
		const struct expectation *expectation = &scenario->expectations[i];

		if (infos[expectation->kind].contradict)
			infos[expectation->kind].contradict(&checker, expectation);
	}
}
