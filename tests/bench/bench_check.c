/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures `synfault check` on 10,000 scenarios, in one file and in a file each, against libyaml's
 * bare event loop over the same files, alternately in one run. Prints a JSON object for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <yaml.h>

#include "common/duration.h"
#include "common/strbuf.h"
#include "runner/command/command.h"

enum { SCENARIOS = 10000, ROUNDS = 5 };

NORETURN static void die(const char *what)
{
	fprintf(stderr, "bench_check: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* A typical scenario of about twenty lines; all of them differ. */
static void add_scenario(struct strbuf *out, unsigned number)
{
	static const char *const faults[] = {
		"refuse x3, delay 300ms, accept",
		"drop, accept",
		"lose 2, accept",
		"delay 100ms..2s x2, refuse, accept",
	};

	strbuf_printf(out, "name: client %u retries what the network did to it\n", number);
	strbuf_printf(out, "tags: [retry, group-%u]\ntimeout: %us\n\n", number % 17,
		      20 + number % 40);
	strbuf_puts(out, "endpoints:\n  api:\n    families: [ipv4, ipv6]\n    serve: http\n");
	strbuf_printf(out, "    hostname: api-%u.example.test\n    faults: [%s]\n\n", number % 100,
		      faults[number % ARRAY_SIZE(faults)]);
	strbuf_printf(out, "client:\n  command: [curl, --retry, \"%u\", \"http://${api}/%u\"]\n",
		      number % 9, number);
	strbuf_printf(out, "  env: {RETRY_DELAY: \"%u\", TARGET: \"${api.host}\"}\n\n", number % 5);
	strbuf_printf(out, "expect:\n  exit: %u\n  attempts: %u..%u\n", number % 2, number % 3,
		      4 + number % 7);
	strbuf_puts(out,
		    "  backoff:\n    api: {exponential: {base: 100ms, cap: 10s, jitter: full}}\n");
	strbuf_puts(out, "  stderr: {contains: \"Connection refused\", not: panic}\n");
}

static void write_file(const char *path, const struct strbuf *text)
{
	AUTO_FCLOSE FILE *file = fopen(path, "we");

	if (!file || fwrite(strbuf_text(text), 1, text->length, file) != text->length)
		die(path);
}

static void read_file(const char *path, struct strbuf *out)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[65536];
	ssize_t n;

	if (fd < 0)
		die(path);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		strbuf_add(out, buffer, (size_t)n);
	if (n < 0)
		die(path);
}

/* Runs libyaml's parser over a text and ignores its events. */
static void bare_loop(const struct strbuf *text)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool end = false;

	if (!yaml_parser_initialize(&parser))
		out_of_memory();
	yaml_parser_set_input_string(&parser, (const unsigned char *)strbuf_text(text),
				     text->length);
	while (!end) {
		if (!yaml_parser_parse(&parser, &event)) {
			fprintf(stderr, "bench_check: %s\n", parser.problem);
			exit(EXIT_FAILURE);
		}
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
}

static double elapsed_ms(int64_t started_ns)
{
	return (double)(clock_monotonic_ns() - started_ns) / (double)NS_PER_MS;
}

static double time_reference(char *const *paths, size_t n)
{
	int64_t started_ns = clock_monotonic_ns();

	for (size_t i = 0; i < n; i++) {
		AUTO_STRBUF struct strbuf text = {0};

		read_file(paths[i], &text);
		bare_loop(&text);
	}
	return elapsed_ms(started_ns);
}

static double time_check(char *path, FILE *out)
{
	int64_t started_ns = clock_monotonic_ns();

	if (command_execute(&command_check, 1, &path,
			    &(struct command_context){out, stderr, NULL}) != 0)
		die("check");
	return elapsed_ms(started_ns);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare_doubles);
	return values[ROUNDS / 2];
}

/* @path: the argument of `check`; @paths: the files that this names. */
static void measure(const char *name, char *path, char *const *paths, size_t n, FILE *out)
{
	double ours[ROUNDS], reference[ROUNDS], ours_ms, reference_ms;

	for (size_t i = 0; i < ROUNDS; i++) {
		reference[i] = time_reference(paths, n);
		ours[i] = time_check(path, out);
	}
	ours_ms = median(ours);
	reference_ms = median(reference);
	printf("{\"name\": \"%s\", \"ours\": %.4g, \"reference\": %.4g, \"ratio\": %.3f, "
	       "\"unit\": \"ms\", \"goal\": \"<= 3\"}\n",
	       name, ours_ms, reference_ms, ours_ms / reference_ms);
}

int main(void)
{
	char directory[] = "/tmp/bench_check.XXXXXX";
	AUTO_FREE char *many = NULL, *one = NULL;
	AUTO_STRBUF struct strbuf all = {0};
	AUTO_STRV char **paths = xzalloc((SCENARIOS + 1) * sizeof(*paths));
	AUTO_FCLOSE FILE *out = fopen("/dev/null", "we");

	if (!out || !mkdtemp(directory))
		die("mkdtemp");
	many = xasprintf("%s/many", directory);
	one = xasprintf("%s/one.yaml", directory);
	if (mkdir(many, 0700) < 0)
		die(many);
	for (unsigned i = 0; i < SCENARIOS; i++) {
		AUTO_STRBUF struct strbuf text = {0};

		add_scenario(&text, i);
		paths[i] = xasprintf("%s/%05u.yaml", many, i);
		write_file(paths[i], &text);
		strbuf_puts(&all, i ? "---\n" : "");
		strbuf_add(&all, strbuf_text(&text), text.length);
	}
	write_file(one, &all);
	measure("check-speed", one, &one, 1, out);
	measure("check-speed-files", many, paths, SCENARIOS, out);
	for (size_t i = 0; i < SCENARIOS; i++)
		unlink(paths[i]);
	unlink(one);
	rmdir(many);
	rmdir(directory);
	return 0;
}
