/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References ${…} in commands, environment, stdin and files, to values that are known only when a
 * scenario runs:
 *
 *     ${NAME}       host:port of the endpoint NAME ([address]:port for a literal IPv6 address)
 *     ${NAME.host}  its hostname, or its first address
 *     ${NAME.port}  ${NAME.ipv4}  ${NAME.ipv6}
 *     ${NAME.ipv4.2}  and so on: the further addresses of a family
 *     ${tmp}        the scenario's private temporary directory
 *     ${dir}        the directory of the scenario file, absolute
 *     $${           a literal ${
 */
#ifndef SYNFAULT_RUNNER_SCENARIO_SUBSTITUTE_H
#define SYNFAULT_RUNNER_SCENARIO_SUBSTITUTE_H

#include "runner/scenario/scenario.h"

/**
 * substitute_check() - check all references in a text
 * @scenario: its endpoints and their address families are what references can name
 * @text: the text
 * @ret_offset: where the first wrong reference starts in @text
 * @ret_length: its length
 * @ret_message: what is wrong; owned by the caller
 * @ret_hint: a remedy, owned by the caller, or NULL
 *
 * Return: true if all are right; false with all outputs written.
 */
bool substitute_check(const struct scenario *scenario, const char *text, size_t *ret_offset,
		      size_t *ret_length, char **ret_message, char **ret_hint);

/* The values for one run. */
struct endpoint_values {
	const char *host;                              /* hostname or first address */
	const char *addresses[ENDPOINT_MAX_ADDRESSES]; /* in the endpoint's order */
	uint16_t port;
};
struct substitution {
	const struct scenario *scenario;
	const struct endpoint_values *endpoints; /* one per endpoint of the scenario */
	const char *tmp, *dir;
};

/**
 * substitute() - replace all references in @text, which must be checked
 *
 * The caller owns the result.
 */
char *substitute(const struct substitution *values, const char *text);
/**
 * substitute_strv() - do the same for each text of a NULL-terminated array
 *
 * The caller owns the result.
 */
char **substitute_strv(const struct substitution *values, char *const *strv);
/**
 * substitute_environment() - make environment variables of the values: SYNFAULT_<NAME>,
 * SYNFAULT_<NAME>_HOST, _PORT, _IPV4, _IPV6, _IPV4_2, … (name in capitals, "-" as "_"),
 * SYNFAULT_TMP, SYNFAULT_DIR
 *
 * Return: "NAME=value" texts, NULL-terminated, owned by the caller.
 */
char **substitute_environment(const struct substitution *values);

#endif
