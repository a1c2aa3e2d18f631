/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault steps as one text: see step_list.h. */
#include "runner/scenario/step_list.h"

#include <ctype.h>

#include "injector/step_text.h"

char **step_list_split(const char *text)
{
	char **steps = xzalloc((strlen(text) + 2) * sizeof(*steps));
	size_t n = 0, depth = 0;
	const char *start = text;

	for (const char *c = text;; c++) {
		if (*c == '{' || *c == '[')
			depth++;
		if ((*c == '}' || *c == ']') && depth > 0)
			depth--;
		if (*c && (*c != ',' || depth > 0))
			continue;
		while (start < c && isspace((unsigned char)*start))
			start++;
		for (const char *end = c; end > start;) {
			if (isspace((unsigned char)end[-1])) {
				end--;
				continue;
			}
			steps[n++] = xstrndup(start, (size_t)(end - start));
			break;
		}
		if (!*c)
			return steps;
		start = c + 1;
	}
}

char *step_list_fault(char *const *steps)
{
	if (!*steps)
		return xstrdup("a step is needed, such as refuse");
	for (; *steps; steps++) {
		struct step_error error;
		struct step step;

		if ((*steps)[0] == '{' || step_parse(*steps, &step, &error) == 0)
			continue;
		return xasprintf("step \"%s\": %s%s%s", *steps, error.message,
				 error.hint[0] ? "; " : "", error.hint);
	}
	return NULL;
}
