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

/* One of each per packet, and per attempt of the record. */
struct trace {
	uint32_t *attempts;       /* index into record->attempts, or TRACE_NO_ATTEMPT */
	struct segment *segments; /* of packets that belong to an attempt */
	struct reading *readings;
};

/* Pure. The packets are in the order of time. Free it with trace_free(). */
struct trace trace_make(const struct spool_packet *packets, size_t n_packets,
			const struct record *record);
void trace_free(struct trace *trace);
#define AUTO_TRACE CLEANUP(trace_free)

/*
 * Writes a pcapng file with all packets. A comment at each SYN has its attempt, the step that
 * served it and the verdict; at an attempt's first SYN also the reading of the attempt. The
 * section's comment is about the scenario. @outcome: one line, or NULL. Returns 0 or a negative
 * errno of writing to @fd.
 */
int trace_write(int fd, const struct spool_content *content, const struct scenario *scenario,
		const struct record *record, const char *outcome);

#endif
