/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of finding scenario files, each in a directory of its own. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runner/scenario/load.h"

/* Each test runs in a new empty directory, which is its working directory. */
static void enter(void)
{
	char template[] = "/tmp/test_find.XXXXXX";

	cr_assert_not_null(mkdtemp(template));
	cr_assert_eq(chdir(template), 0);
}

static void leave(void)
{
	AUTO_FREE char *directory = getcwd(NULL, 0);
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", "--", directory, NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

TestSuite(find, .init = enter, .fini = leave);

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s", path);
	close(fd);
}

struct found {
	char **paths;
	size_t n_paths, capacity;
	struct diag_list diags;
	int result;
};

static void found_free(struct found *found)
{
	for (size_t i = 0; i < found->n_paths; i++)
		free(found->paths[i]);
	free(found->paths);
	diag_list_free(&found->diags);
}
#define AUTO_FOUND CLEANUP(found_free)

static struct found find(const char *path)
{
	struct found found = {0};

	found.result =
		scenario_find(path, &found.paths, &found.n_paths, &found.capacity, &found.diags);
	return found;
}

/* @expected: paths joined by blanks */
static void expect_paths(const struct found *found, const char *expected)
{
	AUTO_STRBUF struct strbuf joined = {0};

	for (size_t i = 0; i < found->n_paths; i++)
		strbuf_printf(&joined, "%s%s", i ? " " : "", found->paths[i]);
	cr_expect_str_eq(strbuf_text(&joined), expected, "\"%s\" instead of \"%s\"",
			 strbuf_text(&joined), expected);
}

Test(find, named_file_is_taken_under_any_name)
{
	make_file("a.txt");
	AUTO_FOUND struct found found = find("a.txt");

	cr_expect_eq(found.result, 0);
	expect_paths(&found, "a.txt");
}

Test(find, lists_files_below_a_directory_by_name)
{
	mkdir("d", 0700);
	mkdir("d/b", 0700);
	mkdir("d/b/deep", 0700);
	mkdir("d/empty", 0700);
	make_file("d/c.yml");
	make_file("d/a.yaml");
	make_file("d/b/2.yaml");
	make_file("d/b/1.yaml");
	make_file("d/b/deep/x.yaml");
	make_file("d/notes.md");
	make_file("d/yaml");
	make_file("d/a.yaml.orig");
	make_file("d/B.YAML");
	AUTO_FOUND struct found found = find("d"), with_slash = find("d/");

	cr_expect_eq(found.result, 0);
	expect_paths(&found, "d/a.yaml d/b/1.yaml d/b/2.yaml d/b/deep/x.yaml d/c.yml");
	expect_paths(&with_slash, "d/a.yaml d/b/1.yaml d/b/2.yaml d/b/deep/x.yaml d/c.yml");
}

Test(find, skips_hidden_files_unless_they_are_named)
{
	mkdir(".hidden", 0700);
	make_file(".hidden/a.yaml");
	make_file(".b.yaml");
	make_file("c.yaml");
	AUTO_FOUND struct found all = find("."), hidden = find(".hidden"), file = find(".b.yaml");

	expect_paths(&all, "./c.yaml");
	expect_paths(&hidden, ".hidden/a.yaml");
	expect_paths(&file, ".b.yaml");
}

Test(find, enters_each_directory_once)
{
	mkdir("d", 0700);
	mkdir("d/sub", 0700);
	make_file("d/sub/a.yaml");
	cr_assert_eq(symlink("..", "d/sub/up"), 0);
	cr_assert_eq(symlink("sub", "d/zzz"), 0);
	cr_assert_eq(symlink(".", "d/self"), 0);
	AUTO_FOUND struct found found = find("d");

	cr_expect_eq(found.result, 0);
	expect_paths(&found, "d/sub/a.yaml");
}

Test(find, follows_links_to_files_and_keeps_dangling_ones)
{
	mkdir("d", 0700);
	make_file("target");
	cr_assert_eq(symlink("../target", "d/a.yaml"), 0);
	cr_assert_eq(symlink("nowhere", "d/b.yaml"), 0);
	cr_assert_eq(symlink("nowhere", "d/other"), 0);
	AUTO_FOUND struct found found = find("d");

	expect_paths(&found, "d/a.yaml d/b.yaml");
}

Test(find, search_skips_everything_but_files)
{
	mkdir("d", 0700);
	mkdir("d/x.yaml", 0700);
	cr_assert_eq(mkfifo("d/f.yaml", 0600), 0);
	make_file("d/x.yaml/y.yaml");
	AUTO_FOUND struct found found = find("d");

	expect_paths(&found, "d/x.yaml/y.yaml");
}

Test(find, names_a_path_that_does_not_exist)
{
	mkdir("empty", 0700);
	mkdir("empty/also", 0700);
	make_file("empty/notes.md");
	make_file("file");
	AUTO_FOUND struct found missing = find("nowhere"), empty = find("empty"),
				below = find("file/x");

	cr_expect_eq(missing.result, -ENOENT);
	cr_assert_eq(missing.diags.n_items, 1);
	cr_expect_str_eq(missing.diags.items[0].path, "nowhere");
	cr_expect_eq(empty.result, -ENODATA);
	cr_assert_eq(empty.diags.n_items, 1);
	cr_expect(strstr(empty.diags.items[0].message, "no scenario file"));
	cr_expect_eq(below.result, -ENOTDIR);
	cr_expect_eq(below.diags.n_items, 1);
}

Test(find, says_which_directory_can_not_be_read_and_goes_on)
{
	mkdir("d", 0700);
	mkdir("d/closed", 0);
	make_file("d/z.yaml");
	/* Root can read everything: become the user nobody if possible. */
	if (geteuid() == 0) {
		cr_assert_eq(chmod(".", 0755), 0);
		cr_assert_eq(chmod("d", 0755), 0);
		cr_assert_eq(seteuid(65534), 0);
	}
	AUTO_FOUND struct found found = find("d");

	if (getuid() == 0)
		cr_assert_eq(seteuid(0), 0);
	cr_expect_eq(found.result, -EACCES);
	cr_expect_eq(found.diags.n_items, 1);
	expect_paths(&found, "d/z.yaml");
}

Test(find, adds_to_what_was_found_before)
{
	struct found found = {0};

	mkdir("d", 0700);
	make_file("a.yaml");
	for (size_t i = 0; i < 2; i++)
		cr_expect_eq(scenario_find("a.yaml", &found.paths, &found.n_paths, &found.capacity,
					   &found.diags),
			     0);
	cr_expect_eq(
		scenario_find("d", &found.paths, &found.n_paths, &found.capacity, &found.diags),
		-ENODATA, "what others found does not count");
	expect_paths(&found, "a.yaml a.yaml");
	found_free(&found);
}
