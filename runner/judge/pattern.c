/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regular expressions with a bound on the work: see pattern.h.
 *
 * PCRE2 applies its match limit to each starting place anew, so a pattern that backtracks without
 * end would take minutes on a long output. So PCRE2 is made to call back before each part of the
 * pattern that it tries. The callback counts these steps, and reads the clock now and then. Between
 * two callbacks PCRE2 does no more work than the length of the text.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "runner/judge/pattern.h"

#include <pcre2.h>

#include "common/duration.h"
#include "common/utf8.h"

#define HEAP_LIMIT_KIB 65536
/* How many steps lie between reads of the clock; one takes up to 100 us on 128 KiB of output. */
#define STEPS_PER_CLOCK 64

const struct pattern_limits pattern_default_limits = {
	.steps = 20000000,
	.cpu_ns = 2 * NS_PER_S,
	.all_ns = 10 * NS_PER_S,
};

static void code_free(pcre2_code **code)
{
	pcre2_code_free(*code);
}

static void match_data_free(pcre2_match_data **data)
{
	pcre2_match_data_free(*data);
}

static void match_context_free(pcre2_match_context **context)
{
	pcre2_match_context_free(*context);
}

/* What is left of the limits. */
struct budget {
	uint64_t steps;
	int64_t cpu_end_ns;
	bool spent;
};

static int spend(pcre2_callout_block *block, void *data)
{
	struct budget *budget = data;

	if (budget->steps == 0) {
		budget->spent = true;
	} else {
		budget->steps--;
		budget->spent = budget->steps % STEPS_PER_CLOCK == 0 &&
				clock_thread_ns() >= budget->cpu_end_ns;
	}
	return budget->spent ? PCRE2_ERROR_CALLOUT : 0;
}

static char *error_message(int code)
{
	PCRE2_UCHAR text[160];

	if (code == PCRE2_ERROR_CALLOUT || code == PCRE2_ERROR_MATCHLIMIT)
		return xstrdup("it backtracks too much on this output");
	pcre2_get_error_message(code, text, sizeof(text));
	return xstrdup((const char *)text);
}

/* Leaves out the remains of characters at cuts, so that the rest can be valid UTF-8. */
static struct haystack whole_characters(const struct haystack *haystack)
{
	struct haystack whole = *haystack;

	for (int i = 0; i < 3 && whole.cut_before && whole.length > 0; i++) {
		if (utf8_is_start(whole.data[0]))
			break;
		whole.data++;
		whole.length--;
	}
	if (whole.cut_after)
		whole.length = utf8_complete(whole.data, whole.length);
	return whole;
}

/*
 * After a cut the search starts at the second character, so that an assertion of the start of the
 * text can't hold there. Before a cut the end of the piece is not the end of the text: PCRE2
 * reports a match that reaches it as partial, which counts as no match.
 */
static int match_once(const pcre2_code *code, const struct haystack *haystack, bool utf,
		      struct budget *budget, size_t *ret_offset)
{
	CLEANUP(match_data_free)
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
	CLEANUP(match_context_free)
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	uint32_t options = haystack->cut_after ? PCRE2_PARTIAL_HARD : 0;
	size_t start = 0;
	int result;

	if (!data || !context)
		out_of_memory();
	pcre2_set_callout(context, spend, budget);
	pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
	if (haystack->cut_before && haystack->length > 0)
		do
			start++;
		while (utf && start < haystack->length && !utf8_is_start(haystack->data[start]));
	result = pcre2_match(code, (PCRE2_SPTR)haystack->data, haystack->length, start, options,
			     data, context);
	if (result >= 0)
		*ret_offset = pcre2_get_ovector_pointer(data)[0];
	return result;
}

static bool is_utf_error(int result)
{
	return result <= PCRE2_ERROR_UTF8_ERR1 && result >= PCRE2_ERROR_UTF8_ERR21;
}

static enum pattern_result search(const char *pattern, const struct haystack *haystack,
				  struct budget *budget, size_t *ret_offset, char **ret_reason)
{
	for (int utf = 1; utf >= 0; utf--) {
		struct haystack whole = utf ? whole_characters(haystack) : *haystack;
		size_t offset = 0, error_offset;
		int result;
		CLEANUP(code_free)
		pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
						 PCRE2_AUTO_CALLOUT | (utf ? PCRE2_UTF : 0),
						 &result, &error_offset, NULL);

		if (code)
			result = match_once(code, &whole, utf, budget, &offset);
		if (code && utf && is_utf_error(result))
			continue;
		if (code && result >= 0) {
			*ret_offset = offset + (size_t)(whole.data - haystack->data);
			return PATTERN_FOUND;
		}
		if (code && (result == PCRE2_ERROR_NOMATCH || result == PCRE2_ERROR_PARTIAL))
			return PATTERN_NOT_FOUND;
		*ret_reason = error_message(result);
		return PATTERN_IMPOSSIBLE;
	}
	return PATTERN_NOT_FOUND;
}

enum pattern_result pattern_search(const char *pattern, const struct haystack *haystack,
				   struct pattern_limits *limits, size_t *ret_offset,
				   char **ret_reason)
{
	const int64_t began_ns = clock_thread_ns();
	struct budget budget = {limits->steps, began_ns + MIN(limits->cpu_ns, limits->all_ns),
				false};
	enum pattern_result result;

	if (limits->all_ns <= 0) {
		limits->reached = true;
		*ret_reason = xstrdup("the patterns before it took too long");
		return PATTERN_IMPOSSIBLE;
	}
	result = search(pattern, haystack, &budget, ret_offset, ret_reason);
	limits->all_ns -= clock_thread_ns() - began_ns;
	limits->reached |= budget.spent;
	return result;
}
