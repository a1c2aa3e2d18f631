/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selects scenarios: see select.h. */
#include "runner/command/select.h"

#include <fnmatch.h>

/* One entry of a list of tags. */
struct tag_rule {
	const char *tag; /* not terminated */
	size_t length;
	bool unwanted; /* "!" */
};

/* Reads the next entry of *@list and moves behind it; returns false at the end. Ignores blanks. */
static bool next_rule(const char **list, struct tag_rule *ret)
{
	const char *start = *list, *end;

	if (!start)
		return false;
	end = start + strcspn(start, ",");
	*list = *end ? end + 1 : NULL;
	while (start < end && *start == ' ')
		start++;
	while (end > start && end[-1] == ' ')
		end--;
	ret->unwanted = start < end && *start == '!';
	start += ret->unwanted;
	ret->tag = start;
	ret->length = (size_t)(end - start);
	return true;
}

static bool has_tag(char *const *tags, const struct tag_rule *rule)
{
	for (; *tags; tags++)
		if (strlen(*tags) == rule->length && !memcmp(*tags, rule->tag, rule->length))
			return true;
	return false;
}

static bool fits_list(const char *list, char *const *tags)
{
	struct tag_rule rule;

	while (next_rule(&list, &rule))
		if (has_tag(tags, &rule) == rule.unwanted)
			return false;
	return true;
}

bool selection_parse_glob(void *field, const char *value, char **ret_message)
{
	struct selection *selection = field;

	array_append(selection->globs, selection->n_globs, selection->globs_capacity, value);
	return true;
}

bool selection_parse_tags(void *field, const char *value, char **ret_message)
{
	struct selection *selection = field;
	const char *rest = value;
	struct tag_rule rule;

	/* Tags contain no blanks, so "a b" or "a and b" would never select a scenario. */
	while (next_rule(&rest, &rule)) {
		if (rule.length > 0 && !memchr(rule.tag, ' ', rule.length))
			continue;
		*ret_message = xstrdup("tags such as a,!b are expected, each one word");
		return false;
	}
	array_append(selection->tags, selection->n_tags, selection->tags_capacity, value);
	return true;
}

bool selection_takes(const struct selection *selection, const char *name, char *const *tags)
{
	bool named = selection->n_globs == 0, tagged = selection->n_tags == 0 || !tags;

	for (size_t i = 0; !named && i < selection->n_globs; i++)
		named = fnmatch(selection->globs[i], name, 0) == 0;
	for (size_t i = 0; !tagged && i < selection->n_tags; i++)
		tagged = fits_list(selection->tags[i], tags);
	return named && tagged;
}

void selection_print_none(const struct selection *selection, const char *program, FILE *err)
{
	if (selection->n_tags > 0) {
		fprintf(err,
			"%s: no scenario is selected by --filter and --tag; synfault list shows "
			"all names and tags\n",
			program);
		return;
	}
	fprintf(err, "%s: no scenario has a name that matches", program);
	for (size_t i = 0; i < selection->n_globs; i++)
		fprintf(err, "%s \"%s\"", i ? " or" : "", selection->globs[i]);
	fprintf(err, "; synfault list shows them all\n");
}

void selection_free(void *field)
{
	struct selection *selection = field;

	free(selection->globs);
	free(selection->tags);
	*selection = (struct selection){0};
}
