/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes durations, and reads the clocks: see duration.h. All arithmetic is on integers,
 * so that "0.1s" is exactly 100,000,000 ns.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#include "common/duration.h"
#include "common/text.h"

#define NS_PER_MINUTE (60 * NS_PER_S)
#define NS_PER_HOUR   (60 * NS_PER_MINUTE)

/* Digits after the point that count: further ones are below a nanosecond, even of an hour. */
#define FRACTION_DIGITS 13

struct unit {
	const char *name;
	int64_t ns;
};

/* The largest first. */
static const struct unit units[] = {
	{"h", NS_PER_HOUR}, {"m", NS_PER_MINUTE}, {"s", NS_PER_S},
	{"ms", NS_PER_MS},  {"us", NS_PER_US},
};

/* Units in another tool's form: "5 seconds", "5sec", "2min". */
static const struct {
	const char *words, *unit;
} foreign_units[] = {
	{" s sec secs second seconds S ", "s"},
	{" ms msec msecs millis millisecond milliseconds ", "ms"},
	{" us usec usecs µs micros microsecond microseconds ", "us"},
	{" m min mins minute minutes ", "m"},
	{" h hr hrs hour hours ", "h"},
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	/* Can't fail: every Linux has these clocks. */
	if (clock_gettime(clock, &now) < 0)
		abort();
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Makes the system call: in the vDSO the clock may have been moved. */
static int64_t kernel_ns(clockid_t clock)
{
	struct timespec now;

	if (syscall(SYS_clock_gettime, clock, &now) < 0)
		abort();
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_kernel_ns(void)
{
	return kernel_ns(CLOCK_MONOTONIC);
}

int64_t clock_kernel_realtime_ns(void)
{
	return kernel_ns(CLOCK_REALTIME);
}

int64_t clock_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t clock_thread_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* "12.345": whole 12, fraction 345, scale 1000. */
struct number {
	int64_t whole; /* saturates just above DURATION_MAX_NS */
	__int128 fraction, scale;
};

/* Reads digits with an optional fraction. Returns where they end, or NULL. */
static const char *parse_number(const char *text, struct number *ret)
{
	struct number number = {.scale = 1};

	if (!is_digit(*text))
		return NULL;
	for (; is_digit(*text); text++) {
		if (number.whole <= DURATION_MAX_NS)
			number.whole = number.whole * 10 + (*text - '0');
	}
	if (*text == '.') {
		text++;
		if (!is_digit(*text))
			return NULL;
		for (size_t i = 0; is_digit(*text); text++, i++) {
			if (i >= FRACTION_DIGITS)
				continue;
			number.fraction = number.fraction * 10 + (*text - '0');
			number.scale *= 10;
		}
	}
	*ret = number;
	return text;
}

/* Finds the unit at @text, which ends at a digit, a point or the end. Returns NULL if unknown. */
static const struct unit *parse_unit(const char *text, size_t *ret_length)
{
	size_t length = strcspn(text, "0123456789.");

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == length && !strncmp(units[i].name, text, length)) {
			*ret_length = length;
			return &units[i];
		}
	}
	return NULL;
}

static const char *number_problem(const char *text)
{
	if (*text == '\0')
		return "is empty";
	if (*text == '-')
		return "is negative";
	return "does not start with a number";
}

/* Returns what is wrong with @text; or NULL, and writes @ret_ns, which saturates. */
static const char *parse_parts(const char *text, int64_t *ret_ns)
{
	const struct unit *smallest = NULL;
	int64_t total = 0;

	if (!is_digit(*text))
		return number_problem(text);
	while (*text) {
		const struct unit *unit;
		struct number number;
		size_t length = 0;
		__int128 part;

		text = parse_number(text, &number);
		if (!text)
			return "has a point with no digit beside it";
		if (*text == '\0')
			return "has no unit (us, ms, s, m, h)";
		unit = parse_unit(text, &length);
		if (!unit && *text == ' ')
			return "has a blank in it";
		if (!unit)
			return "has an unknown unit (known are us, ms, s, m, h)";
		if (smallest && unit <= smallest)
			return "has its units in the wrong order (largest first, each once)";
		smallest = unit;
		text += length;

		part = (__int128)number.whole * unit->ns +
		       number.fraction * unit->ns / number.scale;
		if (part > DURATION_MAX_NS - total)
			total = DURATION_MAX_NS + 1;
		else
			total += (int64_t)part;
	}
	*ret_ns = total;
	return NULL;
}

int duration_parse(const char *text, int64_t *ret_ns, const char **ret_reason)
{
	int64_t duration_ns = 0;
	const char *reason = parse_parts(text, &duration_ns);
	int error = 0;

	if (reason) {
		error = -EINVAL;
	} else if (duration_ns > DURATION_MAX_NS) {
		reason = "is longer than 24h";
		error = -ERANGE;
	}
	if (error) {
		if (ret_reason)
			*ret_reason = reason;
		return error;
	}
	*ret_ns = duration_ns;
	return 0;
}

char *duration_meant(const char *text)
{
	size_t digits = strspn(text, "0123456789.");
	const char *word = text + digits + strspn(text + digits, " ");
	AUTO_FREE char *framed = NULL;

	if (digits == 0)
		return NULL;
	if (!*word)
		return xasprintf("\"%.*ss\" or \"%.*sms\"", (int)digits, text, (int)digits, text);
	framed = xasprintf(" %s ", word);
	for (size_t i = 0; i < ARRAY_SIZE(foreign_units); i++)
		if (strstr(foreign_units[i].words, framed) &&
		    (word != text + digits || strcmp(word, foreign_units[i].unit) != 0))
			return xasprintf("\"%.*s%s\"", (int)digits, text, foreign_units[i].unit);
	return NULL;
}

static uint64_t rounded(uint64_t value, uint64_t unit)
{
	return value / unit + (value % unit >= (unit + 1) / 2);
}

/* Writes @value / @scale as "1.27". @scale is 10 to the power of @digits. */
static char *write_fraction(char *at, uint64_t value, uint64_t scale, unsigned digits)
{
	at = decimal_write(at, value / scale, 1);
	*at++ = '.';
	return decimal_write(at, value % scale, digits);
}

/* Writes three digits of @value in units of @unit ns: "1.27 ms", "12.7 ms", "127 ms". */
static void write_three_digits(char *at, uint64_t value, uint64_t unit, const char *name)
{
	uint64_t hundredths = rounded(value, unit / 100);
	uint64_t tenths = rounded(value, unit / 10);

	if (hundredths < 1000)
		at = write_fraction(at, hundredths, 100, 2);
	else if (tenths < 1000)
		at = write_fraction(at, tenths, 10, 1);
	else
		at = decimal_write(at, rounded(value, unit), 1);
	strcpy(at, name);
}

struct timeval duration_timeval(int64_t ns)
{
	int64_t us = ns > 0 ? (ns - 1) / NS_PER_US + 1 : 0;

	return (struct timeval){.tv_sec = us / (NS_PER_S / NS_PER_US),
				.tv_usec = us % (NS_PER_S / NS_PER_US)};
}

char *duration_format(int64_t duration_ns, char buffer[static DURATION_TEXT_SIZE])
{
	uint64_t value = duration_ns < 0 ? -(uint64_t)duration_ns : (uint64_t)duration_ns;
	uint64_t tenths = rounded(value, NS_PER_S / 10);
	uint64_t seconds = rounded(value, NS_PER_S);
	char *text = buffer;

	if (duration_ns < 0)
		*text++ = '-';
	/* From each limit on, rounding would carry into the next unit. */
	if (value == 0)
		strcpy(text, "0");
	else if (value < 1000)
		strcpy(decimal_write(text, value, 1), " ns");
	else if (rounded(value, NS_PER_US) < 1000)
		write_three_digits(text, value, NS_PER_US, " us");
	else if (rounded(value, NS_PER_MS) < 1000)
		write_three_digits(text, value, NS_PER_MS, " ms");
	else if (tenths < 600)
		write_three_digits(text, value, NS_PER_S, " s");
	else if (tenths < 36000)
		snprintf(text, DURATION_TEXT_SIZE - 1, "%u m %u.%u s", (unsigned)(tenths / 600),
			 (unsigned)(tenths / 10 % 60), (unsigned)(tenths % 10));
	else
		snprintf(text, DURATION_TEXT_SIZE - 1, "%u h %u m %u s", (unsigned)(seconds / 3600),
			 (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
	return buffer;
}

char *duration_format_exact(int64_t duration_ns, char buffer[static DURATION_TEXT_SIZE])
{
	uint64_t value = duration_ns < 0 ? -(uint64_t)duration_ns : (uint64_t)duration_ns;
	uint64_t whole = rounded(value, NS_PER_US) * NS_PER_US;
	const char *sign = duration_ns < 0 && whole ? "-" : "";

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (whole == 0 || whole % (uint64_t)units[i].ns)
			continue;
		snprintf(buffer, DURATION_TEXT_SIZE, "%s%llu%s", sign,
			 (unsigned long long)(whole / (uint64_t)units[i].ns), units[i].name);
		return buffer;
	}
	snprintf(buffer, DURATION_TEXT_SIZE, "0s");
	return buffer;
}
