/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a document's "kernel": settings of the scenario's own network namespace. */
#include "runner/scenario/decode_kernel.h"

#include "common/text.h"
#include "runner/scenario/decode_value.h"
#include "runner/scenario/sysctl_allowlist.h"

const struct schema_key schema_kernel_named = {
	"SETTING", "a number, or several with blanks between them",
	"The value of a kernel setting, such as tcp_syn_retries.", .example = "1",
	.type = SCHEMA_TEXT};

static const struct allowed_sysctl *find_name(struct loader *loader, const struct node *key)
{
	const struct allowed_sysctl *name = sysctl_allowlist_find(key->text);
	AUTO_FREE const char **known = NULL;
	const char *nearest;

	if (name)
		return name;
	known = sysctl_allowlist();
	nearest = text_nearest(key->text, known);
	loader_error(loader, key, "unknown kernel setting \"%s\"", key->text);
	if (nearest)
		loader_hint(loader, "did you mean \"%s\"?", nearest);
	else
		loader_hint(loader,
			    "a scenario can change TCP settings of a network namespace, such as "
			    "tcp_syn_retries; docs/scenario.md lists them all");
	return NULL;
}

static bool is_given(const struct scenario *scenario, const struct allowed_sysctl *name)
{
	for (size_t i = 0; i < scenario->n_kernel; i++)
		if (strcmp(scenario->kernel[i].path, name->path) == 0)
			return true;
	return false;
}

void decode_kernel(struct loader *loader, const struct field *field, void *target)
{
	struct scenario *scenario = target;
	const struct node *mapping = field->value;

	scenario->kernel = xzalloc(mapping->count * sizeof(*scenario->kernel));
	for (size_t i = 0; i < mapping->count; i++) {
		struct field entry = {&schema_kernel_named, mapping->pairs[i].key,
				      mapping->pairs[i].value};
		const struct allowed_sysctl *name = find_name(loader, entry.key);
		AUTO_FREE char *message = NULL, *value = NULL;

		if (!name || !decode_form(loader, &entry))
			continue;
		value = sysctl_value(name, entry.value->text, &message);
		if (!value)
			loader_error(loader, entry.value, "%s takes %s", sysctl_short_name(name),
				     message);
		else if (is_given(scenario, name))
			loader_error(loader, entry.key, "%s is given twice",
				     sysctl_short_name(name));
		else
			scenario->kernel[scenario->n_kernel++] = (struct kernel_spec){
				.path = xstrdup(name->path),
				.value = steal_pointer(&value),
				.place = loader_place(loader, entry.key),
			};
	}
}
