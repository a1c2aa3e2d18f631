/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The servers that synfault itself provides: see endpoint.h. */
#include "runner/sandbox/endpoint.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/tcp.h>

/* Large enough that our own accept queue does not drop the SYNs of a burst of clients. */
enum { BACKLOG = 4096 };
/* Bound what a client that sends without reading makes us buffer. */
enum { ECHO_MAX_PENDING = 1 << 20, HTTP_MAX_HEADERS = 1 << 16, HTTP_MAX_BODY = 1 << 24 };

struct endpoint_server {
	const struct endpoint_spec *spec;
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listeners[ENDPOINT_MAX_ADDRESSES];
	size_t n_listeners;
};

/* Returns a listening socket or a negative errno. */
static int listen_on(const struct address *address)
{
	struct sockaddr_storage storage;
	socklen_t length = address_to_sockaddr(address, &storage);
	AUTO_CLOSE int fd =
		socket(address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	const int on = 1, fast_open_queue = 256;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (address->family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	/* Fast Open also needs the sysctl; without it this has no effect. */
	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &fast_open_queue, sizeof(fast_open_queue));
	if (bind(fd, (struct sockaddr *)&storage, length) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return steal_fd(&fd);
}

static void answer_http(struct evhttp_request *request, void *userdata)
{
	const struct endpoint_server *server = userdata;
	struct evbuffer *body = ALLOCATED(evbuffer_new());

	evbuffer_add_printf(body, "hello from %s\n", server->spec->name);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
			  "text/plain; charset=utf-8");
	evhttp_send_reply(request, HTTP_OK, "OK", body);
	evbuffer_free(body);
}

static void on_flushed(struct bufferevent *stream, void *userdata)
{
	bufferevent_free(stream);
}

static void on_stream_end(struct bufferevent *stream, short what, void *userdata)
{
	bool half_closed = (what & BEV_EVENT_EOF) && (what & BEV_EVENT_READING);

	/* A client that has closed its sending side still gets what is buffered. */
	if (half_closed && evbuffer_get_length(bufferevent_get_output(stream)) > 0) {
		bufferevent_disable(stream, EV_READ);
		bufferevent_setcb(stream, NULL, on_flushed, on_stream_end, userdata);
	} else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) {
		bufferevent_free(stream);
	}
}

static void on_echo(struct bufferevent *stream, void *userdata)
{
	struct evbuffer *output = bufferevent_get_output(stream);

	evbuffer_add_buffer(output, bufferevent_get_input(stream));
	if (evbuffer_get_length(output) > ECHO_MAX_PENDING)
		bufferevent_disable(stream, EV_READ);
}

static void on_echo_written(struct bufferevent *stream, void *userdata)
{
	bufferevent_enable(stream, EV_READ);
}

static void on_discard(struct bufferevent *stream, void *userdata)
{
	struct evbuffer *input = bufferevent_get_input(stream);

	evbuffer_drain(input, evbuffer_get_length(input));
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
		      int length, void *userdata)
{
	struct endpoint_server *server = userdata;
	struct bufferevent *stream =
		ALLOCATED(bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE));

	if (server->spec->serve == SERVE_ECHO)
		bufferevent_setcb(stream, on_echo, on_echo_written, on_stream_end, server);
	else
		bufferevent_setcb(stream, on_discard, NULL, on_stream_end, server);
	bufferevent_enable(stream, EV_READ | EV_WRITE);
}

static int serve_address(struct endpoint_server *server, const struct address *address)
{
	int fd = listen_on(address);

	if (fd < 0)
		return fd;
	if (server->http)
		return evhttp_accept_socket(server->http, fd) < 0 ? -ENOMEM : 0;
	server->listeners[server->n_listeners++] =
		evconnlistener_new(server->base, on_accept, server,
				   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	return 0;
}

int endpoint_server_new(struct event_base *base, const struct endpoint_spec *spec,
			const struct address *addresses, size_t n_addresses,
			struct diag_list *diags, struct endpoint_server **ret)
{
	struct endpoint_server *server = xzalloc(sizeof(*server));

	server->spec = spec;
	server->base = base;
	if (spec->serve == SERVE_HTTP) {
		server->http = ALLOCATED(evhttp_new(base));
		evhttp_set_gencb(server->http, answer_http, server);
		evhttp_set_max_headers_size(server->http, HTTP_MAX_HEADERS);
		evhttp_set_max_body_size(server->http, HTTP_MAX_BODY);
		evhttp_set_allowed_methods(server->http,
					   EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
						   EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						   EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
						   EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	}
	for (size_t i = 0; i < n_addresses; i++) {
		char text[ADDRESS_TEXT_SIZE];
		int status = serve_address(server, &addresses[i]);

		if (status == 0)
			continue;
		diag_add(diags, &spec->place, "endpoint %s can't listen on %s: %s%s", spec->name,
			 address_format(&addresses[i], text), strerror(-status),
			 status == -EADDRINUSE ? "; another server uses that port" : "");
		endpoint_server_free(server);
		return status;
	}
	*ret = server;
	return 0;
}

void endpoint_server_free(struct endpoint_server *server)
{
	if (!server)
		return;
	if (server->http)
		evhttp_free(server->http);
	for (size_t i = 0; i < server->n_listeners; i++)
		evconnlistener_free(server->listeners[i]);
	free(server);
}
