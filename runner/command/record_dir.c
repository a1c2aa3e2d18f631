/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of records: see record_dir.h. */
#include "runner/command/record_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "runner/record/json_fields.h"
#include "runner/report/file.h"

#define RUN_FILE "run.json"

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

	return report_file_put(path, text, length);
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

/* The file's members. */
struct run_document {
	uint64_t seed;
	size_t n_scenarios;
	char **names;
	size_t *shard; /* number and count; empty: the run was not split */
	size_t n_shard;
};

static const struct json_field number_fields[] = {{.kind = JSON_KIND_U64}};
static const struct json_type number_type = JSON_ELEMENT(size_t, number_fields);

static const struct json_field run_fields[] = {
	{"format", JSON_CONSTANT("synfault-run")},
	{"version", JSON_VERSION(1)},
	{"seed", JSON_DECIMAL(struct run_document, seed)},
	{"scenarios", JSON_SIZE(struct run_document, n_scenarios)},
	{"records", JSON_TEXTS(struct run_document, names)},
	{"shard", JSON_LIST(struct run_document, shard, n_shard, size_t, &number_type),
	 .optional = true},
};

/* No name leads out of the directory. */
static bool check_run(struct json_reader *reader, void *object)
{
	const struct run_document *run = object;

	for (char **name = run->names; *name; name++)
		if ((*name)[0] < '0' || (*name)[0] > '9' || strchr(*name, '/'))
			return json_refuse(reader, "\"%s\" is not the name of a record", *name);
	if (run->n_shard != 0 && (run->n_shard != 2 || run->shard[0] < 1 ||
				  run->shard[0] > run->shard[1] || run->shard[1] > 100000))
		return json_refuse(reader, "\"shard\" is not a part of a whole");
	return true;
}

static const struct json_type run_type = {
	JSON_TYPE(struct run_document, run_fields),
	.check = check_run,
};

int record_dir_write_run(const char *directory, const struct record_dir_run *run)
{
	size_t shard[] = {run->shard.number, run->shard.count};
	const struct run_document document = {
		.seed = run->seed,
		.n_scenarios = run->n_scenarios,
		.names = run->names,
		.shard = shard,
		.n_shard = run->shard.count ? ARRAY_SIZE(shard) : 0,
	};
	AUTO_STRBUF struct strbuf text = {0};

	strbuf_putc(&text, '{');
	json_fields_write(&run_type, &document, &text);
	strbuf_puts(&text, "}\n");
	return record_dir_write_file(directory, RUN_FILE, strbuf_text(&text), text.length);
}

bool record_dir_read_run(const char *directory, struct record_dir_run *ret, char **ret_message)
{
	AUTO_FREE char *path = xasprintf("%s/" RUN_FILE, directory);
	struct json_reader reader = {.document = "the document"};
	struct run_document document = {0};
	json_error_t error;
	json_t *object = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	bool good = object && json_fields_read(&reader, &run_type, object, &document);

	if (!object)
		*ret_message =
			xasprintf("%s is not a directory of records: %s", directory,
				  access(path, F_OK) < 0 ? "it has no " RUN_FILE : error.text);
	else if (!good)
		*ret_message = xasprintf("%s is not what `synfault run --records` writes: %s", path,
					 reader.message);
	json_decref(object);
	free(reader.message);
	if (good) {
		ret->seed = document.seed;
		ret->n_scenarios = document.n_scenarios;
		ret->names = steal_pointer(&document.names);
		ret->shard = (struct shard){0};
		if (document.n_shard > 0)
			ret->shard = (struct shard){document.shard[0], document.shard[1]};
	}
	json_fields_clear(&run_type, &document);
	return good;
}

void record_dir_run_free(struct record_dir_run *run)
{
	strv_free(run->names);
	*run = (struct record_dir_run){0};
}
