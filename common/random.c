/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Draws random values without state: see random.h. The mixing function is the finaliser of
 * SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014), applied
 * once per argument.
 */
#include <errno.h>
#include <sys/random.h>

#include "common/duration.h"
#include "common/random.h"

/* 2^64 divided by the golden ratio: keeps small arguments from giving near-equal inputs. */
#define GOLDEN_GAMMA UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t value)
{
	value ^= value >> 30;
	value *= UINT64_C(0xbf58476d1ce4e5b9);
	value ^= value >> 27;
	value *= UINT64_C(0x94d049bb133111eb);
	value ^= value >> 31;
	return value;
}

uint64_t random_draw(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t state = mix(seed + GOLDEN_GAMMA);

	state = mix(state + a + GOLDEN_GAMMA);
	state = mix(state + b + GOLDEN_GAMMA);
	return mix(state + c + GOLDEN_GAMMA);
}

int64_t random_between(uint64_t draw, int64_t low, int64_t high)
{
	unsigned __int128 count = (unsigned __int128)((uint64_t)high - (uint64_t)low) + 1;
	uint64_t offset = (uint64_t)((count * draw) >> 64);

	return (int64_t)((uint64_t)low + offset);
}

uint64_t random_seed(void)
{
	uint64_t seed = 0;

	while (seed == 0) {
		ssize_t n = getrandom(&seed, sizeof(seed), 0);

		/* Seeds need only differ between runs: if the call is forbidden, use the time. */
		if (n < 0 && errno != EINTR)
			seed = mix((uint64_t)clock_realtime_ns() + (uint64_t)getpid());
		else if (n != (ssize_t)sizeof(seed))
			seed = 0;
	}
	return seed;
}
