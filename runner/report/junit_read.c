/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See junit_read.h. */
#include "runner/report/junit_read.h"

#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include "common/duration.h"
#include "common/strbuf.h"

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && !strcmp((const char *)node->name, name);
}

xmlDocPtr junit_load(const char *path, char **ret_message)
{
	/* Don't trust the report: no network, no entities that grow. */
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	xmlParserCtxtPtr context;
	xmlDocPtr document;
	xmlNodePtr root;

	if (fd < 0) {
		*ret_message = xasprintf("%s can't be read: %s", path, strerror(errno));
		return NULL;
	}
	context = ALLOCATED(xmlNewParserCtxt());
	document = xmlCtxtReadFd(context, fd, path, NULL,
				 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					 XML_PARSE_HUGE);
	root = document ? xmlDocGetRootElement(document) : NULL;
	if (!document) {
		const xmlError *error = xmlCtxtGetLastError(context);
		AUTO_FREE char *reason = xstrdup(error && error->message ? error->message : "");

		reason[strcspn(reason, "\n")] = '\0';
		*ret_message = xasprintf("%s can't be read%s%s", path, *reason ? ": " : "", reason);
	} else if (!root || !is_element(root, "testsuites")) {
		*ret_message = xasprintf("%s is not a JUnit report: its outermost element is not "
					 "testsuites",
					 path);
		xmlFreeDoc(document);
		document = NULL;
	}
	xmlFreeParserCtxt(context);
	return document;
}

xmlNodePtr junit_next(xmlNodePtr node, const char *name)
{
	while (node && !is_element(node, name))
		node = node->next;
	return node;
}

char *junit_attribute(xmlNodePtr node, const char *name)
{
	xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
	char *text = xstrdup(value ? (const char *)value : "");

	xmlFree(value);
	return text;
}

int64_t junit_seconds(const char *text)
{
	int64_t whole = 0, fraction = 0, unit = NS_PER_S;

	for (; *text >= '0' && *text <= '9' && whole < INT32_MAX; text++)
		whole = whole * 10 + (*text - '0');
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++) {
			unit /= 10; /* becomes 0 for digits beyond nanoseconds */
			fraction += (*text - '0') * unit;
		}
	return *text ? 0 : whole * NS_PER_S + fraction;
}

/* ---- durations ---- */

static int compare_keys(const void *left, const void *right)
{
	const struct case_duration *a = left, *b = right;

	return strcmp(a->key, b->key);
}

bool junit_read_durations(const char *path, struct case_durations *ret, char **ret_message)
{
	xmlDocPtr document = junit_load(path, ret_message);
	struct case_durations durations = {0};
	xmlNodePtr suite, node;

	if (!document)
		return false;
	for (suite = junit_next(xmlDocGetRootElement(document)->children, "testsuite"); suite;
	     suite = junit_next(suite->next, "testsuite")) {
		for (node = junit_next(suite->children, "testcase"); node;
		     node = junit_next(node->next, "testcase")) {
			AUTO_FREE char *file = junit_attribute(node, "file");
			AUTO_FREE char *name = junit_attribute(node, "name");
			AUTO_FREE char *time = junit_attribute(node, "time");

			array_append(durations.items, durations.n_items, durations.capacity,
				     (struct case_duration){
					     .key = xasprintf("%s\t%s", file, name),
					     .duration_ns = junit_seconds(time),
				     });
		}
	}
	xmlFreeDoc(document);
	if (durations.n_items)
		qsort(durations.items, durations.n_items, sizeof(*durations.items), compare_keys);
	*ret = durations;
	return true;
}

int64_t case_duration(const struct case_durations *durations, const char *key)
{
	AUTO_FREE char *copy = xstrdup(key);
	struct case_duration wanted = {.key = copy};
	const struct case_duration *found = NULL;

	if (durations->n_items)
		found = bsearch(&wanted, durations->items, durations->n_items,
				sizeof(*durations->items), compare_keys);
	return found ? found->duration_ns : -1;
}

void case_durations_free(struct case_durations *durations)
{
	for (size_t i = 0; i < durations->n_items; i++)
		free(durations->items[i].key);
	free(durations->items);
	*durations = (struct case_durations){0};
}
