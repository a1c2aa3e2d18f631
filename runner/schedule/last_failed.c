/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remembers which scenarios did not pass: see last_failed.h. */
#include "runner/schedule/last_failed.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

#include "common/strbuf.h"
#include "common/text.h"

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
	json_t *object = file ? json_load_file(file, 0, NULL) : NULL;
	struct last_failed failed = {0};
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(object, "failed"), i, item)
	{
		const char *path = json_string_value(json_object_get(item, "path"));
		const char *name = json_string_value(json_object_get(item, "name"));

		if (path && name)
			add(&failed, path, name);
	}
	json_decref(object);
	*ret = failed;
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
			enum outcome outcome = result_outcome(result);
			AUTO_FREE char *path = NULL;

			if (result->interrupted)
				continue;
			path = absolute_path(result);
			if (pass == 0)
				take_out(failed, find(failed, path, result_name(result)));
			else if (outcome == OUTCOME_FAIL || outcome == OUTCOME_ERROR)
				add(failed, path, result_name(result));
		}
	}
}

static int make_parents(char *path)
{
	for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

void last_failed_write(const struct last_failed *failed)
{
	AUTO_FREE char *file = state_path(), *temporary = NULL;
	json_t *array, *object;

	if (!file)
		return;
	if (failed->n_items == 0) {
		unlink(file);
		return;
	}
	if (make_parents(file) < 0)
		return;
	array = json_array();
	for (size_t i = 0; i < failed->n_items; i++)
		/* A path that is not UTF-8 gives NULL, which is not appended. */
		json_array_append_new(array, json_pack("{s:s, s:s}", "path", failed->items[i].path,
						       "name", failed->items[i].name));
	object = json_pack("{s:o}", "failed", array);
	temporary = xasprintf("%s.%d", file, (int)getpid());
	if (json_dump_file(object, temporary, JSON_INDENT(1)) < 0 || rename(temporary, file) < 0)
		unlink(temporary);
	json_decref(object);
}

void last_failed_free(struct last_failed *failed)
{
	while (failed->n_items > 0)
		take_out(failed, failed->n_items - 1);
	free(failed->items);
	*failed = (struct last_failed){0};
}
