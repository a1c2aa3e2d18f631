/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `synfault list`: see list.h. */
#include "runner/command/list.h"

#include "common/text.h"
#include "runner/command/scenario_paths.h"
#include "runner/record/json_fields.h"
#include "runner/report/console.h"

struct list_options {
	enum color_mode color;
	bool json;
};

static void add_line(const struct scenario *scenario, struct strbuf *out)
{
	text_sanitize(out, scenario->path, strlen(scenario->path));
	strbuf_printf(out, ":%u: ", scenario->place.line);
	text_sanitize(out, scenario->name, strlen(scenario->name));
	for (size_t i = 0; scenario->tags[i]; i++) {
		strbuf_puts(out, i ? ", " : " [");
		text_sanitize(out, scenario->tags[i], strlen(scenario->tags[i]));
	}
	strbuf_puts(out, scenario->tags[0] ? "]\n" : "\n");
}

static const struct json_field endpoint_fields[] = {{JSON_TEXT(struct endpoint_spec, name)}};
static const struct json_type endpoint_type = JSON_ELEMENT(struct endpoint_spec, endpoint_fields);

static const struct json_field scenario_fields[] = {
	{"name", JSON_TEXT(struct scenario, name)},
	{"path", JSON_TEXT(struct scenario, path), .about = "Path of the scenario file."},
	{"line", JSON_U32(struct scenario, place.line), .about = "Where it starts."},
	{"tags", JSON_TEXTS(struct scenario, tags)},
	{"endpoints",
	 JSON_LIST(struct scenario, endpoints, n_endpoints, struct endpoint_spec, &endpoint_type)},
	{"timeout_ns", JSON_DURATION(struct scenario, timeout_ns)},
};
static const struct json_type scenario_type = {JSON_TYPE(struct scenario, scenario_fields)};

static const struct json_field item_fields[] = {
	{.kind = JSON_KIND_POINTER, .type = &scenario_type},
};
static const struct json_type item_type = JSON_ELEMENT(struct scenario *, item_fields);

struct list {
	const struct scenario *const *scenarios;
	size_t n;
};
static const struct json_field list_fields[] = {
	{JSON_LIST(struct list, scenarios, n, const struct scenario *const, &item_type)},
};
const struct json_type list_type = JSON_ELEMENT(struct list, list_fields);

void list_scenarios(const struct scenario *const *scenarios, size_t n, bool json, FILE *out)
{
	AUTO_STRBUF struct strbuf text = {0};

	if (json)
		json_fields_print(&list_type, &(struct list){scenarios, n}, &text);
	for (size_t i = 0; !json && i < n; i++)
		add_line(scenarios[i], &text);
	fwrite(strbuf_text(&text), 1, text.length, out);
}

static int run_list(void *parsed, const struct operands *operands,
		    const struct command_context *context)
{
	const struct list_options *options = parsed;
	AUTO_FILE_PATHS struct scenario_paths paths = {0};
	AUTO_FREE struct scenario_file **files = NULL;
	AUTO_FREE const struct scenario **scenarios = NULL;
	size_t n_scenarios = 0, capacity = 0, n_errors;
	bool color = color_is_wanted(options->color, context->err);

	scenario_paths_find(&paths, operands->items, (size_t)operands->n, context->err, color);
	n_errors = paths.n_errors;
	files = xzalloc((paths.n_paths + 1) * sizeof(struct scenario_file *));
	for (size_t i = 0; i < paths.n_paths; i++) {
		files[i] = scenario_file_load(paths.paths[i]);
		scenario_paths_print_diags(files[i], context->err, color);
		n_errors += files[i]->diags.n_items;
		for (size_t k = 0; k < files[i]->n_scenarios; k++)
			array_append(scenarios, n_scenarios, capacity, files[i]->scenarios[k]);
	}
	list_scenarios(scenarios, n_scenarios, options->json, context->out);
	for (size_t i = 0; i < paths.n_paths; i++)
		scenario_file_free(files[i]);
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
	.options = OPTION_TABLE(list_options, .size = sizeof(struct list_options)),
	.min_operands = 1,
	.max_operands = -1,
	.needs = "a scenario file or directory is needed",
	.run = run_list,
};
