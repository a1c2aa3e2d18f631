/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two hosts: the one that the program is run on, and another in a network namespace at the other
 * end of a veth pair.
 *
 *     192.0.2.1, 2001:db8::1    here
 *     192.0.2.2, 2001:db8::2    there
 *
 * On both, and for both families, there are servers: at the ports 5432 and 5433 ones that accept
 * and close, at port 8000 one that answers each request of HTTP with 100,000 bytes, and
 * at port 9000 one that reads all there is and adds a line, "N bytes", to the file sunk.
 */
#ifndef SYNFAULT_TESTS_LIB_HOSTS_H
#define SYNFAULT_TESTS_LIB_HOSTS_H

#include "tests/lib/program.h"

/* A program to be run there, with @file as a.yaml; skips the test without root. */
struct program *hosts_new(const char *file);
/*
 * Runs a shell script on the first host, in the directory w below the program's. In it $there is a
 * process on the second one, for `nsenter -n -t $there`.
 */
void hosts_run(struct program *synfault, const char *script);
/* As program_left_nothing(), but for that directory. */
void hosts_left_nothing(const struct program *synfault);

#endif
