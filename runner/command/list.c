/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault list`: see list.h. */
#include "runner/command/list.h"

#include "common/text.h"
#include "runner/command/scenario_paths.h"
#include "runner/report/console.h"

#include <jansson.h>

struct list_options {
	enum color_mode color;
	bool json;
};

static void print_line(const struct scenario *scenario, FILE *out)
{
	AUTO_STRBUF struct strbuf line = {0};

	text_sanitize(&line, scenario->path, strlen(scenario->path));
	strbuf_printf(&line, ":%u: ", scenario->place.line);
	text_sanitize(&line, scenario->name, strlen(scenario->name));
	for (size_t i = 0; scenario->tags[i]; i++) {
		strbuf_puts(&line, i ? ", " : " [");
		text_sanitize(&line, scenario->tags[i], strlen(scenario->tags[i]));
	}
	strbuf_puts(&line, scenario->tags[0] ? "]\n" : "\n");
	fwrite(strbuf_text(&line), 1, line.length, out);
}

/* Makes a JSON string. Text that is not UTF-8 (only a path can be) is escaped as for a terminal. */
static json_t *json_text(const char *text)
{
	AUTO_STRBUF struct strbuf safe = {0};
	json_t *json = json_string(text);

	if (json)
		return json;
	text_sanitize(&safe, text, strlen(text));
	return json_string(strbuf_text(&safe));
}

static void add_json(json_t *array, const struct scenario *scenario)
{
	json_t *object = json_object(), *tags = json_array(), *endpoints = json_array();

	for (size_t i = 0; scenario->tags[i]; i++)
		json_array_append_new(tags, json_text(scenario->tags[i]));
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		json_array_append_new(endpoints, json_text(scenario->endpoints[i].name));
	json_object_set_new(object, "name", json_text(scenario->name));
	json_object_set_new(object, "path", json_text(scenario->path));
	json_object_set_new(object, "line", json_integer(scenario->place.line));
	json_object_set_new(object, "tags", tags);
	json_object_set_new(object, "endpoints", endpoints);
	/* Round up, since a timeout listed as 0 would read as none. */
	json_object_set_new(object, "timeout_ms",
			    json_integer((scenario->timeout_ns + NS_PER_MS - 1) / NS_PER_MS));
	json_array_append_new(array, object);
}

static void print_json(json_t *array, FILE *out)
{
	char *text = json_dumps(array, JSON_INDENT(2));

	if (!text)
		out_of_memory();
	fprintf(out, "%s\n", text);
	free(text);
}

void list_scenarios(const struct scenario *const *scenarios, size_t n, bool json, FILE *out)
{
	json_t *array = json ? json_array() : NULL;

	for (size_t i = 0; i < n; i++) {
		if (json)
			add_json(array, scenarios[i]);
		else
			print_line(scenarios[i], out);
	}
	if (json)
		print_json(array, out);
	json_decref(array);
}

static int run_list(int argc, char **argv, const struct command_context *context)
{
	struct list_options options = {.color = COLOR_AUTO};
	struct operands operands;
	AUTO_FILE_PATHS struct scenario_paths files = {0};
	size_t n_scenarios = 0, n_errors;
	json_t *array;
	bool color;
	int status;

	if (!command_parse(&command_list, argc, argv, &options, context, &operands, &status))
		return status;
	array = options.json ? json_array() : NULL;
	color = color_is_wanted(options.color, context->err);
	scenario_paths_find(&files, operands.items, (size_t)operands.n, context->err, color);
	n_errors = files.n_errors;
	for (size_t i = 0; i < files.n_paths; i++) {
		struct scenario_file *file = scenario_file_load(files.paths[i]);

		scenario_paths_print_diags(file, context->err, color);
		for (size_t k = 0; k < file->n_scenarios; k++) {
			if (array)
				add_json(array, file->scenarios[k]);
			else
				print_line(file->scenarios[k], context->out);
		}
		n_scenarios += file->n_scenarios;
		n_errors += file->diags.n_items;
		scenario_file_free(file);
	}
	if (array)
		print_json(array, context->out);
	json_decref(array);
	if (n_errors)
		return STATUS_USAGE;
	if (!n_scenarios)
		fprintf(context->err, "no scenario found\n");
	return n_scenarios ? STATUS_PASSED : STATUS_NOTHING_RAN;
}

static const struct option_spec list_options[] = {
	OPTION_ROW_JSON(struct list_options, json),
	OPTION_ROW_FORMAT(struct list_options, json, "list as text or json"),
	OPTION_ROW_COLOR(struct list_options, color),
	OPTION_ROW_HELP,
};

const struct command command_list = {
	.name = "list",
	.arguments = "[OPTION...] PATH...",
	.summary = "list the scenarios in files",
	.description = "Lists the scenarios in files and directories.\n",
	.options = OPTION_TABLE(list_options),
	.min_operands = 1,
	.max_operands = -1,
	.needs = "a scenario file or directory is needed",
	.run = run_list,
};
