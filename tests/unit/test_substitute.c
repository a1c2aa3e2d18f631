/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of references: which are valid, what replaces them, and the same values as variables. */
#include <criterion/criterion.h>

#include "runner/scenario/substitute.h"

TestSuite(substitute);

static struct endpoint_spec endpoints[] = {
	{.name = (char[]){"api"}, .families = {FAMILY_IPV4}, .n_families = 1},
	{.name = (char[]){"my-web"}, .families = {FAMILY_IPV6}, .n_families = 1},
	{.name = (char[]){"both"}, .families = {FAMILY_IPV6, FAMILY_IPV4}, .n_families = 2},
	{.name = (char[]){"many"},
	 .families = {FAMILY_IPV6, FAMILY_IPV4, FAMILY_IPV6},
	 .n_families = 3},
};
static const struct scenario scenario = {.endpoints = endpoints, .n_endpoints = 4};
static const struct endpoint_values endpoint_values[] = {
	{"127.0.0.2", {"127.0.0.2"}, 80},
	{"::1", {"::1"}, 8443},
	{"both.test", {"fd00::1", "10.0.0.1"}, 65535},
	{"fd00::2", {"fd00::2", "10.0.0.2", "fd00::3"}, 1},
};
static const struct substitution values = {&scenario, endpoint_values, "/tmp/x", "/etc/scenarios"};

Test(substitute, replaces_references)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"${api}", "127.0.0.2:80"},
		{"http://${api}/${api.port}", "http://127.0.0.2:80/80"},
		{"${api.host} ${api.ipv4}", "127.0.0.2 127.0.0.2"},
		{"${my-web}", "[::1]:8443"},
		{"${my-web.host}", "::1"},
		{"${my-web.ipv6}", "::1"},
		{"${both}", "both.test:65535"},
		{"${both.host},${both.ipv4},${both.ipv6}", "both.test,10.0.0.1,fd00::1"},
		{"${many.ipv6.2} ${many.ipv6.1} ${many.ipv6}", "fd00::3 fd00::2 fd00::2"},
		{"${many.ipv4.1}", "10.0.0.2"},
		{"${tmp}/a", "/tmp/x/a"},
		{"${dir}", "/etc/scenarios"},
		{"$${api}", "${api}"},
		{"$${api}${api.port}$${", "${api}80${"},
		{"$$${api}", "$${api}"},
		{"$", "$"},
		{"$$", "$$"},
		{"$api {api} $(api)", "$api {api} $(api)"},
		{"a$${b", "a${b"},
		{"${api.port}${api.port}", "8080"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *result = substitute(&values, cases[i].text);

		cr_expect_str_eq(result, cases[i].expected, "\"%s\": \"%s\"", cases[i].text,
				 result);
	}
}

Test(substitute, accepts_every_valid_reference)
{
	static const char *const cases[] = {
		"",
		"plain $ {",
		"${api}",
		"${api.host}${api.port}${api.ipv4}",
		"${my-web.ipv6}",
		"${both.ipv4}${both.ipv6}",
		"${tmp}/${dir}",
		"$${nobody} $$${",
		"$${",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *message = NULL, *hint = NULL;
		size_t offset, length;

		cr_expect(substitute_check(&scenario, cases[i], &offset, &length, &message, &hint),
			  "\"%s\": %s", cases[i], message);
		cr_expect_null(message);
		cr_expect_null(hint);
	}
}

Test(substitute, wrong_reference_is_explained)
{
	static const struct {
		const char *text, *marked, *message, *hint;
	} cases[] = {
		{"x ${apj} y", "${apj}", "there is no endpoint \"apj\"",
		 "did you mean \"${api}\"?"},
		{"${apj.port}", "${apj.port}", "there is no endpoint \"apj\"",
		 "did you mean \"${api.port}\"?"},
		{"${api} ${PATH}", "${PATH}", "there is no endpoint \"PATH\"",
		 "for a literal ${PATH} write $${PATH}"},
		{"${}", "${}", "names nothing", "write $${"},
		{"${.port}", "${.port}", "names nothing", NULL},
		{"a ${api", "${", "no closing \"}\"", "write $${"},
		{"${api.prot}", "${api.prot}", "an endpoint has no \"prot\"",
		 "did you mean \"${api.port}\"?"},
		{"${api.xyzzy}", "${api.xyzzy}", "an endpoint has no \"xyzzy\"",
		 "host, port, ipv4 and ipv6"},
		{"${api.}", "${api.}", "an endpoint has no \"\"", NULL},
		{"${api.port.x}", "${api.port.x}", "an endpoint has no \"port.x\"", NULL},
		{"${api.ipv6}", "${api.ipv6}", "the endpoint \"api\" has no IPv6 address",
		 "families: [ipv4, ipv6]"},
		{"${my-web.ipv4}", "${my-web.ipv4}", "the endpoint \"my-web\" has no IPv4 address",
		 NULL},
		{"${many.ipv6.3}", "${many.ipv6.3}",
		 "the endpoint \"many\" has 2 IPv6 addresses, not 3", "addresses: ["},
		{"${api.ipv4.2}", "${api.ipv4.2}", "the endpoint \"api\" has 1 IPv4 address, not 2",
		 NULL},
		{"${api.ipv6.2}", "${api.ipv6.2}", "the endpoint \"api\" has no IPv6 address",
		 NULL},
		{"${api.ipv4.0}", "${api.ipv4.0}", "an endpoint has no \"ipv4.0\"", NULL},
		{"${api.ipv4.}", "${api.ipv4.}", "an endpoint has no \"ipv4.\"", NULL},
		{"${api.ipv4.99999999999999999999}", "${api.ipv4.99999999999999999999}",
		 "an endpoint has no", NULL},
		{"${api.ipv4x}", "${api.ipv4x}", "an endpoint has no \"ipv4x\"", NULL},
		{"${tmp.dir}", "${tmp.dir}", "has no parts", "write ${tmp}"},
		{"${matrix.a}", "${matrix.a}", "this document has no \"matrix\"", NULL},
		{"${ api }", "${ api }", "there is no endpoint \" api \"", "write $${ api }"},
		{"$${api} ${b}", "${b}", "there is no endpoint \"b\"", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *message = NULL, *hint = NULL;
		size_t offset = 0, length = 0;

		cr_assert_not(substitute_check(&scenario, cases[i].text, &offset, &length, &message,
					       &hint),
			      "\"%s\"", cases[i].text);
		cr_expect(length == strlen(cases[i].marked) &&
				  !memcmp(cases[i].text + offset, cases[i].marked, length),
			  "\"%s\": marks %zu+%zu", cases[i].text, offset, length);
		cr_expect(strstr(message, cases[i].message), "\"%s\": %s", cases[i].text, message);
		if (cases[i].hint)
			cr_expect(hint && strstr(hint, cases[i].hint), "\"%s\": %s", cases[i].text,
				  hint);
	}
}

Test(substitute, replaces_in_vectors)
{
	char *const strv[] = {(char[]){"curl"}, (char[]){"http://${api}/"}, NULL};
	AUTO_STRV char **result = substitute_strv(&values, strv);

	cr_expect_str_eq(result[0], "curl");
	cr_expect_str_eq(result[1], "http://127.0.0.2:80/");
	cr_expect_null(result[2]);
}

Test(substitute, gives_the_same_values_as_variables)
{
	static const char *const expected[] = {
		"SYNFAULT_API=127.0.0.2:80",     "SYNFAULT_API_HOST=127.0.0.2",
		"SYNFAULT_API_PORT=80",          "SYNFAULT_API_IPV4=127.0.0.2",
		"SYNFAULT_MY_WEB=[::1]:8443",    "SYNFAULT_MY_WEB_HOST=::1",
		"SYNFAULT_MY_WEB_PORT=8443",     "SYNFAULT_MY_WEB_IPV6=::1",
		"SYNFAULT_BOTH=both.test:65535", "SYNFAULT_BOTH_HOST=both.test",
		"SYNFAULT_BOTH_PORT=65535",      "SYNFAULT_BOTH_IPV6=fd00::1",
		"SYNFAULT_BOTH_IPV4=10.0.0.1",   "SYNFAULT_MANY=[fd00::2]:1",
		"SYNFAULT_MANY_HOST=fd00::2",    "SYNFAULT_MANY_PORT=1",
		"SYNFAULT_MANY_IPV6=fd00::2",    "SYNFAULT_MANY_IPV4=10.0.0.2",
		"SYNFAULT_MANY_IPV6_2=fd00::3",  "SYNFAULT_TMP=/tmp/x",
		"SYNFAULT_DIR=/etc/scenarios",
	};
	AUTO_STRV char **variables = substitute_environment(&values);

	cr_assert_eq(strv_length(variables), ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		cr_expect_str_eq(variables[i], expected[i]);
}

Test(substitute, gives_no_variables_for_directories_that_are_not_there)
{
	const struct scenario nothing = {0};
	const struct substitution none = {.scenario = &nothing};
	AUTO_STRV char **variables = substitute_environment(&none);

	cr_expect_null(variables[0]);
}
