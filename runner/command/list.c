/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault list`: see list.h. */
#include "runner/command/list.h"

#include "common/text.h"
#include "runner/command/scenario_paths.h"

#include <jansson.h>

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

/* A JSON string; what is not UTF-8 (it can only be a path) is shown as it would be on a terminal.
 */
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
	/* Rounded up: a timeout that is listed as 0 would read as none. */
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

int command_list(char *const *paths, size_t n, bool json, FILE *out, FILE *err, bool color)
{
	AUTO_FILE_PATHS struct scenario_paths files = {0};
	size_t n_scenarios = 0, n_errors;
	json_t *array = json ? json_array() : NULL;

	scenario_paths_find(&files, paths, n, err, color);
	n_errors = files.n_errors;
	for (size_t i = 0; i < files.n_paths; i++) {
		struct scenario_file *file = scenario_file_load(files.paths[i]);

		scenario_paths_print_diags(file, err, color);
		for (size_t k = 0; k < file->n_scenarios; k++) {
			if (json)
				add_json(array, file->scenarios[k]);
			else
				print_line(file->scenarios[k], out);
		}
		n_scenarios += file->n_scenarios;
		n_errors += file->diags.n_items;
		scenario_file_free(file);
	}
	if (json)
		print_json(array, out);
	json_decref(array);
	if (n_errors)
		return 4;
	if (!n_scenarios)
		fprintf(err, "no scenario was found\n");
	return n_scenarios ? 0 : 5;
}
