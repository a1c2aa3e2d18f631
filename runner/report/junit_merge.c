/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See junit_merge.h. */
#include "runner/report/junit_merge.h"

#include "common/duration.h"
#include "runner/report/junit_read.h"
#include "runner/report/xml.h"

struct junit_part {
	char *path;
	xmlDocPtr document;
	char *shard;
};

/* A testcase and its origin. */
struct piece {
	xmlNodePtr node, suite;
	const struct junit_part *part;
	char *suite_name, *classname, *name; /* owned */
	long line;
	size_t index; /* in the order of the parts */
};

struct merge {
	struct piece *pieces;
	size_t n_pieces, capacity;
	struct junit_totals totals;
	bool with_skipped; /* in <testsuites>; the strict dialect has no such attribute */
};

static xmlNodePtr first_suite(const struct junit_part *part)
{
	return junit_next(xmlDocGetRootElement(part->document)->children, "testsuite");
}

/* ---- parts ---- */

/* Returns the value of a suite's property, owned by the caller; "" if it has none. */
static char *property(xmlNodePtr suite, const char *name)
{
	xmlNodePtr properties = junit_next(suite->children, "properties");
	xmlNodePtr node = properties ? junit_next(properties->children, "property") : NULL;

	for (; node; node = junit_next(node->next, "property")) {
		AUTO_FREE char *key = junit_attribute(node, "name");

		if (!strcmp(key, name))
			return junit_attribute(node, "value");
	}
	return xstrdup("");
}

struct junit_part *junit_part_load(const char *path, char **ret_message)
{
	xmlDocPtr document = junit_load(path, ret_message);
	struct junit_part *part;

	if (!document)
		return NULL;
	part = xzalloc(sizeof(*part));
	part->path = xstrdup(path);
	part->document = document;
	part->shard =
		first_suite(part) ? property(first_suite(part), "synfault.shard") : xstrdup("");
	return part;
}

const char *junit_part_shard(const struct junit_part *part)
{
	return part->shard;
}

void junit_part_free(struct junit_part *part)
{
	if (!part)
		return;
	xmlFreeDoc(part->document);
	free(part->path);
	free(part->shard);
	free(part);
}

/* ---- cases ---- */

static void take_case(struct merge *merge, const struct junit_part *part, xmlNodePtr suite,
		      xmlNodePtr node)
{
	AUTO_FREE char *line = junit_attribute(node, "line");
	size_t index = merge->n_pieces;

	array_append(merge->pieces, merge->n_pieces, merge->capacity,
		     (struct piece){
			     .node = node,
			     .suite = suite,
			     .part = part,
			     .suite_name = junit_attribute(suite, "name"),
			     .classname = junit_attribute(node, "classname"),
			     .name = junit_attribute(node, "name"),
			     .line = strtol(line, NULL, 10),
			     .index = index,
		     });
}

static void take_cases(struct merge *merge, const struct junit_part *part)
{
	xmlNodePtr suite, node;

	for (suite = first_suite(part); suite; suite = junit_next(suite->next, "testsuite"))
		for (node = junit_next(suite->children, "testcase"); node;
		     node = junit_next(node->next, "testcase"))
			take_case(merge, part, suite, node);
}

/* Sorts by suite, then as in the file; rows of a matrix share a line. */
static int compare_places(const void *left, const void *right)
{
	const struct piece *a = left, *b = right;

	return strcmp(a->suite_name, b->suite_name) ?: COMPARE(a->line, b->line)
		       ?: strverscmp(a->name, b->name) ?: COMPARE(a->index, b->index);
}

static int compare_names(const void *left, const void *right)
{
	const struct piece *const *a = left, *const *b = right;
	int order = strcmp((*a)->classname, (*b)->classname);

	return order ? order : strcmp((*a)->name, (*b)->name);
}

/* Returns whether a case is in two parts, and says which. */
static bool overlap(const struct merge *merge, char **ret_message)
{
	AUTO_FREE const struct piece **sorted = xzalloc((merge->n_pieces + 1) * sizeof(*sorted));

	for (size_t i = 0; i < merge->n_pieces; i++)
		sorted[i] = &merge->pieces[i];
	qsort(sorted, merge->n_pieces, sizeof(*sorted), compare_names);
	for (size_t i = 1; i < merge->n_pieces; i++) {
		const struct piece *a = sorted[i - 1], *b = sorted[i];

		if (compare_names(&a, &b) != 0)
			continue;
		*ret_message = xasprintf("\"%s\" of %s is in %s and in %s", a->name, a->suite_name,
					 a->part->path, b->part->path);
		return true;
	}
	return false;
}

static enum outcome outcome_of(const struct piece *piece, struct junit_totals *totals)
{
	xmlNodePtr error = junit_next(piece->node->children, "error");

	if (junit_next(piece->node->children, "failure"))
		return OUTCOME_FAIL;
	if (error) {
		AUTO_FREE char *type = junit_attribute(error, "type");

		totals->n_invalid += !strcmp(type, "scenario");
		return OUTCOME_ERROR;
	}
	return junit_next(piece->node->children, "skipped") ? OUTCOME_SKIP : OUTCOME_PASS;
}

/* ---- the report ---- */

static void set_count(xmlNodePtr node, const char *name, size_t count)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", count);
	xmlSetProp(node, xml(name), xml(text));
}

static void set_counts(xmlNodePtr node, const struct outcome_counts *counts, bool with_skipped)
{
	size_t n = 0;

	for (size_t i = 0; i < OUTCOME_N_KINDS; i++)
		n += counts->by_outcome[i];
	set_count(node, "tests", n);
	set_count(node, "failures", counts->by_outcome[OUTCOME_FAIL]);
	set_count(node, "errors", counts->by_outcome[OUTCOME_ERROR]);
	if (with_skipped)
		set_count(node, "skipped", counts->by_outcome[OUTCOME_SKIP]);
}

static void set_time(xmlNodePtr node, int64_t duration_ns)
{
	char seconds[REPORT_SECONDS_SIZE];

	xmlSetProp(node, xml("time"), xml(report_seconds(duration_ns, seconds)));
}

/* Adds @value to a list joined by ", ", unless the list contains it. */
static void join(struct strbuf *list, const char *value)
{
	size_t length = strlen(value);

	if (length == 0)
		return;
	for (const char *found = strbuf_text(list); (found = strstr(found, value)); found += length)
		if ((found == list->data || found[-1] == ' ') &&
		    (found[length] == '\0' || found[length] == ','))
			return;
	if (list->length)
		strbuf_puts(list, ", ");
	strbuf_puts(list, value);
}

static void add_property(xmlNodePtr properties, const char *name, const struct strbuf *value)
{
	xmlNodePtr node;

	if (value->length == 0)
		return;
	node = xmlNewChild(properties, NULL, xml("property"), NULL);
	xmlSetProp(node, xml("name"), xml(name));
	xmlSetProp(node, xml("value"), xml(strbuf_text(value)));
}

/* Adds what the suites of one file say in addition to their cases: each value once. */
static void add_header(xmlNodePtr suite, const struct piece *pieces, size_t n_pieces)
{
	AUTO_STRBUF struct strbuf hosts = {0}, versions = {0}, seeds = {0};
	AUTO_FREE char *timestamp = NULL, *file = junit_attribute(pieces[0].suite, "file");
	xmlNodePtr properties;

	for (size_t i = 0; i < n_pieces; i++) {
		AUTO_FREE char *host = junit_attribute(pieces[i].suite, "hostname");
		AUTO_FREE char *version = property(pieces[i].suite, "synfault.version");
		AUTO_FREE char *seed = property(pieces[i].suite, "synfault.seed");
		AUTO_FREE char *started = junit_attribute(pieces[i].suite, "timestamp");

		join(&hosts, host);
		join(&versions, version);
		join(&seeds, seed);
		/* ISO 8601 sorts as text. */
		if (!timestamp || strcmp(started, timestamp) < 0) {
			free(timestamp);
			timestamp = steal_pointer(&started);
		}
	}
	if (*timestamp)
		xmlSetProp(suite, xml("timestamp"), xml(timestamp));
	xmlSetProp(suite, xml("hostname"), xml(strbuf_text(&hosts)));
	xmlSetProp(suite, xml("file"), xml(file));
	properties = xmlNewChild(suite, NULL, xml("properties"), NULL);
	add_property(properties, "synfault.version", &versions);
	add_property(properties, "synfault.seed", &seeds);
}

static void add_suite(struct merge *merge, xmlNodePtr root, const struct piece *pieces,
		      size_t n_pieces)
{
	xmlNodePtr suite = xmlNewChild(root, NULL, xml("testsuite"), NULL);
	struct outcome_counts counts = {0};
	int64_t duration_ns = 0;

	xmlSetProp(suite, xml("name"), xml(pieces[0].suite_name));
	for (size_t i = 0; i < n_pieces; i++) {
		AUTO_FREE char *time = junit_attribute(pieces[i].node, "time");
		enum outcome outcome = outcome_of(&pieces[i], &merge->totals);

		duration_ns += junit_seconds(time);
		counts.by_outcome[outcome]++;
		merge->totals.counts.by_outcome[outcome]++;
	}
	set_counts(suite, &counts, true);
	set_time(suite, duration_ns);
	add_header(suite, pieces, n_pieces);
	for (size_t i = 0; i < n_pieces; i++) {
		xmlNodePtr copy = xmlDocCopyNode(pieces[i].node, root->doc, 1);

		if (!copy || !xmlAddChild(suite, copy))
			out_of_memory();
	}
}

/* Returns whether no part is in the strict dialect. */
static bool all_count_skipped(struct junit_part *const *parts, size_t n_parts)
{
	for (size_t i = 0; i < n_parts; i++)
		if (!xmlHasProp(xmlDocGetRootElement(parts[i]->document), xml("skipped")))
			return false;
	return true;
}

static int64_t longest(struct junit_part *const *parts, size_t n_parts)
{
	int64_t longest_ns = 0;

	for (size_t i = 0; i < n_parts; i++) {
		AUTO_FREE char *time =
			junit_attribute(xmlDocGetRootElement(parts[i]->document), "time");

		longest_ns = MAX(longest_ns, junit_seconds(time));
	}
	return longest_ns;
}

static char *write_document(xmlDocPtr document, size_t *ret_length)
{
	xmlChar *text = NULL;
	int length = 0;
	char *copy;

	xmlDocDumpFormatMemoryEnc(document, &text, &length, "UTF-8", 1);
	if (!text)
		out_of_memory();
	copy = xstrndup((const char *)text, (size_t)length);
	xmlFree(text);
	*ret_length = (size_t)length;
	return copy;
}

static char *make_report(struct merge *merge, int64_t duration_ns, size_t *ret_length)
{
	xmlDocPtr document = xmlNewDoc(xml("1.0"));
	xmlNodePtr root = xmlNewDocNode(document, NULL, xml("testsuites"), NULL);
	size_t start = 0;
	char *text;

	if (!document || !root)
		out_of_memory();
	xmlDocSetRootElement(document, root);
	xmlSetProp(root, xml("name"), xml("synfault"));
	/* This only fixes the order of attributes; their values follow. */
	set_counts(root, &merge->totals.counts, merge->with_skipped);
	set_time(root, duration_ns);
	while (start < merge->n_pieces) {
		size_t end = start + 1;

		while (end < merge->n_pieces &&
		       !strcmp(merge->pieces[start].suite_name, merge->pieces[end].suite_name))
			end++;
		add_suite(merge, root, merge->pieces + start, end - start);
		start = end;
	}
	set_counts(root, &merge->totals.counts, merge->with_skipped);
	text = write_document(document, ret_length);
	xmlFreeDoc(document);
	return text;
}

char *junit_merge(struct junit_part *const *parts, size_t n_parts, size_t *ret_length,
		  struct junit_totals *ret_totals, char **ret_message)
{
	struct merge merge = {.with_skipped = all_count_skipped(parts, n_parts)};
	char *text = NULL;

	for (size_t i = 0; i < n_parts; i++)
		take_cases(&merge, parts[i]);
	if (merge.n_pieces)
		qsort(merge.pieces, merge.n_pieces, sizeof(*merge.pieces), compare_places);
	if (!overlap(&merge, ret_message)) {
		text = make_report(&merge, longest(parts, n_parts), ret_length);
		*ret_totals = merge.totals;
	}
	for (size_t i = 0; i < merge.n_pieces; i++) {
		free(merge.pieces[i].suite_name);
		free(merge.pieces[i].classname);
		free(merge.pieces[i].name);
	}
	free(merge.pieces);
	return text;
}
