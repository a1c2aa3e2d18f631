/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Combines the packets of a scenario with its record: which packet belongs to which attempt, the
 * reading of each attempt, and the capture file with both.
 */
#ifndef SYNFAULT_RUNNER_TRACE_TRACE_H
#define SYNFAULT_RUNNER_TRACE_TRACE_H

#include "runner/record/record.h"
#include "runner/record/spool.h"
#include "runner/scenario/scenario.h"
#include "runner/trace/reading.h"

#define TRACE_NO_ATTEMPT UINT32_MAX

struct trace {
	uint32_t *attempts;       /* by packet: index into record->attempts, or TRACE_NO_ATTEMPT */
	struct segment *segments; /* by packet; only for packets that belong to an attempt */
	struct reading *readings; /* by attempt of the record */
};

/**
 * trace_make() - find the attempt of each packet; pure
 * @packets: in the order of time
 *
 * Free it with trace_free().
 */
struct trace trace_make(const struct spool_packet *packets, size_t n_packets,
			const struct record *record);
void trace_free(struct trace *trace);
#define AUTO_TRACE CLEANUP(trace_free)

/**
 * trace_write() - write a pcapng file with all packets
 * @fd: borrowed
 * @outcome: one line, or NULL
 *
 * Each SYN has a comment with its attempt, the step that served it, and the verdict. The comment of
 * an attempt's first SYN also has the reading of the attempt. The section's comment is about the
 * scenario.
 *
 * Return: 0, or a negative errno of writing.
 */
int trace_write(int fd, const struct spool_content *content, const struct scenario *scenario,
		const struct record *record, const char *outcome);

#endif
