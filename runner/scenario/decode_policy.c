/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads retry policies: the values of "backoff" and "attempt-delay". A policy is written in one of
 * four ways (a list, "fixed", "linear", "exponential"), or has a name (policy.h) with parameters
 * beside it.
 */
#include "runner/scenario/decode_policy.h"

#include "runner/scenario/decode_value.h"
#include "runner/scenario/policy.h"
#include "runner/scenario/synonyms.h"

enum { HINT_MAX = 120 /* the longest text that a remedy repeats */ };

const char *const policy_words[] = {"fixed",  "linear",    "exponential", "list",
				    "policy", "tolerance", NULL};

static void check_cap(struct loader *loader, const struct field *field, void *target)
{
	const struct policy *policy = &((struct expectation *)target)->value.policy;
	char base[DURATION_TEXT_SIZE];

	/* The base comes before the cap in the table, so it is known here. */
	if (policy->cap_ns < policy->base_ns) {
		loader_error(loader, field->value, "the cap is below the base");
		loader_hint(loader,
			    "the base is %s: no wait is longer than the cap, not even "
			    "the first",
			    duration_format_exact(policy->base_ns, base));
	} else if (!policy->cap_ns) {
		loader_error(loader, field->value, "this duration must be more than 0");
	}
}

static void check_plus(struct loader *loader, const struct field *field, void *target)
{
	((struct expectation *)target)->value.policy.jitter = JITTER_PLUS;
}

static const struct schema_key jitter_keys[] = {
	{"plus", "a duration",
	 "How much longer a time may be: anywhere from nothing to this is added.",
	 .example = "200ms", .type = SCHEMA_DURATION, .required = true, .positive = true,
	 INTO(struct expectation, value.policy.jitter_plus_ns), .check = check_plus},
};
static const struct schema schema_jitter = {"an added jitter", jitter_keys,
					    ARRAY_SIZE(jitter_keys)};

static void decode_jitter(struct loader *loader, const struct field *field, void *target)
{
	static const struct {
		enum jitter_kind jitter;
		const char *name;
	} kinds[] = {
		{JITTER_NONE, "none"},
		{JITTER_FULL, "full"},
		{JITTER_EQUAL, "equal"},
		{JITTER_DECORRELATED, "decorrelated"},
	};
	const char *names[ARRAY_SIZE(kinds) + 1] = {0};
	struct policy *policy = &((struct expectation *)target)->value.policy;
	const char *text = field->value->text;
	size_t choice;

	if (field->value->kind == NODE_MAPPING) {
		decode_mapping(loader, &schema_jitter, field->value, field->key, target);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		names[i] = kinds[i].name;
	if (strchr(text, '%') || strchr("-0123456789", text[0] ? text[0] : 'x')) {
		if (decode_percent(loader, field->value, &policy->jitter_percent))
			policy->jitter = JITTER_PERCENT;
	} else if (decode_choice(loader, field->value, names, &choice)) {
		policy->jitter = kinds[choice].jitter;
	}
}

/* The parameters of a policy, below its kind or beside its name. */
#define BASE_KEY(text)                                                                             \
	.name = "base", .value = "a duration", .description = (text), .example = "100ms",          \
	.type = SCHEMA_DURATION, .positive = true, INTO(struct expectation, value.policy.base_ns)
#define FACTOR_KEY(text)                                                                           \
	.name = "factor", .value = "a number, at least 1", .description = (text),                  \
	.example = "1.5", .type = SCHEMA_FACTOR, INTO(struct expectation, value.policy.factor)
#define CAP_KEY(text)                                                                              \
	.name = "cap", .value = "a duration", .description = (text), .example = "10s",             \
	.type = SCHEMA_DURATION, .check = check_cap, INTO(struct expectation, value.policy.cap_ns)
#define JITTER_KEY(values, text)                                                                   \
	.name = "jitter", .value = values ", a percentage, or {plus: DURATION}",                   \
	.description = (text), .forms = SCHEMA_SCALAR | SCHEMA_MAPPING, .type = SCHEMA_JITTER,     \
	.mapping = &schema_jitter, .decode = decode_jitter
#define MAX_ATTEMPTS_KEY                                                                           \
	{                                                                                          \
		.name = "max-attempts", .value = "a number",                                       \
		.description = "No attempt follows the one with this number.", .example = "5",     \
		.type = SCHEMA_COUNT, .what = "a number of attempts", .low = 1,                    \
		.high = SCRIPT_MAX_REPEAT, INTO(struct expectation, value.policy.max_attempts),    \
	}
#define GROWING_KEYS                                                                               \
	{CAP_KEY("The longest wait; unless given, waits grow without limit.")},                    \
		{                                                                                  \
			JITTER_KEY("none, full, equal, decorrelated",                              \
				   "How waits are spread: \"full\" anywhere from 0 to the wait, "  \
				   "\"equal\" from half of it, \"decorrelated\" from the base "    \
				   "to a multiple of the previous wait, a percentage more or "     \
				   "less, \"plus\" up to a duration longer."),                     \
			.example = "full",                                                         \
			.fallback = "none",                                                        \
		},                                                                                 \
		MAX_ATTEMPTS_KEY

static const struct schema_key exponential_keys[] = {
	{BASE_KEY("The first wait."), .required = true},
	{
		FACTOR_KEY("By what each wait is multiplied to get the next; with decorrelated "
			   "jitter the multiple, 3 unless given."),
		.fallback = "2",
	},
	GROWING_KEYS,
};
static const struct schema schema_exponential = {"an exponential policy", exponential_keys,
						 ARRAY_SIZE(exponential_keys)};

static const struct schema_key linear_keys[] = {
	{BASE_KEY("The first wait."), .required = true},
	{"step", "a duration",
	 "How much longer each wait is than the previous one; the base unless given.",
	 .example = "500ms", .type = SCHEMA_DURATION, .positive = true,
	 INTO(struct expectation, value.policy.step_ns)},
	GROWING_KEYS,
};
static const struct schema schema_linear = {"a linear policy", linear_keys,
					    ARRAY_SIZE(linear_keys)};

static void decode_fixed(struct loader *loader, const struct field *field, void *target)
{
	struct policy *policy = &((struct expectation *)target)->value.policy;
	struct range range;
	bool exact;

	policy->kind = POLICY_FIXED;
	if (!decode_duration_range(loader, field->value, &range, &exact))
		return;
	policy->base_ns = range.low;
	if (!exact) {
		policy->kind = POLICY_RANGE;
		policy->cap_ns = range.high;
	}
}

static void decode_list_policy(struct loader *loader, const struct node *list,
			       struct policy *policy)
{
	bool exact;

	policy->kind = POLICY_LIST;
	if (!list->count) {
		loader_error(loader, list, "the list of times is empty");
		loader_hint(loader, "to expect that the client does not retry, write "
				    "\"attempts: 1\"");
		return;
	}
	policy->list = xzalloc(list->count * sizeof(*policy->list));
	for (size_t i = 0; i < list->count; i++)
		decode_duration_range(loader, list->items[i], &policy->list[policy->n_list++],
				      &exact);
}

static void decode_list(struct loader *loader, const struct field *field, void *target)
{
	decode_list_policy(loader, field->value, &((struct expectation *)target)->value.policy);
}

static void decode_linear(struct loader *loader, const struct field *field, void *target)
{
	struct policy *policy = &((struct expectation *)target)->value.policy;

	policy->kind = POLICY_LINEAR;
	decode_mapping(loader, &schema_linear, field->value, field->key, target);
	if (policy->step_ns == 0)
		policy->step_ns = policy->base_ns;
	if (policy->jitter == JITTER_DECORRELATED)
		loader_error(loader, node_get(field->value, "jitter"),
			     "decorrelated jitter goes with an exponential policy only");
}

static void decode_exponential(struct loader *loader, const struct field *field, void *target)
{
	struct policy *policy = &((struct expectation *)target)->value.policy;

	policy->kind = POLICY_EXPONENTIAL;
	decode_mapping(loader, &schema_exponential, field->value, field->key, target);
	if (policy->jitter == JITTER_DECORRELATED && !node_get(field->value, "factor"))
		policy->factor = 3;
}

static const struct named_policy *find_named(struct loader *loader, const struct node *node)
{
	const struct named_policy *named = named_policy_find(node->text);

	if (named)
		return named;
	loader_error(loader, node, "unknown policy \"%s\"", node->text);
	if (node->text[0] >= '0' && node->text[0] <= '9')
		loader_hint(loader, "for a fixed wait, write {fixed: %s}", node->text);
	else if (strcmp(node->text, "fixed") == 0 || strcmp(node->text, "constant") == 0)
		loader_hint(loader, "say how long: {fixed: 2s}");
	else if (strcmp(node->text, "linear") == 0)
		loader_hint(loader, "say where it starts: {linear: {base: 1s, step: 1s}}");
	else if (strncmp(node->text, "exponential", strlen("exponential")) == 0)
		loader_hint(loader, "say where it starts: {exponential: {base: 100ms, factor: 2}}");
	else if (strcmp(node->text, "none") == 0)
		loader_hint(loader, "for a client that does not wait, write {fixed: 0s}");
	else
		loader_hint_names(loader, node->text, named_policy_names, "there are");
	return NULL;
}

/*
 * Takes the parameters of the named policy. Those beside the name are read later, and replace them.
 */
static void decode_name(struct loader *loader, const struct field *field, void *target)
{
	struct expectation *expectation = target;
	const struct named_policy *named = find_named(loader, field->value);

	if (named) {
		expectation->value.policy = named->policy;
		expectation->value.policy.name = named->name;
	}
}

static void check_named_base(struct loader *loader, const struct field *field, void *target)
{
	struct policy *policy = &((struct expectation *)target)->value.policy;

	/* A base replaces the allowed range. */
	if (policy->kind != POLICY_RANGE || !policy->name)
		return;
	policy->kind = POLICY_FIXED;
	if (policy->base_ns < 10 * NS_PER_MS || policy->base_ns > policy->cap_ns)
		loader_error(loader, field->value, "RFC 8305 allows a delay of 10ms to 2s only");
	policy->cap_ns = INT64_MAX;
}

static const char *const first_choices[] = {"policy", "at-once", NULL};
static const char *const per_choices[] = {"attempt", "round", NULL};
static const char *const reset_choices[] = {"never", "success", NULL};

static const struct schema_key policy_keys[] = {
	{"fixed", "a duration or a range", "Each wait is this long.", .example = "2s",
	 .type = SCHEMA_DURATION_RANGE, .decode = decode_fixed},
	{"list", "a list of durations and ranges", "These, in this order, and no others.",
	 .example = "[1s, 2s, 4s]", .forms = SCHEMA_LIST, .type = SCHEMA_DURATION_RANGE,
	 .decode = decode_list},
	{"linear", "a mapping with a base", "Wait k is min(cap, base + step * (k-1)).",
	 .example = "{base: 1s, step: 500ms, cap: 5s}", .forms = SCHEMA_MAPPING,
	 .mapping = &schema_linear, .decode = decode_linear},
	{"exponential", "a mapping with a base", "Wait k is min(cap, base * factor^(k-1)).",
	 .example = "{base: 100ms, factor: 2, cap: 10s, jitter: full}", .forms = SCHEMA_MAPPING,
	 .mapping = &schema_exponential, .decode = decode_exponential},
	{"policy", "the name of a public policy",
	 "A policy that is documented elsewhere (docs/policies.md).", .example = "grpc",
	 .type = SCHEMA_CHOICE, .choices = named_policy_names, .decode = decode_name},
	{BASE_KEY("With a name: its first wait."), .check = check_named_base},
	{FACTOR_KEY("With a name: by what each wait is multiplied to get the next.")},
	{CAP_KEY("With a name: its longest wait.")},
	{
		JITTER_KEY("none, full, equal",
			   "With a fixed wait or a name: how waits are spread."),
		.example = "20%",
	},
	MAX_ATTEMPTS_KEY,
	{"first", "policy or at-once",
	 "\"at-once\": the first retry comes at once, and the policy begins with the second.",
	 .example = "at-once", .fallback = "policy", .type = SCHEMA_CHOICE,
	 .choices = first_choices, INTO(struct expectation, value.policy.first_at_once)},
	{"per", "attempt or round", "\"round\": the client tries each address once, then pauses.",
	 .example = "round", .fallback = "attempt", .type = SCHEMA_CHOICE, .choices = per_choices,
	 INTO(struct expectation, value.policy.per_round)},
	{"resets-on", "never or success",
	 "\"success\": the policy begins again after an attempt that connected.",
	 .example = "success", .fallback = "never", .type = SCHEMA_CHOICE, .choices = reset_choices,
	 INTO(struct expectation, value.policy.resets_on_success)},
	{"tolerance", "a duration, a percentage, or a mapping of both",
	 "How far off these times may be.", .example = "300ms",
	 .forms = SCHEMA_SCALAR | SCHEMA_MAPPING, .type = SCHEMA_TOLERANCE,
	 .mapping = &schema_tolerance, INTO(struct expectation, tolerance)},
};
const struct schema schema_policy = {"a policy", policy_keys, ARRAY_SIZE(policy_keys)};

static bool is_policy_word(const char *word)
{
	for (size_t i = 0; policy_words[i]; i++)
		if (strcmp(policy_words[i], word) == 0)
			return true;
	return false;
}

bool is_policy(const struct node *mapping)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (is_policy_word(mapping->pairs[i].key->text))
			return true;
	return false;
}

/* Returns whether it is a policy's parameter, and not an endpoint of that name with a policy. */
static bool is_figure(const struct node_pair *pair)
{
	return pair->value->kind == NODE_TEXT &&
	       (schema_find(&schema_exponential, pair->key->text) ||
		schema_find(&schema_linear, pair->key->text) ||
		schema_find(&schema_policy, pair->key->text) ||
		synonym_of_key(&schema_exponential, pair->key->text)) &&
	       !named_policy_find(pair->value->text);
}

bool lacks_family(const struct node *mapping)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (!is_figure(&mapping->pairs[i]))
			return false;
	return mapping->count > 0;
}

static void complain_family(struct loader *loader, const struct node *value)
{
	AUTO_STRBUF struct strbuf figures = {0};

	for (size_t i = 0; i < value->count; i++) {
		const char *key = value->pairs[i].key->text;
		const struct synonym *synonym = synonym_of_key(&schema_exponential, key);

		strbuf_printf(&figures, "%s%s: %s", i > 0 ? ", " : "",
			      schema_find(&schema_exponential, key) || !synonym ? key
										: synonym->meant,
			      value->pairs[i].value->text);
	}
	loader_error(loader, value, "these values belong to no policy");
	if (figures.length < HINT_MAX)
		loader_hint(loader, "did you mean {%s: {%s}}?",
			    node_get(value, "step") ? "linear" : "exponential",
			    strbuf_text(&figures));
	else
		loader_hint(loader, "for example {exponential: {base: 100ms, factor: 2}}");
}

/* Returns the key that says which policy it is. None or several are errors. */
static const char *decode_which(struct loader *loader, const struct node *value)
{
	static const char *const words[] = {"fixed", "list", "linear", "exponential", "policy"};
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!node_get(value, words[i]))
			continue;
		if (found) {
			loader_error(loader, value, "a policy can't be both %s and %s", found,
				     strcmp(words[i], "policy") == 0 ? "one with a name"
								     : words[i]);
			return NULL;
		}
		found = words[i];
	}
	return found;
}

static const struct node *find_key(const struct node *mapping, const char *key)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (strcmp(mapping->pairs[i].key->text, key) == 0)
			return mapping->pairs[i].key;
	return NULL;
}

/* Adds an error for each parameter that doesn't belong beside the policy. */
static void check_figures(struct loader *loader, const struct node *value, const char *which)
{
	const struct node *name = node_get(value, "policy");
	const struct named_policy *named =
		name && name->kind == NODE_TEXT ? named_policy_find(name->text) : NULL;
	const struct {
		const char *key;
		bool allowed;
	} figures[] = {
		{"base", name},
		{"factor", name && (!named || named->has_factor)},
		{"cap", name && (!named || named->has_cap)},
		{"jitter", (name && (!named || named->has_jitter)) || strcmp(which, "fixed") == 0},
		{"max-attempts", name || strcmp(which, "fixed") == 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
		const struct node *key = find_key(value, figures[i].key);

		if (!key || figures[i].allowed)
			continue;
		if (named) {
			loader_error(loader, key, "the policy %s takes no %s", named->name,
				     key->text);
			loader_hint(loader, "write the policy out, for example "
					    "{exponential: {base: 1s, factor: 2}}");
		} else {
			loader_error(loader, key, "\"%s\" goes beside the name of a policy only",
				     key->text);
			if (strcmp(which, "list") == 0)
				loader_hint(loader, "a list gives each time itself: [1s, 2s..3s]");
			else if (strcmp(which, "fixed") != 0)
				loader_hint(loader, "write it below \"%s\"", which);
		}
	}
}

static void check_named(struct loader *loader, const struct node *at, const struct node *value,
			enum expectation_kind kind, const struct policy *policy)
{
	const struct named_policy *named = policy->name ? named_policy_find(policy->name) : NULL;
	bool attempt_delay = kind == EXPECT_ATTEMPT_DELAY;

	if (!named)
		return;
	if (named->attempt_delay != attempt_delay) {
		loader_error(loader, at, "the policy %s counts from the %s of an attempt",
			     named->name, named->attempt_delay ? "start" : "end");
		loader_hint(loader, "write it below \"%s\"",
			    named->attempt_delay ? "attempt-delay" : "backoff");
	}
	if (policy->base_ns == 0 && !(value->kind == NODE_MAPPING && node_get(value, "base"))) {
		loader_error(loader, at, "the policy %s needs a base: a duration", named->name);
		loader_hint(loader, "for example {policy: %s, base: 100ms, cap: 10s}", named->name);
	} else if (policy->cap_ns < policy->base_ns && !node_get(value, "cap")) {
		loader_error(loader, at, "the base is above the cap of the policy %s", named->name);
		loader_hint(loader, "give a cap, too");
	}
}

static void decode_policy_mapping(struct loader *loader, const struct field *field,
				  struct expectation *expectation)
{
	const struct node *value = field->value;
	size_t n_errors = loader->diags->n_items;
	const char *which = decode_which(loader, value);

	if (loader->diags->n_items > n_errors)
		return;
	if (!which && lacks_family(value) && !node_get(value, "tolerance")) {
		complain_family(loader, value);
		return;
	}
	decode_mapping(loader, &schema_policy, value, field->key, expectation);
	if (which) {
		check_figures(loader, value, which);
	} else if (!value->count || node_get(value, "tolerance")) {
		loader_error(loader, value, "the policy says nothing about the times");
		loader_hint(loader, "for example {fixed: 2s}");
	}
	if (expectation->value.policy.jitter == JITTER_DECORRELATED &&
	    expectation->value.policy.kind == POLICY_FIXED)
		loader_error(loader, node_get(value, "jitter"),
			     "decorrelated jitter goes with an exponential policy only");
	if (expectation->value.policy.jitter != JITTER_NONE &&
	    expectation->value.policy.kind == POLICY_RANGE)
		loader_error(loader, node_get(value, "jitter"),
			     "a range already says how times are spread");
}

void decode_policy(struct loader *loader, const struct field *field,
		   struct expectation *expectation)
{
	const struct node *value = field->value;
	struct policy *policy = &expectation->value.policy;

	*policy = (struct policy){.factor = 2, .cap_ns = INT64_MAX};
	if (value->kind == NODE_LIST) {
		decode_list_policy(loader, value, policy);
		return;
	}
	if (value->kind == NODE_TEXT)
		decode_name(loader, field, expectation);
	else
		decode_policy_mapping(loader, field, expectation);
	check_named(loader, value, value, expectation->kind, policy);
}

const struct schema_key schema_policy_named = {"ENDPOINT",
					       "a policy",
					       "The policy of the attempts at this endpoint.",
					       .example = "{fixed: 2s}",
					       .forms =
						       SCHEMA_SCALAR | SCHEMA_LIST | SCHEMA_MAPPING,
					       .type = SCHEMA_POLICY,
					       .mapping = &schema_policy};
