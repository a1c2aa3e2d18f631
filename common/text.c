/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nearest names, shell quoting, and UTF-8 that is safe to print: see text.h. Nothing depends on the
 * locale, so a client's output gives the same report on every machine.
 */
#include "common/text.h"

#include <errno.h>

#include "common/utf8.h"

/* Longer words are not compared: typing errors occur in short ones. */
#define NEAREST_MAX_LENGTH 63

static char lower(char character)
{
	return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

/*
 * Damerau-Levenshtein distance, each pair of characters swapped at most once ("optimal string
 * alignment"), ignoring case. Keeps only three rows of the matrix.
 */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][NEAREST_MAX_LENGTH + 1];
	size_t *before = rows[0], *previous = rows[1], *current = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		previous[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *oldest = before;

		current[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);
			size_t best = previous[j - 1] + (x != y);

			best = MIN(best, previous[j] + 1);
			best = MIN(best, current[j - 1] + 1);
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y)
				best = MIN(best, before[j - 2] + 1);
			current[j] = best;
		}
		before = previous;
		previous = current;
		current = oldest;
	}
	return previous[b_length];
}

const char *text_nearest(const char *word, const char *const *candidates)
{
	size_t length = strnlen(word, NEAREST_MAX_LENGTH + 1);
	size_t best = SIZE_MAX;
	const char *nearest = NULL;

	if (length > NEAREST_MAX_LENGTH)
		return NULL;
	for (; *candidates; candidates++) {
		size_t candidate_length = strnlen(*candidates, NEAREST_MAX_LENGTH + 1);
		size_t longer = MAX(length, candidate_length);
		size_t distance;

		if (candidate_length > NEAREST_MAX_LENGTH)
			continue;
		distance = edit_distance(word, length, *candidates, candidate_length);
		/* At most one error in three letters, and not every letter wrong. */
		if (distance > MAX(longer / 3, (size_t)1) || distance >= longer)
			continue;
		if (distance < best) {
			best = distance;
			nearest = *candidates;
		}
	}
	return nearest;
}

static bool needs_no_quotes(char character)
{
	return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
	       (character >= '0' && character <= '9') ||
	       (character != '\0' && strchr("_@%+=:,./-", character));
}

/* "NAME=value" as the first word of a command would be an assignment. */
static bool is_assignment(const char *word)
{
	const char *end = strchr(word, '=');

	if (!end || end == word || (*word >= '0' && *word <= '9'))
		return false;
	for (; word < end; word++) {
		if (strchr("@%+:,./-", *word))
			return false;
	}
	return true;
}

void text_quote_shell(struct strbuf *out, const char *word)
{
	const char *end = word;

	while (needs_no_quotes(*end))
		end++;
	if (*word != '\0' && *end == '\0' && !is_assignment(word)) {
		strbuf_puts(out, word);
		return;
	}
	strbuf_putc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_puts(out, "'\\''");
		else
			strbuf_putc(out, *word);
	}
	strbuf_putc(out, '\'');
}

/* Skips bytes in [low, high] from @at on. */
static size_t skip_range(const unsigned char *data, size_t length, size_t at, unsigned char low,
			 unsigned char high)
{
	while (at < length && data[at] >= low && data[at] <= high)
		at++;
	return at;
}

/*
 * Returns the length of the control string (ECMA-48, 8.3.89 OSC and its like) that starts at @data,
 * with its terminator: ESC \, or for OSC also BEL (xterm). 0 if it is not terminated before the
 * next control character: an unterminated string must not hide what follows.
 */
static size_t control_string_length(const unsigned char *data, size_t length)
{
	size_t end = 2;

	while (end < length && data[end] >= 0x20 && data[end] != 0x7f)
		end++;
	if (end < length && data[end] == '\a' && data[1] == ']')
		return end + 1;
	if (end + 1 < length && data[end] == '\033' && data[end + 1] == '\\')
		return end + 2;
	return 0;
}

/* Returns the length of the escape sequence at @data, which begins with ESC; 0 if it is not one. */
static size_t escape_length(const unsigned char *data, size_t length)
{
	size_t end;

	if (length < 2)
		return 0;
	switch (data[1]) {
	case '[': /* CSI: parameters, intermediates, final byte (ECMA-48, 5.4) */
		end = skip_range(data, length, 2, 0x30, 0x3f);
		end = skip_range(data, length, end, 0x20, 0x2f);
		return end < length && data[end] >= 0x40 && data[end] <= 0x7e ? end + 1 : 0;
	case ']': /* OSC */
	case 'P': /* DCS */
	case 'X': /* SOS */
	case '^': /* PM */
	case '_': /* APC */
		return control_string_length(data, length);
	default: /* intermediates, final byte (ECMA-35, 13.2) */
		end = skip_range(data, length, 1, 0x20, 0x2f);
		return end < length && data[end] >= 0x30 && data[end] <= 0x7e ? end + 1 : 0;
	}
}

/* DEL, C1 and what XML 1.0 forbids, except newlines and tabs. Carriage returns never get here. */
static bool is_forbidden(int32_t character)
{
	if (character < 0x20)
		return character != '\n' && character != '\t';
	return (character >= 0x7f && character <= 0x9f) || character == 0xfffd ||
	       character == 0xfffe || character == 0xffff;
}

/* Returns the number of plain bytes at @bytes. Most text is plain, and is added at once. */
static size_t plain_length(const unsigned char *bytes, size_t length)
{
	size_t plain = 0;

	while (plain < length && ((bytes[plain] >= 0x20 && bytes[plain] < 0x7f) ||
				  bytes[plain] == '\n' || bytes[plain] == '\t'))
		plain++;
	return plain;
}

void text_sanitize(struct strbuf *out, const char *data, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)data;
	size_t at = 0;

	while (at < length) {
		size_t plain = plain_length(bytes + at, length - at), skipped = 0, size;
		int32_t character;

		strbuf_add(out, bytes + at, plain);
		at += plain;
		if (at == length)
			return;
		if (bytes[at] == '\033')
			skipped = escape_length(bytes + at, length - at);
		if (skipped) {
			at += skipped;
			continue;
		}
		size = utf8_decode(data + at, length - at, &character);
		if (character < 0) {
			for (size_t i = 0; i < size; i++)
				strbuf_printf(out, "\\x%02X", (unsigned char)data[at + i]);
		} else if (character == '\r') {
			if (at + 1 == length || bytes[at + 1] != '\n')
				strbuf_putc(out, '\n');
		} else if (is_forbidden(character)) {
			strbuf_printf(out, "#x%X", (unsigned)character);
		} else {
			strbuf_add(out, bytes + at, size);
		}
		at += size;
	}
}

bool text_to_integer(const char *text, int64_t low, int64_t high, int64_t *ret)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 0);
	if (errno || end == text || *end || value < low || value > high)
		return false;
	*ret = value;
	return true;
}

char *decimal_write(char *at, uint64_t value, unsigned digits)
{
	char reversed[20];
	unsigned n = 0;

	do {
		reversed[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	for (; digits > n; digits--)
		*at++ = '0';
	while (n > 0)
		*at++ = reversed[--n];
	*at = '\0';
	return at;
}

struct character_range {
	int32_t first, last;
};

/* Characters that take no column: combining marks of the scripts in use, format controls. */
static const struct character_range zero_width[] = {
	{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x5bf, 0x5bf},   {0x5c1, 0x5c2},
	{0x5c4, 0x5c5},   {0x5c7, 0x5c7},   {0x610, 0x61a},   {0x61c, 0x61c},   {0x64b, 0x65f},
	{0x670, 0x670},   {0x6d6, 0x6dc},   {0x6df, 0x6e4},   {0x6e7, 0x6e8},   {0x6ea, 0x6ed},
	{0x711, 0x711},   {0x730, 0x74a},   {0x8d3, 0x8e1},   {0x8e3, 0x902},   {0x93a, 0x93a},
	{0x93c, 0x93c},   {0x941, 0x948},   {0x94d, 0x94d},   {0x951, 0x957},   {0x962, 0x963},
	{0x981, 0x981},   {0x9bc, 0x9bc},   {0x9c1, 0x9c4},   {0x9cd, 0x9cd},   {0xa3c, 0xa3c},
	{0xa41, 0xa51},   {0xabc, 0xabc},   {0xac1, 0xac8},   {0xacd, 0xacd},   {0xbcd, 0xbcd},
	{0xc3e, 0xc40},   {0xc46, 0xc56},   {0xccc, 0xccd},   {0xd41, 0xd44},   {0xd4d, 0xd4d},
	{0xe31, 0xe31},   {0xe34, 0xe3a},   {0xe47, 0xe4e},   {0xeb1, 0xeb1},   {0xeb4, 0xebc},
	{0xec8, 0xecd},   {0xf71, 0xf7e},   {0x102d, 0x1030}, {0x1032, 0x1037}, {0x1160, 0x11ff},
	{0x135d, 0x135f}, {0x17b4, 0x17b5}, {0x17b7, 0x17bd}, {0x180b, 0x180f}, {0x1ab0, 0x1aff},
	{0x1dc0, 0x1dff}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x206f}, {0x20d0, 0x20f0},
	{0x302a, 0x302d}, {0x3099, 0x309a}, {0xa66f, 0xa672}, {0xa674, 0xa67d}, {0xfb1e, 0xfb1e},
	{0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0001, 0xe01ef},
};

/* Characters two columns wide: Unicode's East_Asian_Width W and F (UAX #11). */
static const struct character_range wide[] = {
	{0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
	{0x23f0, 0x23f0},   {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
	{0x2648, 0x2653},   {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},
	{0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26ce, 0x26ce},
	{0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
	{0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},
	{0x2728, 0x2728},   {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},
	{0x2757, 0x2757},   {0x2795, 0x2797},   {0x27b0, 0x27b0},   {0x27bf, 0x27bf},
	{0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},   {0x2e80, 0x303e},
	{0x3041, 0x3247},   {0x3250, 0x4dbf},   {0x4e00, 0xa4c6},   {0xa960, 0xa97c},
	{0xac00, 0xd7a3},   {0xf900, 0xfad9},   {0xfe10, 0xfe6b},   {0xff01, 0xff60},
	{0xffe0, 0xffe6},   {0x16fe0, 0x1b2fb}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
	{0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335},
	{0x1f337, 0x1f37c}, {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3},
	{0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440},
	{0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567},
	{0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f},
	{0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6df},
	{0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7f0}, {0x1f90c, 0x1f93a},
	{0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faf6}, {0x20000, 0x3fffd},
};

static bool in_ranges(int32_t character, const struct character_range *ranges, size_t n_ranges)
{
	while (n_ranges > 0) {
		size_t middle = n_ranges / 2;

		if (character < ranges[middle].first) {
			n_ranges = middle;
		} else if (character > ranges[middle].last) {
			ranges += middle + 1;
			n_ranges -= middle + 1;
		} else {
			return true;
		}
	}
	return false;
}

static size_t character_width(int32_t character)
{
	if (character < 0x20 || character == 0x7f)
		return character < 0; /* a bad sequence is shown as U+FFFD */
	if (character < zero_width[0].first)
		return 1;
	if (in_ranges(character, zero_width, ARRAY_SIZE(zero_width)))
		return 0;
	return in_ranges(character, wide, ARRAY_SIZE(wide)) ? 2 : 1;
}

size_t text_width(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t length = strlen(text), width = 0;

	for (size_t at = 0; at < length;) {
		int32_t character;

		/* plain text needs no more than this */
		if (bytes[at] >= 0x20 && bytes[at] < 0x7f) {
			at++;
			width++;
			continue;
		}
		at += utf8_decode(text + at, length - at, &character);
		width += character_width(character);
	}
	return width;
}

void text_wrap(struct strbuf *out, size_t indent, size_t columns, const char *text)
{
	size_t column = indent;

	while (*text) {
		size_t length = strcspn(text, " ");

		if (column > indent && column + 1 + length > columns) {
			strbuf_putc(out, '\n');
			strbuf_pad(out, ' ', indent);
			column = indent;
		} else if (column > indent) {
			strbuf_putc(out, ' ');
			column++;
		}
		strbuf_add(out, text, length);
		column += length;
		text += length + (text[length] == ' ');
	}
	strbuf_putc(out, '\n');
}

uint64_t text_hash(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (const char *c = text; *c; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
	return hash;
}
