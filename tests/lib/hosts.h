/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two hosts: the one that runs the program, and one in a network namespace at the other end of a
 * veth pair.
 *
 *     192.0.2.1, 2001:db8::1    here
 *     192.0.2.2, 2001:db8::2    there
 *
 * Both run servers for both families: ports 5432 and 5433 accept and close, port 8000 answers each
 * HTTP request with 100,000 bytes, and port 9000 reads to the end and adds a line, "N bytes", to
 * the file sunk.
 */
#ifndef SYNFAULT_TESTS_LIB_HOSTS_H
#define SYNFAULT_TESTS_LIB_HOSTS_H

#include "tests/lib/program.h"

/* Makes a program with @file as a.yaml; skips the test without root. */
struct program *hosts_new(const char *file);
/*
 * Runs a shell script on the first host, in the directory w below the program's. $there is a
 * process on the second host, for `nsenter -n -t $there`.
 */
void hosts_run(struct program *synfault, const char *script);
/* Like program_left_nothing(), except for that directory. */
void hosts_left_nothing(const struct program *synfault);

#endif
