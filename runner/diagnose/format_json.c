/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a diagnosis as JSON: see format.h. */
#include "runner/diagnose/explain.h"
#include "runner/diagnose/format.h"
#include "runner/record/json_fields.h"

static const char *hop_kind_name(enum hop_kind kind)
{
	static const char *const names[] = {
		[HOP_SILENT] = "silent",       [HOP_ROUTER] = "router",
		[HOP_CONNECTED] = "connected", [HOP_REFUSED] = "refused",
		[HOP_REJECTED] = "rejected",
	};

	_Static_assert(ARRAY_SIZE(names) == HOP_N_KINDS, "a name for each kind");
	return names[kind];
}

static const char *route_kind_name(enum route_kind kind)
{
	static const char *const names[] = {
		[ROUTE_UNKNOWN] = "unknown",     [ROUTE_LOCAL] = "local",
		[ROUTE_UNICAST] = "unicast",     [ROUTE_NONE] = "none",
		[ROUTE_BLACKHOLE] = "blackhole", [ROUTE_UNREACHABLE] = "unreachable",
		[ROUTE_PROHIBIT] = "prohibit",
	};

	_Static_assert(ARRAY_SIZE(names) == ROUTE_N_KINDS, "a name for each kind");
	return names[kind];
}

static const char *path_mtu_kind_name(enum path_mtu_kind kind)
{
	static const char *const names[] = {
		[PATH_MTU_UNKNOWN] = "unknown",
		[PATH_MTU_FULL] = "full",
		[PATH_MTU_SMALLER] = "smaller",
		[PATH_MTU_BLACK_HOLE] = "black hole",
	};

	_Static_assert(ARRAY_SIZE(names) == PATH_MTU_N_KINDS, "a name for each kind");
	return names[kind];
}

/* ---- addresses ---- */

#define TIME_OR_NONE(member)                                                                       \
	JSON_DURATION(struct trial, member), .absent = INT64_MAX, .optional = true,                \
					     .about = "Time since the start of connect()."

static const struct json_field syn_ack_fields[] = {
	{"after_ns", TIME_OR_NONE(syn_ack_ns)},
	{"ttl", JSON_U32(struct trial, syn_ack_ttl)},
};
static const struct json_type syn_ack_type = {JSON_TYPE(struct trial, syn_ack_fields)};

static const struct json_field rst_fields[] = {
	{"after_ns", TIME_OR_NONE(rst_ns)},
	{"ttl", JSON_U32(struct trial, rst_ttl)},
	{"window", JSON_U32(struct trial, rst_window)},
};
static const struct json_type rst_type = {JSON_TYPE(struct trial, rst_fields)};

static const struct json_field icmp_fields[] = {
	{"after_ns", TIME_OR_NONE(icmp_ns)},
	{"type", JSON_U32(struct trial, icmp_type)},
	{"code", JSON_U32(struct trial, icmp_code)},
	{"from", JSON_HOST(struct trial, icmp_from), .optional = true},
};
static const struct json_type icmp_type = {JSON_TYPE(struct trial, icmp_fields)};

static const struct json_field trial_fields[] = {
	{"errno", JSON_INT(struct trial, error), .about = "Error of connect(); 0: it connected."},
	{"gave_up", JSON_BOOL(struct trial, gave_up), .about = "No answer came before --timeout."},
	{"took_ns", JSON_DURATION(struct trial, took_ns)},
	{"syns", JSON_U32(struct trial, syns), .about = "How many were sent."},
	{"closed", JSON_BOOL(struct trial, closed_at_once), .about = "Right after the handshake."},
	{"reset", JSON_BOOL(struct trial, reset_at_once), .about = "Right after the handshake."},
	{"syn_ack", .kind = JSON_KIND_OBJECT, .type = &syn_ack_type, .optional = true},
	{"rst", .kind = JSON_KIND_OBJECT, .type = &rst_type, .optional = true},
	{"icmp", .kind = JSON_KIND_OBJECT, .type = &icmp_type, .optional = true},
};
static const struct json_type trial_type = {
	JSON_TYPE(struct trial, trial_fields),
	.about = "One connect().",
};

static const struct json_field hop_fields[] = {
	{"kind", JSON_WORD(struct hop, kind, enum hop_kind, hop_kind_name, HOP_N_KINDS)},
	{"from", JSON_HOST(struct hop, from), .optional = true, .about = "Who answered."},
};
static const struct json_type hop_type = {JSON_TYPE(struct hop, hop_fields)};

#define ROUTE(T, member) JSON_##T(struct address_evidence, route.member)
static const struct json_field route_fields[] = {
	{"kind", JSON_WORD(struct address_evidence, route.kind, enum route_kind, route_kind_name,
			   ROUTE_N_KINDS)},
	{"device", ROUTE(CHARS, device), .optional = true},
	{"source", ROUTE(HOST, source), .optional = true},
	{"gateway", ROUTE(HOST, gateway), .optional = true},
	{"mtu", ROUTE(U32, mtu), .optional = true},
};
static const struct json_type route_type = {
	JSON_TYPE(struct address_evidence, route_fields),
	.about = "The kernel's route to the address.",
};

static const struct json_field path_mtu_fields[] = {
	{"kind", JSON_WORD(struct address_evidence, path_mtu.kind, enum path_mtu_kind,
			   path_mtu_kind_name, PATH_MTU_N_KINDS)},
	{"bytes", JSON_U32(struct address_evidence, path_mtu.bytes), .optional = true,
	 .about = "Size of the packets that get there, at least."},
	{"tried", JSON_U32(struct address_evidence, path_mtu.tried), .optional = true},
	{"from", JSON_HOST(struct address_evidence, path_mtu.from), .optional = true,
	 .about = "The router that says so."},
};
static const struct json_type path_mtu_type = {
	JSON_TYPE(struct address_evidence, path_mtu_fields),
	.about = "With --path: the largest packet that gets there.",
};

static const struct json_field address_fields[] = {
	{"address", JSON_ADDRESS(struct address_evidence, address)},
	{"nat_to", JSON_HOST(struct address_evidence, backend), .optional = true,
	 .about = "Where NAT of this host sends the trials instead."},
	{"route", .kind = JSON_KIND_OBJECT, .type = &route_type},
	{"trials",
	 JSON_ARRAY(struct address_evidence, trials, n_trials, struct trial, &trial_type)},
	{"hops", JSON_ARRAY(struct address_evidence, hops, n_hops, struct hop, &hop_type),
	 .optional = true,
	 .about = "With --path: the routers, by how many were passed before them, from 0."},
	{"path_mtu", .kind = JSON_KIND_OBJECT, .type = &path_mtu_type, .optional = true},
};
static const struct json_type address_type = {JSON_TYPE(struct address_evidence, address_fields)};

/* ---- the server, if it is on this machine ---- */

static const struct json_field listener_fields[] = {
	{"address", JSON_ADDRESS(struct listener, address)},
	{"ipv6_only", JSON_BOOL(struct listener, v6only)},
	{"queued", JSON_U32(struct listener, queued), .about = "Connections in its accept queue."},
	{"backlog", JSON_U32(struct listener, backlog), .about = "The limit of that queue."},
	{"program", JSON_TEXT(struct listener, program), .optional = true},
};
static const struct json_type listener_type = {JSON_TYPE(struct listener, listener_fields)};

#define COUNTER(member)                                                                            \
	JSON_I64(struct server_evidence, member), .max = INT64_MAX, .absent = -1, .optional = true
static const struct json_field server_fields[] = {
	{"listeners", JSON_ARRAY(struct server_evidence, listeners, n_listeners, struct listener,
				 &listener_type)},
	{"half_open", JSON_U32(struct server_evidence, half_open)},
	{"listen_overflows", COUNTER(listen_overflows),
	 .about = "Growth of the counter since the first trial."},
	{"conntrack_count", COUNTER(conntrack_count)},
	{"conntrack_max", COUNTER(conntrack_max)},
};
static const struct json_type server_type = {
	JSON_TYPE(struct server_evidence, server_fields),
	.about = "What a network namespace says of the port.",
};

static const struct json_field kernel_drop_fields[] = {
	{"reason", JSON_CHARS(struct kernel_drop, reason), .optional = true},
	{"place", JSON_CHARS(struct kernel_drop, place), .optional = true,
	 .about = "The kernel's function."},
};
static const struct json_field kernel_reset_fields[] = {
	{"reason", JSON_CHARS(struct kernel_reset, reason)},
};
static const struct json_type kernel_reset_type = {
	JSON_TYPE(struct kernel_reset, kernel_reset_fields),
	.about = "With --intrusive: why the kernel's TCP reset a connection of the trials.",
};

static const struct json_type kernel_drop_type = {
	JSON_TYPE(struct kernel_drop, kernel_drop_fields),
	.about = "With --intrusive: why the kernel dropped a packet of the trials.",
};

/* ---- the document ---- */

struct document {
	struct evidence evidence;
	struct diagnosis diagnosis;
	const struct server_evidence *here, *there; /* NULL: not looked at */
	const struct kernel_reset *kernel_reset;    /* NULL: none was seen */
	const char *no_kernel_reset;                /* as no_kernel_drop */
	const struct kernel_drop *kernel_drop;      /* NULL: none was seen */
	const char
		*no_kernel_drop; /* why it can't be known; NULL: it can, or it was not asked for */
};

#define NAME(T, member) JSON_##T(struct document, evidence.name.member)
static const struct json_field name_fields[] = {
	{"host", JSON_TEXT(struct document, evidence.host)},
	{"literal", NAME(BOOL, literal), .about = "An address was given, not a name."},
	{"error", NAME(INT, error),
	 .about = "Error of getaddrinfo(): EAI_…; 0: the name resolved."},
	{"took_ns", NAME(DURATION, took_ns)},
	{"hosts_file", NAME(BOOL, in_hosts), .about = "/etc/hosts names it."},
	{"gai_conf", NAME(BOOL, gai_conf),
	 .about = "/etc/gai.conf changes the order of addresses."},
	{"without_ipv4", NAME(BOOL, without_ipv4),
	 .about = "This host has no IPv4 address, so most clients don't ask for one."},
	{"without_ipv6", NAME(BOOL, without_ipv6),
	 .about = "This host has no IPv6 address, so most clients don't ask for one."},
	{"nameserver", NAME(TEXT, nameserver), .optional = true},
};
static const struct json_type name_type = {JSON_TYPE(struct document, name_fields)};

static const struct json_field cause_fields[] = {
	{"cause", JSON_WORD(struct cause, kind, enum cause_kind, cause_kind_name, CAUSE_N_KINDS)},
	{"address", JSON_INDEX(struct cause, address), .optional = true,
	 .about = "Index into addresses; missing: the name, or all of them."},
	{"sentence", JSON_TEXT(struct cause, sentence), .about = "What is wrong."},
	{"evidence", JSON_TEXT(struct cause, evidence), .about = "How that is known."},
	{"advice", JSON_TEXT(struct cause, advice), .about = "What to do next."},
	{"try", JSON_TEXT(struct cause, steps), .optional = true,
	 .about = "Fault steps that reproduce it."},
};
static const struct json_type cause_type = {JSON_TYPE(struct cause, cause_fields)};

static const struct json_field document_fields[] = {
	{"target", JSON_TEXT(struct document, evidence.target), .about = "The target as given."},
	{"reachable", JSON_BOOL(struct document, diagnosis.reachable),
	 .about = "Every trial at one or more addresses succeeded."},
	{"packets_seen", JSON_BOOL(struct document, evidence.watched),
	 .about = "Whether diagnose could see packets."},
	{"name", .kind = JSON_KIND_OBJECT, .type = &name_type},
	{"addresses", JSON_ARRAY(struct document, evidence.addresses, evidence.n_addresses,
				 struct address_evidence, &address_type)},
	{"server", JSON_POINTER(struct document, here, const struct server_evidence, &server_type),
	 .optional = true, .about = "The server's host, if the address is this host's."},
	{"other_namespace",
	 JSON_POINTER(struct document, there, const struct server_evidence, &server_type),
	 .optional = true,
	 .about = "The network namespace of this machine that has the address, if another one has "
		  "it."},
	{"kernel_drop",
	 JSON_POINTER(struct document, kernel_drop, const struct kernel_drop, &kernel_drop_type),
	 .optional = true},
	{"kernel_reset",
	 JSON_POINTER(struct document, kernel_reset, const struct kernel_reset, &kernel_reset_type),
	 .optional = true},
	{"kernel_reset_not_seen", JSON_TEXT(struct document, no_kernel_reset), .optional = true,
	 .about = "With --intrusive: why the kernel can't be asked."},
	{"kernel_drop_not_seen", JSON_TEXT(struct document, no_kernel_drop), .optional = true,
	 .about = "With --intrusive: why the kernel can't be asked."},
	{"causes",
	 JSON_LIST(struct document, diagnosis.causes, diagnosis.n_causes, struct cause,
		   &cause_type),
	 .about = "The most certain one first."},
	{"proxy", JSON_TEXT(struct document, evidence.proxy), .optional = true,
	 .about = "The variable that sends HTTP clients to a proxy."},
};
const struct json_type diagnosis_type = {
	JSON_TYPE(struct document, document_fields),
	.about = "What `synfault diagnose --json` prints (docs/diagnose.md).",
};

void diagnosis_format_json(const struct evidence *evidence, const struct diagnosis *diagnosis,
			   struct strbuf *out)
{
	AUTO_FREE struct document *document = xmalloc(sizeof(*document));

	*document = (struct document){
		.evidence = *evidence,
		.diagnosis = *diagnosis,
		.here = evidence->here.looked ? &evidence->here : NULL,
		.there = evidence->there.looked ? &evidence->there : NULL,
		.kernel_drop = evidence->kernel_drop.seen == YES ? &evidence->kernel_drop : NULL,
		.kernel_reset = evidence->kernel_reset.seen == YES ? &evidence->kernel_reset : NULL,
		.no_kernel_reset = reset_reasons_obstacle(&evidence->kernel_reset),
		.no_kernel_drop = drop_reasons_obstacle(&evidence->kernel_drop),
	};
	json_fields_print(&diagnosis_type, document, out);
}
