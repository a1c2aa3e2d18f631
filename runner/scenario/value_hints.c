/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remedies for values: see value_hints.h. */
#include "runner/scenario/value_hints.h"

bool value_hint_range(struct loader *loader, const char *text)
{
	static const struct {
		const char *before, *after; /* of the value */
		bool low;                   /* it is the lower end */
	} forms[] = {
		{"<=", "", false},         {"<", "", false},         {">=", "", true},
		{">", "", true},           {"≤", "", false},         {"≥", "", true},
		{"at least ", "", true},   {"at most ", "", false},  {"up to ", "", false},
		{"less than ", "", false}, {"more than ", "", true}, {"no more than ", "", false},
		{"min ", "", true},        {"max ", "", false},      {"", "+", true},
		{"", " or more", true},    {"", " or less", false},
	};
	static const char *const between[] = {"-", " - ", " to ", "…", "..."};
	size_t length = strlen(text), digits;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t before = strlen(forms[i].before), after = strlen(forms[i].after);
		const char *value = text + before;

		if (length <= before + after || strncmp(text, forms[i].before, before) != 0 ||
		    strcmp(text + length - after, forms[i].after) != 0)
			continue;
		value += strspn(value, " ");
		if (*value < '0' || *value > '9')
			continue;
		loader_hint(loader, "did you mean \"%s%.*s%s\"?", forms[i].low ? "" : "..",
			    (int)(text + length - after - value), value, forms[i].low ? ".." : "");
		return true;
	}
	digits = strcspn(text, " -.…");
	for (size_t i = 0; digits && i < ARRAY_SIZE(between); i++) {
		const char *rest = text + digits + strlen(between[i]);

		if (strncmp(text + digits, between[i], strlen(between[i])) != 0 || *rest < '0' ||
		    *rest > '9')
			continue;
		loader_hint(loader, "did you mean \"%.*s..%s\"?", (int)digits, text, rest);
		return true;
	}
	return false;
}

void value_hint_percent(struct loader *loader, const char *text, double value, const char * or)
{
	if (value < 1)
		loader_hint(loader, "did you mean \"%.9g%%\"%s?", value * 100, or);
	else if (value == 1)
		loader_hint(loader, "did you mean \"1%%\" or \"100%%\"?");
	else
		loader_hint(loader, "did you mean \"%s%%\"%s?", text, or);
}
