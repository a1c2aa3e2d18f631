/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages from supervisors: see live_messages.h. */
#include "runner/schedule/live_messages.h"

#include <string.h>
#include <sys/socket.h>

#include "runner/report/event_line.h"

void live_messages_send(const struct supervise_config *config, const struct record *record,
			const struct event *event)
{
	AUTO_STRBUF struct strbuf line = {0};

	/* Events of looks are for the judge; there are too many for people to read. */
	if (event->kind == EVENT_OPEN || event->kind == EVENT_STARVATION ||
	    !event_line_is_news(record, event))
		return;
	strbuf_putc(&line, SUPERVISE_EVENT);
	event_line_write(record, event, &line);
	strbuf_putc(&line, '\n');
	(void)!send(config->control_fd, strbuf_text(&line), line.length,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
}

void live_messages_take(struct strbuf *heard, void (*on_event)(void *userdata, const char *line),
			void (*on_start)(void *userdata), void *userdata)
{
	size_t used = 0;

	while (used < heard->length) {
		char *message = heard->data + used;
		char *end = message;

		if (*message == SUPERVISE_EVENT) {
			end = memchr(message, '\n', heard->length - used);
			if (!end)
				break;
			*end = '\0';
			on_event(userdata, message + 1);
		} else {
			on_start(userdata);
		}
		used += (size_t)(end - message) + 1;
	}
	if (used > 0) {
		memmove(heard->data, heard->data + used, heard->length - used + 1);
		heard->length -= used;
	}
}
