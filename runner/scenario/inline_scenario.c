/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenarios without a file: see inline_scenario.h. */
#include "runner/scenario/inline_scenario.h"

#include <errno.h>

#include "common/duration.h"
#include "runner/scenario/step_list.h"
#include "runner/scenario/utf8.h"
#include "runner/scenario/yaml_writer.h"

void inline_endpoints_add(struct inline_endpoints *endpoints, const char *name, const char *steps,
			  uint16_t port)
{
	const struct inline_endpoint endpoint = {
		.name = xstrdup(name), .steps = xstrdup(steps), .port = port};

	array_append(endpoints->items, endpoints->n_items, endpoints->capacity, endpoint);
}

bool inline_endpoints_parse(void *field, const char *text, char **ret_message)
{
	struct inline_endpoints *endpoints = field;
	const char *equals = strchr(text, '=');
	AUTO_FREE char *name = equals ? xstrndup(text, (size_t)(equals - text)) : NULL;
	AUTO_STRV char **steps = step_list_split(equals ? equals + 1 : "");

	if (!equals || equals == text) {
		*ret_message =
			xstrdup("a name and steps are expected, as in api='refuse x2, accept'");
		return false;
	}
	*ret_message = step_list_fault(steps);
	for (size_t i = 0; !*ret_message && i < endpoints->n_items; i++)
		if (strcmp(endpoints->items[i].name, name) == 0)
			*ret_message = xasprintf("the endpoint %s is given twice", name);
	if (*ret_message)
		return false;
	inline_endpoints_add(endpoints, name, equals + 1, 0);
	return true;
}

void inline_endpoints_free(void *field)
{
	struct inline_endpoints *endpoints = field;

	for (size_t i = 0; i < endpoints->n_items; i++) {
		free(endpoints->items[i].name);
		free(endpoints->items[i].steps);
	}
	free(endpoints->items);
	*endpoints = (struct inline_endpoints){0};
}

/* Returns "drop" for one endpoint, "api: drop; db: accept" for several; the caller's. */
static char *name_of(const struct inline_endpoints *endpoints)
{
	struct strbuf name = {0};

	for (size_t i = 0; i < endpoints->n_items; i++) {
		const struct inline_endpoint *endpoint = &endpoints->items[i];

		strbuf_puts(&name, i ? "; " : "");
		if (endpoints->n_items > 1)
			strbuf_printf(&name, "%s: ", endpoint->name);
		strbuf_puts(&name, endpoint->steps);
	}
	return strbuf_steal(&name);
}

static void write_endpoint(const struct inline_endpoint *endpoint, struct yaml_writer *writer)
{
	AUTO_STRV char **steps = step_list_split(endpoint->steps);

	yaml_text(writer, endpoint->name);
	yaml_mapping(writer, true);
	if (endpoint->port)
		yaml_pair(writer, "port", "%u", endpoint->port);
	yaml_text(writer, "faults");
	yaml_list(writer, true);
	for (char *const *step = steps; *step; step++)
		if ((*step)[0] != '{' || !yaml_snippet(writer, *step))
			yaml_text(writer, *step);
	yaml_end(writer);
	yaml_end(writer);
}

static void write_expectation(const struct inline_endpoints *endpoints, struct yaml_writer *writer)
{
	yaml_text(writer, "expect");
	yaml_mapping(writer, true);
	yaml_text(writer, "connected");
	yaml_mapping(writer, true);
	for (size_t i = 0; i < endpoints->n_items; i++)
		yaml_pair(writer, endpoints->items[i].name, "0..");
	yaml_end(writer);
	yaml_end(writer);
}

/* Returns whether YAML can hold all texts. */
static bool is_text(const struct inline_endpoints *endpoints, const char *name)
{
	struct utf8_error error;
	bool good = utf8_check(name, strlen(name), &error) == 0;

	for (size_t i = 0; good && i < endpoints->n_items; i++) {
		const struct inline_endpoint *endpoint = &endpoints->items[i];

		good = utf8_check(endpoint->name, strlen(endpoint->name), &error) == 0 &&
		       utf8_check(endpoint->steps, strlen(endpoint->steps), &error) == 0;
	}
	return good;
}

struct scenario_file *inline_scenario_load(const struct inline_endpoints *endpoints,
					   const struct inline_options *options, char **ret_message)
{
	AUTO_FREE char *own_name = options->name ? NULL : name_of(endpoints);
	const char *name = own_name ? own_name : options->name;
	AUTO_STRBUF struct strbuf text = {0};
	char day[DURATION_TEXT_SIZE];
	struct yaml_writer *writer;
	struct scenario_file *file;

	if (!is_text(endpoints, name)) {
		*ret_message = xstrdup("names and steps have to be text in UTF-8, without control "
				       "characters");
		return NULL;
	}
	writer = yaml_writer_new(&text);
	yaml_mapping(writer, false);
	yaml_pair(writer, "name", "%s", name);
	/* No timeout ends these clients, so a step may begin late. */
	yaml_pair(writer, "timeout", "%s", duration_format_exact(DURATION_MAX_NS, day));
	yaml_text(writer, "endpoints");
	yaml_mapping(writer, false);
	for (size_t i = 0; i < endpoints->n_items; i++)
		write_endpoint(&endpoints->items[i], writer);
	yaml_end(writer);
	if (options->proves)
		write_expectation(endpoints, writer);
	yaml_writer_finish(writer);
	file = scenario_file_parse_attached(options->path, strbuf_text(&text), text.length);
	file->generated = true;
	if (file->diags.n_items == 0 && file->n_scenarios == 1)
		return file;
	*ret_message =
		file->diags.n_items
			? xasprintf("%s%s%s", file->diags.items[0].message,
				    file->diags.items[0].hint ? "; " : "",
				    file->diags.items[0].hint ? file->diags.items[0].hint : "")
			: xstrdup("the endpoints make no scenario");
	scenario_file_free(file);
	return NULL;
}

int inline_script_load(const char *steps, struct script *ret, char **ret_message)
{
	const struct inline_options options = {.path = INLINE_SCENARIO_PATH, .name = "steps"};
	AUTO_STRV char **list = step_list_split(steps);
	struct inline_endpoints endpoints = {0};
	struct scenario_file *file;

	*ret_message = step_list_fault(list);
	if (*ret_message)
		return -EINVAL;
	inline_endpoints_add(&endpoints, INLINE_ENDPOINT, steps, 0);
	file = inline_scenario_load(&endpoints, &options, ret_message);
	inline_endpoints_free(&endpoints);
	if (!file)
		return -EINVAL;
	*ret = file->scenarios[0]->endpoints[0].script;
	file->scenarios[0]->endpoints[0].script = (struct script){0};
	scenario_file_free(file);
	return 0;
}
