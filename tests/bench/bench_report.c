/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures the processor time for the HTML and the JUnit report of 1,000 scenarios with 20 attempts
 * each, against libxml2 writing the same number of bytes as plain elements. Prints JSON objects.
 *
 *     bench_report DIR
 */
#include <time.h>

#include "runner/report/html.h"
#include "runner/report/junit.h"
#include "runner/report/xml.h"
#include "tests/lib/report_fixture.h"

enum { SCENARIOS = 1000, ATTEMPTS = 20, ROUNDS = 5 };

static double processor_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add_scenario(struct report_fixture *fixture, struct scenario_file *file, unsigned i)
{
	static const char line[] = "attempt failed: Connection refused\n";
	struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse x19, accept");
	AUTO_FREE char *name = xasprintf("scenario %u", i);

	for (int k = 0; k < ATTEMPTS; k++) {
		if (k + 1 < ATTEMPTS)
			record_builder_attempt_refused(b, api, k * 1000);
		else
			record_builder_attempt_connected(b, api, k * 1000);
		record_builder_client_writes(b, STREAM_STDERR, k * 1000 + 1, line,
					     sizeof(line) - 1);
	}
	record_builder_client_exits(b, ATTEMPTS * 1000, 0);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 1000);
	report_fixture_result(fixture, file, name, 1, b, NULL)->number = i + 1;
}

static double reference_seconds(size_t bytes)
{
	double started = processor_seconds();
	xmlBufferPtr buffer = xml_buffer_new();
	xmlTextWriterPtr writer;

	writer = xmlNewTextWriterMemory(buffer, 0);
	xmlTextWriterStartElement(writer, xml("table"));
	while ((size_t)xmlBufferLength(buffer) < bytes) {
		xmlTextWriterStartElement(writer, xml("td"));
		xmlTextWriterWriteAttribute(writer, xml("class"), xml("nowrap"));
		xmlTextWriterWriteString(writer, xml("refused after 52 us"));
		xmlTextWriterEndElement(writer);
	}
	xmlFreeTextWriter(writer);
	xmlBufferFree(buffer);
	return processor_seconds() - started;
}

static size_t file_size(const char *path)
{
	FILE *file = fopen(path, "re");
	long size = -1;

	if (file && fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	if (!file || size < 0 || fclose(file) != 0)
		exit(EXIT_FAILURE);
	return (size_t)size;
}

/* Measures each report and then its reference; the median counts. */
struct measurement {
	double ours, reference;
};

static double ratio(const struct measurement *measurement)
{
	return measurement->ours / measurement->reference;
}

static int compare(const void *a, const void *b)
{
	double x = ratio(a), y = ratio(b);

	return (x > y) - (x < y);
}

typedef int (*write_fn)(const struct run_results *results, const char *path,
			struct diag_list *diags);

/* As one page: the same content, with a known size. */
static int write_html(const struct run_results *results, const char *path, struct diag_list *diags)
{
	return html_single_write(results, path, diags);
}

static int write_junit(const struct run_results *results, const char *path, struct diag_list *diags)
{
	const struct junit_options options = {0};

	return junit_write(results, &options, path, diags);
}

static void measure(const char *name, write_fn write, const struct run_results *results,
		    const char *path, const char *goal)
{
	AUTO_DIAG struct diag_list diags = {0};
	struct measurement rounds[ROUNDS];
	const struct measurement *middle = &rounds[ROUNDS / 2];
	size_t bytes = 0;

	for (size_t i = 0; i < ROUNDS; i++) {
		double started = processor_seconds();

		if (write(results, path, &diags) < 0)
			exit(EXIT_FAILURE);
		rounds[i].ours = processor_seconds() - started;
		bytes = file_size(path);
		rounds[i].reference = reference_seconds(bytes);
	}
	qsort(rounds, ROUNDS, sizeof(*rounds), compare);
	printf("{\"name\": \"%s\", \"ours\": %.3f, \"reference\": %.3f, \"ratio\": %.3f, "
	       "\"unit\": \"s of processor time for %zu MB\", \"goal\": \"%s\"}\n",
	       name, middle->ours, middle->reference, ratio(middle), bytes / 1000000, goal);
}

int main(int argc, char **argv)
{
	AUTO_FIXTURE struct report_fixture *fixture = report_fixture_new();
	AUTO_FREE char *page = NULL, *junit = NULL;
	struct scenario_file *file =
		report_fixture_file(fixture, "a.yaml", "name: a\nexpect: {exit: 0}\n");

	if (argc != 2)
		return EXIT_FAILURE;
	for (unsigned i = 0; i < SCENARIOS; i++)
		add_scenario(fixture, file, i);
	page = xasprintf("%s/report.html", argv[1]);
	junit = xasprintf("%s/junit.xml", argv[1]);
	measure("html-report", write_html, &fixture->results, page, "<= 10");
	measure("junit-report", write_junit, &fixture->results, junit, "<= 2");
	return EXIT_SUCCESS;
}
