/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads expectations about what a client does after an attempt: when it gives up, where it turns,
 * what it retries, how many attempts it has under way. Most can be given for all endpoints, or for
 * each in a mapping.
 */
#include "runner/scenario/decode_behaviour.h"

#include "runner/scenario/decode_value.h"
#include "runner/scenario/expectation.h"

#define MAX_ATTEMPTS INT64_C(1000000000)

void decode_concurrent_attempts(struct loader *loader, const struct field *field,
				struct expectation *expectation)
{
	struct range *range = &expectation->value.range.range;
	bool exact;

	if (!decode_count_range(loader, field->value, range, &exact))
		return;
	if (range->high == 0) {
		loader_error(loader, field->value, "at least one attempt must be open at once");
		loader_hint(loader,
			    "to expect none, write \"attempts: 0\"; to expect one "
			    "after the other, \"%s: 1\"",
			    field->key->text);
	}
	/* A single number is the largest one allowed. */
	if (exact)
		range->low = 0;
}

/* ---- concurrent-connections, reconnects ---- */

void decode_concurrent_connections(struct loader *loader, const struct field *field,
				   struct expectation *expectation)
{
	bool exact;

	/* As with attempts, a single number is the largest one allowed. */
	if (decode_count_range(loader, field->value, &expectation->value.range.range, &exact) &&
	    exact)
		expectation->value.range.range.low = 0;
}

static void decode_reconnect_count(struct loader *loader, const struct field *field, void *target)
{
	struct expectation *expectation = target;

	decode_count_range(loader, field->value, &expectation->value.reconnects.range,
			   &expectation->value.reconnects.exact);
}

static const struct schema_key reconnects_keys[] = {
	{"count", "a number or a range", "How many new connections there are.", .example = "1",
	 .fallback = "1..", .type = SCHEMA_COUNT_RANGE, .decode = decode_reconnect_count},
	{"within", "a duration",
	 "How long the client may be without any connection, from the end of its last one.",
	 .example = "2s", .type = SCHEMA_DURATION, .positive = true,
	 INTO(struct expectation, value.reconnects.within_ns)},
};
const struct schema schema_reconnects = {"\"reconnects\"", reconnects_keys,
					 ARRAY_SIZE(reconnects_keys)};

const struct schema_key schema_reconnects_named = {
	"ENDPOINT",
	"a number or a range, or a mapping of count and within",
	"How many new connections to this endpoint.",
	.example = "1",
	.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
	.type = SCHEMA_COUNT_RANGE,
	.mapping = &schema_reconnects};

void decode_reconnects(struct loader *loader, const struct field *field,
		       struct expectation *expectation)
{
	expectation->value.reconnects.range = (struct range){1, INT64_MAX};
	expectation->value.reconnects.within_ns = INT64_MAX;
	if (field->value->kind != NODE_MAPPING) {
		decode_reconnect_count(loader, field, expectation);
		return;
	}
	if (!field->value->count) {
		loader_error(loader, field->value, "\"%s\" is empty", field->key->text);
		loader_hint(loader, "for example 1 or {count: 1, within: 2s}");
	}
	decode_mapping(loader, &schema_reconnects, field->value, field->key, expectation);
}

/* ---- gives-up ---- */

static const struct schema_key gives_up_keys[] = {
	{"after", "a duration", "No attempt starts later than this after the first one.",
	 .example = "10s", .type = SCHEMA_DURATION, .positive = true,
	 INTO(struct expectation, value.gives_up.after_ns)},
	{"attempts", "a number", "No attempt follows the one with this number.", .example = "5",
	 .type = SCHEMA_COUNT, .what = "a number of attempts", .low = 1, .high = MAX_ATTEMPTS,
	 INTO(struct expectation, value.gives_up.attempts)},
};
const struct schema schema_gives_up = {"\"gives-up\"", gives_up_keys, ARRAY_SIZE(gives_up_keys)};

const struct schema_key schema_gives_up_named = {"ENDPOINT",
						 "a mapping of after and attempts",
						 "When the client gives this endpoint up.",
						 .example = "{after: 10s}",
						 .forms = SCHEMA_MAPPING,
						 .mapping = &schema_gives_up};

void decode_gives_up(struct loader *loader, const struct field *field,
		     struct expectation *expectation)
{
	expectation->value.gives_up.after_ns = INT64_MAX;
	if (!field->value->count) {
		loader_error(loader, field->value, "\"%s\" is empty", field->key->text);
		loader_hint(loader, "for example {after: 10s} or {attempts: 5}");
	}
	decode_mapping(loader, &schema_gives_up, field->value, field->key, expectation);
}

/* ---- retry-on ---- */

void decode_retry_on(struct loader *loader, const struct field *field,
		     struct expectation *expectation)
{
	const struct node *value = field->value;
	size_t n = value->kind == NODE_LIST ? value->count : 1;

	for (size_t i = 0; i < n; i++) {
		const struct node *item = value->kind == NODE_LIST ? value->items[i] : value;
		const char *text;
		size_t ending;

		if (!decode_text(loader, item, &text) ||
		    !decode_choice(loader, item, ending_names, &ending))
			continue;
		if (expectation->value.endings & (1u << ending))
			loader_error(loader, item, "\"%s\" is given twice", text);
		expectation->value.endings |= 1u << ending;
	}
}

const struct schema_key schema_retry_on_named = {
	"ENDPOINT",
	"a list of endings",
	"After which the client may try this endpoint again.",
	.example = "[refused, unanswered]",
	.forms = SCHEMA_SCALAR | SCHEMA_LIST,
	.type = SCHEMA_CHOICE,
	.choices = ending_names};

/* ---- order, fallback ---- */

/* Returns the largest number of addresses of the family that an endpoint of the target has. */
static size_t most_addresses(const struct loader *loader, const struct target *where)
{
	const struct scenario *scenario = loader->scenario;
	size_t most = 0;

	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		const struct endpoint_spec *endpoint = &scenario->endpoints[i];

		if (where->endpoint != ALL_ENDPOINTS && where->endpoint != i)
			continue;
		/* A remote host's addresses are looked up when the scenario starts. */
		if (endpoint->remote && endpoint->n_families == 0)
			return ENDPOINT_MAX_ADDRESSES;
		most = MAX(most, endpoint_count(endpoint, where->family));
	}
	return most;
}

static bool target_equal(const struct target *left, const struct target *right)
{
	return left->endpoint == right->endpoint && left->family == right->family &&
	       left->ordinal == right->ordinal;
}

/* Reads "ipv6" or "ipv6.2". Returns false if the text is neither. */
static bool parse_family(const char *text, struct target *where)
{
	size_t digits;

	for (enum family family = 0; family < N_FAMILIES; family++) {
		size_t length = strlen(family_names[family]);

		if (strncmp(text, family_names[family], length) != 0)
			continue;
		where->family = family;
		if (!text[length])
			return true;
		digits = strspn(text + length + 1, "0123456789");
		if (text[length] != '.' || text[length + 1] == '0' || digits < 1 || digits > 3 ||
		    text[length + 1 + digits])
			return false;
		where->ordinal = (size_t)atoi(text + length + 1);
		return true;
	}
	return false;
}

/* Returns whether an endpoint can have the target's addresses; adds an error if not. */
static bool check_target(struct loader *loader, const struct node *node, const struct target *where,
			 const char *name)
{
	size_t most;

	if (where->family == N_FAMILIES || !loader->endpoints_known)
		return true;
	most = most_addresses(loader, where);
	if (most == 0) {
		loader_error(loader, node, "%s has no %s address",
			     where->endpoint == ALL_ENDPOINTS ? "the scenario" : name,
			     family_names[where->family]);
		loader_hint(loader, "endpoints have the families that their key \"families\" "
				    "lists, ipv4 unless given");
		return false;
	}
	if (where->ordinal > most) {
		loader_error(loader, node, "%s has %zu %s address%s, not %zu",
			     where->endpoint == ALL_ENDPOINTS ? "the scenario" : name, most,
			     family_names[where->family], most == 1 ? "" : "es", where->ordinal);
		loader_hint(loader, "give it more: addresses: [%s, %s, ...]",
			    family_names[where->family], family_names[where->family]);
		return false;
	}
	return true;
}

/* Reads a target: "api", "ipv6", "ipv6.2", "api.ipv6", "api.ipv6.2". */
static bool decode_target(struct loader *loader, const struct node *node, struct target *ret)
{
	struct target where = {.endpoint = ALL_ENDPOINTS, .family = N_FAMILIES};
	const struct scenario *scenario = loader->scenario;
	AUTO_FREE char *name = NULL;
	const char *text, *dot;

	if (!decode_text(loader, node, &text))
		return false;
	dot = strchr(text, '.');
	name = xstrndup(text, dot ? (size_t)(dot - text) : strlen(text));
	where.endpoint = scenario_endpoint(scenario, name);
	if (where.endpoint == SIZE_MAX && parse_family(text, &where) && where.ordinal > 0 &&
	    scenario->n_endpoints == 1)
		where.endpoint = 0;
	else if (where.endpoint == SIZE_MAX && where.ordinal > 0) {
		loader_error(loader, node, "\"%s\" doesn't say at which endpoint", text);
		loader_hint(loader, "write ENDPOINT.%s", text);
		return false;
	}
	if (where.endpoint != SIZE_MAX && dot && where.family == N_FAMILIES &&
	    !parse_family(dot + 1, &where)) {
		loader_error(loader, node, "\"%s\" is neither a family nor an address", dot + 1);
		loader_hint(loader, "write %s.ipv4, %s.ipv6, or one of several: %s.ipv6.2", name,
			    name, name);
		return false;
	}
	if (where.endpoint == SIZE_MAX && where.family == N_FAMILIES) {
		AUTO_FREE const char **names =
			xzalloc((scenario->n_endpoints + 3) * sizeof(*names));
		size_t n = 0;

		where.endpoint = ALL_ENDPOINTS;
		*ret = where;
		if (!loader->endpoints_known)
			return true;
		for (size_t i = 0; i < scenario->n_endpoints; i++)
			names[n++] = scenario->endpoints[i].name;
		if (!dot) {
			names[n++] = family_names[FAMILY_IPV4];
			names[n++] = family_names[FAMILY_IPV6];
		}
		loader_error(loader, node, "there is no endpoint \"%s\"", name);
		loader_hint_names(loader, name, names, "there are");
		return false;
	}
	*ret = where;
	return check_target(loader, node, &where, name);
}

/* Adds the targets of a list, or a single one. */
static void decode_targets(struct loader *loader, const struct node *value,
			   struct expectation *expectation)
{
	size_t n = value->kind == NODE_LIST ? value->count : 1;
	size_t n_targets = expectation->value.order.n_targets;
	struct target *targets =
		xrealloc(expectation->value.order.targets, (n_targets + n + 1) * sizeof(*targets));

	expectation->value.order.targets = targets;
	for (size_t i = 0; i < n; i++) {
		const struct node *item = value->kind == NODE_LIST ? value->items[i] : value;
		struct target *where = &targets[n_targets];

		if (!decode_target(loader, item, where))
			continue;
		for (size_t k = 0; loader->endpoints_known && k < n_targets; k++)
			if (target_equal(&targets[k], where))
				loader_error(loader, item, "\"%s\" is given twice", item->text);
		n_targets++;
	}
	expectation->value.order.n_targets = n_targets;
}

static void decode_order_after(struct loader *loader, const struct field *field, void *target)
{
	struct expectation *expectation = target;

	if (field->value->kind == NODE_LIST && !field->value->count)
		loader_error(loader, field->value, "\"after\" names no endpoint");
	decode_targets(loader, field->value, expectation);
}

static const struct schema_key order_after_keys[] = {
	{"after", "an endpoint, or a list of them", "All of them must have failed before.",
	 .example = "api", .forms = SCHEMA_SCALAR | SCHEMA_LIST, .type = SCHEMA_WORD,
	 .required = true, .decode = decode_order_after},
};
static const struct schema schema_order_after = {"what comes before an endpoint", order_after_keys,
						 ARRAY_SIZE(order_after_keys)};

const struct schema_key schema_order_named = {
	"ENDPOINT",
	"a mapping of after",
	"What must have failed before this endpoint is tried.",
	.example = "{after: api}",
	.forms = SCHEMA_MAPPING,
	.mapping = &schema_order_after};

static void decode_order_of(struct loader *loader, const struct field *field)
{
	struct expectation *expectation = add_expectation(loader, EXPECT_ORDER, field->value);
	struct target last, *targets;
	size_t n;

	expectation->value.order.after_failure = true;
	decode_mapping(loader, &schema_order_after, field->value, field->key, expectation);
	if (!decode_target(loader, field->key, &last))
		return;
	targets = expectation->value.order.targets;
	n = expectation->value.order.n_targets;
	for (size_t i = 0; loader->endpoints_known && i < n; i++)
		if (target_equal(&targets[i], &last))
			loader_error(loader, field->value, "\"%s\" can't come after itself",
				     field->key->text);
	targets = xrealloc(targets, (n + 1) * sizeof(*targets));
	targets[n] = last;
	expectation->value.order.targets = targets;
	expectation->value.order.n_targets = n + 1;
}

void decode_order(struct loader *loader, const struct field *field, void *target)
{
	const struct node *value = field->value;

	(void)target;
	if (value->kind == NODE_LIST) {
		if (value->count < 2)
			loader_error(loader, value, "an order takes at least two places");
		decode_targets(loader, value, add_expectation(loader, EXPECT_ORDER, value));
		return;
	}
	if (!value->count)
		loader_error(loader, value, "\"%s\" is empty", field->key->text);
	for (size_t i = 0; i < value->count; i++) {
		struct field entry = {&schema_order_named, value->pairs[i].key,
				      value->pairs[i].value};

		if (decode_form(loader, &entry))
			decode_order_of(loader, &entry);
	}
}

static void decode_from(struct loader *loader, const struct field *field, void *target)
{
	struct expectation *expectation = target;

	decode_target(loader, field->value, &expectation->value.fallback.from);
}

static void decode_to(struct loader *loader, const struct field *field, void *target)
{
	struct expectation *expectation = target;

	decode_target(loader, field->value, &expectation->value.fallback.to);
}

static void check_within(struct loader *loader, const struct field *field, void *target)
{
	struct range *within = &((struct expectation *)target)->value.fallback.within;

	/* A single duration is the longest one allowed. */
	if (!strstr(field->value->text, ".."))
		within->low = 0;
	if (within->high == 0)
		loader_error(loader, field->value, "this duration must be more than 0");
}

static const struct schema_key fallback_keys[] = {
	{"from", "an endpoint, a family, or an endpoint's family or address",
	 "Where the client tries first.", .example = "ipv6", .type = SCHEMA_WORD, .required = true,
	 .decode = decode_from},
	{"to", "an endpoint, a family, or an endpoint's family or address", "Where it turns to.",
	 .example = "ipv4", .type = SCHEMA_WORD, .required = true, .decode = decode_to},
	{"within", "a duration or a range",
	 "The time between both first SYNs: at most this, or in this range.", .example = "300ms",
	 .type = SCHEMA_DURATION_RANGE, .required = true,
	 INTO(struct expectation, value.fallback.within), .check = check_within},
};
const struct schema schema_fallback = {"\"fallback\"", fallback_keys, ARRAY_SIZE(fallback_keys)};

void decode_fallback(struct loader *loader, const struct field *field,
		     struct expectation *expectation)
{
	const struct target *from = &expectation->value.fallback.from;
	const struct target *to = &expectation->value.fallback.to;
	size_t n_errors = loader->diags->n_items;

	decode_mapping(loader, &schema_fallback, field->value, field->key, expectation);
	if (loader->diags->n_items == n_errors && loader->endpoints_known && !loader->partial &&
	    target_equal(from, to))
		loader_error(loader, field->value, "a client can't fall back from \"%s\" to itself",
			     node_get(field->value, "from")->text);
}

/* ---- herd ---- */

static const char *const counted[] = {"attempts", "retries", NULL};

static const struct schema_key herd_keys[] = {
	{"max", "a number", "The most attempts in one window.", .example = "5",
	 .type = SCHEMA_COUNT, .required = true, .what = "a number of attempts", .low = 1,
	 .high = MAX_ATTEMPTS, INTO(struct expectation, value.herd.max)},
	{"within", "a duration", "The length of the window, wherever it begins.", .example = "1s",
	 .type = SCHEMA_DURATION, .required = true, .positive = true,
	 INTO(struct expectation, value.herd.within_ns)},
	{"of", "attempts or retries",
	 "What counts: all attempts, or only retries, without the first attempt of each instance "
	 "of the client.",
	 .example = "retries", .fallback = "attempts", .type = SCHEMA_CHOICE, .choices = counted,
	 INTO(struct expectation, value.herd.retries)},
};
const struct schema schema_herd = {"\"herd\"", herd_keys, ARRAY_SIZE(herd_keys)};

const struct schema_key schema_herd_named = {
	"ENDPOINT",
	"a mapping of max and within",
	"How many attempts may come together at this endpoint.",
	.example = "{max: 5, within: 1s}",
	.forms = SCHEMA_MAPPING,
	.mapping = &schema_herd};
