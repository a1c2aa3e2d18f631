/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A JUnit report read back: see junit_reader.h. */
#include "tests/lib/junit_reader.h"

#include <criterion/criterion.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>

static const char *const outcome_elements[] = {
	[OUTCOME_PASS] = NULL,
	[OUTCOME_FAIL] = "failure",
	[OUTCOME_ERROR] = "error",
	[OUTCOME_SKIP] = "skipped",
};
_Static_assert(ARRAY_SIZE(outcome_elements) == OUTCOME_N_KINDS, "an element per outcome");

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && !strcmp((const char *)node->name, name);
}

/* Copies a text of libxml2; "" for NULL. */
static char *take(xmlChar *text)
{
	char *copy = xstrdup(text ? (const char *)text : "");

	xmlFree(text);
	return copy;
}

static char *attribute(xmlNode *node, const char *name)
{
	return take(xmlGetProp(node, (const xmlChar *)name));
}

static int number(xmlNode *node, const char *name)
{
	AUTO_FREE char *text = attribute(node, name);

	cr_assert(*text, "<%s> lacks %s", (const char *)node->name, name);
	return atoi(text);
}

static void replace(char **text, char *by)
{
	free(*text);
	*text = by;
}

static void read_case(struct junit *junit, xmlNode *suite, xmlNode *node)
{
	struct junit_case junit_case = {
		.suite = attribute(suite, "name"),
		.name = attribute(node, "name"),
		.outcome = OUTCOME_PASS,
		.type = xstrdup(""),
		.message = xstrdup(""),
		.text = xstrdup(""),
		.out = xstrdup(""),
		.err = xstrdup(""),
	};

	for (xmlNode *child = node->children; child; child = child->next) {
		if (is_element(child, "system-out"))
			replace(&junit_case.out, take(xmlNodeGetContent(child)));
		if (is_element(child, "system-err"))
			replace(&junit_case.err, take(xmlNodeGetContent(child)));
		for (size_t i = OUTCOME_FAIL; i < OUTCOME_N_KINDS; i++) {
			if (!is_element(child, outcome_elements[i]))
				continue;
			cr_assert_eq(junit_case.outcome, OUTCOME_PASS, "%s has two outcomes",
				     junit_case.name);
			junit_case.outcome = (enum outcome)i;
			replace(&junit_case.type, attribute(child, "type"));
			replace(&junit_case.message, attribute(child, "message"));
			replace(&junit_case.text, take(xmlNodeGetContent(child)));
		}
	}
	array_append(junit->cases, junit->n_cases, junit->capacity, junit_case);
}

static xmlDocPtr parse(const struct program *program, const char *path)
{
	AUTO_FREE char *text = NULL;
	xmlDocPtr document;
	size_t length;

	text = program_reads(program, path, &length);
	document = xmlReadMemory(text, (int)length, path, NULL, XML_PARSE_HUGE | XML_PARSE_NONET);
	if (!document)
		program_fail(program, "%s is not well-formed", path);
	return document;
}

struct junit *junit_read(const struct program *program, const char *path)
{
	struct junit *junit = xzalloc(sizeof(*junit));
	xmlDocPtr document = parse(program, path);
	xmlNode *root = xmlDocGetRootElement(document);

	cr_assert(is_element(root, "testsuites"));
	junit->tests = number(root, "tests");
	junit->failures = number(root, "failures");
	junit->errors = number(root, "errors");
	for (xmlNode *suite = root->children; suite; suite = suite->next) {
		if (!is_element(suite, "testsuite"))
			continue;
		junit->skipped += number(suite, "skipped");
		for (xmlNode *node = suite->children; node; node = node->next)
			if (is_element(node, "testcase"))
				read_case(junit, suite, node);
	}
	xmlFreeDoc(document);
	return junit;
}

void junit_free(struct junit *junit)
{
	for (size_t i = 0; i < junit->n_cases; i++) {
		struct junit_case *junit_case = &junit->cases[i];

		free(junit_case->suite);
		free(junit_case->name);
		free(junit_case->type);
		free(junit_case->message);
		free(junit_case->text);
		free(junit_case->out);
		free(junit_case->err);
	}
	free(junit->cases);
	free(junit);
}

void junit_freep(struct junit **junit)
{
	junit_free(*junit);
}

const struct junit_case *junit_case(const struct junit *junit, const char *name)
{
	for (size_t i = 0; i < junit->n_cases; i++)
		if (!strcmp(junit->cases[i].name, name))
			return &junit->cases[i];
	cr_assert_fail("the report has no case \"%s\"", name);
	return NULL;
}

int junit_count(const struct junit *junit, enum outcome outcome)
{
	int n = 0;

	for (size_t i = 0; i < junit->n_cases; i++)
		n += junit->cases[i].outcome == outcome;
	return n;
}

void junit_says(const struct junit *junit, const char *name, enum outcome outcome, const char *type,
		const char *text)
{
	const struct junit_case *found = junit_case(junit, name);

	cr_assert_eq(found->outcome, outcome, "%s: %s instead of %s: %s\n%s", name,
		     outcome_name(found->outcome), outcome_name(outcome), found->text, found->out);
	cr_assert(!type || !strcmp(found->type, type), "%s: type %s instead of %s: %s", name,
		  found->type, type, found->text);
	cr_assert(!text || strstr(found->message, text) || strstr(found->text, text),
		  "%s: \"%s\" is not in: %s\n%s", name, text, found->message, found->text);
}

/* Removes attributes that this schema does not know and all servers do. */
static void strip(xmlDocPtr document, const char *expression)
{
	xmlXPathContextPtr context = xmlXPathNewContext(document);
	xmlXPathObjectPtr found = xmlXPathEvalExpression((const xmlChar *)expression, context);

	cr_assert(found, "%s", expression);
	for (int i = 0; found->nodesetval && i < found->nodesetval->nodeNr; i++)
		xmlRemoveProp((xmlAttrPtr)found->nodesetval->nodeTab[i]);
	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
}

void junit_validate(const struct program *program, const char *path, const char *schema)
{
	xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(schema);
	xmlSchemaPtr compiled = xmlSchemaParse(parser);
	xmlDocPtr document = parse(program, path);
	xmlSchemaValidCtxtPtr validator;

	cr_assert(compiled, "%s can't be read", schema);
	validator = xmlSchemaNewValidCtxt(compiled);
	strip(document, "//testsuite/@hostname | //testsuite/@file");
	strip(document, "//testcase/@file | //testcase/@line");
	for (xmlNode *suite = xmlFirstElementChild(xmlDocGetRootElement(document)); suite;
	     suite = xmlNextElementSibling(suite)) {
		xmlDocPtr alone = xmlNewDoc((const xmlChar *)"1.0");

		xmlDocSetRootElement(alone, xmlDocCopyNode(suite, alone, 1));
		cr_assert_eq(xmlSchemaValidateDoc(validator, alone), 0,
			     "a suite of %s is not valid", path);
		xmlFreeDoc(alone);
	}
	xmlFreeDoc(document);
	xmlSchemaFreeValidCtxt(validator);
	xmlSchemaFree(compiled);
	xmlSchemaFreeParserCtxt(parser);
}
