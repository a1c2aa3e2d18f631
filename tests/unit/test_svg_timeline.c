/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the timeline picture: it is well-formed, uses nothing that a strict policy forbids, all
 * attempts are in it, nothing is outside of it, and no two texts overlap, for every record.
 */
#include <criterion/criterion.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "common/random.h"
#include "common/text.h"
#include "runner/report/svg.h"
#include "runner/report/svg_timeline.h"
#include "tests/lib/record_builder.h"

/* A picture that was read back. */
struct drawing {
	char *text;
	size_t length;
	xmlDocPtr document;
};

static struct drawing draw(const struct record_builder *b)
{
	struct svg_timeline_style style = {.standalone = true};
	struct judgement judgement = record_builder_judge(b);
	struct drawing drawing;

	drawing.text =
		svg_timeline_format(b->scenario, b->record, &judgement, &style, &drawing.length);
	judgement_free(&judgement);
	drawing.document =
		xmlReadMemory(drawing.text, (int)drawing.length, "picture", NULL, XML_PARSE_NONET);
	cr_assert_not_null(drawing.document, "not well-formed: %s", drawing.text);
	return drawing;
}

static void drawing_free(struct drawing *drawing)
{
	free(drawing->text);
	xmlFreeDoc(drawing->document);
}
#define AUTO_DRAWING CLEANUP(drawing_free)

static double number(xmlNodePtr node, const char *name, double otherwise)
{
	xmlChar *text = xmlGetProp(node, (const xmlChar *)name);
	double value = text ? strtod((const char *)text, NULL) : otherwise;

	xmlFree(text);
	return value;
}

struct box {
	double left, right, top, bottom;
	char *text;
};

struct boxes {
	struct box *items;
	size_t n_items, capacity;
	double width, height; /* of the picture */
	size_t n_forbidden;   /* elements and attributes that a policy forbids */
};

static void boxes_free(struct boxes *boxes)
{
	for (size_t i = 0; i < boxes->n_items; i++)
		free(boxes->items[i].text);
	free(boxes->items);
}
#define AUTO_BOXES CLEANUP(boxes_free)

static void add_box(struct boxes *boxes, xmlNodePtr node)
{
	double size = number(node, "font-size", SVG_FONT_SIZE), x = number(node, "x", -1000),
	       y = number(node, "y", -1000), width;
	xmlChar *text = xmlNodeGetContent(node),
		*anchor = xmlGetProp(node, (const xmlChar *)"text-anchor");
	struct box box = {.text = xstrdup((const char *)text)};

	width = svg_text_width(box.text, size);
	if (anchor && !strcmp((const char *)anchor, "middle"))
		x -= width / 2;
	else if (anchor && !strcmp((const char *)anchor, "end"))
		x -= width;
	box.left = x;
	box.right = x + width;
	box.top = y - 0.75 * size;
	box.bottom = y + 0.2 * size;
	array_append(boxes->items, boxes->n_items, boxes->capacity, box);
	xmlFree(text);
	xmlFree(anchor);
}

static void gather(struct boxes *boxes, xmlNodePtr node)
{
	for (; node; node = node->next) {
		const char *name = (const char *)node->name;

		if (node->type != XML_ELEMENT_NODE)
			continue;
		if (!strcmp(name, "text"))
			add_box(boxes, node);
		if (!strcmp(name, "style") || !strcmp(name, "script"))
			boxes->n_forbidden++;
		for (xmlAttrPtr attribute = node->properties; attribute;
		     attribute = attribute->next)
			if (!strcmp((const char *)attribute->name, "style") ||
			    !strncmp((const char *)attribute->name, "on", 2))
				boxes->n_forbidden++;
		gather(boxes, node->children);
	}
}

static void expect_tidy(const struct drawing *drawing, const char *what)
{
	xmlNodePtr root = xmlDocGetRootElement(drawing->document);
	AUTO_BOXES struct boxes boxes = {.width = number(root, "width", 0),
					 .height = number(root, "height", 0)};

	gather(&boxes, root);
	cr_expect_eq(boxes.n_forbidden, 0, "%s: a policy would forbid it", what);
	cr_assert_gt(boxes.n_items, 3, "%s", what);
	for (size_t i = 0; i < boxes.n_items; i++) {
		const struct box *a = &boxes.items[i];

		cr_expect(a->left >= 0 && a->right <= boxes.width && a->top >= 0 &&
				  a->bottom <= boxes.height,
			  "%s: \"%s\" is outside: %g..%g, %g..%g", what, a->text, a->left, a->right,
			  a->top, a->bottom);
		for (size_t k = i + 1; k < boxes.n_items; k++) {
			const struct box *b = &boxes.items[k];

			cr_expect(a->right <= b->left || b->right <= a->left ||
					  a->bottom <= b->top || b->bottom <= a->top,
				  "%s: \"%s\" and \"%s\" overlap", what, a->text, b->text);
		}
	}
}

static bool shows(const struct drawing *drawing, const char *text)
{
	return strstr(drawing->text, text) != NULL;
}

static size_t count(const struct drawing *drawing, const char *text)
{
	size_t n = 0;

	for (const char *at = drawing->text; (at = strstr(at, text)); at++)
		n++;
	return n;
}

Test(svg_timeline, shows_each_attempt_with_its_wait_and_its_end)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse x2, drop, accept");
	AUTO_DRAWING struct drawing drawing = {0};

	record_builder_attempt_refused(b, api, 10);
	record_builder_attempt_refused(b, api, 2010);
	record_builder_attempt_dropped(b, api, 3010, 6000);
	record_builder_attempt_connected(b, api, 8000);
	record_builder_client_writes(b, STREAM_STDERR, 100, "refused again\n", 14);
	record_builder_client_exits(b, 9000, 0);
	record_builder_expect_exit(b, 0);
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 2000);
	drawing = draw(b);
	expect_tidy(&drawing, "four attempts");
	cr_expect_eq(count(&drawing, "<g><title>attempt "), 4);
	cr_expect(shows(&drawing, "backoff 2.00 s, allowed 1.80 s .. 2.20 s"));
	cr_expect(shows(&drawing, "backoff 1.00 s, 800 ms too short"));
	cr_expect(shows(&drawing, "gave up after 2.99 s"));
	cr_expect(shows(&drawing, ">1.00 s</text>"), "no time of a retransmission");
	cr_expect(shows(&drawing, ">refused again</text>"));
	cr_expect(shows(&drawing, "exit 0 at 9.00 s"));
	cr_expect(shows(&drawing, "role=\"img\""));
	cr_expect(shows(&drawing, "4 connection attempts, 2 refused, 1 connected, 1 gave up"));
}

/* Two instances that wait 1 s each, their attempts 10 ms apart. */
static struct record_builder *two_copies(size_t *ret_api)
{
	struct record_builder *b = record_builder_new();

	*ret_api = record_builder_endpoint(b, "api", "refuse");
	b->record->n_instances = 2;
	for (int64_t i = 0; i < 6; i++) {
		uint32_t id =
			record_builder_attempt_refused(b, *ret_api, i / 2 * 1000 + i % 2 * 10);

		b->record->attempts[id].instance = (uint32_t)(i % 2);
	}
	return b;
}

Test(svg_timeline, backoff_is_that_of_the_instance_that_made_the_attempt)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = two_copies(&api);
	AUTO_DRAWING struct drawing drawing = {0}, judged = {0};

	drawing = draw(b);
	expect_tidy(&drawing, "instances");
	cr_expect_eq(count(&drawing, ">instance 1<"), 4); /* rows, and the process */
	cr_expect_eq(count(&drawing, ">instance 2<"), 4);
	cr_expect_eq(count(&drawing, ">backoff 1.00 s<"), 4);
	cr_expect(shows(&drawing, "attempt 4 of instance 2 from "));
	record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 1000);
	judged = draw(b);
	cr_expect_eq(count(&judged, ">backoff 1.00 s, allowed 800 ms .. 1.20 s<"), 4);
	cr_expect(!shows(&judged, "too short"));
}

Test(svg_timeline, a_herd_is_marked_with_its_peak)
{
	size_t api;
	AUTO_RECORD_BUILDER struct record_builder *b = two_copies(&api);
	struct expectation *expectation = record_builder_expect(b, EXPECT_HERD, api);
	AUTO_DRAWING struct drawing drawing = {0}, none = {0};

	expectation->value.herd.max = 1;
	expectation->value.herd.within_ns = 100 * NS_PER_MS;
	drawing = draw(b);
	expect_tidy(&drawing, "herd");
	cr_expect(shows(&drawing, ">herd at api<"));
	cr_expect(shows(&drawing, ">2 attempts within 100 ms<"));
	cr_expect(shows(&drawing, ">from 0 on, 1 allowed<"));
	cr_expect(shows(&drawing, ">peak of the herd<"));
	/* the band, the row, the legend */
	cr_expect_eq(count(&drawing, "class=\"tl-herd\""), 3);
	b->record->n_attempts = 0;
	none = draw(b);
	cr_expect_eq(count(&none, "class=\"tl-herd\""), 0);
}

Test(svg_timeline, explains_only_the_signs_that_are_there)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse");
	AUTO_DRAWING struct drawing drawing = {0};

	record_builder_attempt_refused(b, api, 10);
	record_builder_client_exits(b, 20, 1);
	drawing = draw(b);
	cr_expect(shows(&drawing, ">refused</text>"));
	cr_expect(!shows(&drawing, ">dropped</text>"));
	cr_expect(!shows(&drawing, ">delayed</text>"));
}

Test(svg_timeline, draws_synfaults_own_lateness_to_scale)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "delay 100ms");
	AUTO_DRAWING struct drawing drawing = {0};

	record_builder_attempt_connected_late(b, api, 10, 100);
	record_builder_client_exits(b, 200, 0);
	for (size_t i = 0; i < b->record->n_events; i++)
		if (b->record->events[i].kind == EVENT_VERDICT)
			b->record->events[i].u.net.lag_ns = 20 * NS_PER_MS;
	b->record->harness_lag_ns = 20 * NS_PER_MS;
	drawing = draw(b);
	/* One in its row and one in the legend: 656 pixels are 204 ms. */
	cr_expect_eq(count(&drawing, "class=\"tl-lag\""), 2);
	cr_expect(shows(&drawing, "width=\"64.3\" height=\"3\""), "%s", drawing.text);
	cr_expect(shows(&drawing, "lag: at most 20.0 ms"));
	cr_expect(shows(&drawing, "synfault's lag 20.0 ms"));
}

Test(svg_timeline, makes_hostile_text_safe)
{
	static const char output[] = "\033[31m<script>\xff\x01 & ]]> \"quoted\"\n";
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "a<b>&\"'\x01\xc3", "accept");
	AUTO_DRAWING struct drawing drawing = {0};

	free(b->scenario->name);
	b->scenario->name = xstrdup("\xff <script>alert(1)</script> \x1b]0;x\x07 end");
	record_builder_attempt_connected(b, api, 10);
	record_builder_client_writes(b, STREAM_STDOUT, 20, output, sizeof(output) - 1);
	record_builder_client_exits(b, 2000, 0);
	drawing = draw(b);
	expect_tidy(&drawing, "hostile text");
	cr_expect(!shows(&drawing, "<script"));
	cr_expect(shows(&drawing, "#x1"));
}

/* From a millisecond to ten minutes, and one attempt to thousands. */
Test(svg_timeline, is_tidy_at_all_sizes_and_spans)
{
	static const size_t sizes[] = {0, 1, 2, 10, 40, 41, 1000, 5000};
	static const int64_t spans_ms[] = {1, 7, 60, 999, 12345, 90000, 600000, 40000000};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(spans_ms); k++) {
			AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
			size_t n = sizes[i], api = record_builder_endpoint(b, "api", "refuse");
			AUTO_FREE char *what =
				xasprintf("%zu attempts in %lld ms", n, (long long)spans_ms[k]);
			AUTO_FREE char *all = xasprintf(">%zu attempts</text>", n);
			AUTO_DRAWING struct drawing drawing = {0};

			for (size_t id = 0; id < n; id++)
				record_builder_attempt_refused(
					b, api, spans_ms[k] * (int64_t)id / (int64_t)n);
			record_builder_client_exits(b, spans_ms[k], 0);
			record_builder_expect_fixed(b, EXPECT_BACKOFF, api, 20);
			drawing = draw(b);
			expect_tidy(&drawing, what);
			if (n > 40)
				cr_expect(shows(&drawing, all), "%s: %s", what, drawing.text);
			else
				cr_expect_eq(count(&drawing, "<g><title>attempt "), n, "%s", what);
			cr_expect_lt(drawing.length, (size_t)300000, "%s", what);
		}
	}
}

/* The columns of the strip have to add up to all attempts. */
Test(svg_timeline, strips_hold_all_attempts)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	size_t api = record_builder_endpoint(b, "api", "refuse x900, accept"), sum = 0;
	AUTO_DRAWING struct drawing drawing = {0};

	for (int id = 0; id < 1000; id++) {
		if (id < 900)
			record_builder_attempt_refused(b, api, 100 + id * 7);
		else
			record_builder_attempt_connected(b, api, 100 + id * 7);
	}
	record_builder_client_exits(b, 9000, 0);
	drawing = draw(b);
	for (const char *at = drawing.text; (at = strstr(at, "<g><title>")); at++)
		if (at[10] >= '0' && at[10] <= '9')
			sum += strtoul(at + 10, NULL, 10);
	cr_expect_eq(sum, 1000);
	cr_expect(shows(&drawing, ">900 refused</text>"));
	cr_expect(shows(&drawing, ">100 connected</text>"));
	cr_expect(shows(&drawing, ">991 more attempts: only in the strips above</text>"));
}

Test(svg_timeline, a_hundred_endpoints_are_all_counted)
{
	AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
	AUTO_DRAWING struct drawing drawing = {0};

	for (int i = 0; i < 100; i++) {
		AUTO_FREE char *name = xasprintf("endpoint-%d", i);
		size_t endpoint = record_builder_endpoint(b, name, "refuse");

		record_builder_attempt_refused(b, endpoint, 10 + i);
	}
	record_builder_client_exits(b, 900, 0);
	drawing = draw(b);
	expect_tidy(&drawing, "a hundred endpoints");
	cr_expect_eq(count(&drawing, "<g><title>attempt "), 23);
	cr_expect(shows(&drawing, ">77 attempts</text>"));
}

/* No record crashes it, and every picture is well-formed and tidy. */
Test(svg_timeline, is_tidy_for_any_record)
{
	for (uint64_t seed = 0; seed < 200; seed++) {
		AUTO_RECORD_BUILDER struct record_builder *b = record_builder_new();
		size_t api = record_builder_endpoint(b, "api", "drop x2, delay 10ms..2s, lose 3");
		AUTO_FREE char *what = xasprintf("seed %llu", (unsigned long long)seed);
		size_t n = random_draw(seed, 1, 0, 0) % 60, n_faults;
		AUTO_DRAWING struct drawing drawing = {0};

		for (size_t id = 0; id < n; id++) {
			int64_t at_ms = (int64_t)(random_draw(seed, id, 0, 1) % 60000);

			switch (random_draw(seed, id, 0, 2) % 5) {
			case 0:
				record_builder_attempt_dropped(b, api, at_ms, at_ms + 7000);
				break;
			case 1:
				record_builder_attempt_connected_late(b, api, at_ms, 700);
				break;
			case 2:
				record_builder_attempt_left_open(b, api, at_ms);
				break;
			case 3:
				record_builder_attempt_lost(b, api, at_ms, 3);
				break;
			default:
				record_builder_attempt_refused(b, api, at_ms);
				break;
			}
		}
		n_faults = random_draw(seed, 2, 0, 0) % 5;
		for (uint32_t i = 0; i < n_faults && i < n; i++) {
			struct event event = {.kind = EVENT_FAULT, .at_ns = 61 * NS_PER_S};

			event.u.net.attempt = i;
			event.u.net.fault = (enum fault_kind)(i % FAULT_N_KINDS);
			record_add_event(b->record, &event);
		}
		if (seed % 3)
			record_builder_client_exits(b, 70000, (int)(seed % 4));
		else
			record_builder_times_out(b, 70000);
		record_builder_expect_fixed(b, EXPECT_BACKOFF, api, (int64_t)(seed * 50));
		drawing = draw(b);
		expect_tidy(&drawing, what);
	}
}
