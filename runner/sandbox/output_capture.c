/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures what a process writes: see output_capture.h. */
#include "runner/sandbox/output_capture.h"

#include <errno.h>
#include <fcntl.h>

#include "injector/event_loop.h"

struct output_capture {
	struct event *readable;
	struct stream_writer *writer;
	output_capture_fn on_data;
	void *userdata;
	uint32_t stream;
	const struct lateness_clock *clock;
	struct lateness_mark empty; /* when the pipe was last empty */
	int fd;                     /* -1: all writers have closed it */
};

enum { READ_SIZE = 65536 };

/* Reads once. Returns false if there was nothing to read. */
static bool read_some(struct output_capture *capture)
{
	struct lateness_mark now;
	char buffer[READ_SIZE];
	int64_t early_ns;
	ssize_t length;

	if (capture->fd < 0)
		return false;
	now = lateness_now(capture->clock);
	length = read(capture->fd, buffer, sizeof(buffer));
	early_ns = lateness_since(capture->clock, &capture->empty, &now);
	/* A short read has emptied the pipe. */
	if (length < READ_SIZE)
		capture->empty = now;
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (length > 0) {
		stream_writer_add(capture->writer, buffer, (size_t)length);
		capture->on_data(capture->userdata, capture->stream, (size_t)length, early_ns);
		return true;
	}
	event_free(capture->readable);
	capture->readable = NULL;
	close(capture->fd);
	capture->fd = -1;
	capture->on_data(capture->userdata, capture->stream, 0, early_ns);
	return false;
}

static void on_readable(evutil_socket_t fd, short what, void *userdata)
{
	/* Only one read per turn of the loop, so that a client that writes without end can't starve
	 * it.
	 */
	read_some(userdata);
}

int output_capture_new(struct event_base *base, const struct lateness_clock *clock,
		       const char *name, uint32_t stream, output_capture_fn on_data, void *userdata,
		       int *ret_write_fd, struct output_capture **ret)
{
	struct output_capture *capture;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	/* Only our end: the flag belongs to the open file, which the client must find blocking. */
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	capture = xzalloc(sizeof(*capture));
	capture->fd = fds[0];
	capture->stream = stream;
	capture->clock = clock;
	capture->empty = lateness_now(clock);
	capture->on_data = on_data;
	capture->userdata = userdata;
	capture->writer = stream_writer_new(name);
	capture->readable = event_loop_readable(base, fds[0], on_readable, capture);
	*ret_write_fd = fds[1];
	*ret = capture;
	return 0;
}

void output_capture_finish(struct output_capture *capture, struct stream *ret)
{
	/* The writers are dead, so this ends. */
	while (read_some(capture))
		;
	if (capture->readable)
		event_free(capture->readable);
	if (capture->fd >= 0)
		close(capture->fd);
	stream_writer_finish(capture->writer, ret);
	free(capture);
}
