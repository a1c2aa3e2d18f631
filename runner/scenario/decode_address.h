/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads addresses as scenarios write them. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_ADDRESS_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_ADDRESS_H

#include "runner/scenario/loader.h"

/** is_literal_address() - return whether a text looks like an address, valid or not */
bool is_literal_address(const char *text);
/**
 * decode_literal_address() - read an address that @endpoint does not have yet
 *
 * Return: false after adding an error.
 */
bool decode_literal_address(struct loader *loader, const struct node *node,
			    const struct endpoint_spec *endpoint, struct address *ret);
/** endpoint_literal() - find a literal address of the endpoint; return its index, or SIZE_MAX */
size_t endpoint_literal(const struct endpoint_spec *endpoint, const char *text);
/**
 * check_literal_addresses() - add an error if the endpoint at @index shares an address and port
 * with an earlier one
 * @key: the node of its name
 */
void check_literal_addresses(struct loader *loader, const struct node *key,
			     const struct scenario *scenario, size_t index);

#endif
