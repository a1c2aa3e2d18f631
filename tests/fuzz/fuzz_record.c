/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes the reader of records and what uses them: records and runs may come from elsewhere when
 * they are shown or judged again. The input is the JSON of one record.
 */
#include "runner/record/history.h"
#include "runner/report/attempt_table.h"
#include "runner/report/event_line.h"
#include "tests/fuzz/fuzz.h"

static void check_texts(const struct record *record)
{
	static const struct attempt_table_style style = {
		.ascii = true, .columns = 80, .timeline = 80};
	AUTO_STRBUF struct strbuf text = {0};

	attempt_table_format(NULL, record, NULL, &style, &text);
	for (size_t i = 0; i < record->n_events; i++)
		event_line_write(record, &record->events[i], &text);
	for (size_t i = 0; i < text.length; i++)
		REQUIRE(text.data[i] == '\n' || (text.data[i] >= ' ' && text.data[i] != 0x7f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *message = NULL, *other = NULL, *written = NULL, *again = NULL;
	AUTO_RECORD struct record *record = record_read_json((const char *)data, size, &message);
	AUTO_RECORD struct record *copy = NULL;
	size_t length, length_again;

	if (!record) {
		REQUIRE(message && *message);
		return 0;
	}
	written = record_write_json(record, &length);
	copy = record_read_json(written, length, &other);
	REQUIRE(copy);
	again = record_write_json(copy, &length_again);
	REQUIRE(length == length_again && !memcmp(written, again, length));
	check_texts(record);
	return 0;
}
