/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of records: see record_dir.h. */
#include "runner/command/record_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

#include "common/text.h"

#define RUN_FILE    "run.json"
#define RUN_FORMAT  "synfault-run"
#define RUN_VERSION 1

int record_dir_make_directory(const char *directory)
{
	struct stat status;

	if (mkdir(directory, 0777) == 0)
		return 0;
	if (errno != EEXIST || stat(directory, &status) < 0)
		return -errno;
	if (!S_ISDIR(status.st_mode))
		return -ENOTDIR;
	return access(directory, W_OK | X_OK) < 0 ? -errno : 0;
}

int record_dir_write_file(const char *directory, const char *name, const char *text, size_t length)
{
	AUTO_FREE char *path = xasprintf("%s/%s", directory, name);
	AUTO_CLOSE int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
	int status;

	if (fd < 0)
		return -errno;
	status = write_all(fd, text, length);
	if (status < 0)
		return status;
	return close(steal_fd(&fd)) < 0 ? -errno : 0;
}

/* ---- a run's records ---- */

/* A growing list of names. */
struct names {
	char **items;
	size_t n_items, capacity;
};

static int write_record(const char *directory, char *name, const struct record *record,
			struct names *names)
{
	AUTO_FREE char *text = NULL;
	size_t length;

	array_append(names->items, names->n_items, names->capacity, name);
	text = record_write_json(record, &length);
	return record_dir_write_file(directory, name, text, length);
}

/* NUMBER.json is the run that counts; NUMBER.1.json is the first of the earlier ones. */
static int write_result(const char *directory, size_t number, const struct result *result,
			struct names *names)
{
	int status = 0;

	for (size_t i = 0; !status && i < result->n_earlier; i++)
		if (result->earlier[i].record)
			status = write_record(directory, xasprintf("%04zu.%zu.json", number, i + 1),
					      result->earlier[i].record, names);
	if (!status && result->record)
		status = write_record(directory, xasprintf("%04zu.json", number), result->record,
				      names);
	return status;
}

int record_dir_write(const char *directory, const struct run_results *results,
		     const struct shard *shard, size_t n_scenarios)
{
	AUTO_RECORDS_RUN struct record_dir_run run = {
		.shard = *shard, .seed = results->seed, .n_scenarios = n_scenarios};
	struct names names = {0};
	int status = 0;

	for (size_t i = 0; !status && i < results->n_items; i++) {
		const struct result *result = &results->items[i];

		status = write_result(directory, result->number ? result->number : i + 1, result,
				      &names);
	}
	array_append(names.items, names.n_items, names.capacity, NULL);
	run.names = names.items;
	return status ? status : record_dir_write_run(directory, &run);
}

/* ---- run.json ---- */

int record_dir_write_run(const char *directory, const struct record_dir_run *run)
{
	AUTO_FREE char *seed = xasprintf("%llu", (unsigned long long)run->seed), *text = NULL;
	json_t *names = json_array(), *object;

	for (char **name = run->names; name && *name; name++)
		json_array_append_new(names, json_string(*name));
	object = json_pack("{s:s, s:i, s:s, s:I, s:o}", "format", RUN_FORMAT, "version",
			   RUN_VERSION, "seed", seed, "scenarios", (json_int_t)run->n_scenarios,
			   "records", names);
	if (run->shard.count)
		json_object_set_new(object, "shard",
				    json_pack("[I, I]", (json_int_t)run->shard.number,
					      (json_int_t)run->shard.count));
	text = json_dumps(object, JSON_INDENT(1));
	json_decref(object);
	if (!text)
		out_of_memory();
	return record_dir_write_file(directory, RUN_FILE, text, strlen(text));
}

/* Whether a name stays inside the directory. */
static bool is_record_name(const char *name)
{
	return name && name[0] >= '0' && name[0] <= '9' && !strchr(name, '/');
}

static bool read_names(const json_t *array, struct record_dir_run *run)
{
	const json_t *item;
	size_t i;

	run->names = xzalloc((json_array_size(array) + 1) * sizeof(*run->names));
	json_array_foreach(array, i, item)
	{
		const char *name = json_string_value(item);

		if (!is_record_name(name))
			return false;
		run->names[i] = xstrdup(name);
	}
	return json_is_array(array);
}

static bool read_shard(const json_t *array, struct record_dir_run *run)
{
	json_int_t number, count;

	if (!array)
		return true;
	number = json_integer_value(json_array_get(array, 0));
	count = json_integer_value(json_array_get(array, 1));
	run->shard = (struct shard){.number = (size_t)number, .count = (size_t)count};
	return number >= 1 && number <= count && count <= 100000;
}

static bool read_run(const json_t *object, struct record_dir_run *run)
{
	const char *format = json_string_value(json_object_get(object, "format"));
	const char *seed = json_string_value(json_object_get(object, "seed"));
	const json_t *scenarios = json_object_get(object, "scenarios");

	if (!format || strcmp(format, RUN_FORMAT) != 0 || !seed || !json_is_integer(scenarios) ||
	    json_integer_value(json_object_get(object, "version")) != RUN_VERSION)
		return false;
	run->seed = strtoull(seed, NULL, 10);
	run->n_scenarios = (size_t)json_integer_value(scenarios);
	return read_names(json_object_get(object, "records"), run) &&
	       read_shard(json_object_get(object, "shard"), run);
}

bool record_dir_read_run(const char *directory, struct record_dir_run *ret, char **ret_message)
{
	AUTO_FREE char *path = xasprintf("%s/" RUN_FILE, directory);
	AUTO_RECORDS_RUN struct record_dir_run run = {0};
	json_error_t error;
	json_t *object = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	bool good = object && read_run(object, &run);

	if (!object)
		*ret_message =
			xasprintf("%s is not a directory of records: %s", directory,
				  access(path, F_OK) < 0 ? "it has no " RUN_FILE : error.text);
	else if (!good)
		*ret_message = xasprintf("%s is not what `synfault run --records` writes", path);
	json_decref(object);
	if (!good)
		return false;
	*ret = run;
	run = (struct record_dir_run){0};
	return true;
}

void record_dir_run_free(struct record_dir_run *run)
{
	strv_free(run->names);
	*run = (struct record_dir_run){0};
}
