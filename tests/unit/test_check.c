/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of `synfault check` and `synfault list`: what they print and how they end. The errors of
 * wrong files are compared with tests/scenarios/wrong, byte for byte; SYNFAULT_SOURCE names the
 * source tree.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

#include "common/strbuf.h"
#include "runner/command/command.h"
#include "runner/command/list.h"

TestSuite(check);

#define GOOD                                                                                       \
	"name: good\ntags: [a, b]\nendpoints: {api: {}, web: {}}\nclient: {command: [x]}\n"        \
	"expect: {exit: 0}\n"
#define UNTAGGED                                                                                   \
	"timeout: 1s\nname: \"un\\u00e9\"\nendpoints: {api: {}}\nclient: {command: [x]}\n"         \
	"expect: {exit: 0}\n"

struct printed {
	int status;
	char *out, *err;
};

static void printed_free(struct printed *printed)
{
	free(printed->out);
	free(printed->err);
}
#define AUTO_PRINTED CLEANUP(printed_free)

enum what { CHECK, CHECK_IN_COLOR, LIST, LIST_JSON };

static struct printed run(enum what what, size_t n, const char *const *paths)
{
	const struct command *command = what <= CHECK_IN_COLOR ? &command_check : &command_list;
	char **owned = xzalloc((n + 2) * sizeof(*owned));
	struct printed printed = {0};
	size_t out_size, err_size;
	AUTO_FREE char **argv = NULL;
	FILE *out = open_memstream(&printed.out, &out_size);
	FILE *err = open_memstream(&printed.err, &err_size);

	owned[0] = xstrdup(what == LIST_JSON        ? "--json"
			   : what == CHECK_IN_COLOR ? "--color=always"
						    : "--color=never");
	for (size_t i = 0; i < n; i++)
		owned[i + 1] = xstrdup(paths[i]);
	/* Operands move within the vector. */
	argv = xmemdup(owned, (n + 2) * sizeof(*owned));
	printed.status = command_execute(command, (int)n + 1, argv,
					 &(struct command_context){.out = out, .err = err});
	fclose(out);
	fclose(err);
	strv_free(owned);
	return printed;
}

#define RUN(command, ...)                                                                          \
	run(command, ARRAY_SIZE(((const char *const[]){__VA_ARGS__})),                             \
	    (const char *const[]){__VA_ARGS__})

/* A new directory, which becomes the working directory; it is removed by leave(). */
static char *enter(void)
{
	char *directory = xstrdup("/tmp/test_check.XXXXXX");

	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
	return directory;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static void leave(char **directory)
{
	unlink("good.yaml");
	unlink("bad.yaml");
	unlink("two.yaml");
	rmdir("empty");
	rmdir(*directory);
	free(*directory);
}
#define AUTO_LEAVE CLEANUP(leave) __attribute__((unused))

Test(check, says_that_files_are_valid)
{
	AUTO_LEAVE char *directory = enter();

	write_file("good.yaml", GOOD);
	write_file("two.yaml", GOOD "---\n" UNTAGGED);
	AUTO_PRINTED struct printed one = RUN(CHECK, "good.yaml"), both = RUN(CHECK, ".");

	cr_expect_eq(one.status, 0);
	cr_expect_str_eq(one.out, "1 scenario in 1 file, all fine\n");
	cr_expect_str_eq(one.err, "");
	cr_expect_eq(both.status, 0);
	cr_expect_str_eq(both.out, "3 scenarios in 2 files, all fine\n");
}

Test(check, shows_errors_with_their_places)
{
	AUTO_LEAVE char *directory = enter();

	write_file("good.yaml", GOOD);
	write_file("bad.yaml", "x: y\n" GOOD "---\nz: [\n");
	AUTO_PRINTED struct printed plain = RUN(CHECK, "good.yaml", "bad.yaml"),
				    color = RUN(CHECK_IN_COLOR, "bad.yaml");

	cr_expect_eq(plain.status, 4);
	cr_expect_str_eq(plain.out, "");
	cr_expect_str_eq(plain.err,
			 "bad.yaml:1:1: error: unknown key \"x\"\n"
			 "   1 | x: y\n"
			 "     | ^\n"
			 "  help: a scenario has the keys: name, tags, timeout, run-for, "
			 "stop-timeout, leftover-timeout, time, endpoints, kernel, "
			 "client, requires, clients, "
			 "repeat, expect, matrix, defaults\n"
			 "bad.yaml:8:4: error: not valid YAML: a list that starts here has no end\n"
			 "   8 | z: [\n"
			 "     |    ^\n"
			 "2 errors in 1 file\n",
			 "%s", plain.err);
	cr_expect_eq(color.status, 4);
	cr_expect(strstr(color.err, "\033["));
}

Test(check, names_paths_that_do_not_exist)
{
	AUTO_LEAVE char *directory = enter();

	write_file("good.yaml", GOOD);
	cr_assert_eq(mkdir("empty", 0700), 0);
	AUTO_PRINTED struct printed missing = RUN(CHECK, "nowhere.yaml"),
				    empty = RUN(CHECK, "empty"), nothing = run(CHECK, 0, NULL),
				    mixed = RUN(CHECK, "empty", "good.yaml");

	cr_expect_eq(missing.status, 4);
	cr_expect_str_eq(missing.err, "nowhere.yaml: error: there is no such file or directory\n"
				      "1 error in 1 file\n");
	cr_expect_eq(empty.status, 5);
	cr_expect_str_eq(empty.err, "empty: error: there is no scenario file (.yaml, .yml) in this "
				    "directory\nno scenario found\n");
	cr_expect_eq(nothing.status, 4);
	cr_expect(strstr(nothing.err, "a scenario file or directory is needed"));
	cr_expect_eq(mixed.status, 4);
	cr_expect(strstr(mixed.err, "empty: error: there is no scenario file"));
}

Test(check, lists_a_line_for_each_scenario)
{
	AUTO_LEAVE char *directory = enter();

	write_file("two.yaml", GOOD "---\n" UNTAGGED "---\nbad: {}\n");
	write_file("good.yaml", GOOD);
	AUTO_PRINTED struct printed good = RUN(LIST, "good.yaml"), two = RUN(LIST, "two.yaml"),
				    missing = RUN(LIST, "nowhere"), nothing = run(LIST, 0, NULL);

	cr_expect_eq(good.status, 0);
	cr_expect_str_eq(good.out, "good.yaml:1: good [a, b]\n");
	cr_expect_str_eq(good.err, "");
	cr_expect_eq(two.status, 4);
	cr_expect_str_eq(two.out, "two.yaml:1: good [a, b]\ntwo.yaml:8: uné\n");
	cr_expect(strstr(two.err, "two.yaml:13:1: error: unknown key \"bad\""));
	cr_expect_eq(missing.status, 4);
	cr_expect_eq(nothing.status, 4);
}

Test(check, lists_scenarios_as_json)
{
	AUTO_LEAVE char *directory = enter();
	json_t *json, *expected;

	write_file("two.yaml", GOOD "---\n" UNTAGGED);
	cr_assert_eq(mkdir("empty", 0700), 0);
	AUTO_PRINTED struct printed two = RUN(LIST_JSON, "two.yaml"),
				    nothing = RUN(LIST_JSON, "empty");

	cr_expect_eq(two.status, 0);
	json = json_loads(two.out, 0, NULL);
	expected =
		json_loads("[{\"name\": \"good\", \"path\": \"two.yaml\", \"line\": 1, \"tags\": "
			   "[\"a\", \"b\"], \"endpoints\": [\"api\", \"web\"], \"timeout_ns\": "
			   "30000000000}, {\"name\": \"uné\", \"path\": \"two.yaml\", \"line\": 8, "
			   "\"tags\": [], \"endpoints\": [\"api\"], \"timeout_ns\": 1000000000}]",
			   0, NULL);
	cr_assert_not_null(expected);
	cr_expect(json_equal(json, expected), "%s", two.out);
	cr_expect_eq(nothing.status, 5);
	cr_expect_str_eq(nothing.out, "[]\n");
	json_decref(json);
	json_decref(expected);
}

static char *read_file(const char *path)
{
	struct strbuf text = {0};
	FILE *file = fopen(path, "re");
	int character;

	cr_assert_not_null(file, "%s can't be read", path);
	while ((character = fgetc(file)) != EOF)
		strbuf_putc(&text, (char)character);
	fclose(file);
	return strbuf_steal(&text);
}

static int is_yaml(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

/* To update them after an intended change: synfault check NAME.yaml 2> NAME.expected */
Test(check, prints_the_stored_errors_of_wrong_files)
{
	const char *source = getenv("SYNFAULT_SOURCE");
	struct dirent **entries;
	int n;

	cr_assert_not_null(source, "SYNFAULT_SOURCE is not set");
	cr_assert_eq(chdir(source), 0);
	cr_assert_eq(chdir("tests/scenarios/wrong"), 0);
	n = scandir(".", &entries, is_yaml, alphasort);
	cr_assert_geq(n, 15, "only %d wrong files", n);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		AUTO_FREE char *stored = xasprintf("%.*s.expected", (int)strlen(name) - 5, name);
		AUTO_FREE char *expected = read_file(stored);
		AUTO_PRINTED struct printed printed = RUN(CHECK, name);

		cr_expect_eq(printed.status, 4, "%s", name);
		cr_expect_str_eq(printed.out, "", "%s", name);
		cr_expect(strcmp(printed.err, expected) == 0, "%s: instead of\n%sit says\n%s", name,
			  expected, printed.err);
		free(entries[i]);
	}
	free(entries);
}
