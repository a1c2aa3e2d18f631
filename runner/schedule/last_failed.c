/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remembers which scenarios did not pass: see last_failed.h. */
#include "runner/schedule/last_failed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/files.h"
#include "common/strbuf.h"
#include "common/text.h"
#include "runner/record/json_fields.h"

static const struct json_field item_fields[] = {
	{"path", JSON_TEXT(struct failed_scenario, path)},
	{"name", JSON_TEXT(struct failed_scenario, name)},
};
static const struct json_type item_type = {JSON_TYPE(struct failed_scenario, item_fields)};

static const struct json_field fields[] = {
	{"failed",
	 JSON_LIST(struct last_failed, items, n_items, struct failed_scenario, &item_type),
	 JSON_CAPACITY(struct last_failed, capacity)},
};
static const struct json_type type = {JSON_TYPE(struct last_failed, fields)};

/* Returns the file for the working directory, owned by the caller; NULL: there can't be one. */
static char *state_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	AUTO_FREE char *directory = getcwd(NULL, 0);
	AUTO_FREE char *base = NULL;

	/* The XDG Base Directory Specification says to ignore relative paths. */
	if (state && state[0] == '/')
		base = xstrdup(state);
	else if (home && home[0] == '/')
		base = xasprintf("%s/.local/state", home);
	if (!base || !directory)
		return NULL;
	return xasprintf("%s/synfault/last-failed/%016llx.json", base,
			 (unsigned long long)text_hash(directory));
}

static char *absolute_path(const struct result *result)
{
	char *path = realpath(result_path(result), NULL);

	return path ? path : xstrdup(result_path(result));
}

static size_t find(const struct last_failed *failed, const char *path, const char *name)
{
	for (size_t i = 0; i < failed->n_items; i++)
		if (!strcmp(failed->items[i].path, path) && !strcmp(failed->items[i].name, name))
			return i;
	return SIZE_MAX;
}

static void add(struct last_failed *failed, const char *path, const char *name)
{
	if (find(failed, path, name) == SIZE_MAX)
		array_append(failed->items, failed->n_items, failed->capacity,
			     (struct failed_scenario){xstrdup(path), xstrdup(name)});
}

static void take_out(struct last_failed *failed, size_t index)
{
	if (index == SIZE_MAX)
		return;
	free(failed->items[index].path);
	free(failed->items[index].name);
	failed->items[index] = failed->items[--failed->n_items];
}

void last_failed_read(struct last_failed *ret)
{
	AUTO_FREE char *file = state_path();
	json_t *json = file ? json_load_file(file, 0, NULL) : NULL;
	struct json_reader reader = {.document = file};

	*ret = (struct last_failed){0};
	if (json && !json_fields_read(&reader, &type, json, ret)) {
		json_fields_clear(&type, ret);
		*ret = (struct last_failed){0};
	}
	free(reader.message);
	json_decref(json);
}

bool last_failed_has(const struct last_failed *failed, const struct result *result)
{
	AUTO_FREE char *path = absolute_path(result);

	return find(failed, path, result_name(result)) != SIZE_MAX;
}

void last_failed_update(struct last_failed *failed, const struct run_results *results)
{
	/* One failure among repetitions is enough: first remove all, then add failures. */
	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < results->n_items; i++) {
			const struct result *result = &results->items[i];
			AUTO_FREE char *path = NULL;

			if (result->interrupted)
				continue;
			path = absolute_path(result);
			if (pass == 0)
				take_out(failed, find(failed, path, result_name(result)));
			else if (result_is_failure(result))
				add(failed, path, result_name(result));
		}
	}
}

void last_failed_write(const struct last_failed *failed)
{
	AUTO_FREE char *file = state_path(), *temporary = NULL;
	AUTO_STRBUF struct strbuf text = {0};
	FILE *out;

	if (!file)
		return;
	if (failed->n_items == 0) {
		unlink(file);
		return;
	}
	if (file_make_parents(file, 0700) < 0)
		return;
	json_fields_print(&type, failed, &text);
	temporary = xasprintf("%s.%d", file, (int)getpid());
	out = fopen(temporary, "we");
	if (!out)
		return;
	fputs(strbuf_text(&text), out);
	if (fclose(out) == EOF || rename(temporary, file) < 0)
		unlink(temporary);
}

void last_failed_free(struct last_failed *failed)
{
	json_fields_clear(&type, failed);
	*failed = (struct last_failed){0};
}
