/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses as they are written in a scenario. */
#ifndef SYNFAULT_RUNNER_SCENARIO_DECODE_ADDRESS_H
#define SYNFAULT_RUNNER_SCENARIO_DECODE_ADDRESS_H

#include "runner/scenario/loader.h"

/* Whether a text is meant to be an address, maybe a wrong one. */
bool is_literal_address(const char *text);
/* Reads an address that the endpoint does not have yet. Returns false after an error. */
bool decode_literal_address(struct loader *loader, const struct node *node,
			    const struct endpoint_spec *endpoint, struct address *ret);
/* The index of the literal address, or SIZE_MAX. */
size_t endpoint_literal(const struct endpoint_spec *endpoint, const char *text);
/*
 * Adds an error when the endpoint at @index shares an address and port with one before it. @key:
 * its name.
 */
void check_literal_addresses(struct loader *loader, const struct node *key,
			     const struct scenario *scenario, size_t index);

#endif
