/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is expected of connections: how many there are, what they carry, and how they end. */
#include "runner/scenario/decode.h"

const char *const connection_ends[] = {
	[ENDED_REFUSED] = "refused",
	[ENDED_UNREACHABLE] = "unreachable",
	[ENDED_UNANSWERED] = "unanswered",
	[ENDED_RESET] = "reset",
	[ENDED_CLOSED] = "closed",
	[ENDED_STALLED] = "stalled",
	[ENDED_OPEN] = "open",
	[ENDED_N_KINDS] = NULL,
};
_Static_assert(ARRAY_SIZE(connection_ends) == ENDED_N_KINDS + 1, "a word per end");

const char *connection_end_name(enum connection_end end)
{
	return connection_ends[end];
}

void decode_connected(struct loader *loader, const struct field *field, void *target)
{
	(void)target;
	decode_counts(loader, field, EXPECT_CONNECTED);
}

static void decode_received(struct loader *loader, const struct field *field, void *target)
{
	(void)target;
	decode_counts(loader, field, EXPECT_RECEIVED);
}

static void decode_sent(struct loader *loader, const struct field *field, void *target)
{
	(void)target;
	decode_counts(loader, field, EXPECT_SENT);
}

static const struct schema_key bytes_keys[] = {
	{
		.name = "received",
		.value = "a number or a range, or a mapping of endpoints to these",
		.description = "How many bytes of data came from the servers.",
		.example = "1000",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_COUNT_RANGE,
		.named = &schema_count_named,
		.decode = decode_received,
	},
	{
		.name = "sent",
		.value = "a number or a range, or a mapping of endpoints to these",
		.description = "How many bytes of data the client sent, repetitions left out.",
		.example = "{api: 1..500}",
		.forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
		.type = SCHEMA_COUNT_RANGE,
		.named = &schema_count_named,
		.decode = decode_sent,
	},
};
const struct schema schema_bytes = {"\"bytes\"", bytes_keys, ARRAY_SIZE(bytes_keys)};

void decode_bytes(struct loader *loader, const struct field *field, void *target)
{
	if (!field->value->count) {
		loader_error(loader, field->value, "\"bytes\" asks for nothing");
		loader_hint(loader, "for example: bytes: %s", field->schema->example);
	}
	decode_mapping(loader, &schema_bytes, field->value, field->key, target);
}

const struct schema_key schema_ended_named = {
	.name = "ENDPOINT",
	.value = "an end, or a list of them",
	.description = "How the attempts at this endpoint end.",
	.example = "[refused, closed]",
	.forms = SCHEMA_SCALAR | SCHEMA_LIST,
	.type = SCHEMA_CHOICE,
	.choices = connection_ends,
};

static void decode_ends(struct loader *loader, const struct node *value, size_t endpoint)
{
	bool is_list = value->kind == NODE_LIST;
	size_t count = is_list ? value->count : 1;
	struct expectation *expectation;
	enum connection_end *list;
	size_t n = 0;

	if (count == 0) {
		loader_error(loader, value, "the list of ends is empty");
		loader_hint(loader, "to expect no attempt: attempts: 0");
		return;
	}
	list = xzalloc(count * sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		size_t choice;

		if (decode_choice(loader, is_list ? value->items[i] : value, connection_ends,
				  &choice))
			list[n++] = (enum connection_end)choice;
	}
	expectation = add_expectation(loader, EXPECT_ENDED, value);
	expectation->endpoint = endpoint;
	expectation->value.ended.ends = list;
	expectation->value.ended.n_ends = n;
	expectation->value.ended.each = !is_list;
}

void decode_ended(struct loader *loader, const struct field *field, void *target)
{
	const struct node *value = field->value;

	(void)target;
	if (value->kind != NODE_MAPPING) {
		decode_ends(loader, value, ALL_ENDPOINTS);
		return;
	}
	if (!value->count)
		loader_error(loader, value, "\"ended\" names no endpoint");
	for (size_t i = 0; i < value->count; i++) {
		struct field entry = {&schema_ended_named, value->pairs[i].key,
				      value->pairs[i].value};
		size_t endpoint;

		if (find_endpoint(loader, entry.key, false, &endpoint) &&
		    decode_form(loader, &entry))
			decode_ends(loader, entry.value, endpoint);
	}
}
