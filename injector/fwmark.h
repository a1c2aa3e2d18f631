/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firewall marks of packets that leave the queue: they say what the rules should do with them.
 * An injector has one for each answer, all derived from the first. The marks of injectors side by
 * side differ in their low 16 bits.
 */
#ifndef SYNFAULT_INJECTOR_FWMARK_H
#define SYNFAULT_INJECTOR_FWMARK_H

#include "injector/script.h"

/*
 * Returns the mark for an ICMP answer. @refuse_mark: the mark for RST, from which all are derived.
 */
static inline uint32_t fwmark_unreachable(uint32_t refuse_mark, enum unreachable_kind kind)
{
	return refuse_mark ^ ((uint32_t)kind + 1) << 16;
}

/* Returns the mark of our copy of a held SYN (reinject.h), which the rules let through. */
static inline uint32_t fwmark_pass(uint32_t refuse_mark)
{
	return refuse_mark ^ ((uint32_t)UNREACHABLE_N_KINDS + 2) << 16;
}

/* The bits that all marks of an injector share. */
#define FWMARK_COMMON UINT32_C(0xff00ffff)

/*
 * Returns the mark of a carrier, a datagram that becomes another packet in the queue
 * (udp_inject.h).
 */
static inline uint32_t fwmark_udp_inject(uint32_t refuse_mark)
{
	return refuse_mark ^ ((uint32_t)UNREACHABLE_N_KINDS + 1) << 16;
}

#endif
