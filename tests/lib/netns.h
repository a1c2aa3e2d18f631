/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network namespace for one test. Criterion runs each test in its own process, which enters the
 * namespace; the namespace ends with the process.
 */
#ifndef SYNFAULT_TESTS_LIB_NETNS_H
#define SYNFAULT_TESTS_LIB_NETNS_H

/*
 * Moves the calling process into a new network namespace with `lo` up. Where that is not permitted,
 * the test is skipped and says so; with SYNFAULT_REQUIRE_PRIVILEGES=1 it fails.
 */
void netns_enter(void);

/* Sets a sysctl of the namespace, such as "net/ipv4/tcp_ecn"; skips or fails as above. */
void netns_sysctl(const char *name, const char *value);

/* Skips the test because the kernel lacks something, or fails as above. */
__attribute__((format(printf, 1, 2))) void netns_skip(const char *format, ...);

#endif
