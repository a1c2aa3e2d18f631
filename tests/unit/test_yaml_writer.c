/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every text is read back as it was written. */
#include <criterion/criterion.h>

#include "common/random.h"
#include "runner/observe/adhoc_scenario.h"

static void expect_command_survives(const char *const *words)
{
	static const char *const faults[] = {"refuse", NULL};
	AUTO_STRBUF struct strbuf text = {0};
	AUTO_STRV char **command = strv_copy((char *const *)(uintptr_t)words);
	struct yaml_writer *writer = yaml_writer_new(&text);
	struct scenario_file *file;

	adhoc_scenario_write(
		&(struct adhoc_scenario){
			.name = "n", .faults = faults, .timeout_ns = NS_PER_S, .command = command},
		writer);
	yaml_text(writer, "expect");
	yaml_mapping(writer, true);
	yaml_pair(writer, "exit", "0");
	yaml_writer_finish(writer);
	file = scenario_file_parse("a.yaml", strbuf_text(&text), text.length);
	cr_assert_eq(file->n_scenarios, 1, "%s: %s", strbuf_text(&text),
		     file->diags.n_items ? file->diags.items[0].message : "");
	for (size_t i = 0; words[i]; i++)
		cr_assert_str_eq(file->scenarios[0]->client.command[i], words[i], "in %s",
				 strbuf_text(&text));
	cr_assert_eq(strv_length(file->scenarios[0]->client.command), strv_length(command));
	scenario_file_free(file);
}

Test(yaml_writer, keeps_hostile_arguments)
{
	static const char *const words[] = {
		"sh",
		"-c",
		"",
		" ",
		"null",
		"~",
		"Null",
		"true",
		"no",
		"3",
		"1e3",
		"0x10",
		"a: b",
		"a:",
		"- a",
		"-",
		"--x",
		"?",
		"#no",
		"a #b",
		"'",
		"\"",
		"\\",
		"{a: 1}",
		"[a]",
		"a, b",
		"&a",
		"*a",
		"!tag",
		"|",
		">",
		"%TAG",
		"@a",
		"`a`",
		"a\nb",
		"\n",
		"a\n\n b",
		"tab\there",
		"\x1b[31m",
		"\x7f",
		"naïve",
		"日本語",
		"😀",
		"\xe2\x80\xa8",
		"$${a}",
		"---",
		"...",
		"trailing ",
		"<<",
		"=",
		"a'b\"c",
		"\r\n",
		"${server}",
		"\xef\xbb\xbf"
		"bom",
		"C:\\dir",
		"key: {",
		"]",
		"}",
		"\u00a0",
		NULL,
	};

	expect_command_survives(words);
}

Test(yaml_writer, keeps_long_arguments_on_one_line)
{
	AUTO_FREE char *word = xzalloc(5001);
	const char *words[] = {"a", word, NULL};

	for (size_t i = 0; i < 5000; i++)
		word[i] = i % 7 ? 'x' : ' ';
	word[4999] = 'x';
	expect_command_survives(words);
}

Test(yaml_writer, keeps_random_texts)
{
	static const char *const pieces[] = {"a", " ", "\n", ":",  "#", "'", "\"", "\\", "-",   ",",
					     "{", "}", "[",  "]",  "&", "*", "!",  "|",  ">",   "%",
					     "@", "`", "é",  "\t", "0", "~", "?",  "\r", "\x01"};

	for (uint64_t round = 0; round < 3000; round++) {
		AUTO_STRBUF struct strbuf word = {0};
		const char *words[] = {"client", NULL, NULL};
		uint64_t length = random_draw(7, round, 0, 0) % 8;

		for (uint64_t i = 0; i < length; i++)
			strbuf_puts(&word,
				    pieces[random_draw(7, round, 1, i) % ARRAY_SIZE(pieces)]);
		words[1] = strbuf_text(&word);
		expect_command_survives(words);
	}
}

static bool snippet(const char *text, struct strbuf *out)
{
	struct yaml_writer *writer = yaml_writer_new(out);
	bool taken = yaml_snippet(writer, text);

	if (!taken)
		yaml_text(writer, "not taken");
	yaml_writer_finish(writer);
	return taken;
}

Test(yaml_writer, takes_a_snippet_that_is_one_value)
{
	AUTO_STRBUF struct strbuf text = {0};

	cr_assert(snippet("{when: {attempt: 1..3}, do: [a, 'b: c']}", &text));
	cr_expect_str_eq(strbuf_text(&text), "{when: {attempt: 1..3}, do: [a, 'b: c']}\n");
}

Test(yaml_writer, takes_no_snippet_that_is_not)
{
	static const char *const cases[] = {
		"{a",        "a: b: c", "*x", "{a: *x}", "", "a\n---\nb", "[[[[[[[[[a]]]]]]]]]",
		"\"a\\0b\"", "\x01",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_STRBUF struct strbuf text = {0};

		cr_expect_not(snippet(cases[i], &text), "%s", cases[i]);
		cr_expect_str_eq(strbuf_text(&text), "not taken\n");
	}
}
