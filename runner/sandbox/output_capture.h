/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captures what a process writes. The event loop reads a pipe into a stream that keeps head and
 * tail: the writer is never blocked for long, and memory is bounded, however much it writes.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_OUTPUT_CAPTURE_H
#define SYNFAULT_RUNNER_SANDBOX_OUTPUT_CAPTURE_H

#include <event2/event.h>

#include "runner/record/record.h"
#include "runner/sandbox/lateness.h"

struct output_capture;

/*
 * Called after each read, and with length 0 when all writers have closed the pipe. @early_ns: by
 * how much earlier it can have been written.
 */
typedef void (*output_capture_fn)(void *userdata, uint32_t stream, size_t length, int64_t early_ns);

/**
 * output_capture_new() - make a pipe and read from it on the event loop
 * @base: borrowed
 * @clock: of the calling thread; borrowed
 * @name: of the stream in the record
 * @stream: its number, handed to @on_data
 * @ret_write_fd: the end for the process; the caller closes it once the process has it
 * @ret: end it with output_capture_finish()
 *
 * Return: 0 or a negative errno.
 */
int output_capture_new(struct event_base *base, const struct lateness_clock *clock,
		       const char *name, uint32_t stream, output_capture_fn on_data, void *userdata,
		       int *ret_write_fd, struct output_capture **ret);
/**
 * output_capture_finish() - read what is in the pipe, and free the capture
 * @ret: the stream; the caller's
 *
 * All writers have to be dead.
 */
void output_capture_finish(struct output_capture *capture, struct stream *ret);

#endif
