/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fuzz targets share: the function that libFuzzer (or replay.c) calls with each input, and an
 * assertion that no build option removes.
 */
#ifndef SYNFAULT_TESTS_FUZZ_FUZZ_H
#define SYNFAULT_TESTS_FUZZ_FUZZ_H

#include "common/util.h"

/* The name is libFuzzer's. Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: violated: %s\n", __FILE__, __LINE__, #condition);  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
