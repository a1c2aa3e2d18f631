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
	 .type = SCHEMA_SIGNAL, .required = true, INTO(struct expectation, value.exit.signal)},
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

/* Reads a mapping whose keys say where their values go. */
static void decode_keys(struct loader *loader, const struct field *field,
			struct expectation *expectation)
{
	decode_mapping(loader, field->schema->mapping, field->value, field->key, expectation);
}

static bool is_any(const struct node *mapping)
{
	return true;
}

static bool is_policy_value(const struct node *mapping)
{
	return !mapping->count || is_policy(mapping) || lacks_family(mapping);
}

static bool is_reconnects(const struct node *mapping)
{
	return node_get(mapping, "count") || node_get(mapping, "within");
}

/* An endpoint may have the name of a key. Then its value is a mapping. */
static bool holds_no_mapping(const struct node *mapping)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (mapping->pairs[i].value->kind == NODE_MAPPING)
			return false;
	return true;
}

/* How to read and contradict each kind of expectation. */
static const struct {
	void (*decode)(struct loader *loader, const struct field *field,
		       struct expectation *expectation);
	void (*contradict)(struct checker *checker, const struct expectation *expectation);
	bool (*is_value)(const struct node *mapping);
} infos[] = {
#define INFO(kind, key, owned, decode, is_value, contradict, ...)                                  \
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

static const struct schema_key count_named = {"ENDPOINT", "a number or a range",
					      "How many at this endpoint.", .example = "1..3",
					      .type = SCHEMA_COUNT_RANGE};

static const struct schema_key time_named = {"ENDPOINT", "a duration or a range",
					     "The time at this endpoint.", .example = "5s",
					     .type = SCHEMA_DURATION_RANGE};

/* What rows of expectation_kinds.h take that several have in common. */
#define COUNT(shown, text)                                                                         \
	.value = "a number or a range, or a mapping of endpoints to them", .description = (text),  \
	.example = (shown), .forms = SCHEMA_SCALAR | SCHEMA_MAPPING, .type = SCHEMA_COUNT_RANGE,   \
	.named = &count_named, .decode = decode_expectation
#define TIME(shown, text)                                                                          \
	.value = "a duration or a range, or a mapping of endpoints to them",                       \
	.description = (text), .example = (shown), .forms = SCHEMA_SCALAR | SCHEMA_MAPPING,        \
	.type = SCHEMA_DURATION_RANGE, .named = &time_named, .decode = decode_expectation
#define POLICY(text)                                                                               \
	.value = "a policy, or a mapping of endpoints to policies", .description = (text),         \
	.example = "{fixed: 2s}", .forms = SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING,           \
	.type = SCHEMA_POLICY, .mapping = &schema_policy, .named = &schema_policy_named,           \
	.decode = decode_expectation
#define OUTPUT(shown, text)                                                                        \
	.value = "a mapping of contains, matches and not", .description = (text),                  \
	.example = (shown), .forms = SCHEMA_MAPPING, .mapping = &schema_output,                    \
	.decode = decode_output
#define KEY(kind, key, owned, decode, is_value, contradict, judging, needs, traits, ...)           \
	{.name = (key), .expectation = EXPECT_##kind, __VA_ARGS__},

static const struct schema_key bytes_keys[] = {EXPECTATIONS_BELOW_BYTES(KEY)};
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
	/* clang-format off */
	EXPECTATIONS_BELOW_EXPECT(KEY)
	/* clang-format on */
	{"bytes", "a mapping of received and sent", "How many bytes of data the connections carry.",
	 .example = "{received: 1000}", .forms = SCHEMA_MAPPING, .mapping = &schema_bytes,
	 .decode = decode_bytes},
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
