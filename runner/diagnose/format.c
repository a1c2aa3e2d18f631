/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a diagnosis as text: see format.h. */
#include "runner/diagnose/format.h"

#include "runner/diagnose/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/neighbour.h>
#include <netdb.h>

#include "common/duration.h"
#include "common/text.h"

enum { COLUMNS = 80, LABEL_COLUMNS = 12 };
/* Trials that differ by less are said in one figure. */
#define SPREAD_NS (20 * NS_PER_MS)

static void add_row(struct strbuf *out, const char *label, const char *text)
{
	strbuf_printf(out, "  %-*s", LABEL_COLUMNS, label);
	text_wrap(out, 2 + LABEL_COLUMNS, COLUMNS, text);
}

/* Says why addresses come in this order, and which are missing. */
static void add_order(const struct evidence *evidence, struct strbuf *text)
{
	const struct name_evidence *name = &evidence->name;
	int first = evidence->n_addresses ? evidence->addresses[0].address.family : AF_UNSPEC;
	bool mixed = false;

	for (size_t i = 0; i < evidence->n_addresses; i++)
		mixed = mixed || evidence->addresses[i].address.family != first;
	if (mixed)
		strbuf_printf(text, "; %s comes first by RFC 6724%s",
			      first == AF_INET6 ? "IPv6" : "IPv4",
			      name->gai_conf ? " and gai.conf" : "");
	/* AI_ADDRCONFIG: most clients use it. */
	if (!mixed && name->without_ipv4 != name->without_ipv6)
		strbuf_printf(text, "; clients don't ask for %s: this host has no such address",
			      name->without_ipv4 ? "IPv4" : "IPv6");
}

static void add_name(const struct evidence *evidence, struct strbuf *out)
{
	const struct name_evidence *name = &evidence->name;
	AUTO_STRBUF struct strbuf text = {0};
	char took[DURATION_TEXT_SIZE], host[INET6_ADDRSTRLEN];

	if (name->literal)
		return;
	strbuf_printf(&text, "%s: ", evidence->host);
	for (size_t i = 0; i < evidence->n_addresses; i++)
		strbuf_printf(&text, "%s%s", i ? ", " : "",
			      address_format_host(&evidence->addresses[i].address, host));
	if (name->error)
		strbuf_puts(&text, gai_strerror(name->error));
	strbuf_printf(&text, " (%s%s after %s%s)",
		      name->in_hosts     ? "from the hosts file"
		      : name->nameserver ? "nameserver "
					 : "no nameserver",
		      !name->in_hosts && name->nameserver ? name->nameserver : "",
		      duration_format(name->took_ns, took),
		      name->searched ? ", search domains apply" : "");
	add_order(evidence, &text);
	add_row(out, "name", strbuf_text(&text));
}

static const char *neighbour_text(uint16_t state)
{
	if (state & NUD_FAILED)
		return "; its neighbour entry is FAILED";
	if (state & NUD_INCOMPLETE)
		return "; its neighbour entry is INCOMPLETE";
	return "";
}

static void add_route(const struct address_evidence *address, struct strbuf *out)
{
	static const char *const kinds[] = {
		[ROUTE_UNKNOWN] = "unknown",
		[ROUTE_LOCAL] = "an address of this host",
		[ROUTE_UNICAST] = "",
		[ROUTE_NONE] = "no route",
		[ROUTE_BLACKHOLE] = "blackhole",
		[ROUTE_UNREACHABLE] = "unreachable route",
		[ROUTE_PROHIBIT] = "prohibit route",
	};
	const struct route_evidence *route = &address->route;
	char host[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN], gateway[INET6_ADDRSTRLEN];
	AUTO_STRBUF struct strbuf text = {0};

	strbuf_printf(&text, "%s: %s", address_format_host(&address->address, host),
		      kinds[route->kind]);
	if (route->kind == ROUTE_UNICAST) {
		strbuf_printf(&text, "by %s", route->device);
		if (route->gateway.family)
			strbuf_printf(&text, " through %s",
				      address_format_host(&route->gateway, gateway));
		if (route->source.family)
			strbuf_printf(&text, " from %s",
				      address_format_host(&route->source, source));
		strbuf_puts(&text, neighbour_text(route->neighbour));
	}
	if (route->device_down)
		strbuf_puts(&text, ", which is down");
	if (route->no_carrier)
		strbuf_puts(&text, ", which has no carrier");
	add_row(out, "route", strbuf_text(&text));
}

char *format_trial(const struct evidence *evidence, const struct trial *trial)
{
	char after[DURATION_TEXT_SIZE], from[INET6_ADDRSTRLEN];

	if (trial->icmp_ns != INT64_MAX && trial->error)
		return xasprintf(
			"SYN, ICMP %s from %s after %s",
			icmp_text(trial->icmp_from.family, trial->icmp_type, trial->icmp_code),
			address_format_host(&trial->icmp_from, from),
			duration_format(trial->icmp_ns, after));
	if (trial->error == ECONNREFUSED && trial->rst_ns != INT64_MAX)
		return xasprintf("SYN%s, RST after %s (TTL %u, window %u)",
				 trial->syns > 1 ? " more than once" : "",
				 duration_format(trial->rst_ns, after), trial->rst_ttl,
				 trial->rst_window);
	if (trial->gave_up)
		return silence_text(evidence, trial);
	if (trial->error)
		return xasprintf("%s after %s", strerror(trial->error),
				 duration_format(trial->took_ns, after));
	return xasprintf("connected after %s%s%s", duration_format(trial->took_ns, after),
			 trial->syns > 1 ? ", with more than one SYN" : "",
			 trial->reset_at_once    ? ", then reset"
			 : trial->closed_at_once ? ", then closed by the server"
						 : "");
}

static bool is_alike(const struct trial *a, const struct trial *b)
{
	return a->error == b->error && a->closed_at_once == b->closed_at_once &&
	       a->reset_at_once == b->reset_at_once && (a->syns > 1) == (b->syns > 1);
}

/* Adds the trials; those with the same result only once, with their number. */
static void add_trials(const struct evidence *evidence, const struct address_evidence *address,
		       struct strbuf *out)
{
	char where[ADDRESS_TEXT_SIZE];

	address_format(&address->address, where);
	if (address->backend.family) {
		char to[ADDRESS_TEXT_SIZE];
		AUTO_FREE char *text = xasprintf("%s: NAT of this host passes it on to %s", where,
						 address_format(&address->backend, to));

		add_row(out, "handshake", text);
	}
	for (size_t i = 0, n; i < address->n_trials; i += n) {
		const struct trial *first = &address->trials[i], *fastest = first, *slowest = first;
		AUTO_FREE char *what = NULL, *text = NULL;
		char longest[DURATION_TEXT_SIZE];

		for (n = 1; i + n < address->n_trials && is_alike(first, first + n); n++) {
			fastest = first[n].took_ns < fastest->took_ns ? first + n : fastest;
			slowest = first[n].took_ns > slowest->took_ns ? first + n : slowest;
		}
		what = format_trial(evidence, fastest);
		duration_format(slowest->took_ns, longest);
		if (n == 1)
			text = xasprintf("%s  %s", where, what);
		else if (slowest->took_ns > SPREAD_NS && slowest->took_ns > 2 * fastest->took_ns)
			text = xasprintf("%s  %s, %zu times; the slowest %s", where, what, n,
					 longest);
		else
			text = xasprintf("%s  %s, %zu times", where, what, n);
		add_row(out, "handshake", text);
	}
}

static void add_path_mtu(const struct path_mtu *mtu, struct strbuf *text)
{
	char from[INET6_ADDRSTRLEN];

	if (mtu->kind == PATH_MTU_FULL)
		strbuf_printf(text, "; packets of %u bytes get there", mtu->bytes);
	if (mtu->kind == PATH_MTU_SMALLER)
		strbuf_printf(text, "; packets of up to %u bytes get there, as %s says", mtu->bytes,
			      address_format_host(&mtu->from, from));
	if (mtu->kind == PATH_MTU_BLACK_HOLE)
		strbuf_printf(text, "; packets of %u bytes get there, those of %u disappear",
			      mtu->bytes, mtu->tried);
}

/* Adds "1 10.77.1.1, 2 10.77.2.2 refuses". */
static void add_path(const struct address_evidence *address, struct strbuf *out)
{
	static const char *const kinds[] = {
		[HOP_SILENT] = "no answer",    [HOP_ROUTER] = "",
		[HOP_CONNECTED] = "connected", [HOP_REFUSED] = "RST",
		[HOP_REJECTED] = " rejects",
	};
	AUTO_STRBUF struct strbuf text = {0};
	char host[INET6_ADDRSTRLEN];
	size_t last = address->n_hops;

	while (last > 0 && address->hops[last - 1].kind == HOP_SILENT)
		last--;
	for (size_t i = 0; i < last; i++) {
		const struct hop *hop = &address->hops[i];

		strbuf_printf(&text, "%s%zu %s%s", i ? ", " : "", i + 1,
			      hop->from.family ? address_format_host(&hop->from, host) : "",
			      kinds[hop->kind]);
	}
	if (last < address->n_hops)
		strbuf_puts(&text, last ? ", then no answer" : "no answer");
	add_path_mtu(&address->path_mtu, &text);
	if (address->n_hops > 0)
		add_row(out, "path", strbuf_text(&text));
}

/* Returns the port that the server was looked for at. */
static uint16_t served_port(const struct evidence *evidence)
{
	for (size_t i = 0; i < evidence->n_addresses; i++)
		if (evidence->addresses[i].backend.family)
			return evidence->addresses[i].backend.port;
	return evidence->port;
}

static void add_server(const struct evidence *evidence, const struct server_evidence *server,
		       struct strbuf *out)
{
	const char *namespace =
		server == &evidence->there ? "another network namespace" : "this network namespace";
	char where[ADDRESS_TEXT_SIZE];

	if (!server->looked)
		return;
	if (server->n_listeners == 0) {
		AUTO_FREE char *text = xasprintf("no program in %s listens on port %u", namespace,
						 served_port(evidence));

		add_row(out, "server", text);
	}
	for (size_t i = 0; i < server->n_listeners; i++) {
		const struct listener *listener = &server->listeners[i];
		AUTO_FREE char *text =
			xasprintf("%s listens on %s%s%s; accept queue %u of %u",
				  listener->program ? listener->program : "a program",
				  address_format(&listener->address, where),
				  server == &evidence->there ? " in " : "",
				  server == &evidence->there ? namespace : "", listener->queued,
				  listener->backlog);

		add_row(out, "server", text);
	}
}

/* Returns the first error that a client meets, or 0. */
static int first_error(const struct evidence *evidence)
{
	for (size_t i = 0; i < evidence->n_addresses; i++)
		for (size_t k = 0; k < evidence->addresses[i].n_trials; k++)
			if (evidence->addresses[i].trials[k].error)
				return evidence->addresses[i].trials[k].error;
	return 0;
}

/* Says what a client meets if connect() itself succeeds or is never reached, or returns NULL. */
static const char *client_text_of(enum cause_kind kind)
{
	switch (kind) {
	case CAUSE_ACK_LOST:
	case CAUSE_MTU_BLACK_HOLE:
		return "is connected, and waits for an answer until its own read timeout";
	case CAUSE_RESET_AFTER_ACCEPT:
	case CAUSE_ACCEPT_QUEUE_ABORT:
		return "is connected, and gets ECONNRESET (errno 104) when it reads or writes";
	case CAUSE_CLOSED_AFTER_ACCEPT:
		return "is connected, and reads the end of the stream at once (Python: b''; Java: "
		       "-1; Node: 'end')";
	case CAUSE_HANDSHAKE_LOSS:
	case CAUSE_SLOW_HANDSHAKE:
		return "is connected late, or gives up before if its connect timeout is shorter";
	case CAUSE_RESOLVER_SLOW:
	case CAUSE_FAMILY_SLOW:
		return "waits in getaddrinfo(), to which no connect timeout applies in most "
		       "languages";
	case CAUSE_NAME_UNKNOWN:
		return "gets EAI_NONAME (Python: socket.gaierror -2; Java: UnknownHostException; "
		       "Node: ENOTFOUND; Go: no such host)";
	case CAUSE_RESOLVER_SILENT:
		return "gets EAI_AGAIN (Python: socket.gaierror -3; Java: UnknownHostException; "
		       "Node: EAI_AGAIN)";
	default:
		return NULL;
	}
}

static const char *client_text(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "gets ECONNREFUSED at once (Python: [Errno 111] Connection refused; Java: "
		       "ConnectException; Node: ECONNREFUSED; Go: connection refused)";
	case ETIMEDOUT:
		return "waits for its own connect timeout; without one the kernel ends it after "
		       "two "
		       "minutes with ETIMEDOUT (errno 110)";
	case EHOSTUNREACH:
		return "gets EHOSTUNREACH (errno 113, No route to host; Java: "
		       "NoRouteToHostException)";
	case ENETUNREACH:
		return "gets ENETUNREACH at once (errno 101, Network is unreachable)";
	case EADDRNOTAVAIL:
		return "gets EADDRNOTAVAIL at once (errno 99, Cannot assign requested address)";
	case EACCES:
		return "gets EACCES (errno 13, Permission denied)";
	case EINVAL:
		return "gets EINVAL at once (errno 22, Invalid argument)";
	case ENOPROTOOPT:
		return "gets ENOPROTOOPT (errno 92, Protocol not available)";
	default:
		return NULL;
	}
}

/* Returns whether an earlier cause, of another address, says the same. */
static bool is_said(const struct diagnosis *diagnosis, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(diagnosis->causes[i].sentence, diagnosis->causes[index].sentence) == 0)
			return true;
	return false;
}

static void add_result(const struct evidence *evidence, const struct diagnosis *diagnosis,
		       struct strbuf *out)
{
	const char *client =
		diagnosis->n_causes > 0 ? client_text_of(diagnosis->causes[0].kind) : NULL;

	if (!client)
		client = client_text(first_error(evidence));
	if (diagnosis->n_causes == 0)
		add_row(out, "result", "reachable: every handshake was completed in time");
	for (size_t i = 0; i < diagnosis->n_causes; i++) {
		const struct cause *cause = &diagnosis->causes[i];
		AUTO_FREE char *because = NULL;

		if (is_said(diagnosis, i))
			continue;
		because = xasprintf("because: %s", cause->evidence);
		add_row(out, i == 0 ? "result" : "also", cause->sentence);
		add_row(out, "", because);
		add_row(out, "next", cause->advice);
	}
	if (client)
		add_row(out, "a client", client);
	if (evidence->proxy) {
		AUTO_FREE char *text =
			xasprintf("%s is set: HTTP clients connect to the proxy that it "
				  "names instead",
				  evidence->proxy);

		add_row(out, "", text);
	}
	if (!evidence->watched)
		add_row(out, "not seen",
			"who sent an RST, and what left this host: that needs CAP_NET_RAW (root)");
	if (drop_reasons_obstacle(&evidence->kernel_drop)) {
		AUTO_FREE char *text = xasprintf("why the kernel drops packets: %s",
						 drop_reasons_obstacle(&evidence->kernel_drop));

		add_row(out, "not seen", text);
	}
	if (reset_reasons_obstacle(&evidence->kernel_reset)) {
		AUTO_FREE char *text = xasprintf("why the kernel resets connections: %s",
						 reset_reasons_obstacle(&evidence->kernel_reset));

		add_row(out, "not seen", text);
	}
	if (diagnosis->n_causes > 0 && diagnosis->causes[0].steps) {
		AUTO_FREE char *line = xasprintf("synfault try '%s' -- YOUR CLIENT '${server}'",
						 diagnosis->causes[0].steps);

		add_row(out, "try it", line);
	}
}

void diagnosis_format_text(const struct evidence *evidence, const struct diagnosis *diagnosis,
			   struct strbuf *out)
{
	add_name(evidence, out);
	for (size_t i = 0; i < evidence->n_addresses; i++)
		add_route(&evidence->addresses[i], out);
	for (size_t i = 0; i < evidence->n_addresses; i++)
		add_trials(evidence, &evidence->addresses[i], out);
	for (size_t i = 0; i < evidence->n_addresses; i++)
		add_path(&evidence->addresses[i], out);
	add_server(evidence, &evidence->here, out);
	add_server(evidence, &evidence->there, out);
	add_result(evidence, diagnosis, out);
}
