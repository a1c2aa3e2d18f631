/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes how `synfault diagnose` parses the packets it sees, which anyone can send. */
#include "runner/diagnose/packet_watch.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen_packet seen;

	if (!packet_watch_parse(data, size, &seen))
		return 0;
	REQUIRE(seen.from.family == AF_INET || seen.from.family == AF_INET6);
	REQUIRE(seen.source.family == seen.destination.family);
	return 0;
}
