/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a fault step that is written as a text. */
#include "runner/scenario/decode_step.h"

#include <strings.h>

#include "injector/step_text.h"
#include "runner/scenario/decode_value.h"

/*
 * Recognises attempts to write an endless step. There is no way to do so: the last step never ends,
 * and any other endless step would hide the steps after it.
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
			"\"%.*s\" is not needed: the last step serves all further attempts",
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

/* Adds a remedy for faults above TCP, such as an HTTP status. */
static bool hint_application(struct loader *loader, const char *text)
{
	static const char *const words[] = {"http",     "https",    "status", "grpc", "dns",
					    "dns-fail", "nxdomain", "tls",    "ssl"};
	size_t length = strcspn(text, " ");
	bool status = length == 3 && strspn(text, "0123456789") == 3;

	for (size_t i = 0; !status && i < ARRAY_SIZE(words); i++)
		status = strlen(words[i]) == length && strncasecmp(words[i], text, length) == 0;
	if (status)
		loader_hint(loader, "faults are those of a TCP connection; for another answer use "
				    "your own server: serve: {command: [...]}");
	return status;
}

/* Returns the unit of bytes, or of bits in @ret_bits, that a word means; NULL: none. */
static const char *meant_unit(const char *word, size_t length, unsigned *ret_bits)
{
	static const struct {
		const char *word, *unit;
		unsigned bits; /* of a thousand bytes of the unit below */
	} units[] = {
		{"k", "KB", 0},           {"kb", "KB", 0},         {"bytes", "bytes", 0},
		{"mb", "MB", 0},          {"gb", "GB", 0},         {"kib", "KiB", 0},
		{"mib", "MiB", 0},        {"gib", "GiB", 0},       {"kb/s", "KB/s", 0},
		{"mb/s", "MB/s", 0},      {"b/s", "bytes/s", 0},   {"kbit/s", "bytes/s", 125},
		{"kbps", "bytes/s", 125}, {"mbit/s", "KB/s", 125}, {"mbps", "KB/s", 125},
		{"gbit/s", "MB/s", 125},  {"gbps", "MB/s", 125},
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].word) != length ||
		    strncasecmp(units[i].word, word, length) != 0)
			continue;
		*ret_bits = units[i].bits;
		return units[i].unit;
	}
	return NULL;
}

/* Adds a remedy for a unit in another spelling: "10kb", "1 Mbit/s". */
static bool hint_unit(struct loader *loader, const char *text)
{
	/* A rate without its time. */
	bool rate = strncmp(text, "slow ", strlen("slow ")) == 0;

	for (const char *at = text; *at; at++) {
		size_t digits = strspn(at, "0123456789");
		const char *word = at + digits + strspn(at + digits, " "), *unit;
		size_t length = strcspn(word, " ");
		unsigned bits;

		if (!digits || digits > 9 || (at > text && at[-1] != ' '))
			continue;
		unit = meant_unit(word, length, &bits);
		rate = rate && unit && !strchr(unit, '/');
		if (unit && !rate && strlen(unit) == length && strncmp(unit, word, length) == 0)
			return false;
		if (unit)
			loader_hint(loader, "did you mean \"%.*s%llu %s%s%s\"?", (int)(at - text),
				    text, strtoull(at, NULL, 10) * (bits ? bits : 1), unit,
				    rate ? "/s" : "", word + length);
		return unit;
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
	if (hint_application(loader, text) || hint_unit(loader, text))
		return false;
	if (*error.hint)
		loader_hint(loader, "%s", error.hint);
	return false;
}
