/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `synfault diagnose` concludes from evidence, and how it reads the packets that it sees. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/neighbour.h>
#include <linux/net_dropmon.h>
#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <netdb.h>

#include "common/duration.h"
#include "runner/diagnose/causes.h"
#include "runner/diagnose/drop_reasons.h"
#include "runner/diagnose/format.h"
#include "runner/diagnose/legacy_rules.h"
#include "runner/diagnose/packet_watch.h"
#include "runner/diagnose/reset_reasons.h"

TestSuite(diagnose);

enum { N_TRIALS = 4 };

/* Evidence of N_TRIALS trials at one remote address, still empty. */
static struct evidence evidence_new(const char *address)
{
	struct evidence evidence = {
		.port = 8080,
		.name.literal = true,
		.n_addresses = 1,
		.patience_ns = 3 * NS_PER_S,
		.watched = true,
	};
	struct address_evidence *first = &evidence.addresses[0];

	evidence.target = xstrdup("test:8080");
	evidence.host = xstrdup("test");
	address_parse(address, 8080, &first->address);
	first->route.kind = ROUTE_UNICAST;
	strcpy(first->route.device, "eth0");
	first->n_trials = N_TRIALS;
	for (size_t i = 0; i < N_TRIALS; i++)
		first->trials[i] = (struct trial){
			.took_ns = NS_PER_MS,
			.syns = 1,
			.watched = true,
			.own_syn_seen = true,
			.syn_ack_ns = INT64_MAX,
			.rst_ns = INT64_MAX,
			.icmp_ns = INT64_MAX,
		};
	return evidence;
}

static struct trial *trials_of(struct evidence *evidence)
{
	return evidence->addresses[0].trials;
}

static void refuse(struct trial *trial)
{
	trial->error = ECONNREFUSED;
	trial->rst_ns = NS_PER_MS;
	trial->rst_ttl = 64;
}

static void silence(struct trial *trial)
{
	trial->error = ETIMEDOUT;
	trial->gave_up = true;
	trial->syns = 3;
}

static void each(struct evidence *evidence, void (*change)(struct trial *))
{
	for (size_t i = 0; i < N_TRIALS; i++)
		change(&trials_of(evidence)[i]);
}

static void listen_on(struct evidence *evidence, const char *address, bool v6only)
{
	struct listener *listener = &evidence->here.listeners[evidence->here.n_listeners++];

	evidence->here.looked = true;
	evidence->addresses[0].route.kind = ROUTE_LOCAL;
	evidence->addresses[0].server = SERVER_HERE;
	address_parse(address, 8080, &listener->address);
	listener->v6only = v6only;
	listener->backlog = 128;
}

static void says_first(struct evidence *evidence, enum cause_kind kind)
{
	AUTO_DIAGNOSIS struct diagnosis diagnosis = diagnose(evidence);
	AUTO_STRBUF struct strbuf text = {0}, json = {0};

	cr_assert_gt(diagnosis.n_causes, 0);
	cr_expect_eq(diagnosis.causes[0].kind, kind, "%s",
		     cause_kind_name(diagnosis.causes[0].kind));
	diagnosis_format_text(evidence, &diagnosis, &text);
	cr_expect_not_null(strstr(strbuf_text(&text), "  result      "));
	diagnosis_format_json(evidence, &diagnosis, &json);
	cr_expect_not_null(strstr(strbuf_text(&json), cause_kind_name(kind)));
	evidence_free(evidence);
}

Test(diagnose, finds_nothing_wrong_with_a_server_that_answers)
{
	AUTO_EVIDENCE struct evidence evidence = evidence_new("192.0.2.1");
	AUTO_DIAGNOSIS struct diagnosis diagnosis = diagnose(&evidence);

	cr_expect_eq(diagnosis.n_causes, 0);
	cr_expect(diagnosis.reachable);
}

Test(diagnose, json_has_what_each_trial_saw_and_no_more)
{
	AUTO_EVIDENCE struct evidence evidence = evidence_new("192.0.2.1");
	AUTO_DIAGNOSIS struct diagnosis diagnosis = {0};
	AUTO_STRBUF struct strbuf text = {0};
	json_t *json, *address, *trial;

	each(&evidence, refuse);
	diagnosis = diagnose(&evidence);
	diagnosis_format_json(&evidence, &diagnosis, &text);
	json = json_loads(strbuf_text(&text), 0, NULL);
	cr_assert(json, "%s", strbuf_text(&text));
	cr_expect_null(json_object_get(json, "server"), "it was not looked at");
	address = json_array_get(json_object_get(json, "addresses"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(address, "address")), "192.0.2.1:8080");
	trial = json_array_get(json_object_get(address, "trials"), N_TRIALS - 1);
	cr_assert(json_is_object(trial));
	cr_expect_null(json_object_get(trial, "syn_ack"));
	cr_expect_null(json_object_get(trial, "icmp"));
	trial = json_object_get(trial, "rst");
	cr_expect_eq(json_integer_value(json_object_get(trial, "after_ns")), NS_PER_MS);
	cr_expect_eq(json_integer_value(json_object_get(trial, "ttl")), 64);
	json_decref(json);
}

Test(diagnose, closed_local_port_differs_from_a_remote_one)
{
	struct evidence here = evidence_new("192.0.2.1"), elsewhere = evidence_new("192.0.2.1");

	each(&here, refuse);
	here.here.looked = true;
	here.addresses[0].route.kind = ROUTE_LOCAL;
	here.addresses[0].server = SERVER_HERE;
	says_first(&here, CAUSE_NO_LISTENER);
	each(&elsewhere, refuse);
	says_first(&elsewhere, CAUSE_REFUSED_REMOTE);
}

Test(diagnose, says_once_what_is_wrong_at_each_address)
{
	AUTO_EVIDENCE struct evidence evidence = evidence_new("192.0.2.1");
	AUTO_DIAGNOSIS struct diagnosis diagnosis = {0};
	AUTO_STRBUF struct strbuf text = {0};

	each(&evidence, refuse);
	evidence.here.looked = true;
	evidence.addresses[0].route.kind = ROUTE_LOCAL;
	evidence.addresses[0].server = SERVER_HERE;
	evidence.addresses[1] = evidence.addresses[0];
	evidence.n_addresses = 2;
	address_parse("192.0.2.2", 8080, &evidence.addresses[1].address);
	diagnosis = diagnose(&evidence);
	cr_expect_eq(diagnosis.n_causes, 2);
	diagnosis_format_text(&evidence, &diagnosis, &text);
	cr_expect_not_null(strstr(strbuf_text(&text), "  result      "));
	cr_expect_null(strstr(strbuf_text(&text), "  also        "));
}

Test(diagnose, finds_the_address_of_a_listener)
{
	static const struct {
		const char *target, *listener;
		bool v6only;
		enum cause_kind kind;
	} cases[] = {
		{"192.0.2.1", "127.0.0.1", false, CAUSE_BOUND_TO_LOOPBACK},
		{"192.0.2.1", "::1", true, CAUSE_BOUND_TO_LOOPBACK},
		{"192.0.2.1", "192.0.2.2", false, CAUSE_BOUND_ELSEWHERE},
		{"192.0.2.1", "::", true, CAUSE_OTHER_FAMILY_ONLY},
		{"2001:db8::1", "0.0.0.0", false, CAUSE_OTHER_FAMILY_ONLY},
		{"192.0.2.1", "0.0.0.0", false, CAUSE_LOCAL_FIREWALL_REJECTS},
		{"192.0.2.1", "::", false, CAUSE_LOCAL_FIREWALL_REJECTS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct evidence evidence = evidence_new(cases[i].target);

		each(&evidence, refuse);
		listen_on(&evidence, cases[i].listener, cases[i].v6only);
		says_first(&evidence, cases[i].kind);
	}
}

Test(diagnose, knows_a_rst_of_another_host_by_its_hop_count)
{
	struct evidence other = evidence_new("192.0.2.1"), same = evidence_new("192.0.2.1");

	each(&other, refuse);
	other.addresses[0].compared = true;
	other.addresses[0].compare = (struct trial){.syn_acks = 1, .syn_ack_ttl = 61};
	says_first(&other, CAUSE_RST_FROM_BETWEEN);
	each(&same, refuse);
	same.addresses[0].compared = true;
	same.addresses[0].compare = (struct trial){.syn_acks = 1, .syn_ack_ttl = 64};
	says_first(&same, CAUSE_REFUSED_REMOTE);
}

Test(diagnose, says_that_a_failure_is_intermittent)
{
	struct evidence refused = evidence_new("192.0.2.1"), dropped = evidence_new("192.0.2.1");

	refuse(&trials_of(&refused)[2]);
	says_first(&refused, CAUSE_REFUSED_SOMETIMES);
	silence(&trials_of(&dropped)[0]);
	says_first(&dropped, CAUSE_DROPPED_SOMETIMES);
}

Test(diagnose, finds_what_makes_a_server_of_this_host_silent)
{
	struct evidence full = evidence_new("192.0.2.1"), backlog = evidence_new("192.0.2.1");
	struct evidence firewall = evidence_new("192.0.2.1"), closed = evidence_new("192.0.2.1");
	struct evidence tracking = evidence_new("192.0.2.1");

	each(&full, silence);
	listen_on(&full, "0.0.0.0", false);
	full.here.listeners[0].queued = 129;
	says_first(&full, CAUSE_ACCEPT_QUEUE_FULL);

	each(&backlog, silence);
	listen_on(&backlog, "0.0.0.0", false);
	backlog.here.request_drops = 4;
	says_first(&backlog, CAUSE_SYN_BACKLOG_FULL);

	each(&firewall, silence);
	listen_on(&firewall, "0.0.0.0", false);
	says_first(&firewall, CAUSE_LOCAL_FIREWALL_IN);

	/* a closed port answers: even with no listener it is a rule */
	each(&closed, silence);
	closed.here.looked = true;
	closed.addresses[0].route.kind = ROUTE_LOCAL;
	closed.addresses[0].server = SERVER_HERE;
	says_first(&closed, CAUSE_LOCAL_FIREWALL_IN);

	each(&tracking, silence);
	tracking.here.conntrack_count = tracking.here.conntrack_max = 65536;
	says_first(&tracking, CAUSE_CONNTRACK_FULL);
}

Test(diagnose, takes_a_reset_for_an_overflow_only_where_the_kernel_counted_one)
{
	struct evidence overflow = evidence_new("192.0.2.1"), reset = evidence_new("192.0.2.1");

	trials_of(&overflow)[1].reset_at_once = true;
	listen_on(&overflow, "0.0.0.0", false);
	overflow.here.abort_on_overflow = YES;
	overflow.here.listen_overflows = 1;
	says_first(&overflow, CAUSE_ACCEPT_QUEUE_ABORT);

	trials_of(&reset)[1].reset_at_once = true;
	listen_on(&reset, "0.0.0.0", false);
	reset.here.abort_on_overflow = YES;
	says_first(&reset, CAUSE_RESET_AFTER_ACCEPT);
}

Test(diagnose, says_less_where_it_could_not_watch_packets)
{
	struct evidence evidence = evidence_new("192.0.2.1");

	each(&evidence, silence);
	for (size_t i = 0; i < N_TRIALS; i++)
		trials_of(&evidence)[i].watched = trials_of(&evidence)[i].own_syn_seen = false;
	evidence.watched = false;
	says_first(&evidence, CAUSE_SILENCE);
}

Test(diagnose, blames_this_host_when_no_syn_left_it)
{
	struct evidence dropped = evidence_new("192.0.2.1"), rejected = evidence_new("192.0.2.1");

	each(&dropped, silence);
	each(&rejected, refuse);
	for (size_t i = 0; i < N_TRIALS; i++)
		trials_of(&dropped)[i].own_syn_seen = trials_of(&rejected)[i].own_syn_seen = false;
	says_first(&dropped, CAUSE_LOCAL_FIREWALL_OUT);
	says_first(&rejected, CAUSE_LOCAL_FIREWALL_REJECTS);
}

Test(diagnose, knows_who_sent_an_icmp_error)
{
	static const struct {
		const char *from;
		uint8_t type, code;
		int64_t after_ns;
		enum cause_kind kind;
	} cases[] = {
		{"192.0.2.1", 3, 1, NS_PER_MS, CAUSE_FIREWALL_REJECTS},
		{"192.0.2.1", 3, 1, 2 * NS_PER_S, CAUSE_ROUTER_HOST_UNREACHABLE},
		{"192.0.2.9", 3, 1, NS_PER_MS, CAUSE_ROUTER_HOST_UNREACHABLE},
		{"192.0.2.9", 3, 13, NS_PER_MS, CAUSE_FIREWALL_REJECTS},
		{"192.0.2.9", 3, 0, NS_PER_MS, CAUSE_ROUTER_NO_ROUTE},
		{"192.0.2.9", 11, 0, NS_PER_MS, CAUSE_ROUTING_LOOP},
		{"192.0.2.7", 3, 3, NS_PER_MS, CAUSE_LOCAL_FIREWALL_REJECTS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct evidence evidence = evidence_new("192.0.2.1");

		each(&evidence, silence);
		address_parse("192.0.2.7", 0, &evidence.addresses[0].route.source);
		trials_of(&evidence)[0].icmp_ns = cases[i].after_ns;
		trials_of(&evidence)[0].icmp_type = cases[i].type;
		trials_of(&evidence)[0].icmp_code = cases[i].code;
		address_parse(cases[i].from, 0, &trials_of(&evidence)[0].icmp_from);
		says_first(&evidence, cases[i].kind);
	}
}

Test(diagnose, puts_the_neighbour_before_the_error_about_it)
{
	struct evidence evidence = evidence_new("192.0.2.1");

	each(&evidence, silence);
	trials_of(&evidence)[0].icmp_ns = 3 * NS_PER_S;
	trials_of(&evidence)[0].icmp_type = 3;
	evidence.addresses[0].route.neighbour = NUD_FAILED;
	says_first(&evidence, CAUSE_NEIGHBOUR_SILENT);
}

Test(diagnose, says_that_clients_fall_back_from_a_bad_first_address)
{
	AUTO_EVIDENCE struct evidence evidence = evidence_new("2001:db8::1");
	AUTO_DIAGNOSIS struct diagnosis diagnosis = {0};

	evidence.addresses[1] = evidence.addresses[0];
	evidence.n_addresses = 2;
	address_parse("192.0.2.1", 8080, &evidence.addresses[1].address);
	evidence.name.literal = false;
	each(&evidence, refuse);
	diagnosis = diagnose(&evidence);
	cr_assert_eq(diagnosis.n_causes, 2);
	cr_expect_eq(diagnosis.causes[0].kind, CAUSE_REFUSED_REMOTE);
	cr_expect_eq(diagnosis.causes[1].kind, CAUSE_FIRST_ADDRESS_FAILS);
	cr_expect(diagnosis.reachable);
}

Test(diagnose, gives_names_their_causes)
{
	struct evidence unknown = evidence_new("192.0.2.1"), silent = evidence_new("192.0.2.1");

	unknown.name = (struct name_evidence){.error = EAI_NONAME};
	silent.name = (struct name_evidence){.error = EAI_AGAIN};
	unknown.n_addresses = silent.n_addresses = 0;
	says_first(&unknown, CAUSE_NAME_UNKNOWN);
	says_first(&silent, CAUSE_RESOLVER_SILENT);
}

static void translate(struct evidence *evidence)
{
	evidence->addresses[0].route.kind = ROUTE_LOCAL;
	evidence->addresses[0].backend_route.kind = ROUTE_UNICAST;
	address_parse("172.17.0.2", 80, &evidence->addresses[0].backend);
}

Test(diagnose, blames_a_rule_of_the_servers_own_namespace)
{
	struct evidence there = evidence_new("172.17.0.2"), here = evidence_new("172.17.0.2");

	each(&there, silence);
	there.addresses[0].server = SERVER_THERE;
	there.there.looked = true;
	there.drop = (struct traced_drop){.traced = YES, .there = true};
	says_first(&there, CAUSE_LOCAL_FIREWALL_IN);

	each(&here, silence);
	here.addresses[0].server = SERVER_THERE;
	here.there.looked = true;
	says_first(&here, CAUSE_SILENCE);
}

Test(diagnose, follows_nat_of_this_host)
{
	struct evidence refused = evidence_new("192.0.2.1"), silent = evidence_new("192.0.2.1");
	struct evidence dead = evidence_new("192.0.2.1");

	each(&refused, refuse);
	translate(&refused);
	says_first(&refused, CAUSE_NAT_BACKEND_REFUSES);

	each(&silent, silence);
	translate(&silent);
	says_first(&silent, CAUSE_NAT_BACKEND_SILENT);

	each(&dead, silence);
	translate(&dead);
	dead.addresses[0].backend_route.neighbour = NUD_FAILED;
	says_first(&dead, CAUSE_NEIGHBOUR_SILENT);
}

Test(diagnose, looks_at_the_server_in_its_own_namespace)
{
	struct evidence loopback = evidence_new("172.17.0.2"), closed = evidence_new("172.17.0.2");
	struct evidence stray = evidence_new("192.0.2.1");

	each(&loopback, refuse);
	loopback.addresses[0].server = SERVER_THERE;
	loopback.there.looked = true;
	loopback.there.n_listeners = 1;
	address_parse("127.0.0.1", 8080, &loopback.there.listeners[0].address);
	says_first(&loopback, CAUSE_BOUND_TO_LOOPBACK);

	each(&closed, refuse);
	closed.addresses[0].server = SERVER_THERE;
	closed.there.looked = true;
	says_first(&closed, CAUSE_NO_LISTENER);

	each(&stray, refuse);
	stray.addresses[0].server = SERVER_HERE;
	stray.here.looked = stray.here.has_stray = true;
	address_parse("0.0.0.0", 8080, &stray.here.stray.address);
	says_first(&stray, CAUSE_OTHER_NAMESPACE);
}

Test(diagnose, knows_connections_that_only_this_end_takes_for_established)
{
	struct evidence lost = evidence_new("192.0.2.1"), late = evidence_new("192.0.2.1");
	AUTO_DIAGNOSIS struct diagnosis diagnosis = {0};

	trials_of(&lost)[0].watched_on = trials_of(&late)[0].watched_on = true;
	trials_of(&lost)[0].syn_acks = trials_of(&late)[0].syn_acks = 2;
	says_first(&lost, CAUSE_ACK_LOST);

	/* a second SYN gets a second SYN-ACK */
	trials_of(&late)[0].syns = 2;
	diagnosis = diagnose(&late);
	cr_expect_eq(diagnosis.n_causes, 0);
	evidence_free(&late);
}

Test(diagnose, distinguishes_a_black_hole_from_a_path_that_says_its_mtu)
{
	struct evidence hole = evidence_new("192.0.2.1"), told = evidence_new("192.0.2.1");
	AUTO_DIAGNOSIS struct diagnosis diagnosis = {0};

	hole.addresses[0].path_mtu = (struct path_mtu){PATH_MTU_BLACK_HOLE, 1500, .bytes = 1280};
	says_first(&hole, CAUSE_MTU_BLACK_HOLE);

	told.addresses[0].path_mtu = (struct path_mtu){PATH_MTU_SMALLER, 1500, .bytes = 1280};
	diagnosis = diagnose(&told);
	cr_expect_eq(diagnosis.n_causes, 0);
	evidence_free(&told);
}

Test(diagnose, believes_the_kernel_unless_it_means_a_firewall)
{
	static const struct {
		const char *reason;
		enum cause_kind kind;
	} cases[] = {
		{"SOCKET_FILTER", CAUSE_KERNEL_DROP},
		{"IP_INADDRERRORS", CAUSE_KERNEL_DROP},
		{"NETFILTER_DROP", CAUSE_LOCAL_FIREWALL_IN},
		{"NOT_SPECIFIED", CAUSE_LOCAL_FIREWALL_IN},
		{"", CAUSE_LOCAL_FIREWALL_IN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct evidence evidence = evidence_new("192.0.2.1");

		each(&evidence, silence);
		listen_on(&evidence, "0.0.0.0", false);
		evidence.kernel_drop.seen = YES;
		strcpy(evidence.kernel_drop.reason, cases[i].reason);
		says_first(&evidence, cases[i].kind);
	}
}

/* Writes an alert of the drop monitor about a SYN from 10.0.0.2:@port to 192.0.2.1:8080. */
static void write_alert(char *buffer, uint16_t port, size_t link_header)
{
	uint8_t packet[14 + 40] = {0}, *ip = packet + link_header;
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	static const uint8_t start[] = {0x45, 0, 0,  40, 0, 0, 0,   0, 64, 6,
					0,    0, 10, 0,  0, 2, 192, 0, 2,  1};

	memcpy(ip, start, sizeof(start));
	ip[20] = (uint8_t)(port >> 8);
	ip[21] = (uint8_t)port;
	ip[22] = 8080 >> 8;
	ip[23] = 8080 & 255;
	ip[32] = 5 << 4;
	ip[33] = 2;
	generic->cmd = NET_DM_CMD_PACKET_ALERT;
	mnl_attr_put_strz(header, NET_DM_ATTR_SYMBOL, "tcp_v4_rcv+0x1a");
	mnl_attr_put_strz(header, 23, "SOCKET_FILTER");
	mnl_attr_put(header, NET_DM_ATTR_PAYLOAD, link_header + 40, packet);
}

Test(diagnose, finds_its_own_packets_among_those_that_the_kernel_dropped)
{
	char alert[1024] __attribute__((aligned(8)));
	static const size_t link_headers[] = {0, 14};

	for (size_t i = 0; i < ARRAY_SIZE(link_headers); i++) {
		AUTO_EVIDENCE struct evidence evidence = evidence_new("192.0.2.1");

		trials_of(&evidence)[1].port = 40001;
		write_alert(alert, 40002, link_headers[i]);
		drop_reasons_parse(alert, &evidence);
		cr_expect_neq(evidence.kernel_drop.seen, YES);
		write_alert(alert, 40001, link_headers[i]);
		drop_reasons_parse(alert, &evidence);
		cr_expect_eq(evidence.kernel_drop.seen, YES);
		cr_expect_str_eq(evidence.kernel_drop.reason, "SOCKET_FILTER");
		cr_expect_str_eq(evidence.kernel_drop.place, "tcp_v4_rcv+0x1a");
	}
}

Test(diagnose, finds_its_own_connections_among_those_that_the_kernel_reset)
{
	static const struct {
		const char *time, *ports;
		enum known seen;
	} cases[] = {
		{"7.000500", "src=192.0.2.1:8080 dest=10.0.0.2:40001", YES},
		{"6.500000", "src=192.0.2.1:8080 dest=10.0.0.2:40001", NO},
		{"7.100000", "src=192.0.2.1:8080 dest=10.0.0.2:40001", NO},
		{"7.000500", "src=192.0.2.1:8080 dest=10.0.0.2:4000", NO},
		{"7.000500", "src=192.0.2.1:80801 dest=10.0.0.2:40001", NO},
		{"7.000500", "src=192.0.2.11:8080 dest=10.0.0.2:40001", NO},
		{"7.000500", "src=10.0.0.2:40001 dest=192.0.2.1:8080", NO},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_EVIDENCE struct evidence evidence = evidence_new("192.0.2.1");
		AUTO_FREE char *line =
			xasprintf("  curl-7 [000] b..1. %s: tcp_send_reset: skaddr=1 %s "
				  "state=UNKNOWN reason=NO_SOCKET\n",
				  cases[i].time, cases[i].ports);

		evidence.kernel_reset.seen = NO;
		trials_of(&evidence)[1].port = 40001;
		trials_of(&evidence)[1].started_ns = 7 * NS_PER_S;
		reset_reasons_parse(line, &evidence);
		cr_expect_eq(evidence.kernel_reset.seen, cases[i].seen, "%s", cases[i].ports);
		if (cases[i].seen == YES)
			cr_expect_str_eq(evidence.kernel_reset.reason, "NO_SOCKET");
	}
}

/* Adds an entry without matches to a table of iptables-legacy; returns where the next one begins.
 */
static size_t add_entry(uint8_t *table, size_t at, const char *target, int verdict,
			uint64_t packets)
{
	struct ipt_entry entry = {
		.target_offset = sizeof(entry),
		.next_offset = sizeof(entry) + sizeof(struct xt_error_target),
		.counters.pcnt = packets,
	};
	struct xt_standard_target standard = {.verdict = verdict};
	struct xt_error_target chain = {0};

	memcpy(table + at, &entry, sizeof(entry));
	if (verdict) {
		memcpy(table + at + sizeof(entry), &standard, sizeof(standard));
	} else {
		strcpy(chain.target.u.user.name, target[0] == '=' ? "ERROR" : target);
		strcpy(chain.errorname, target + 1);
		memcpy(table + at + sizeof(entry), &chain, sizeof(chain));
	}
	return at + entry.next_offset;
}

Test(diagnose, reads_which_rules_of_iptables_legacy_drop)
{
	enum { DROP = -NF_DROP - 1, ACCEPT = -NF_ACCEPT - 1 };
	uint8_t table[4096] = {0};
	uint32_t hooks[NF_INET_NUMHOOKS] = {0}, policies[NF_INET_NUMHOOKS] = {0};
	struct legacy_rules rules = {.family = AF_INET};
	size_t size = 0;

	hooks[NF_INET_LOCAL_IN] = (uint32_t)size;
	size = add_entry(table, size, "", ACCEPT, 9);
	size = add_entry(table, size, "REJECT", 0, 7);
	policies[NF_INET_LOCAL_IN] = (uint32_t)size;
	size = add_entry(table, size, "", DROP, 5);
	hooks[NF_INET_LOCAL_OUT] = policies[NF_INET_LOCAL_OUT] = (uint32_t)size;
	size = add_entry(table, size, "", ACCEPT, 4);
	size = add_entry(table, size, "=mine", 0, 0);
	size = add_entry(table, size, "", DROP, 3);
	cr_assert(legacy_rules_parse(&rules, "filter", hooks, policies,
				     1 << NF_INET_LOCAL_IN | 1 << NF_INET_LOCAL_OUT, table, size));
	cr_assert_eq(rules.n, 3);
	cr_expect_str_eq(rules.items[0].chain, "INPUT");
	cr_expect_eq(rules.items[0].number, 2);
	cr_expect_eq(rules.items[0].packets, 7);
	cr_expect_str_eq(rules.items[1].chain, "INPUT");
	cr_expect_eq(rules.items[1].number, 0);
	cr_expect_str_eq(rules.items[2].chain, "mine");
	cr_expect_eq(rules.items[2].number, 1);
	for (size_t cut = 1; cut < size; cut++)
		if (cut % (sizeof(struct ipt_entry) + sizeof(struct xt_error_target)))
			cr_expect_not(legacy_rules_parse(&rules, "filter", hooks, policies, 0,
							 table, cut));
	legacy_rules_free(&rules);
}

/* An ICMP host unreachable from 192.0.2.9 that quotes a SYN from 10.0.0.1:4660 to 10.0.0.2:8080. */
static const uint8_t icmp[] = {
	0x45, 0,    0,    56,   0, 0, 0,  0, 61, 1,
	0,    0,    192,  0,    2, 9, 10, 0, 0,  1, /* IPv4 */
	3,    1,    0,    0,    0, 0, 0,  0,        /* ICMP */
	0x45, 0,    0,    60,   0, 0, 0,  0, 64, 6,
	0,    0,    10,   0,    0, 1, 10, 0, 0,  2, /* the quoted packet */
	0x12, 0x34, 0x1f, 0x90, 0, 0, 0,  1,
};

Test(diagnose, reads_the_packet_that_an_icmp_error_quotes)
{
	struct seen_packet seen;
	struct address client, server, router;

	address_parse("10.0.0.1", 0x1234, &client);
	address_parse("10.0.0.2", 8080, &server);
	address_parse("192.0.2.9", 0, &router);
	cr_assert(packet_watch_parse(icmp, sizeof(icmp), &seen));
	cr_expect(seen.is_icmp);
	cr_expect(address_equal(&seen.source, &client));
	cr_expect(address_equal(&seen.destination, &server));
	cr_expect(address_equal(&seen.from, &router));
	cr_expect_eq(seen.ttl, 61);
	cr_expect_eq(seen.icmp_type, 3);
	cr_expect_eq(seen.icmp_code, 1);
}

Test(diagnose, ignores_truncated_packets)
{
	struct seen_packet seen;

	/* The ports end four bytes into the quoted TCP header. */
	for (size_t length = 0; length < sizeof(icmp) - 4; length++) {
		AUTO_FREE uint8_t *cut = xmemdup(icmp, MAX(length, (size_t)1));

		cr_expect_not(packet_watch_parse(cut, length, &seen), "%zu bytes", length);
	}
}
