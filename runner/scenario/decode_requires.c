/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the key "requires": what the machine must have, or the scenario is skipped. */
#include "runner/scenario/decode_requires.h"

#include "runner/scenario/decode_value.h"

static void decode_programs(struct loader *loader, const struct field *field, void *target)
{
	struct requirements_spec *requirements = target;
	const struct node *list = field->value;
	size_t n = 0;

	if (!list->count)
		loader_error(loader, list, "the list of programs is empty");
	requirements->programs = xzalloc((list->count + 1) * sizeof(*requirements->programs));
	for (size_t i = 0; i < list->count; i++) {
		const char *name;

		if (!decode_text(loader, list->items[i], &name))
			continue;
		if (!*name)
			loader_error(loader, list->items[i], "the name of a program is empty");
		else
			requirements->programs[n++] = xstrdup(name);
	}
}

static const struct schema_key requires_keys[] = {
	{"programs", "a list of programs", "Each is found in PATH.", .example = "[wget]",
	 .forms = SCHEMA_LIST, .type = SCHEMA_TEXT, .decode = decode_programs},
	{"command", "a list of program and arguments",
	 "It runs before the scenario, and must exit with status 0.",
	 .example = "[python3, -c, import urllib3]", .forms = SCHEMA_LIST, .type = SCHEMA_TEXT,
	 INTO(struct requirements_spec, command)},
};
const struct schema schema_requires = {"\"requires\"", requires_keys, ARRAY_SIZE(requires_keys)};

void decode_requires(struct loader *loader, const struct field *field, void *target)
{
	struct scenario *scenario = target;

	if (!field->value->count) {
		loader_error(loader, field->value, "\"requires\" is empty");
		loader_hint(loader, "for example: requires: %s", field->schema->example);
	}
	decode_mapping(loader, &schema_requires, field->value, field->key, &scenario->requirements);
}
