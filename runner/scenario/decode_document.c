/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a document's own keys and its client; endpoints and expectations have their own files. */
#include "runner/scenario/decode_document.h"

#include "common/text.h"
#include "runner/scenario/decode_endpoint.h"
#include "runner/scenario/decode_expect.h"
#include "runner/scenario/decode_kernel.h"
#include "runner/scenario/decode_requires.h"
#include "runner/scenario/decode_value.h"
#include "runner/scenario/reference.h"
#include "runner/scenario/substitute.h"
#include "runner/scenario/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#define TIMEOUT_DEFAULT_NS      (30 * NS_PER_S)
#define STOP_TIMEOUT_DEFAULT_NS (1 * NS_PER_S)

/* Limits, since each instance has two pipes, and its output in memory. */
enum { MAX_CLIENTS = 1000, MAX_RUNS = 10000 };

static const struct schema_key env_named = {"NAME", "a text",
					    "The value of an environment variable.",
					    .example = "\"1\"", .type = SCHEMA_TEXT};

static void decode_env(struct loader *loader, const struct field *field, void *target)
{
	struct client_spec *client = target;
	const struct node *mapping = field->value;

	client->env = xzalloc(mapping->count * sizeof(*client->env));
	for (size_t i = 0; i < mapping->count; i++) {
		struct field entry = {&env_named, mapping->pairs[i].key, mapping->pairs[i].value};
		const char *name = entry.key->text;

		if (!*name)
			loader_error(loader, entry.key, "the name of a variable is empty");
		else if (strchr(name, '='))
			loader_error(loader, entry.key,
				     "the name of a variable can't hold \"=\": \"%s\"", name);
		if (!decode_form(loader, &entry))
			continue;
		loader_add_text(loader, entry.value);
		client->env[client->n_env++] =
			(struct env_spec){xstrdup(name), xstrdup(entry.value->text)};
	}
}

static void decode_cwd(struct loader *loader, const struct field *field, void *target)
{
	struct client_spec *client = target;
	const char *text = field->value->text;

	if (!*text) {
		loader_error(loader, field->value, "the directory's name is empty");
	} else if (reference_find(text)) {
		loader_error(loader, field->value, "references are not replaced in \"cwd\"");
		loader_hint(loader, "relative names count from the scenario file's directory");
	} else {
		client->cwd = xstrdup(text);
	}
}

static const struct schema_key file_keys[] = {
	{"content", "a text", "The file's content.", .example = "\"retries = 3\\n\"",
	 .type = SCHEMA_TEXT, .required = true, .references = true,
	 INTO(struct file_spec, content)},
	{"executable", "true or false", "Whether the file can be executed.", .example = "true",
	 .fallback = "false", .type = SCHEMA_BOOLEAN, INTO(struct file_spec, executable)},
};
static const struct schema schema_file = {"a file", file_keys, ARRAY_SIZE(file_keys)};

static const struct schema_key files_named = {"PATH",
					      "a text, or a mapping with its content",
					      "The content of a file below ${tmp}.",
					      .example = "{content: \"exit 0\", executable: true}",
					      .forms = SCHEMA_SCALAR | SCHEMA_MAPPING,
					      .type = SCHEMA_TEXT,
					      .mapping = &schema_file};

/* Returns what is wrong with the name of a file below ${tmp}, or NULL. */
static const char *file_problem(const char *name)
{
	const char *component = name;

	if (!*name)
		return "is empty";
	if (*name == '/')
		return "must be relative: it names a file below ${tmp}";
	for (;;) {
		size_t length = strcspn(component, "/");

		if (!length)
			return "has an empty part";
		if (length == 1 && component[0] == '.')
			return "can't hold \".\" as a part";
		if (length == 2 && component[0] == '.' && component[1] == '.')
			return "can't hold \"..\" as a part";
		if (length > 255)
			return "has a part longer than 255 bytes";
		if (!component[length])
			return NULL;
		component += length + 1;
	}
}

static int compare_files(const void *left, const void *right)
{
	const struct file_spec *const *a = left, *const *b = right;
	const unsigned char *x = (const unsigned char *)(*a)->name;
	const unsigned char *y = (const unsigned char *)(*b)->name;

	while (*x && *x == *y) {
		x++;
		y++;
	}
	/* "/" sorts first, so that the paths below a name follow it directly. */
	return (*x == '/' ? 1 : *x * 2) - (*y == '/' ? 1 : *y * 2);
}

/* Adds an error if a name is both a file and a directory. */
static void check_nesting(struct loader *loader, const struct client_spec *client)
{
	AUTO_FREE const struct file_spec **sorted =
		xmalloc((client->n_files + 1) * sizeof(*sorted));

	for (size_t i = 0; i < client->n_files; i++)
		sorted[i] = &client->files[i];
	qsort(sorted, client->n_files, sizeof(*sorted), compare_files);
	for (size_t i = 1; i < client->n_files; i++) {
		size_t length = strlen(sorted[i - 1]->name);

		if (strncmp(sorted[i]->name, sorted[i - 1]->name, length) == 0 &&
		    sorted[i]->name[length] == '/')
			diag_add(loader->diags, &sorted[i]->place,
				 "\"%s\" can't be below \"%s\", which is a file", sorted[i]->name,
				 sorted[i - 1]->name);
	}
}

static void decode_files(struct loader *loader, const struct field *field, void *target)
{
	struct client_spec *client = target;
	const struct node *mapping = field->value;

	client->files = xzalloc(mapping->count * sizeof(*client->files));
	for (size_t i = 0; i < mapping->count; i++) {
		struct field entry = {&files_named, mapping->pairs[i].key, mapping->pairs[i].value};
		struct file_spec *file = &client->files[client->n_files];
		const char *problem = file_problem(entry.key->text);

		if (problem)
			loader_error(loader, entry.key, "the path \"%s\" %s", entry.key->text,
				     problem);
		if (!decode_form(loader, &entry) || problem)
			continue;
		file->name = xstrdup(entry.key->text);
		file->place = loader_place(loader, entry.key);
		client->n_files++;
		if (entry.value->kind == NODE_MAPPING) {
			decode_mapping(loader, &schema_file, entry.value, entry.key, file);
			continue;
		}
		loader_add_text(loader, entry.value);
		file->content = xstrdup(entry.value->text);
	}
	check_nesting(loader, client);
}

static const struct schema_key client_keys[] = {
	{"command", "a list of program and arguments", "The client; it is started without a shell.",
	 .example = "[curl, --retry, \"3\", \"http://${api}/\"]", .forms = SCHEMA_LIST,
	 .type = SCHEMA_TEXT, .required = true, INTO(struct client_spec, command)},
	{"env", "a mapping of variables to texts",
	 "Environment variables, in addition to those that synfault has.",
	 .example = "{RETRY_DELAY: \"2\"}", .fallback = "{}", .forms = SCHEMA_MAPPING,
	 .named = &env_named, .decode = decode_env},
	{"stdin", "a text", "What the client reads from its standard input.",
	 .example = "\"GET ${api}\\n\"", .fallback = "\"\"", .type = SCHEMA_TEXT,
	 .references = true, INTO(struct client_spec, stdin_text)},
	{"cwd", "a directory",
	 "The client's working directory, relative to the scenario file; by default the "
	 "directory where synfault was started.",
	 .example = "../build", .type = SCHEMA_TEXT, .decode = decode_cwd},
	{"files", "a mapping of paths to texts",
	 "Files to create below ${tmp} before the client starts.",
	 .example = "{client.conf: \"server = ${api}\\n\"}", .fallback = "{}",
	 .forms = SCHEMA_MAPPING, .named = &files_named, .decode = decode_files},
};
static const struct schema schema_client = {"a client", client_keys, ARRAY_SIZE(client_keys)};

static void decode_client(struct loader *loader, const struct field *field, void *target)
{
	struct scenario *scenario = target;

	scenario->client.place = loader_place(loader, field->key);
	decode_mapping(loader, &schema_client, field->value, field->key, &scenario->client);
}

static void decode_name(struct loader *loader, const struct field *field, void *target)
{
	struct scenario *scenario = target;
	const char *name = field->value->text;
	struct utf8_error error;

	if (!name[strspn(name, " ")]) {
		loader_error(loader, field->value, "the name is empty");
	} else if (strpbrk(name, "\t\r\n") || utf8_check(name, strlen(name), &error) < 0) {
		loader_error(loader, field->value,
			     "a name is one line, without control characters");
	} else {
		scenario->name = xstrdup(name);
		scenario->place = loader_place(loader, field->value);
	}
}

static void decode_tags(struct loader *loader, const struct field *field, void *target)
{
	struct scenario *scenario = target;
	const struct node *list = field->value;
	size_t n = 0;

	strv_free(scenario->tags);
	scenario->tags = xzalloc((list->count + 1) * sizeof(*scenario->tags));
	for (size_t i = 0; i < list->count; i++) {
		const char *tag;
		struct utf8_error error;

		if (!decode_text(loader, list->items[i], &tag))
			continue;
		if (!*tag || strpbrk(tag, " ,\t\r\n") || utf8_check(tag, strlen(tag), &error) < 0)
			loader_error(loader, list->items[i],
				     "\"%s\" is not a tag: a tag is one word, without commas", tag);
		else
			scenario->tags[n++] = xstrdup(tag);
	}
}

static void note_leftover_timeout(struct loader *loader, const struct field *field, void *target)
{
	((struct scenario *)target)->has_leftover_timeout = true;
}

/* Counts all instances, so it must come after "clients" in the table. */
static void check_repeat(struct loader *loader, const struct field *field, void *target)
{
	const struct scenario *scenario = target;

	if (scenario_n_instances(scenario) <= MAX_RUNS)
		return;
	loader_error(loader, field->value,
		     "%" PRIu32 " instance%s, run %" PRIu32 " time%s, make more than %d clients",
		     scenario->n_clients, PLURAL(scenario->n_clients), scenario->n_repeats,
		     PLURAL(scenario->n_repeats), MAX_RUNS);
	loader_hint(loader, "lower \"clients\" or \"repeat\"");
}

static void decode_defaults(struct loader *loader, const struct field *field, void *target)
{
	loader_error(loader, field->key, "\"defaults\" must be alone in its document");
	loader_hint(loader, "put \"---\" between it and the scenario");
}

static const struct schema_key matrix_value = {"KEY",
					       "a list of values",
					       "The values that ${matrix.KEY} takes.",
					       .example = "[1, 3]",
					       .forms = SCHEMA_LIST,
					       .type = SCHEMA_ANY};

static const struct schema_key matrix_keys[] = {
	{"exclude", "a list of mappings",
	 "Combinations to remove: those that have all the values of one of the mappings.",
	 .example = "[{fault: drop, tries: 3}]", .fallback = "[]", .forms = SCHEMA_LIST,
	 .type = SCHEMA_ANY},
	{"include", "a list of mappings", "Combinations to add.",
	 .example = "[{fault: delay 1s, tries: 2}]", .fallback = "[]", .forms = SCHEMA_LIST,
	 .type = SCHEMA_ANY},
};
static const struct schema schema_matrix = {"a matrix", matrix_keys, ARRAY_SIZE(matrix_keys)};

static const struct schema_key document_keys[] = {
	{"name", "a text", "The scenario's name, unique in its file.",
	 .example = "retries a refused connection", .type = SCHEMA_LINE, .required = true,
	 .decode = decode_name},
	{"tags", "a list of words", "Words by which scenarios can be chosen.",
	 .example = "[refuse, retry]", .fallback = "[]", .forms = SCHEMA_LIST, .type = SCHEMA_WORD,
	 .decode = decode_tags},
	{"timeout", "a duration", "After this time the client is ended and the scenario fails.",
	 .example = "30s", .fallback = "30s", .type = SCHEMA_DURATION, .positive = true,
	 INTO(struct scenario, timeout_ns)},
	{"run-for", "a duration",
	 "For a client that runs until it is stopped: after this time it gets SIGTERM, which is "
	 "not a failure, and what it did until then is judged.",
	 .example = "10s", .type = SCHEMA_DURATION, .positive = true,
	 INTO(struct scenario, run_for_ns)},
	{"stop-timeout", "a duration",
	 "How long the client and servers may take to end after SIGTERM, before they get SIGKILL.",
	 .example = "5s", .fallback = "1s", .type = SCHEMA_DURATION, .positive = true,
	 INTO(struct scenario, stop_timeout_ns)},
	{"leftover-timeout", "a duration",
	 "How long to watch processes that the client left behind before ending them; by default "
	 "1s if gives-up or leaks is expected, otherwise 0s.",
	 .example = "3s", .type = SCHEMA_DURATION, INTO(struct scenario, leftover_timeout_ns),
	 .check = note_leftover_timeout},
	{"time", "real, virtual or auto",
	 "By which clock the scenario runs: the kernel's, or one that jumps while the client "
	 "sleeps; "
	 "auto jumps where that is possible, and confirms failures in real time.",
	 .example = "virtual", .fallback = "real", .type = SCHEMA_CHOICE,
	 .choices = time_mode_names, INTO(struct scenario, time)},
	{"endpoints", "a mapping of names to endpoints", "Where the client may connect to.",
	 .example = "{api: {faults: [refuse, accept]}}", .forms = SCHEMA_MAPPING,
	 .named = &schema_endpoint, .required = true, .decode = decode_endpoints},
	{"kernel", "a mapping of kernel settings to values",
	 "Settings of TCP in the scenario's own network namespace.",
	 .example = "{tcp_syn_retries: 1}", .fallback = "{}", .forms = SCHEMA_MAPPING,
	 .named = &schema_kernel_named, .decode = decode_kernel},
	{"client", "a mapping with a command", "The program under test.",
	 .example = "{command: [curl, \"http://${api}/\"]}", .forms = SCHEMA_MAPPING,
	 .mapping = &schema_client, .required = true, .of_client = true, .decode = decode_client},
	{"requires", "a mapping of programs and command",
	 "What the machine must have; without it the scenario is skipped.",
	 .example = "{programs: [wget]}", .fallback = "{}", .forms = SCHEMA_MAPPING,
	 .mapping = &schema_requires, .decode = decode_requires},
	{"clients", "a number", "How many instances of the client run side by side.",
	 .example = "20", .fallback = "1", .type = SCHEMA_COUNT, .what = "a number of instances",
	 .low = 1, .high = MAX_CLIENTS, INTO(struct scenario, n_clients)},
	{"repeat", "a number", "How many times the client is run, one after the other.",
	 .example = "5", .fallback = "1", .type = SCHEMA_COUNT, .what = "a number of runs",
	 .low = 1, .high = MAX_RUNS, INTO(struct scenario, n_repeats), .check = check_repeat},
	{"expect", "a mapping of expectations", "What the client must do.",
	 .example = "{exit: 0, attempts: 2}", .forms = SCHEMA_MAPPING, .mapping = &schema_expect,
	 .required = true, .of_client = true, .decode = decode_expect},
	{"matrix", "a mapping of keys to lists of values",
	 "Makes one scenario of each combination of values.",
	 .example = "{fault: [refuse, drop], tries: [1, 3]}", .forms = SCHEMA_MAPPING,
	 .mapping = &schema_matrix, .named = &matrix_value},
	{"defaults", "a mapping of a document's keys",
	 "Alone in a document: values for all documents after it in the same file.",
	 .example = "{timeout: 10s}", .forms = SCHEMA_MAPPING, .mapping = &schema_document,
	 .decode = decode_defaults},
};
const struct schema schema_document = {"a scenario", document_keys, ARRAY_SIZE(document_keys)};

/* Adds an error for each invalid reference in a text. */
static void check_references(struct loader *loader, const struct node *node)
{
	size_t start = 0, offset, length;

	while (start < node->count) {
		AUTO_FREE char *message = NULL, *hint = NULL;

		if (substitute_check(loader->scenario, node->text + start, &offset, &length,
				     &message, &hint))
			return;
		loader_error_within(loader, node, start + offset, length, "%s", message);
		if (hint)
			loader_hint(loader, "%s", hint);
		start += offset + length;
	}
}

/* Recognises another program's file among the scenarios; adds an error and returns true then. */
static bool is_foreign(struct loader *loader, const struct node *root)
{
	static const struct {
		const char *keys[2];
		const char *what;
	} others[] = {
		{{"services", NULL}, "a Docker Compose file"},
		{{"on", "jobs"}, "a GitHub Actions workflow"},
		{{"apiVersion", "kind"}, "a Kubernetes manifest"},
		{{"static_resources", NULL}, "an Envoy configuration"},
		{{"stages", NULL}, "a GitLab CI file"},
		{{"hosts", "tasks"}, "an Ansible play"},
		{{"repos", NULL}, "a pre-commit configuration"},
	};

	if (node_get(root, "endpoints") || node_get(root, "expect") || node_get(root, "client"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (!node_get(root, others[i].keys[0]) ||
		    (others[i].keys[1] && !node_get(root, others[i].keys[1])))
			continue;
		loader_error(loader, root->pairs[0].key, "this is %s, not a scenario",
			     others[i].what);
		loader_hint(loader,
			    "keep scenarios in a directory of their own, or name the files; a "
			    "scenario has the keys name, endpoints, client and expect");
		return true;
	}
	return false;
}

/* Returns whether a text holds the name as other tools write references: $api, {{api}}, <api>. */
static bool mentions(const char *text, const char *name)
{
	const char *const forms[][2] = {
		{"$", ""}, {"{{", "}}"}, {"{{ ", " }}"}, {"<", ">"}, {"{", "}"}};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		AUTO_FREE char *form = xasprintf("%s%s%s", forms[i][0], name, forms[i][1]);
		const char *at = strstr(text, form);

		if (at && (*forms[i][1] || !isalnum((unsigned char)at[strlen(form)])))
			return true;
	}
	return false;
}

static bool is_fixed(const struct endpoint_spec *endpoint)
{
	return endpoint->remote || endpoint->port || endpoint->hostname;
}

/*
 * Finds a command that leads past every endpoint: it has no reference to one, but a reference in
 * another tool's form, or the name of this host, where it can't know the port. A command without
 * any of these is right: its client may know the endpoints from the environment (SYNFAULT_API).
 */
static void check_command(struct loader *loader, const struct node *command)
{
	const struct scenario *scenario = loader->scenario;
	static const char *const hosts[] = {"localhost", "127.0.0.1", "[::1]"};
	bool fixed = false;

	for (size_t i = 0; i < loader->n_texts; i++)
		for (size_t k = 0; k < scenario->n_endpoints; k++) {
			AUTO_FREE char *form = xasprintf("${%s", scenario->endpoints[k].name);

			if (strstr(loader->texts[i]->text, form))
				return;
		}
	for (size_t i = 0; i < scenario->n_endpoints; i++)
		fixed |= is_fixed(&scenario->endpoints[i]);
	for (size_t i = 0; command->kind == NODE_LIST && i < command->count; i++) {
		const struct node *item = command->items[i];
		const char *name = scenario->endpoints[0].name;
		bool wrong = false;

		if (item->kind != NODE_TEXT || strstr(item->text, "SYNFAULT_"))
			continue;
		for (size_t k = 0; k < scenario->n_endpoints && !wrong; k++) {
			wrong = mentions(item->text, scenario->endpoints[k].name);
			if (wrong)
				name = scenario->endpoints[k].name;
		}
		for (size_t k = 0; !fixed && k < ARRAY_SIZE(hosts); k++)
			wrong |= strstr(item->text, hosts[k]) != NULL;
		if (!wrong)
			continue;
		loader_error(loader, item, "this leads to no endpoint of the scenario");
		loader_hint(loader,
			    "write ${%s} for its host and port, ${%s.port} for the port alone",
			    name, name);
		return;
	}
}

/* Returns whether the text has a reference to an endpoint. */
static bool refers_to_endpoint(const struct scenario *scenario, const char *text)
{
	for (size_t i = 0; i < scenario->n_endpoints; i++) {
		AUTO_FREE char *form = xasprintf("${%s", scenario->endpoints[i].name);
		const char *at = strstr(text, form);

		if (at && (at[strlen(form)] == '}' || at[strlen(form)] == '.') &&
		    (at == text || at[-1] != '$'))
			return true;
	}
	return false;
}

/* Writes the words of @text as a list. */
static char *as_list(const char *text)
{
	AUTO_STRBUF struct strbuf list = {0};

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		int length = (int)strcspn(text, " ");

		strbuf_printf(&list, "%s\"%.*s\"", list.length ? ", " : "", length, text);
		text += length;
	}
	return strbuf_steal(&list);
}

/*
 * Finds a whole command line in place of the program: a name with blanks, and with the address of
 * an endpoint, as no program has.
 */
static void check_program(struct loader *loader, const struct node *command)
{
	const struct node *program;
	const char *blank;
	AUTO_FREE char *list = NULL;

	if (!command || command->kind != NODE_LIST || command->count != 1)
		return;
	program = command->items[0];
	blank = program->kind == NODE_TEXT ? strchr(program->text, ' ') : NULL;
	if (!blank || !refers_to_endpoint(loader->scenario, blank))
		return;
	loader_error(loader, program, "this is the name of a program, which has blanks");
	list = as_list(program->text);
	if (strpbrk(program->text, "\\\"'\t\r\n"))
		loader_hint(loader, "write each argument as an item of its own");
	else
		loader_hint(loader, "write [%s]", list);
}

void decode_document(struct loader *loader, const struct node *root)
{
	struct scenario *scenario = loader->scenario;
	size_t n_errors = loader->diags->n_items;

	if (!loader->partial && is_foreign(loader, root))
		return;

	loader->tolerance = TOLERANCE_DEFAULT;
	scenario->timeout_ns = TIMEOUT_DEFAULT_NS;
	scenario->stop_timeout_ns = STOP_TIMEOUT_DEFAULT_NS;
	scenario->tags = xzalloc(sizeof(*scenario->tags));
	scenario->place = loader_place(loader, root);
	scenario->place.length = 0;
	decode_mapping(loader, &schema_document, root, root, scenario);
	if (loader->diags->n_items == n_errors && !loader->partial)
		check_contradictions(loader);
	for (size_t i = 0; loader->endpoints_known && i < loader->n_texts; i++)
		check_references(loader, loader->texts[i]);
	if (loader->diags->n_items == n_errors && loader->endpoints_known && !loader->attached &&
	    scenario->n_endpoints > 0) {
		check_program(loader, node_get(node_get(root, "client"), "command"));
		check_command(loader, node_get(node_get(root, "client"), "command"));
	}
	scenario->expectations =
		xrealloc(scenario->expectations,
			 scenario->n_expectations * sizeof(*scenario->expectations) + 1);
	free(loader->texts);
	loader->texts = NULL;
	loader->n_texts = loader->texts_capacity = 0;
}
