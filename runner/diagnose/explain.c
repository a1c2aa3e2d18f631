/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums, texts and the list of causes: see explain.h. */
#include "runner/diagnose/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include "common/duration.h"
#include "common/text.h"

void explain_add_parts(const struct context *context, size_t address, const struct parts *parts)
{
	struct diagnosis *diagnosis = context->diagnosis;

	array_append(diagnosis->causes, diagnosis->n_causes, diagnosis->capacity,
		     (struct cause){
			     .kind = parts->kind,
			     .address = (uint32_t)address,
			     .sentence = parts->sentence,
			     .evidence = parts->evidence,
			     .advice = parts->advice,
			     .steps = parts->steps ? xstrdup(parts->steps) : NULL,
		     });
}

/* ---- sums ---- */

static void sum_connected(struct sums *sums, const struct trial *trial)
{
	sums->connected++;
	sums->closed += trial->closed_at_once;
	sums->reset += trial->reset_at_once;
	sums->repeated += trial->syns > 1;
	/* It came again although the client has answered it. A retransmitted SYN gets one more. */
	if (trial->watched_on && trial->syns == 1 && trial->syn_acks > 1)
		sums->unfinished = trial;
	if (!sums->slowest || trial->took_ns > sums->slowest->took_ns)
		sums->slowest = trial;
}

struct sums explain_sum_up(const struct address_evidence *address)
{
	struct sums sums = {.n = address->n_trials};

	for (size_t i = 0; i < address->n_trials; i++) {
		const struct trial *trial = &address->trials[i];

		if (trial->icmp_ns != INT64_MAX)
			sums.icmp = trial;
		if (trial->syn_acks > 0)
			sums.answer = trial;
		if (trial->watched && !trial->own_syn_seen)
			sums.syn_missing = true;
		if (trial->error == 0) {
			sum_connected(&sums, trial);
		} else if (trial->error == ECONNREFUSED) {
			sums.refused++;
			sums.refusal = trial;
		} else if (trial->error == ETIMEDOUT) {
			sums.silent++;
			sums.silence = trial;
		} else {
			sums.other++;
			sums.last_error = trial->error;
		}
	}
	return sums;
}

const struct address *explain_served(const struct address_evidence *address)
{
	return address->backend.family ? &address->backend : &address->address;
}

const struct server_evidence *explain_server(const struct context *context, size_t index)
{
	const struct evidence *evidence = context->evidence;
	enum server_place place = evidence->addresses[index].server;
	const struct server_evidence *server = place == SERVER_HERE    ? &evidence->here
					       : place == SERVER_THERE ? &evidence->there
								       : NULL;

	return server && server->looked ? server : NULL;
}

char *nat_text(const struct address_evidence *address)
{
	char from[ADDRESS_TEXT_SIZE], to[ADDRESS_TEXT_SIZE];

	if (address->backend.family == 0)
		return xstrdup("");
	return xasprintf("; NAT of this host passes %s on to %s",
			 address_format(&address->address, from),
			 address_format(&address->backend, to));
}

/* ---- listeners of this host ---- */

static bool is_wildcard(const struct address *address)
{
	static const uint8_t zero[16];

	return memcmp(address->bytes, zero, sizeof(zero)) == 0;
}

bool address_is_loopback(const struct address *address)
{
	static const uint8_t ipv6[16] = {[15] = 1};

	return address->family == AF_INET ? address->bytes[0] == 127
					  : memcmp(address->bytes, ipv6, sizeof(ipv6)) == 0;
}

bool listener_takes(const struct listener *listener, const struct address *address)
{
	if (is_wildcard(&listener->address))
		return listener->address.family == address->family ||
		       (listener->address.family == AF_INET6 && !listener->v6only);
	return listener->address.family == address->family &&
	       memcmp(listener->address.bytes, address->bytes, sizeof(address->bytes)) == 0;
}

const struct listener *find_listener(const struct server_evidence *server,
				     const struct address *address)
{
	for (size_t i = 0; i < server->n_listeners; i++)
		if (listener_takes(&server->listeners[i], address))
			return &server->listeners[i];
	return NULL;
}

/* Returns "nginx (pid 12) listens on 127.0.0.1:8080"; owned by the caller. */
char *listener_text(const struct listener *listener)
{
	char where[ADDRESS_TEXT_SIZE];

	return xasprintf("%s listens on %s%s", listener->program ? listener->program : "a program",
			 address_format(&listener->address, where),
			 listener->address.family == AF_INET6 && is_wildcard(&listener->address)
				 ? listener->v6only ? " (IPv6 only)" : " (both families)"
				 : "");
}

/* ---- texts of answers ---- */

const char *icmp_text(int family, uint8_t type, uint8_t code)
{
	static const char *const ipv4[] = {
		"net unreachable",  "host unreachable",     "protocol unreachable",
		"port unreachable", "fragmentation needed",
	};
	static const char *const ipv6[] = {
		"no route",         "administratively prohibited",
		"beyond scope",     "address unreachable",
		"port unreachable", "source address failed policy",
		"route rejected",
	};

	if (family == AF_INET && type == ICMP_TIME_EXCEEDED)
		return "time exceeded";
	if (family == AF_INET6 && type == ICMP6_TIME_EXCEEDED)
		return "time exceeded";
	if (family == AF_INET6)
		return type == ICMP6_DST_UNREACH && code < ARRAY_SIZE(ipv6) ? ipv6[code] : "error";
	if (code == ICMP_NET_ANO || code == ICMP_HOST_ANO || code == ICMP_PKT_FILTERED)
		return "administratively prohibited";
	return code < ARRAY_SIZE(ipv4) ? ipv4[code] : "unreachable";
}

/* Returns "RST after 310 us, TTL 64, window 0"; owned by the caller. */
char *rst_text(const struct trial *trial)
{
	char after[DURATION_TEXT_SIZE];

	if (trial->rst_ns == INT64_MAX)
		return xasprintf("connect() failed with ECONNREFUSED after %s",
				 duration_format(trial->took_ns, after));
	return xasprintf("RST after %s, TTL %u, window %u", duration_format(trial->rst_ns, after),
			 trial->rst_ttl, trial->rst_window);
}

char *silence_text(const struct evidence *evidence, const struct trial *trial)
{
	char patience[DURATION_TEXT_SIZE];

	return xasprintf("%u SYN%s, no answer within %s", trial->syns, PLURAL(trial->syns),
			 duration_format(evidence->patience_ns, patience));
}

const char *drop_reasons_obstacle(const struct kernel_drop *drop)
{
	if (drop->seen != UNKNOWN || drop->why == 0)
		return NULL;
	switch (drop->why) {
	case ENOENT:
		return "this kernel has no drop monitor (CONFIG_NET_DROP_MONITOR), or does not "
		       "show it in this network namespace";
	case EBUSY:
	case EAGAIN:
		return "another program uses the drop monitor";
	default:
		return strerror(drop->why);
	}
}

const char *reset_reasons_obstacle(const struct kernel_reset *reset)
{
	if (reset->seen != UNKNOWN || reset->why == 0)
		return NULL;
	return reset->why == ENOENT  ? "this kernel gives no reasons (tcp_send_reset, Linux 6.10)"
	       : reset->why == EPERM ? "that needs CAP_SYS_ADMIN in the initial user namespace"
				     : strerror(reset->why);
}

char *kernel_reset_text(const struct evidence *evidence)
{
	const struct kernel_reset *reset = &evidence->kernel_reset;

	if (reset->seen == YES)
		return xasprintf("; the kernel sent it, with the reason %s", reset->reason);
	return xstrdup(reset->seen == NO ? "; TCP of this machine did not send it" : "");
}

/* Commands that show a rule have to run where it is. */
static const char *place_of_rule(bool there)
{
	return there ? " (in the server's network namespace)" : "";
}

static char *legacy_advice(const struct legacy_drop *drop)
{
	char rule[32] = "the policy";

	if (drop->number > 0)
		snprintf(rule, sizeof(rule), "rule %u", drop->number);
	return xasprintf("%s of chain %s of iptables-legacy took %" PRIu64 " packet%s during the "
			 "trials: %s -t %s -L %s -nv --line-numbers%s",
			 rule, drop->chain, drop->packets, PLURAL(drop->packets),
			 drop->ipv6 ? "ip6tables-legacy" : "iptables-legacy", drop->table,
			 drop->chain, place_of_rule(drop->there));
}

char *rule_advice(const struct evidence *evidence)
{
	static const struct {
		uint8_t family;
		const char *name;
	} families[] = {{NFPROTO_IPV4, "ip"}, {NFPROTO_IPV6, "ip6"}, {NFPROTO_INET, "inet"}};
	const struct traced_drop *drop = &evidence->drop;
	const char *family = "inet";

	if (drop->traced != YES && evidence->legacy_drop.packets > 0)
		return legacy_advice(&evidence->legacy_drop);
	if (drop->traced == NO)
		return xstrdup("look for it: nft list ruleset (or iptables-save)");
	if (drop->traced == UNKNOWN)
		return xstrdup(
			"look for it: nft list ruleset (or iptables-save); --intrusive names it");
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (families[i].family == drop->family)
			family = families[i].name;
	if (drop->by_policy)
		return xasprintf("a chain's policy drops it: nft list chain %s %s %s%s", family,
				 drop->table, drop->chain, place_of_rule(drop->there));
	return xasprintf("it is the rule with handle %" PRIu64 ": nft -a list chain %s %s %s%s",
			 drop->handle, family, drop->table, drop->chain,
			 place_of_rule(drop->there));
}
