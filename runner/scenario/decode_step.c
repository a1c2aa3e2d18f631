/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fault step as a text. */
#include "runner/scenario/decode_step.h"

#include "runner/scenario/decode_value.h"

/*
 * People look for a way to say that a step has no end. There is none, because the last step never
 * ends, and any other that did not would hide those after it.
 */
static bool endless_step(struct loader *loader, const struct node *node, bool last)
{
	static const char *const words[] = {
		"forever", "always", "infinite", "infinitely", "endless", "endlessly", "repeat",
		"*",       "x*",     "x",        "x∞",         "∞",       "xinf",      "...",
		"x-1",     "x+1",    "+",        "x+",         "inf",     "ever",      "…",
	};
	const char *end = node->text + node->count, *word;

	while (end > node->text && end[-1] == ' ')
		end--;
	word = end;
	while (word > node->text && word[-1] != ' ')
		word--;
	if (word == node->text)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i]) != (size_t)(end - word) ||
		    memcmp(words[i], word, (size_t)(end - word)) != 0)
			continue;
		loader_error_within(
			loader, node, (size_t)(word - node->text), (size_t)(end - word),
			"\"%.*s\" can't be said of a step: the last step lasts for ever "
			"by itself",
			(int)(end - word), word);
		if (last)
			loader_hint(loader, "leave it out, or give a number of attempts: x3");
		else
			loader_hint(loader, "give a number of attempts: x3; the steps after one "
					    "that never ends would never be reached");
		return true;
	}
	return false;
}

bool decode_step_text(struct loader *loader, const struct node *node, bool last, struct step *ret)
{
	struct step_error error;
	const char *text;

	if (!decode_text(loader, node, &text))
		return false;
	if (step_parse(text, ret, &error) == 0)
		return true;
	if (endless_step(loader, node, last))
		return false;
	loader_error_within(loader, node, error.offset, error.length, "%s", error.message);
	if (*error.hint)
		loader_hint(loader, "%s", error.hint);
	return false;
}
