/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captures what a process writes: a pipe whose reading end is read by the event loop, into a stream
 * that keeps head and tail. Whatever amount is written, the writer is never blocked for long and
 * memory stays bounded.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_OUTPUT_CAPTURE_H
#define SYNFAULT_RUNNER_SANDBOX_OUTPUT_CAPTURE_H

#include <event2/event.h>

#include "runner/record/record.h"

struct output_capture;

/*
 * Called after each read, and with length 0 when all writers have closed the pipe. @early_ns: what
 * was read can have been written as much earlier.
 */
typedef void (*output_capture_fn)(void *userdata, uint32_t stream, size_t length, int64_t early_ns);

/*
 * @schedstat: of the calling thread (lateness_open()); borrowed.
 * @stream: number handed to @on_data. *@ret_write_fd is for the process and belongs to the caller,
 * who closes it once the process has it. Returns 0 or a negative errno.
 */
int output_capture_new(struct event_base *base, int schedstat, const char *name, uint32_t stream,
		       output_capture_fn on_data, void *userdata, int *ret_write_fd,
		       struct output_capture **ret);
bool output_capture_at_end(const struct output_capture *capture);
/* Reads what is in the pipe right now, ends the capture and frees it. */
void output_capture_finish(struct output_capture *capture, struct stream *ret);

#endif
