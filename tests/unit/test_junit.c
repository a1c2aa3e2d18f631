/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JUnit report, read back by an XML parser as its consumers do; and that writing it leaves
 * either the new report or the old one.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "runner/report/junit.h"
#include "tests/lib/report_fixture.h"

#define LIMIT 65536 /* of one captured stream */

/* ---- Reading back ---- */

static void xml_cleanup(xmlDocPtr *document)
{
	xmlFreeDoc(*document);
}
#define AUTO_XML CLEANUP(xml_cleanup)

/* The report as a document: fails the test unless it is well-formed. */
static xmlDocPtr read_back_as(const struct report_fixture *fixture,
			      const struct junit_options *options)
{
	size_t length;
	AUTO_FREE char *text = junit_format(&fixture->results, options, &length);
	xmlDocPtr document;

	cr_assert_eq(strlen(text), length);
	document = xmlReadMemory(text, (int)length, NULL, NULL, XML_PARSE_NONET);
	cr_assert(document, "not well-formed:\n%.2000s", text);
	return document;
}

static xmlDocPtr read_back(const struct report_fixture *fixture)
{
	return read_back_as(fixture, NULL);
}

/* The value of an XPath expression as text, owned by the caller. */
static char *xpath(xmlDocPtr document, const char *expression)
{
	xmlXPathContextPtr context = xmlXPathNewContext(document);
	xmlXPathObjectPtr object = xmlXPathEvalExpression((const xmlChar *)expression, context);
	xmlChar *value;
	char *copy;

	cr_assert(object, "bad XPath: %s", expression);
	value = xmlXPathCastToString(object);
	copy = xstrdup((const char *)value);
	xmlFree(value);
	xmlXPathFreeObject(object);
	xmlXPathFreeContext(context);
	return copy;
}

static void assert_xpath(xmlDocPtr document, const char *expression, const char *expected)
{
	AUTO_FREE char *value = xpath(document, expression);

	cr_assert_str_eq(value, expected, "%s is \"%.2000s\", not \"%s\"", expression, value,
			 expected);
}

static void assert_xpath_contains(xmlDocPtr document, const char *expression, const char *part)
{
	AUTO_FREE char *value = xpath(document, expression);

	cr_assert(strstr(value, part), "\"%s\" is not in %s:\n%.2000s", part, expression, value);
}

/* ---- Results ---- */

/* A run with every outcome, over two files, in the order in which scenarios happened to end. */
static struct report_fixture *every_outcome(void)
{
	struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *two = report_fixture_file(fixture, "packs/two.yml", "name: x\n");
	struct scenario_file *one =
		report_fixture_file(fixture, "./packs/retry/one.yaml", "name: a\n    faluts: b\n");
	struct judgement skip =
		report_fixture_judgement(OUTCOME_SKIP, "capability", "CAP_NET_ADMIN is missing");
	struct judgement error =
		report_fixture_judgement(OUTCOME_ERROR, "never-fired", "step 1 of api never fired");

	report_fixture_result(fixture, two, "passes", 1, report_fixture_passing(), NULL);
	report_fixture_result(fixture, one, "fails", 30, report_fixture_failing(3), NULL);
	report_fixture_broken(fixture, one, "document 1", 2, "unknown key \"faluts\"");
	report_fixture_result(fixture, two, "is skipped", 20, record_builder_new(), &skip);
	report_fixture_result(fixture, one, "can't be judged", 20, record_builder_new(), &error);
	return fixture;
}

/* ---- Structure ---- */

Test(junit, has_one_flat_suite_per_file_and_one_case_per_scenario)
{
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_XML xmlDocPtr document = read_back(fixture);

	assert_xpath(document, "name(/*)", "testsuites");
	assert_xpath(document, "count(/testsuites/*)", "2");
	assert_xpath(document, "count(/testsuites/testsuite)", "2");
	assert_xpath(document, "count(//testsuite//testsuite)", "0");
	assert_xpath(document, "count(//testcase)", "5");
	assert_xpath(document, "count(//testsuite/testcase)", "5");
	assert_xpath(document, "/testsuites/testsuite[1]/@name", "packs/retry/one.yaml");
	assert_xpath(document, "/testsuites/testsuite[2]/@name", "packs/two.yml");
}

Test(junit, cases_keep_the_order_of_their_file)
{
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_XML xmlDocPtr document = read_back(fixture);

	assert_xpath(document, "//testsuite[1]/testcase[1]/@name", "document 1");
	assert_xpath(document, "//testsuite[1]/testcase[2]/@name", "can't be judged");
	assert_xpath(document, "//testsuite[1]/testcase[3]/@name", "fails");
}

Test(junit, counts_outcomes)
{
	static const struct {
		const char *expression, *expected;
	} cases[] = {
		{"/testsuites/@name", "synfault"}, {"/testsuites/@tests", "5"},
		{"/testsuites/@failures", "1"},    {"/testsuites/@errors", "2"},
		{"/testsuites/@skipped", "1"},     {"/testsuites/@time", "12.300"},
		{"//testsuite[1]/@tests", "3"},    {"//testsuite[1]/@failures", "1"},
		{"//testsuite[1]/@errors", "2"},   {"//testsuite[1]/@skipped", "0"},
		{"//testsuite[1]/@time", "1.046"}, {"//testsuite[2]/@tests", "2"},
		{"//testsuite[2]/@failures", "0"}, {"//testsuite[2]/@errors", "0"},
		{"//testsuite[2]/@skipped", "1"},  {"count(//testsuite/@hostname)", "2"},
	};
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_XML xmlDocPtr document = read_back(fixture);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_xpath(document, cases[i].expression, cases[i].expected);
}

Test(junit, names_class_file_and_line)
{
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_XML xmlDocPtr document = read_back(fixture);

	assert_xpath(document, "//testcase[@name='fails']/@classname", "packs.retry.one");
	assert_xpath(document, "//testcase[@name='fails']/@file", "packs/retry/one.yaml");
	assert_xpath(document, "//testcase[@name='fails']/@line", "30");
	assert_xpath(document, "//testcase[@name='fails']/@time", "0.523");
	assert_xpath(document, "//testcase[@name='passes']/@classname", "packs.two");
	assert_xpath(document, "//testcase[@name='document 1']/@time", "0.000");
	assert_xpath(document, "//testcase[@name='document 1']/@line", "2");
}

Test(junit, states_time_and_seed_of_the_run)
{
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_XML xmlDocPtr document = NULL;

	fixture->results.items[1].record->started_realtime_ns = INT64_C(1700003600) * NS_PER_S;
	document = read_back(fixture);
	assert_xpath(document, "//testsuite[1]/@timestamp", "2023-11-14T23:13:20");
	assert_xpath(document, "//testsuite[2]/@timestamp", "2023-11-14T22:13:20");
	assert_xpath(document, "//testsuite[1]//property[@name='synfault.seed']/@value", "42");
}

Test(junit, has_exactly_one_result_element)
{
	static const struct {
		const char *name, *element, *message, *type;
	} cases[] = {
		{"passes", "", "", ""},
		{"fails", "failure",
		 "backoff 2 at api: expected 2.00 s ± 200 ms, got 1.03 s, 770 ms too short (and 1 "
		 "more)",
		 "backoff"},
		{"can't be judged", "error", "step 1 of api never fired", "never-fired"},
		{"is skipped", "skipped", "CAP_NET_ADMIN is missing", ""},
		{"document 1", "error", "unknown key \"faluts\"", "scenario"},
	};
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_XML xmlDocPtr document = read_back(fixture);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const char elements[] = "*[self::failure or self::error or self::skipped]";
		AUTO_FREE char *base =
			xasprintf("//testcase[@name=\"%s\"]/%s", cases[i].name, elements);
		AUTO_FREE char *count = xasprintf("count(%s)", base);
		AUTO_FREE char *name = xasprintf("name(%s)", base);
		AUTO_FREE char *message = xasprintf("%s/@message", base);
		AUTO_FREE char *type = xasprintf("%s/@type", base);
		AUTO_FREE char *body = xasprintf("%s/text()", base);

		assert_xpath(document, count, *cases[i].element ? "1" : "0");
		assert_xpath(document, name, cases[i].element);
		assert_xpath(document, message, cases[i].message);
		assert_xpath(document, type, cases[i].type);
		assert_xpath_contains(document, body, cases[i].message);
	}
}

Test(junit, body_lists_every_finding)
{
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_XML xmlDocPtr document = read_back(fixture);

	assert_xpath_contains(document, "//failure",
			      "\n"
			      "1. backoff 2 at api\n"
			      "   expected  2.00 s ± 200 ms\n"
			      "   actual    1.03 s\n"
			      "   miss      770 ms too short\n"
			      "   at        packs/retry/one.yaml:101\n"
			      "\n"
			      "2. exit status\n"
			      "   expected  0\n"
			      "   actual    1\n"
			      "   at        packs/retry/one.yaml:102\n");
}

Test(junit, body_of_a_broken_document_shows_the_place)
{
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_XML xmlDocPtr document = read_back(fixture);

	assert_xpath_contains(document, "//error[@type='scenario']", "   2 |     faluts: b\n");
	assert_xpath_contains(document, "//error[@type='scenario']", " packs/retry/one.yaml:2\n");
}

Test(junit, keeps_the_order_of_children)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "");
	struct record_builder *b = report_fixture_failing(3);
	AUTO_XML xmlDocPtr document = NULL;

	record_builder_client_writes(b, STREAM_STDOUT, 1, "to stdout\n", 10);
	record_builder_client_writes(b, STREAM_STDERR, 1, "to stderr\n", 10);
	report_fixture_result(fixture, file, "fails", 1, b, NULL);
	document = read_back(fixture);
	assert_xpath(document, "count(//testcase/*)", "3");
	assert_xpath(document, "name(//testcase/*[1])", "failure");
	assert_xpath(document, "name(//testcase/*[2])", "system-out");
	assert_xpath(document, "name(//testcase/*[3])", "system-err");
	assert_xpath(document, "//system-err", "to stderr\n");
	assert_xpath_contains(document, "//system-out",
			      "\n---- client stdout (10 bytes) ----\n"
			      "to stdout\n");
}

Test(junit, system_out_holds_timeline_then_client_then_servers)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "");
	struct record_builder *b = report_fixture_passing();
	struct record *record = b->record;
	AUTO_XML xmlDocPtr document = NULL;
	AUTO_FREE char *out = NULL;
	const char *timeline, *client, *server;

	record_builder_client_writes(b, STREAM_STDOUT, 1, "hello", 5);
	record->streams = xrealloc(record->streams, 3 * sizeof(*record->streams));
	record->streams[record->n_streams++] = (struct stream){
		.name = xstrdup("api.stderr"),
		.head = xstrdup("listening\n"),
		.head_length = 10,
		.total = 10,
	};
	report_fixture_result(fixture, file, "passes", 1, b, NULL);
	document = read_back(fixture);
	out = xpath(document, "//system-out");
	timeline = strstr(out, "connected after");
	client = strstr(out, "---- client stdout (5 bytes) ----\nhello\n");
	server = strstr(out, "---- api.stderr (10 bytes) ----\nlistening\n");
	cr_assert(timeline && client && server, "%s", out);
	cr_assert(timeline < client && client < server, "%s", out);
	assert_xpath(document, "count(//system-err)", "0");
	assert_xpath_contains(document, "//system-out", "\n  seed 42, Linux 6.18.0, ");
}

Test(junit, is_well_formed_without_results)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_XML xmlDocPtr document = read_back(fixture);

	assert_xpath(document, "/testsuites/@tests", "0");
	assert_xpath(document, "count(//testsuite)", "0");
}

/* ---- Fail closed ---- */

Test(junit, a_scenario_that_never_ran_is_an_error)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "");
	AUTO_XML xmlDocPtr document = NULL;

	report_fixture_not_run(fixture, file, "lost", 1);
	report_fixture_not_run(fixture, file, "interrupted", 2)->interrupted = true;
	report_fixture_result(fixture, file, "cut short", 3, report_fixture_passing(), NULL)
		->interrupted = true;
	document = read_back(fixture);
	assert_xpath(document, "/testsuites/@errors", "3");
	assert_xpath(document, "count(//testcase/error)", "3");
	assert_xpath_contains(document, "//testcase[@name='interrupted']/error/@message",
			      "interrupted");
}

Test(junit, times_are_never_negative)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "");
	AUTO_XML xmlDocPtr document = NULL;

	report_fixture_result(fixture, file, "a", 1, report_fixture_passing(), NULL)->duration_ns =
		-5;
	fixture->results.duration_ns = INT64_MIN;
	document = read_back(fixture);
	assert_xpath(document, "/testsuites/@time", "0.000");
	assert_xpath(document, "//testsuite/@time", "0.000");
	assert_xpath(document, "//testcase/@time", "0.000");
}

/* ---- Names ---- */

Test(junit, never_repeats_a_name)
{
	static const char *const names[] = {"a", "a", "a (2)", "b", "a", "b\n", "b\t", "\x1b[1ma"};
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *one = report_fixture_file(fixture, "dir/a.yaml", "");
	struct scenario_file *again = report_fixture_file(fixture, "dir/a.yaml", "");
	struct scenario_file *alike = report_fixture_file(fixture, "dir/a.yml", "");
	struct scenario_file *const files[] = {one, again, alike};
	AUTO_XML xmlDocPtr document = NULL;
	size_t n = 0;

	for (size_t f = 0; f < ARRAY_SIZE(files); f++)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++, n++)
			report_fixture_result(fixture, files[f], names[i], (unsigned)i + 1,
					      report_fixture_passing(), NULL);
	document = read_back(fixture);
	assert_xpath(document, "count(//testcase)", "24");
	assert_xpath(document, "count(//testsuite)", "2"); /* the same path is the same suite */
	for (size_t i = 1; i <= n; i++) {
		AUTO_FREE char *name = xasprintf("(//testcase)[%zu]/@name", i);
		AUTO_FREE char *class = xasprintf("(//testcase)[%zu]/@classname", i);
		AUTO_FREE char *name_text = xpath(document, name);
		AUTO_FREE char *class_text = xpath(document, class);
		AUTO_FREE char *count = xasprintf(
			"count(//testcase[@name='%s' and @classname='%s'])", name_text, class_text);

		assert_xpath(document, count, "1");
	}
}

Test(junit, paths_count_from_the_root_of_the_repository)
{
	char directory[] = "/tmp/synfault-junit-XXXXXX";
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_FREE char *git = NULL, *pack = NULL, *path = NULL, *with_dots = NULL;
	AUTO_XML xmlDocPtr document = NULL;

	cr_assert(mkdtemp(directory));
	git = xasprintf("%s/.git", directory);
	pack = xasprintf("%s/v1.2", directory);
	path = xasprintf("%s/retry.yaml", pack);
	with_dots = xasprintf("%s/../v1.2/./retry.yaml", pack);
	cr_assert_eq(mkdir(git, 0700), 0);
	cr_assert_eq(mkdir(pack, 0700), 0);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	report_fixture_result(fixture, report_fixture_file(fixture, with_dots, ""), "a", 1,
			      report_fixture_passing(), NULL);
	document = read_back(fixture);
	unlink(path);
	rmdir(pack);
	rmdir(git);
	rmdir(directory);
	assert_xpath(document, "//testcase/@file", "v1.2/retry.yaml");
	assert_xpath(document, "//testcase/@classname", "v1_2.retry");
}

/* ---- Hostile text ---- */

/* A literal with its length, NULs included. */
#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *name, *data;
	size_t length;
	const char *shown; /* what must be in the report */
} hostile[] = {
	{"end of CDATA", BYTES("a ]]> b"), "a ]]> b"},
	{"markup", BYTES("</system-out><x y=\"1\">&amp;&#27;<!--"),
	 "</system-out><x y=\"1\">&amp;&#27;<!--"},
	{"NUL", BYTES("a\0b"), "a#x0b"},
	{"control characters", BYTES("a\x01\x08\x0b\x1f\x7f"), "a#x1#x8#xB#x1F#x7F"},
	{"colours", BYTES("\033[31;1mred\033[0m"), "red"},
	{"title", BYTES("\033]0;title\007text"), "text"},
	{"lone escape", BYTES("a\033"), "a#x1B"},
	{"bad UTF-8", BYTES("a\xff\xc3"), "a\\xFF\\xC3"},
	{"surrogate", BYTES("a\xed\xa0\x80z"), "a\\xED\\xA0\\x80z"},
	{"U+FFFE and U+FFFF", BYTES("a\xef\xbf\xbe\xef\xbf\xbf"), "a#xFFFE#xFFFF"},
	{"carriage returns", BYTES("50%\r100%\r\n"), "50%\n100%\n"},
	{"other scripts", BYTES("再試行 ✗ \xf0\x9f\x98\x80"), "再試行 ✗ \xf0\x9f\x98\x80"},
};

Test(junit, any_output_is_well_formed)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
		struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "");
		struct record_builder *b = report_fixture_passing();
		AUTO_XML xmlDocPtr document = NULL;

		record_builder_client_writes(b, STREAM_STDOUT, 1, hostile[i].data,
					     hostile[i].length);
		record_builder_client_writes(b, STREAM_STDERR, 1, hostile[i].data,
					     hostile[i].length);
		report_fixture_result(fixture, file, "a", 1, b, NULL);
		document = read_back(fixture);
		assert_xpath_contains(document, "//system-out", hostile[i].shown);
		assert_xpath_contains(document, "//system-err", hostile[i].shown);
	}
}

Test(junit, any_name_or_finding_is_well_formed)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
		AUTO_FREE char *text = xstrndup(hostile[i].data, hostile[i].length);
		AUTO_FREE char *broken = xasprintf("broken %s", text);
		AUTO_FREE char *path = xasprintf("dir/%s.yaml", text);
		struct scenario_file *file = report_fixture_file(fixture, path, text);
		struct judgement judgement = {.outcome = OUTCOME_FAIL};
		struct record_builder *b = report_fixture_passing();
		AUTO_XML xmlDocPtr document = NULL;

		report_fixture_finding(&judgement, text, text, text, text, text)->place.line = 3;
		free(b->record->endpoints[0].name);
		b->record->endpoints[0].name = xstrdup(text);
		free(b->record->kernel);
		b->record->kernel = xstrdup(text);
		report_fixture_result(fixture, file, text, 1, b, &judgement);
		report_fixture_broken(fixture, file, broken, 2, text);
		document = read_back(fixture);
		if (strlen(text) != hostile[i].length || strchr(hostile[i].shown, '\n'))
			continue;
		assert_xpath(document, "//testcase[1]/@name", hostile[i].shown);
		assert_xpath(document, "//failure/@message", hostile[i].shown);
		assert_xpath_contains(document, "//failure", hostile[i].shown);
		assert_xpath_contains(document, "//error", hostile[i].shown);
	}
}

Test(junit, a_message_is_one_line)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "");
	struct judgement judgement =
		report_fixture_judgement(OUTCOME_FAIL, "stderr", "one\ntwo\r\nthree\tfour");
	AUTO_XML xmlDocPtr document = NULL;

	report_fixture_result(fixture, file, "a", 1, report_fixture_passing(), &judgement);
	document = read_back(fixture);
	assert_xpath(document, "//failure/@message", "one two three four");
}

/* ---- Much output ---- */

/* The report of a client that wrote these bytes to stderr; returns system-err. */
static char *stderr_in_report(const char *data, size_t length)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "");
	struct record_builder *b = report_fixture_passing();
	AUTO_XML xmlDocPtr document = NULL;

	record_builder_client_writes(b, STREAM_STDERR, 1, data, length);
	report_fixture_result(fixture, file, "a", 1, b, NULL);
	document = read_back(fixture);
	return xpath(document, "//system-err");
}

/* @count times @pattern; owned by the caller. */
static char *repeated(const char *pattern, size_t count)
{
	struct strbuf out = {0};

	for (size_t i = 0; i < count; i++)
		strbuf_puts(&out, pattern);
	return strbuf_steal(&out);
}

Test(junit, keeps_a_stream_of_64_kib_whole)
{
	AUTO_FREE char *data = repeated("0123456789abcde\n", LIMIT / 16);
	AUTO_FREE char *shown = stderr_in_report(data, LIMIT);

	cr_assert_str_eq(shown, data);
}

Test(junit, cuts_the_middle_out_of_a_longer_stream)
{
	/* Just too long; longer than what is captured whole; with a gap in the capture. */
	static const size_t lengths[] = {LIMIT + 16, 2 * LIMIT, 2 * LIMIT + 16, 20 * LIMIT};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		AUTO_FREE char *data = repeated("0123456789abcde\n", lengths[i] / 16);
		AUTO_FREE char *note = xasprintf("\n[%zu of %zu bytes left out]\n",
						 lengths[i] - LIMIT, lengths[i]);
		AUTO_FREE char *shown = NULL;
		const char *found;

		memcpy(data, "START", 5);
		memcpy(data + lengths[i] - 5, "-END\n", 5);
		shown = stderr_in_report(data, lengths[i]);
		found = strstr(shown, note);
		cr_assert(found, "%zu bytes: \"%s\" is missing", lengths[i], note);
		cr_assert_eq(found - shown, LIMIT / 2, "%zu bytes", lengths[i]);
		cr_assert_eq(strlen(found + strlen(note)), LIMIT / 2, "%zu bytes", lengths[i]);
		cr_assert(!strncmp(shown, "START", 5), "%zu bytes", lengths[i]);
		cr_assert_str_eq(shown + strlen(shown) - 5, "-END\n", "%zu bytes", lengths[i]);
	}
}

Test(junit, cuts_between_characters)
{
	for (size_t shift = 0; shift < 3; shift++) {
		AUTO_FREE char *text = repeated("試", LIMIT);
		AUTO_FREE char *data = xasprintf("%.*s%s", (int)shift, "xyz", text);
		AUTO_FREE char *shown = stderr_in_report(data, strlen(data));

		cr_assert_null(strstr(shown, "\\x"), "shifted by %zu", shift);
		cr_assert_leq(strlen(shown), LIMIT + 100);
		cr_assert_geq(strlen(shown), LIMIT - 100);
	}
}

Test(junit, limits_what_is_shown_not_what_was_captured)
{
	AUTO_FREE char *data = repeated("\x01", LIMIT); /* three characters each in the report */
	AUTO_FREE char *shown = stderr_in_report(data, LIMIT);

	cr_assert_leq(strlen(shown), LIMIT + 100);
	cr_assert_geq(strlen(shown), LIMIT - 100);
	cr_assert(strstr(shown, " of 65536 bytes left out]"));
}

Test(junit, every_text_is_short_enough_for_readers)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "");
	AUTO_FREE char *huge = repeated("0123456789abcde\n", 700000);
	struct judgement judgement = {.outcome = OUTCOME_FAIL};
	AUTO_XML xmlDocPtr document = NULL;

	report_fixture_finding(&judgement, "stdout", "stdout", NULL, huge, huge);
	report_fixture_result(fixture, file, huge + 10600000, 1, report_fixture_passing(),
			      &judgement);
	document = read_back(fixture); /* libxml2 refuses nodes over 10,000,000 bytes */
	assert_xpath_contains(document, "//failure", " bytes left out]");
	assert_xpath(document, "string-length(//testcase/@name) < 4096", "true");
	assert_xpath(document, "string-length(//failure/@message) < 4096", "true");
}

/* ---- Schema ---- */

static void strip(xmlDocPtr document, const char *expression)
{
	xmlXPathContextPtr context = xmlXPathNewContext(document);
	xmlXPathObjectPtr object = xmlXPathEvalExpression((const xmlChar *)expression, context);

	for (int i = 0; object->nodesetval && i < object->nodesetval->nodeNr; i++)
		xmlRemoveProp((xmlAttrPtr)object->nodesetval->nodeTab[i]);
	/* The set holds attributes that are gone: free it without looking at them. */
	if (object->nodesetval)
		object->nodesetval->nodeNr = 0;
	xmlXPathFreeObject(object);
	xmlXPathFreeContext(context);
}

struct schema {
	xmlSchemaParserCtxtPtr parser;
	xmlSchemaPtr schema;
	xmlSchemaValidCtxtPtr validator;
};

/* Skips the test where there are no schemas. */
static struct schema schema_load(const char *name)
{
	const char *schemas = getenv("SYNFAULT_SCHEMAS");
	AUTO_FREE char *path = NULL;
	struct schema schema;

	if (!schemas) {
		fprintf(stderr, "junit: not validated: SYNFAULT_SCHEMAS is not set\n");
		cr_skip_test("SYNFAULT_SCHEMAS is not set");
	}
	path = xasprintf("%s/%s", schemas, name);
	schema.parser = xmlSchemaNewParserCtxt(path);
	schema.schema = xmlSchemaParse(schema.parser);
	cr_assert(schema.schema, "%s can't be read", path);
	schema.validator = xmlSchemaNewValidCtxt(schema.schema);
	return schema;
}

static void schema_free(struct schema *schema)
{
	xmlSchemaFreeValidCtxt(schema->validator);
	xmlSchemaFree(schema->schema);
	xmlSchemaFreeParserCtxt(schema->parser);
}

/* Adds the runs before the last one: one that failed, and one that could not be judged. */
static void add_earlier_runs(struct result *result)
{
	struct earlier_run failed = {.duration_ns = NS_PER_S}, unjudged = {0};
	struct record_builder *builder = report_fixture_failing(3);

	record_builder_client_writes(builder, STREAM_STDOUT, 1, "of the first run\n", 17);
	record_builder_client_writes(builder, STREAM_STDERR, 1, "its complaint\n", 14);
	failed.judgement = record_builder_judge(builder);
	failed.record = steal_pointer(&builder->record);
	record_builder_free(builder);
	unjudged.judgement =
		report_fixture_judgement(OUTCOME_ERROR, "never-fired", "step 1 of api never fired");
	array_append(result->earlier, result->n_earlier, result->earlier_capacity, failed);
	array_append(result->earlier, result->n_earlier, result->earlier_capacity, unjudged);
}

/* Every outcome, runs that were tried again, output. */
static struct report_fixture *everything(void)
{
	struct report_fixture *fixture = every_outcome();
	struct scenario_file *file = report_fixture_file(fixture, "again.yaml", "name: x\n");
	struct record_builder *flaky = report_fixture_passing(),
			      *failed = report_fixture_failing(3);

	record_builder_client_writes(flaky, STREAM_STDOUT, 1, "to stdout\n", 10);
	record_builder_client_writes(flaky, STREAM_STDERR, 1, "to stderr\n", 10);
	add_earlier_runs(report_fixture_result(fixture, file, "flaky", 1, flaky, NULL));
	add_earlier_runs(report_fixture_result(fixture, file, "fails again", 2, failed, NULL));
	return fixture;
}

/*
 * The schema's root is one testsuite, and it does not know the attributes hostname and file of a
 * suite, and file and line of a case, which GitLab, Jenkins and CircleCI read: these are taken off.
 */
Test(junit, suites_validate_against_the_surefire_schema)
{
	struct schema schema = schema_load("surefire-test-report.xsd");
	AUTO_FIXTURE struct report_fixture *fixture = everything();
	AUTO_XML xmlDocPtr document = read_back(fixture);
	size_t n_suites = 0;

	strip(document, "//testsuite/@hostname | //testsuite/@file");
	strip(document, "//testcase/@file | //testcase/@line");
	for (xmlNodePtr suite = xmlFirstElementChild(xmlDocGetRootElement(document)); suite;
	     suite = xmlNextElementSibling(suite)) {
		xmlDocPtr alone = xmlNewDoc((const xmlChar *)"1.0");

		xmlDocSetRootElement(alone, xmlDocCopyNode(suite, alone, 1));
		cr_assert_eq(xmlSchemaValidateDoc(schema.validator, alone), 0,
			     "suite %zu is not valid", n_suites);
		xmlFreeDoc(alone);
		n_suites++;
	}
	cr_assert_eq(n_suites, 3);
	schema_free(&schema);
}

static const struct junit_options strict = {.strict = true};

/* The whole report, with no attribute removed. */
Test(junit, the_strict_dialect_validates_against_the_strictest_schema)
{
	struct schema schema = schema_load("junit-10.xsd");
	AUTO_FIXTURE struct report_fixture *fixture = everything();
	AUTO_XML xmlDocPtr document = read_back_as(fixture, &strict);

	cr_assert_eq(xmlSchemaValidateDoc(schema.validator, document), 0);
	schema_free(&schema);
}

Test(junit, the_default_dialect_lacks_only_attributes_of_cases_for_it)
{
	struct schema schema = schema_load("junit-10.xsd");
	AUTO_FIXTURE struct report_fixture *fixture = everything();
	AUTO_XML xmlDocPtr document = read_back(fixture);

	strip(document, "//testcase/@file | //testcase/@line | /testsuites/@skipped");
	cr_assert_eq(xmlSchemaValidateDoc(schema.validator, document), 0);
	schema_free(&schema);
}

Test(junit, the_strict_dialect_lacks_only_attributes)
{
	AUTO_FIXTURE struct report_fixture *fixture = everything();
	AUTO_XML xmlDocPtr normal = read_back(fixture);
	AUTO_XML xmlDocPtr other = read_back_as(fixture, &strict);
	xmlChar *texts[2];
	int lengths[2];

	assert_xpath(normal, "count(//testcase[@file and @line])", "7");
	assert_xpath(other, "count(//testcase/@file | //testcase/@line)", "0");
	assert_xpath(other, "count(/testsuites/@skipped | /testsuites/@timestamp)", "0");
	assert_xpath(other, "count(//testcase/properties)", "0");
	strip(normal, "//testcase/@file | //testcase/@line | /testsuites/@skipped");
	xmlDocDumpMemory(normal, &texts[0], &lengths[0]);
	xmlDocDumpMemory(other, &texts[1], &lengths[1]);
	cr_assert_str_eq((const char *)texts[0], (const char *)texts[1]);
	xmlFree(texts[0]);
	xmlFree(texts[1]);
}

/* ---- runs before the last one ---- */

Test(junit, runs_before_the_last_one_are_flaky_or_rerun)
{
	AUTO_FIXTURE struct report_fixture *fixture = everything();
	AUTO_XML xmlDocPtr document = read_back(fixture);
	static const struct {
		const char *expression, *expected;
	} cases[] = {
		{"count(//testcase[@name='flaky'])", "1"},
		{"count(//testcase[@name='flaky']/failure)", "0"},
		{"name(//testcase[@name='flaky']/*[1])", "flakyFailure"},
		{"name(//testcase[@name='flaky']/*[2])", "flakyError"},
		{"name(//testcase[@name='flaky']/*[3])", "system-out"},
		{"name(//testcase[@name='flaky']/*[4])", "system-err"},
		{"name(//testcase[@name='fails again']/*[1])", "failure"},
		/* The first run is the failure, those after it are reruns. */
		{"name(//testcase[@name='fails again']/*[2])", "rerunFailure"},
		{"starts-with(//rerunFailure/stackTrace, 'run 3: ')", "true"},
		{"name(//testcase[@name='fails again']/*[3])", "rerunError"},
		{"starts-with(//rerunError/stackTrace, 'run 2: ')", "true"},
		{"contains(//flakyFailure/system-out, 'of the first run')", "true"},
		{"contains(//flakyFailure/system-err, 'its complaint')", "true"},
		{"//testcase[@name='flaky']/flakyFailure/@type", "backoff"},
		{"//testcase[@name='flaky']/flakyError/@type", "never-fired"},
		{"count(//flakyFailure/stackTrace)", "1"},
		{"count(//rerunFailure/stackTrace)", "1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_xpath(document, cases[i].expression, cases[i].expected);
}

/* ---- The file ---- */

static char *make_directory(void)
{
	char *directory = xstrdup("/tmp/synfault-junit-XXXXXX");

	cr_assert(mkdtemp(directory));
	return directory;
}

/* Removes a directory with files in it; returns how many there were. */
static size_t remove_directory(const char *directory)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;
	size_t count = 0;

	cr_assert(stream);
	while ((entry = readdir(stream))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		unlinkat(dirfd(stream), entry->d_name, 0);
		count++;
	}
	closedir(stream);
	rmdir(directory);
	return count;
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	cr_assert(file);
	fputs(text, file);
	fclose(file);
}

/* The start of a file, owned by the caller. */
static char *read_start(const char *path)
{
	char *text = xzalloc(64);
	FILE *file = fopen(path, "re");

	cr_assert(file, "%s: %s", path, strerror(errno));
	cr_assert_gt(fread(text, 1, 63, file), 0);
	fclose(file);
	return text;
}

/* ---- attachments ---- */

Test(junit, names_the_files_of_a_case_the_picture_first)
{
	AUTO_FREE char *directory = make_directory();
	AUTO_FREE char *git = xasprintf("%s/.git", directory);
	AUTO_FREE char *picture = xasprintf("%s/0001-passes.svg", directory);
	AUTO_FREE char *capture = xasprintf("%s/0001-passes.pcapng", directory);
	AUTO_FREE char *record = xasprintf("%s/0001.json", directory);
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "name: a\n");
	struct result *result =
		report_fixture_result(fixture, file, "passes", 1, report_fixture_passing(), NULL);
	const struct junit_options options = {.attachments = {.timeline = directory}};
	AUTO_XML xmlDocPtr document = NULL;

	write_text(git, "");
	write_text(picture, "");
	write_text(capture, "");
	write_text(record, "");
	result->capture = xstrdup(capture);
	fixture->results.records = xstrdup(directory);
	document = read_back_as(fixture, &options);
	assert_xpath(document,
		     "starts-with(//system-out, '[[ATTACHMENT|0001-passes.svg]]\n"
		     "[[ATTACHMENT|0001-passes.pcapng]]\n"
		     "[[ATTACHMENT|0001.json]]\n')",
		     "true");
	cr_assert_eq(remove_directory(directory), 4);
}

Test(junit, names_only_files_that_exist)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "name: a\n");
	struct result *result =
		report_fixture_result(fixture, file, "passes", 1, report_fixture_passing(), NULL);
	const struct junit_options options = {
		.attachments = {.timeline = "/nothing/here", .html = "/nothing/here"}};
	AUTO_XML xmlDocPtr document = NULL;

	result->capture = xstrdup("/nothing/here/0001-passes.pcapng");
	document = read_back_as(fixture, &options);
	assert_xpath(document, "contains(//system-out, 'ATTACHMENT')", "false");
}

Test(junit, a_client_can_not_name_attachments)
{
	static const char *const outputs[] = {
		"[[ATTACHMENT|/etc/passwd]]\n",
		"x [[[[ATTACHMENT|/etc/passwd]]",
		"[[attachment|/etc/passwd]]",
		"[[ATTACH\x1b[0mMENT|/etc/passwd]]",
		"[[ATTACH\x1b]0;title\aMENT|/etc/passwd]]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
		AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
		struct scenario_file *file = report_fixture_file(fixture, "a.yaml", "name: a\n");
		struct record_builder *b = report_fixture_passing();
		AUTO_XML xmlDocPtr document = NULL;

		record_builder_client_writes(b, STREAM_STDOUT, 1, outputs[i], strlen(outputs[i]));
		record_builder_client_writes(b, STREAM_STDERR, 1, outputs[i], strlen(outputs[i]));
		report_fixture_result(fixture, file, "passes", 1, b, NULL);
		document = read_back(fixture);
		assert_xpath_contains(document, "//system-out", "|/etc/passwd]]");
		assert_xpath(document,
			     "contains(translate(/, 'ACEHMNT', 'acehmnt'), '[[attachment|')",
			     "false");
	}
}

Test(junit, replaces_an_old_report_and_leaves_nothing_else)
{
	AUTO_FREE char *directory = make_directory();
	AUTO_FREE char *path = xasprintf("%s/report.xml", directory);
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *text = NULL;
	struct stat status;

	umask(022);
	write_text(path, "old");
	cr_assert_eq(junit_write(&fixture->results, NULL, path, &diags), 0);
	cr_assert_eq(diags.n_items, 0);
	text = read_start(path);
	cr_assert(!strncmp(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", 50));
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0644, "%o", status.st_mode);
	cr_assert_eq(remove_directory(directory), 1);
}

Test(junit, makes_missing_directories)
{
	AUTO_FREE char *directory = make_directory();
	AUTO_FREE char *one = xasprintf("%s/one", directory);
	AUTO_FREE char *two = xasprintf("%s/two", one);
	AUTO_FREE char *path = xasprintf("%s/report.xml", two);
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_DIAG struct diag_list diags = {0};

	cr_assert_eq(junit_write(&fixture->results, NULL, path, &diags), 0);
	cr_assert_eq(access(path, R_OK), 0);
	cr_assert_eq(remove_directory(two), 1);
	rmdir(one);
	rmdir(directory);
}

Test(junit, trying_a_path_changes_no_file)
{
	AUTO_FREE char *directory = make_directory();
	AUTO_FREE char *path = xasprintf("%s/report.xml", directory);
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *text = NULL;

	cr_assert_eq(junit_check_path(path, &diags), 0);
	cr_assert_eq(access(path, F_OK), -1);
	write_text(path, "old");
	cr_assert_eq(junit_check_path(path, &diags), 0);
	cr_assert_eq(junit_check_path("/dev/stderr", &diags), 0);
	text = read_start(path);
	cr_assert_str_eq(text, "old");
	cr_assert_eq(diags.n_items, 0);
	cr_assert_eq(remove_directory(directory), 1);
}

Test(junit, a_symbolic_link_is_not_replaced)
{
	AUTO_FREE char *directory = make_directory();
	AUTO_FREE char *path = xasprintf("%s/report.xml", directory);
	AUTO_FREE char *target = xasprintf("%s/target.xml", directory);
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *text = NULL;
	struct stat status;

	write_text(target, "old");
	cr_assert_eq(symlink("target.xml", path), 0);
	cr_assert_eq(junit_write(&fixture->results, NULL, path, &diags), 0);
	cr_assert_eq(lstat(path, &status), 0);
	cr_assert(S_ISLNK(status.st_mode));
	text = read_start(target);
	cr_assert(!strncmp(text, "<?xml", 5));
	cr_assert_eq(remove_directory(directory), 2);
}

static void assert_refused(int error, int expected, const struct diag_list *diags, const char *path)
{
	cr_assert_eq(error, expected, "%d instead of %d for %s", error, expected, path);
	cr_assert_eq(diags->n_items, 1, "no diagnostic for %s", path);
	cr_assert(strstr(diags->items[0].message, path), "%s", diags->items[0].message);
	cr_assert(strstr(diags->items[0].message, strerror(-expected)), "%s",
		  diags->items[0].message);
}

Test(junit, says_why_it_can_not_write)
{
	AUTO_FREE char *directory = make_directory();
	AUTO_FREE char *file = xasprintf("%s/file", directory);
	AUTO_FREE char *below_file = xasprintf("%s/report.xml", file);
	AUTO_FREE char *far_below_file = xasprintf("%s/sub/report.xml", file);
	const struct {
		const char *path;
		int error;
	} cases[] = {
		{directory, -EISDIR},
		{below_file, -ENOTDIR},
		{far_below_file, -ENOTDIR},
		{"/dev/full", -ENOSPC},
		{"/proc/synfault/report.xml", -ENOENT},
	};
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();

	write_text(file, "in the way");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_DIAG struct diag_list diags = {0};
		int error = junit_write(&fixture->results, NULL, cases[i].path, &diags);

		assert_refused(error, cases[i].error, &diags, cases[i].path);
		diag_list_free(&diags);
		if (cases[i].error == -ENOSPC)
			continue; /* only writing shows that */
		error = junit_check_path(cases[i].path, &diags);
		assert_refused(error, cases[i].error, &diags, cases[i].path);
	}
	cr_assert_eq(remove_directory(directory), 1);
}

Test(junit, an_old_report_survives_a_full_disk)
{
	AUTO_FREE char *directory = make_directory();
	AUTO_FREE char *path = xasprintf("%s/report.xml", directory);
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *text = NULL;
	struct rlimit limit = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY}, unlimited;
	int error;

	write_text(path, "old");
	/* A limit on the size of files stops write() half way, as a full disk does. */
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &unlimited);
	limit.rlim_max = unlimited.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	error = junit_write(&fixture->results, NULL, path, &diags);
	setrlimit(RLIMIT_FSIZE, &unlimited);
	assert_refused(error, -EFBIG, &diags, path);
	text = read_start(path);
	cr_assert_str_eq(text, "old");
	cr_assert_eq(remove_directory(directory), 1, "a temporary file was left behind");
}

Test(junit, a_pipe_is_written_to)
{
	AUTO_FIXTURE struct report_fixture *fixture = every_outcome();
	AUTO_DIAG struct diag_list diags = {0};
	AUTO_FREE char *path = NULL;
	char text[6] = "";
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	fcntl(fds[1], F_SETPIPE_SZ, 1 << 20);
	path = xasprintf("/proc/self/fd/%d", fds[1]);
	cr_assert_eq(junit_write(&fixture->results, NULL, path, &diags), 0);
	cr_assert_eq(read(fds[0], text, 5), 5);
	cr_assert_str_eq(text, "<?xml");
	close(fds[0]);
	close(fds[1]);
}
