/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenarios without a file: see adhoc_scenario.h. */
#include "runner/observe/adhoc_scenario.h"

#include "runner/scenario/step_list.h"

static void write_endpoint(const struct adhoc_scenario *adhoc, const char *name,
			   const char *const *faults, struct yaml_writer *writer)
{
	yaml_text(writer, name);
	yaml_mapping(writer, true);
	if (adhoc->families)
		yaml_texts(writer, "families", adhoc->families);
	if (adhoc->hostname)
		yaml_pair(writer, "hostname", "%s", adhoc->hostname);
	if (adhoc->port)
		yaml_pair(writer, "port", "%u", adhoc->port);
	if (adhoc->serve)
		yaml_pair(writer, "serve", "%s", adhoc->serve);
	yaml_text(writer, "faults");
	yaml_list(writer, true);
	for (const char *const *step = faults; *step; step++)
		if ((*step)[0] != '{' || !yaml_snippet(writer, *step))
			yaml_text(writer, *step);
	yaml_end(writer);
	yaml_end(writer);
}

void adhoc_scenario_write(const struct adhoc_scenario *adhoc, struct yaml_writer *writer)
{
	char timeout[DURATION_TEXT_SIZE];

	yaml_mapping(writer, false);
	yaml_pair(writer, "name", "%s", adhoc->name);
	yaml_pair(writer, "timeout", "%s", duration_format_exact(adhoc->timeout_ns, timeout));
	yaml_text(writer, "endpoints");
	yaml_mapping(writer, false);
	if (adhoc->faults)
		write_endpoint(adhoc, ADHOC_ENDPOINT, adhoc->faults, writer);
	for (size_t i = 0; adhoc->endpoints && i < adhoc->endpoints->n_items; i++) {
		const struct inline_endpoint *endpoint = &adhoc->endpoints->items[i];
		AUTO_STRV char **faults = step_list_split(endpoint->steps);

		write_endpoint(adhoc, endpoint->name, (const char *const *)faults, writer);
	}
	yaml_end(writer);
	if (adhoc->leftover_timeout_ns > 0)
		yaml_pair(writer, "leftover-timeout", "%s",
			  duration_format_exact(adhoc->leftover_timeout_ns, timeout));
	if (!adhoc->command)
		return;
	yaml_text(writer, "client");
	yaml_mapping(writer, false);
	yaml_texts(writer, "command", (const char *const *)adhoc->command);
	yaml_end(writer);
}

struct scenario_file *adhoc_scenario_make(const struct adhoc_scenario *adhoc)
{
	char word[] = "client", *placeholder[] = {word, NULL};
	AUTO_STRBUF struct strbuf text = {0};
	struct yaml_writer *writer = yaml_writer_new(&text);
	struct adhoc_scenario instance = *adhoc;
	struct scenario_file *file;

	/* YAML can't hold bytes that are not UTF-8: insert the command after loading. */
	instance.command = placeholder;
	adhoc_scenario_write(&instance, writer);
	yaml_text(writer, "expect");
	yaml_mapping(writer, true);
	yaml_pair(writer, "attempts", "0..");
	yaml_writer_finish(writer);
	file = scenario_file_parse("", strbuf_text(&text), text.length);
	for (size_t i = 0; i < file->n_scenarios; i++) {
		struct client_spec *client = &file->scenarios[i]->client;

		strv_free(client->command);
		client->command = strv_copy(adhoc->command);
	}
	return file;
}
