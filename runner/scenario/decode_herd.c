/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The expectation "herd": how many attempts may come together. */
#include "runner/scenario/decode.h"

/* As many as records can tell apart. */
#define MAX_ATTEMPTS INT64_C(1000000000)

static void decode_max(struct loader *loader, const struct field *field, void *target)
{
	struct expectation *expectation = target;

	decode_count(loader, field->value, "a number of attempts", 1, MAX_ATTEMPTS,
		     &expectation->value.herd.max);
}

static void decode_within(struct loader *loader, const struct field *field, void *target)
{
	struct expectation *expectation = target;

	decode_positive_duration(loader, field->value, &expectation->value.herd.within_ns);
}

static const char *const counted[] = {"attempts", "retries", NULL};

static void decode_of(struct loader *loader, const struct field *field, void *target)
{
	struct expectation *expectation = target;
	size_t choice;

	if (decode_choice(loader, field->value, counted, &choice))
		expectation->value.herd.retries = choice == 1;
}

static const struct schema_key herd_keys[] = {
	{
		.name = "max",
		.value = "a number",
		.description = "So many attempts may fall into one window.",
		.example = "5",
		.forms = SCHEMA_SCALAR,
		.type = SCHEMA_COUNT,
		.required = true,
		.decode = decode_max,
	},
	{
		.name = "within",
		.value = "a duration",
		.description = "The length of the window, wherever it begins.",
		.example = "1s",
		.forms = SCHEMA_SCALAR,
		.type = SCHEMA_DURATION,
		.required = true,
		.decode = decode_within,
	},
	{
		.name = "of",
		.value = "attempts or retries",
		.description = "What counts: of retries, the first attempt of each instance of the "
			       "client is none.",
		.example = "retries",
		.fallback = "attempts",
		.forms = SCHEMA_SCALAR,
		.type = SCHEMA_CHOICE,
		.choices = counted,
		.decode = decode_of,
	},
};
const struct schema schema_herd = {"\"herd\"", herd_keys, ARRAY_SIZE(herd_keys)};

const struct schema_key schema_herd_named = {
	.name = "ENDPOINT",
	.value = "a mapping of max and within",
	.description = "How many attempts may come together at this endpoint.",
	.example = "{max: 5, within: 1s}",
	.forms = SCHEMA_MAPPING,
	.mapping = &schema_herd,
};

static void decode_one(struct loader *loader, const struct field *field, size_t endpoint)
{
	struct expectation *expectation = add_expectation(loader, EXPECT_HERD, field->value);

	expectation->endpoint = endpoint;
	decode_mapping(loader, &schema_herd, field->value, field->key, expectation);
}

/* An endpoint may have the name of a key, but what stands there is a mapping then. */
static bool names_endpoints(const struct node *mapping)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (mapping->pairs[i].value->kind == NODE_MAPPING)
			return true;
	return false;
}

void decode_herd(struct loader *loader, const struct field *field, void *target)
{
	const struct node *value = field->value;

	(void)target;
	if (!names_endpoints(value)) {
		decode_one(loader, field, ALL_ENDPOINTS);
		return;
	}
	for (size_t i = 0; i < value->count; i++) {
		struct field entry = {&schema_herd_named, value->pairs[i].key,
				      value->pairs[i].value};
		size_t endpoint;

		if (find_endpoint(loader, entry.key, false, &endpoint) &&
		    decode_form(loader, &entry))
			decode_one(loader, &entry, endpoint);
	}
}
