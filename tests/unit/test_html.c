/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the HTML pages as files: which are written, that they are well-formed, and what they
 * say. How they look and behave is tested in a browser (tests/browser).
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <sys/stat.h>

#include "runner/report/html.h"
#include "runner/report/html_style.h"
#include "runner/report/svg_files.h"
#include "tests/lib/report_fixture.h"

static const char source[] = "name: one\nexpect:\n  exit: 0\n---\nname: two\nexpect: {exit: 0}\n";

/* A directory that is removed at the end. */
static void remove_tree(char **path)
{
	AUTO_FREE char *command = xasprintf("rm -r %s", *path);

	cr_assert_eq(system(command), 0);
	free(*path);
}
#define AUTO_TREE CLEANUP(remove_tree)

static char *make_tree(void)
{
	char *path = xstrdup("/tmp/synfault-html-XXXXXX");

	cr_assert_not_null(mkdtemp(path));
	return path;
}

/* A whole file; NULL: there is none. */
static char *read_file(const char *directory, const char *name, size_t *ret_length)
{
	AUTO_FREE char *path = xasprintf("%s/%s", directory, name);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct strbuf text = {0};
	char buffer[4096];
	ssize_t length;

	if (fd < 0)
		return NULL;
	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		strbuf_add(&text, buffer, (size_t)length);
	*ret_length = text.length;
	return strbuf_steal(&text);
}

/* Reads a page back, which has to be well-formed XML. */
static char *page(const char *directory, const char *name)
{
	size_t length = 0;
	char *text = read_file(directory, name, &length);
	xmlDocPtr document;

	cr_assert_not_null(text, "no %s", name);
	document = xmlReadMemory(text, (int)length, name, NULL, XML_PARSE_NONET | XML_PARSE_HUGE);
	cr_assert_not_null(document, "%s is not well-formed", name);
	xmlFreeDoc(document);
	return text;
}

static void write_site(const struct report_fixture *fixture, const char *directory)
{
	AUTO_DIAG struct diag_list diags = {0};

	cr_assert_eq(html_write(&fixture->results, directory, &diags), 0, "%s",
		     diags.n_items ? diags.items[0].message : "");
}

static struct result *add_passed(struct report_fixture *fixture, struct scenario_file *file,
				 const char *name)
{
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "accept");

	record_builder_attempt_connected(b, api, 10);
	record_builder_client_exits(b, 20, 0);
	return report_fixture_result(fixture, file, name, 1, b, NULL);
}

Test(html, has_a_page_for_each_scenario_and_an_overview)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", source);
	AUTO_TREE char *directory = make_tree();
	AUTO_FREE char *index = NULL, *one = NULL, *broken = NULL, *skipped = NULL, *left = NULL;
	struct judgement skip = {.outcome = OUTCOME_SKIP};

	add_passed(fixture, file, "passes");
	report_fixture_broken(fixture, file, "broken", 5, "unknown key \"exit<\"");
	report_fixture_finding(&skip, "capability", NULL, NULL, NULL, "no CAP_NET_ADMIN");
	report_fixture_result(fixture, file, "skips", 1, record_builder_new(), &skip);
	report_fixture_not_run(fixture, file, "never ran", 1);
	write_site(fixture, directory);
	index = page(directory, "index.html");
	one = page(directory, "scenarios/0001-passes.html");
	broken = page(directory, "scenarios/0002-broken.html");
	skipped = page(directory, "scenarios/0003-skips.html");
	left = page(directory, "scenarios/0004-never-ran.html");
	cr_expect(strstr(index, "2 of 4 scenarios did not pass."));
	cr_expect(strstr(index, "href=\"scenarios/0001-passes.html\""));
	cr_expect(strstr(index, "no CAP_NET_ADMIN"));
	cr_expect(strstr(one, "<svg"));
	cr_expect(strstr(broken, "unknown key &quot;exit&lt;&quot;"));
	cr_expect(strstr(broken, "id=\"line-5\" class=\"bad\""));
	cr_expect(strstr(skipped, "no CAP_NET_ADMIN"));
	cr_expect(!strstr(left, "<svg"));
}

Test(html, links_findings_with_attempts_and_lines)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", source);
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	AUTO_TREE char *directory = make_tree();
	AUTO_FREE char *text = NULL;

	record_builder_attempt_refused(b, api, 10);
	record_builder_attempt_refused(b, api, 200);
	record_builder_attempt_refused(b, api, 390);
	record_builder_attempt_refused(b, api, 580);
	record_builder_client_exits(b, 600, 1);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000)->place.line = 3;
	record_builder_expect_exit(b, 1);
	report_fixture_result(fixture, file, "waits too little", 1, b, NULL)->repeat =
		xstrdup("synfault run a.yaml --seed 42");
	write_site(fixture, directory);
	text = page(directory, "scenarios/0001-waits-too-little.html");
	cr_expect(strstr(text, "<a href=\"#attempt-2\">"));
	cr_expect(strstr(text, "id=\"attempt-2\" class=\"bad\""));
	cr_expect(strstr(text, "<a href=\"#line-3\">"));
	cr_expect(strstr(text, "id=\"line-3\" class=\"bad\""));
	cr_expect(strstr(text, "<a href=\"#finding-1\">"));
	cr_expect(strstr(text, "id=\"finding-1\""));
	cr_expect(strstr(text, "2.00 s ± 200 ms"));
	cr_expect(strstr(text, "<dt>seen</dt><dd>backoff looks like "));
	/* A met expectation shows what was measured, and where to see it. */
	cr_expect(strstr(text,
			 "<td class=\"nowrap\">✓ met</td><th scope=\"row\">exit</th>"
			 "<td class=\"why\">1</td><td class=\"why\">1</td>"
			 "<td class=\"nowrap\"><a href=\"#event-13\">exit at 0.600 s</a></td>"));
	cr_expect(strstr(text, "<tr id=\"event-13\">"));
	cr_expect(strstr(text, "synfault run a.yaml --seed 42"));
	/* The other document is not about this scenario. */
	cr_expect(!strstr(text, "name: two"));
}

Test(html, says_when_each_line_was_written)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", source);
	struct record_builder *b = record_builder_new();
	AUTO_TREE char *directory = make_tree();
	AUTO_FREE char *text = NULL;

	record_builder_client_writes(b, STREAM_STDOUT, 100, "one\nbegun ", 10);
	record_builder_client_writes(b, STREAM_STDERR, 150, "between\n", 8);
	record_builder_client_writes(b, STREAM_STDOUT, 200, "ended\nthree\n", 12);
	record_builder_client_exits(b, 300, 0);
	report_fixture_result(fixture, file, "writes", 1, b, NULL);
	write_site(fixture, directory);
	text = page(directory, "scenarios/0001-writes.html");
	cr_expect(strstr(text, "<li><span class=\"at\">0.100 s</span><code>one</code></li>"
			       "<li><span class=\"at\"></span><code>begun ended</code></li>"
			       "<li><span class=\"at\">0.200 s</span><code>three</code></li>"),
		  "%s", text);
	cr_expect(strstr(text, "<li><span class=\"at\">0.150 s</span><code>between</code></li>"));
}

Test(html, leaves_out_the_middle_of_much_output_and_says_so)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", source);
	struct record_builder *b = record_builder_new();
	AUTO_TREE char *directory = make_tree();
	AUTO_FREE char *text = NULL;

	for (int i = 0; i < 3000; i++) {
		AUTO_FREE char *line = xasprintf("line %06d\n", i);

		record_builder_client_writes(b, STREAM_STDOUT, i, line, strlen(line));
	}
	record_builder_client_exits(b, 3000, 0);
	report_fixture_result(fixture, file, "much", 1, b, NULL);
	write_site(fixture, directory);
	text = page(directory, "scenarios/0001-much.html");
	cr_expect(strstr(text, "line 000499<"));
	cr_expect(!strstr(text, "line 000500<"));
	cr_expect(strstr(text, "<li class=\"gap\">24000 bytes left out</li>"));
	cr_expect(!strstr(text, "line 002499<"));
	cr_expect(strstr(text, "<span class=\"at\">2.500 s</span><code>line 002500<"));
	cr_expect(strstr(text, "line 002999<"));
}

Test(html, makes_hostile_text_safe)
{
	static const char bytes[] = "\033[31m<script>\xff\x01]]>&amp;\n";
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file =
		report_fixture_file(fixture, "a<b>&\"\x01.yaml", "name: <script>\x02\xff\n");
	struct record_builder *b = record_builder_new();
	AUTO_TREE char *directory = make_tree();
	AUTO_FREE char *single = xasprintf("%s/single.html", directory);
	AUTO_FREE char *index = NULL, *text = NULL, *whole = NULL;
	AUTO_DIAG struct diag_list diags = {0};

	record_builder_client_writes(b, STREAM_STDERR, 10, bytes, sizeof(bytes) - 1);
	record_builder_client_exits(b, 20, 0);
	record_add_section(b->record, "<script>", "\x1b[1m<script>\n");
	report_fixture_result(fixture, file, "../../<script>\x1b[1m/\xff \x01", 1, b, NULL);
	write_site(fixture, directory);
	cr_assert_eq(html_single_write(&fixture->results, single, &diags), 0);
	index = page(directory, "index.html");
	text = page(directory, "scenarios/0001-script-1m.html");
	whole = page(directory, "single.html");
	cr_expect(!strstr(index, "<script"));
	cr_expect(!strstr(text, "<script"));
	cr_expect(!strstr(whole, "<script"));
	cr_expect(strstr(text, "&lt;script&gt;\\xFF#x1]]&gt;&amp;amp;"), "%s", text);
}

Test(html, names_of_pages_are_safe_and_unique)
{
	static const struct {
		const char *name, *page;
	} cases[] = {
		{"retries", "0001-retries"},
		{"Retries 5 Times, or MORE!", "0001-retries-5-times-or-more"},
		{"../../etc/passwd", "0001-etc-passwd"},
		{"a\nb\tc", "0001-a-b-c"},
		{"größe", "0001-gr-e"},
		{"", "0001"},
		{"///", "0001"},
		{"con.aux:nul|*?", "0001-con-aux-nul"},
		{"0123456789012345678901234567890123456789012345678901234567890",
		 "0001-01234567890123456789012345678901234567890123456789"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scenario scenario = {.name = xstrdup(cases[i].name)};
		struct result result = {.scenario = &scenario};
		AUTO_FREE char *first = report_page_name(&result, 0), *second = NULL;

		result.number = 12345;
		second = report_page_name(&result, 0);
		cr_expect_str_eq(first, cases[i].page);
		cr_expect_eq(strncmp(second, "12345", 5), 0);
		free(scenario.name);
	}
}

Test(html, copies_captures_and_links_them)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", source);
	AUTO_TREE char *directory = make_tree();
	AUTO_FREE char *capture = xasprintf("%s/c.pcapng", directory), *text = NULL, *gone = NULL,
		       *copy = NULL;
	struct result *result = add_passed(fixture, file, "captured");
	size_t length = 0;
	FILE *packets = fopen(capture, "we");

	cr_assert(packets && fputs("\n\r\r\npackets", packets) >= 0 && fclose(packets) == 0);
	result->capture = xstrdup(capture);
	add_passed(fixture, file, "elsewhere")->capture = xstrdup("/nowhere/at/all.pcapng");
	write_site(fixture, directory);
	text = page(directory, "scenarios/0001-captured.html");
	gone = page(directory, "scenarios/0002-elsewhere.html");
	copy = read_file(directory, "captures/0001-captured.pcapng", &length);
	cr_expect(strstr(text, "href=\"../captures/0001-captured.pcapng\""));
	cr_assert_not_null(copy);
	cr_expect_str_eq(copy, "\n\r\r\npackets");
	cr_expect(!strstr(gone, "href=\"../captures"));
	cr_expect(strstr(gone, "/nowhere/at/all.pcapng"));
}

/* The path of a capture comes with the run: it may name a secret of the reader's, or no file. */
Test(html, copies_only_what_is_a_capture, .timeout = 10)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", source);
	AUTO_TREE char *directory = make_tree();
	AUTO_FREE char *secret = xasprintf("%s/secret", directory);
	AUTO_FREE char *pipe = xasprintf("%s/pipe", directory);
	AUTO_FREE char *captures = xasprintf("%s/captures", directory);
	const char *const paths[] = {secret, pipe, directory, "/dev/zero", ""};
	FILE *text = fopen(secret, "we");

	cr_assert(text && fputs("root:x:0", text) >= 0 && fclose(text) == 0);
	cr_assert_eq(mkfifo(pipe, 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		AUTO_FREE char *name = xasprintf("run %zu", i);

		add_passed(fixture, file, name)->capture = xstrdup(paths[i]);
	}
	write_site(fixture, directory);
	cr_expect(access(captures, F_OK) < 0);
}

Test(html, does_not_wait_for_a_pipe_in_place_of_a_page, .timeout = 10)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", source);
	AUTO_TREE char *directory = make_tree();
	AUTO_FREE char *scenarios = xasprintf("%s/scenarios", directory);
	AUTO_FREE char *page = xasprintf("%s/0001-first.html", scenarios);
	AUTO_DIAG struct diag_list diags = {0};

	cr_assert_eq(mkdir(scenarios, 0700), 0);
	cr_assert_eq(mkfifo(page, 0600), 0);
	add_passed(fixture, file, "first");
	cr_expect_eq(html_write(&fixture->results, directory, &diags), -EINVAL);
	cr_assert_eq(diags.n_items, 1);
	cr_expect(strstr(diags.items[0].message, page), "%s", diags.items[0].message);
}

Test(html, the_single_page_needs_no_other_file)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", source);
	AUTO_TREE char *directory = make_tree();
	AUTO_FREE char *path = xasprintf("%s/new/single.html", directory), *text = NULL;
	AUTO_DIAG struct diag_list diags = {0};

	add_passed(fixture, file, "first");
	add_passed(fixture, file, "second");
	cr_assert_eq(html_single_write(&fixture->results, path, &diags), 0);
	text = page(directory, "new/single.html");
	cr_expect(strstr(text, "href=\"#s2-top-0\""));
	cr_expect(strstr(text, "id=\"s2-top-0\""));
	cr_expect(strstr(text, "id=\"s1-attempt-1\""));
	cr_expect(!strstr(text, "rel=\"stylesheet\""));
	cr_expect(strstr(text, "<style>"));
}

Test(html, says_why_it_can_not_be_written)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_TREE char *directory = make_tree();
	AUTO_FREE char *file = xasprintf("%s/file", directory),
		       *below = xasprintf("%s/file/site", directory);
	AUTO_DIAG struct diag_list diags = {0};
	FILE *there = fopen(file, "we");

	cr_assert(there && fclose(there) == 0);
	cr_expect_eq(html_check(file, &diags), -ENOTDIR);
	cr_expect_eq(html_check(below, &diags), -ENOTDIR);
	cr_expect_eq(html_write(&fixture->results, below, &diags), -ENOTDIR);
	cr_expect_eq(html_single_check(directory, &diags), -EISDIR);
	cr_assert_eq(diags.n_items, 4);
	cr_expect(strstr(diags.items[0].message, "can't write the HTML report "));
	cr_expect(strstr(diags.items[0].message, "Not a directory"));
}

Test(html, a_single_picture_is_refused_where_there_are_more)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", source);
	AUTO_TREE char *directory = make_tree();
	AUTO_FREE char *path = xasprintf("%s/one.svg", directory),
		       *pictures = xasprintf("%s/pictures", directory), *text = NULL;
	AUTO_DIAG struct diag_list diags = {0};

	add_passed(fixture, file, "first");
	cr_assert_eq(svg_files_check(path, &diags), 0);
	cr_assert_eq(svg_files_write(&fixture->results, path, &diags), 0);
	text = page(directory, "one.svg");
	cr_expect(strstr(text, "Timeline of first"));
	add_passed(fixture, file, "second");
	cr_expect_eq(svg_files_write(&fixture->results, path, &diags), -EINVAL);
	cr_assert_eq(diags.n_items, 1);
	cr_expect(strstr(diags.items[0].message, "2 scenarios were run"));
	cr_assert_eq(svg_files_check(pictures, &diags), 0);
	cr_assert_eq(svg_files_write(&fixture->results, pictures, &diags), 0);
	free(text);
	text = page(directory, "pictures/0002-second.svg");
}

/* Thousands of scenarios of one file: each page shows its own document only. */
Test(html, grows_only_with_the_number_of_scenarios)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_TREE char *directory = make_tree();
	AUTO_STRBUF struct strbuf text = {0};
	struct scenario_file *file;
	AUTO_FREE char *last = NULL;

	for (int i = 0; i < 2000; i++)
		strbuf_printf(&text, "---\nname: scenario %d\n", i);
	file = report_fixture_file(fixture, "a.yaml", strbuf_text(&text));
	for (unsigned i = 0; i < 2000; i++) {
		AUTO_FREE char *name = xasprintf("scenario %u", i);

		add_passed(fixture, file, name);
		fixture->results.items[i].number = i + 1;
		file->scenarios[i]->place.line = 2 * i + 2;
	}
	write_site(fixture, directory);
	last = page(directory, "scenarios/2000-scenario-1999.html");
	cr_expect_lt(strlen(last), (size_t)12000);
	cr_expect(strstr(last, "name: scenario 1999"));
	cr_expect(!strstr(last, "name: scenario 1998"));
}
