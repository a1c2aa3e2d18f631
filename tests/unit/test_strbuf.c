/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the growing string. */
#include <criterion/criterion.h>

#include "common/strbuf.h"

TestSuite(strbuf);

Test(strbuf, untouched_buffer_is_an_empty_text)
{
	AUTO_STRBUF struct strbuf buffer = {0};

	cr_assert_str_eq(strbuf_text(&buffer), "");
	cr_assert_eq(buffer.length, 0);
}

Test(strbuf, appends_in_order)
{
	AUTO_STRBUF struct strbuf buffer = {0};

	strbuf_puts(&buffer, "one");
	strbuf_putc(&buffer, ' ');
	strbuf_add(&buffer, "twoXXX", 3);
	strbuf_pad(&buffer, '.', 3);
	strbuf_printf(&buffer, "%d%s", 3, "!");
	cr_assert_str_eq(strbuf_text(&buffer), "one two...3!");
	cr_assert_eq(buffer.length, strlen("one two...3!"));
}

Test(strbuf, adding_nothing_changes_nothing)
{
	AUTO_STRBUF struct strbuf buffer = {0};

	strbuf_add(&buffer, NULL, 0);
	strbuf_puts(&buffer, "");
	strbuf_pad(&buffer, 'x', 0);
	strbuf_printf(&buffer, "%s", "");
	cr_assert_eq(buffer.length, 0);
	cr_assert_str_eq(strbuf_text(&buffer), "");
}

Test(strbuf, holds_nul_bytes)
{
	AUTO_STRBUF struct strbuf buffer = {0};

	strbuf_add(&buffer, "a\0b", 3);
	strbuf_putc(&buffer, '\0');
	cr_assert_eq(buffer.length, 4);
	cr_assert_arr_eq(buffer.data, "a\0b\0", 5);
}

Test(strbuf, grows_past_any_size)
{
	AUTO_STRBUF struct strbuf buffer = {0};

	for (int i = 0; i < 5000; i++)
		strbuf_printf(&buffer, "%04d,", i);
	cr_assert_eq(buffer.length, 25000);
	cr_assert(!strncmp(buffer.data + 5 * 4321, "4321,", 5));
	cr_assert_eq(buffer.data[buffer.length], '\0');
}

Test(strbuf, stealing_leaves_an_empty_buffer)
{
	AUTO_STRBUF struct strbuf buffer = {0};
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *nothing = NULL;

	strbuf_puts(&buffer, "mine");
	text = strbuf_steal(&buffer);
	cr_assert_str_eq(text, "mine");
	cr_assert_eq(buffer.length, 0);
	nothing = strbuf_steal(&buffer);
	cr_assert_str_eq(nothing, "");
}
