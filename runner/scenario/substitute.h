/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ${…} in commands, environment, stdin and files. Values known only when a scenario runs:
 *
 *     ${NAME}       host:port of the endpoint NAME ([address]:port for a literal IPv6 address)
 *     ${NAME.host}  its hostname, else its first address
 *     ${NAME.port}  ${NAME.ipv4}  ${NAME.ipv6}
 *     ${NAME.ipv4.2}  and so on: the further addresses of a family
 *     ${tmp}        the scenario's private temporary directory
 *     ${dir}        the directory of the scenario file, absolute
 *     $${           a literal ${
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_SUBSTITUTE_H
#define SYNFAULT_RUNNER_SCENARIO_SUBSTITUTE_H

#include "runner/scenario/scenario.h"

/*
 * Checks all references in @text against the scenario's endpoints (address families included).
 * Returns true, or false with *@ret_message (owned by the caller) and, when there is a remedy,
 * *@ret_hint; *@ret_offset and *@ret_length mark the reference.
 */
bool substitute_check(const struct scenario *scenario, const char *text, size_t *ret_offset,
		      size_t *ret_length, char **ret_message, char **ret_hint);

/* The values for one run. */
struct endpoint_values {
	const char *host;                              /* hostname or first address */
	const char *addresses[ENDPOINT_MAX_ADDRESSES]; /* as many as it has, in their order */
	uint16_t port;
};
struct substitution {
	const struct scenario *scenario;
	const struct endpoint_values *endpoints; /* as many as the scenario has */
	const char *tmp, *dir;
};

/* Returns @text with all references replaced; owned by the caller. References were checked. */
char *substitute(const struct substitution *values, const char *text);
/* The same for a vector. */
char **substitute_strv(const struct substitution *values, char *const *strv);
/*
 * The same values as environment variables: SYNFAULT_<NAME>, SYNFAULT_<NAME>_HOST, _PORT, _IPV4,
 * _IPV6, _IPV4_2, … (name in capitals, "-" as "_"), SYNFAULT_TMP, SYNFAULT_DIR; as "NAME=value"
 * strings.
 */
char **substitute_environment(const struct substitution *values);

#endif
