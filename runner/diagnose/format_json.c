/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a diagnosis as JSON: see format.h. */
#include <jansson.h>

#include "common/duration.h"
#include "runner/diagnose/format.h"

static json_t *milliseconds(int64_t ns)
{
	return ns == INT64_MAX ? json_null() : json_real((double)ns / (double)NS_PER_MS);
}

static json_t *host_json(const struct address *address)
{
	char host[INET6_ADDRSTRLEN];

	return address->family ? json_string(address_format_host(address, host)) : json_null();
}

static json_t *name_json(const struct evidence *evidence)
{
	const struct name_evidence *name = &evidence->name;

	return json_pack("{s:s, s:b, s:i, s:o, s:b, s:s?}", "host", evidence->host, "literal",
			 name->literal, "error", name->error, "took_ms",
			 milliseconds(name->took_ns), "hosts_file", name->in_hosts, "nameserver",
			 name->nameserver);
}

static json_t *trial_json(const struct trial *trial)
{
	json_t *object = json_pack("{s:i, s:b, s:o, s:i, s:b, s:b}", "errno", trial->error,
				   "gave_up", trial->gave_up, "took_ms",
				   milliseconds(trial->took_ns), "syns", (int)trial->syns, "closed",
				   trial->closed_at_once, "reset", trial->reset_at_once);

	if (trial->syn_ack_ns != INT64_MAX)
		json_object_set_new(object, "syn_ack",
				    json_pack("{s:o, s:i}", "after_ms",
					      milliseconds(trial->syn_ack_ns), "ttl",
					      trial->syn_ack_ttl));
	if (trial->rst_ns != INT64_MAX)
		json_object_set_new(object, "rst",
				    json_pack("{s:o, s:i, s:i}", "after_ms",
					      milliseconds(trial->rst_ns), "ttl", trial->rst_ttl,
					      "window", trial->rst_window));
	if (trial->icmp_ns != INT64_MAX)
		json_object_set_new(object, "icmp",
				    json_pack("{s:o, s:i, s:i, s:o}", "after_ms",
					      milliseconds(trial->icmp_ns), "type",
					      trial->icmp_type, "code", trial->icmp_code, "from",
					      host_json(&trial->icmp_from)));
	return object;
}

static json_t *hops_json(const struct address_evidence *address)
{
	static const char *const kinds[] = {
		[HOP_SILENT] = "silent",       [HOP_ROUTER] = "router",
		[HOP_CONNECTED] = "connected", [HOP_REFUSED] = "refused",
		[HOP_REJECTED] = "rejected",
	};
	json_t *hops = json_array();

	for (size_t i = 0; i < address->n_hops; i++)
		json_array_append_new(hops,
				      json_pack("{s:s, s:o}", "kind", kinds[address->hops[i].kind],
						"from", host_json(&address->hops[i].from)));
	return hops;
}

static json_t *address_json(const struct address_evidence *address)
{
	static const char *const kinds[] = {
		[ROUTE_UNKNOWN] = "unknown",     [ROUTE_LOCAL] = "local",
		[ROUTE_UNICAST] = "unicast",     [ROUTE_NONE] = "none",
		[ROUTE_BLACKHOLE] = "blackhole", [ROUTE_UNREACHABLE] = "unreachable",
		[ROUTE_PROHIBIT] = "prohibit",
	};
	const struct route_evidence *route = &address->route;
	json_t *trials = json_array();

	for (size_t i = 0; i < address->n_trials; i++)
		json_array_append_new(trials, trial_json(&address->trials[i]));
	return json_pack("{s:o, s:i, s:{s:s, s:s, s:o, s:o, s:i}, s:o, s:o}", "address",
			 host_json(&address->address), "port", address->address.port, "route",
			 "kind", kinds[route->kind], "device", route->device, "source",
			 host_json(&route->source), "gateway", host_json(&route->gateway), "mtu",
			 (int)route->mtu, "trials", trials, "hops", hops_json(address));
}

static json_t *server_json(const struct server_evidence *server)
{
	json_t *listeners = json_array();

	if (!server->looked) {
		json_decref(listeners);
		return json_null();
	}
	for (size_t i = 0; i < server->n_listeners; i++) {
		const struct listener *listener = &server->listeners[i];

		json_array_append_new(listeners,
				      json_pack("{s:o, s:b, s:i, s:i, s:s?}", "address",
						host_json(&listener->address), "ipv6_only",
						listener->v6only, "queued", (int)listener->queued,
						"backlog", (int)listener->backlog, "program",
						listener->program));
	}
	return json_pack("{s:o, s:i, s:I, s:I, s:I}", "listeners", listeners, "half_open",
			 (int)server->half_open, "listen_overflows",
			 (json_int_t)server->listen_overflows, "conntrack_count",
			 (json_int_t)server->conntrack_count, "conntrack_max",
			 (json_int_t)server->conntrack_max);
}

static json_t *cause_json(const struct cause *cause)
{
	return json_pack(
		"{s:s, s:o, s:s, s:s, s:s, s:s?}", "cause", cause_kind_name(cause->kind), "address",
		cause->address == SIZE_MAX ? json_null() : json_integer((json_int_t)cause->address),
		"sentence", cause->sentence, "evidence", cause->evidence, "advice", cause->advice,
		"try", cause->steps);
}

void diagnosis_format_json(const struct evidence *evidence, const struct diagnosis *diagnosis,
			   struct strbuf *out)
{
	json_t *addresses = json_array(), *causes = json_array(), *object;
	char *text;

	for (size_t i = 0; i < evidence->n_addresses; i++)
		json_array_append_new(addresses, address_json(&evidence->addresses[i]));
	for (size_t i = 0; i < diagnosis->n_causes; i++)
		json_array_append_new(causes, cause_json(&diagnosis->causes[i]));
	object = json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:s?}", "target", evidence->target,
			   "reachable", diagnosis->reachable, "packets_seen", evidence->watched,
			   "name", name_json(evidence), "addresses", addresses, "server",
			   server_json(&evidence->server), "causes", causes, "proxy",
			   evidence->proxy);
	text = json_dumps(object, JSON_INDENT(2));
	json_decref(object);
	if (!text)
		out_of_memory();
	strbuf_printf(out, "%s\n", text);
	free(text);
}
