/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the kernel settings that a scenario can make: their names and values. */
#include <criterion/criterion.h>

#include "runner/scenario/sysctl_allowlist.h"

TestSuite(kernel);

Test(kernel, settings_are_known_by_their_short_and_by_their_full_name)
{
	static const char *const names[] = {
		"tcp_syn_retries",
		"net.ipv4.tcp_syn_retries",
		"net/ipv4/tcp_syn_retries",
	};
	static const char *const unknown[] = {
		"",
		"tcp_syn_retris",
		"tcp_syn_retries ",
		"net.ipv4",
		"net.ipv4.",
		"net.ipv4.tcp_syn_retriesx",
		"net.core.tcp_syn_retries",
		"ipv4.tcp_syn_retries",
		"net..ipv4.tcp_syn_retries",
		"../../kernel/hostname",
		"kernel.hostname",
		"net.ipv4.ip_forward",
		"tcp_fastopen_key",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct allowed_sysctl *name = sysctl_allowlist_find(names[i]);

		cr_assert_not_null(name, "%s", names[i]);
		cr_expect_str_eq(name->path, "net/ipv4/tcp_syn_retries");
		cr_expect_str_eq(sysctl_short_name(name), "tcp_syn_retries");
	}
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		cr_expect_null(sysctl_allowlist_find(unknown[i]), "%s", unknown[i]);
}

Test(kernel, all_settings_have_names_of_their_own_and_paths_that_stay_below_net)
{
	AUTO_FREE const char **names = sysctl_allowlist();
	size_t n = 0;

	for (; names[n]; n++) {
		const struct allowed_sysctl *name = sysctl_allowlist_find(names[n]);

		cr_assert_not_null(name, "%s", names[n]);
		cr_expect_str_eq(sysctl_short_name(name), names[n], "its name is another's, too");
		cr_expect(strncmp(name->path, "net/", 4) == 0 && !strstr(name->path, ".."));
		cr_expect_leq(name->low, name->high);
	}
	cr_expect_gt(n, 30);
}

Test(kernel, values_are_taken_as_the_kernel_takes_them_and_no_others)
{
	static const struct {
		const char *name, *value, *message; /* NULL: it is taken */
	} cases[] = {
		{"tcp_syn_retries", "1", NULL},
		{"tcp_syn_retries", "127", NULL},
		{"tcp_syn_retries", "0", "a number from 1 to 127"},
		{"tcp_syn_retries", "128", "a number from 1 to 127"},
		{"tcp_syn_retries", "-1", "a number from 1 to 127"},
		{"tcp_syn_retries", "1s", "a number from 1 to 127"},
		{"tcp_syn_retries", "1 2", "a number from 1 to 127"},
		{"tcp_syn_retries", "", "a number from 1 to 127"},
		{"tcp_syn_retries", "99999999999999999999", "a number from 1 to 127"},
		{"tcp_sack", "2", "a number from 0 to 1"},
		{"tcp_rmem", "4096 87380 6291456", NULL},
		{"tcp_rmem", "4096", "3 numbers from 1"},
		{"tcp_rmem", "4096,87380,6291456", "3 numbers from 1"},
		{"ip_local_port_range", "40000\t40100", NULL},
		{"ip_local_port_range", "40000 70000", "2 numbers from 1 to 65535"},
		{"tcp_congestion_control", "cubic", NULL},
		{"tcp_congestion_control", "../x", "a word"},
		{"tcp_congestion_control", "", "a word"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *message = NULL;
		AUTO_FREE char *value = sysctl_value(sysctl_allowlist_find(cases[i].name),
						     cases[i].value, &message);

		if (!cases[i].message)
			cr_expect(value && strcmp(value, cases[i].value) == 0, "%zu", i);
		else
			cr_expect(!value && message && strstr(message, cases[i].message), "%zu: %s",
				  i, message ? message : "taken");
	}
}
