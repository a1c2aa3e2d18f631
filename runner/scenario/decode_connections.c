/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads how connections end as their client sees it. */
#include "runner/scenario/decode_connections.h"

#include "runner/scenario/decode_value.h"

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

const struct schema_key schema_ended_named = {"ENDPOINT",
					      "an end, or a list of them",
					      "How the attempts at this endpoint end.",
					      .example = "[refused, closed]",
					      .forms = SCHEMA_SCALAR | SCHEMA_LIST,
					      .type = SCHEMA_CHOICE,
					      .choices = connection_ends};

void decode_ended(struct loader *loader, const struct field *field, struct expectation *expectation)
{
	const struct node *value = field->value;
	bool is_list = value->kind == NODE_LIST;
	size_t count = is_list ? value->count : 1;
	enum connection_end *list = xzalloc((count + 1) * sizeof(*list));

	if (count == 0) {
		loader_error(loader, value, "the list of ends is empty");
		loader_hint(loader, "to expect no attempt: attempts: 0");
	}
	expectation->value.ended.ends = list;
	expectation->value.ended.each = !is_list;
	for (size_t i = 0; i < count; i++) {
		size_t choice;

		if (decode_choice(loader, is_list ? value->items[i] : value, connection_ends,
				  &choice))
			list[expectation->value.ended.n_ends++] = (enum connection_end)choice;
	}
}
