/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes the packet parser and, with what it accepts, the tracker. The input is a packet that
 * starts at its IP header.
 */
#include <errno.h>

#include "injector/tracker.h"
#include "tests/fuzz/fuzz.h"

/* The longest packet: an IPv6 header and as much as its 16-bit length can express. */
#define MAX_LENGTH (40 + UINT16_MAX)

static bool is_written(enum packet_error error)
{
	return error == PACKET_OK || error == PACKET_TCP_OPTION;
}

static void check_address(const struct address *address)
{
	static const uint8_t zero[12];

	REQUIRE(address->family == AF_INET || address->family == AF_INET6);
	if (address->family == AF_INET)
		REQUIRE(!memcmp(address->bytes + 4, zero, sizeof(zero)));
}

static void check_packet(const struct packet *packet, const uint8_t *data)
{
	check_address(&packet->source);
	check_address(&packet->destination);
	REQUIRE(packet->source.family == packet->destination.family);
	REQUIRE((packet->source.family == AF_INET) == (data[0] >> 4 == 4));
	REQUIRE(packet->payload_length <= MAX_LENGTH);
}

/* A shorter part of the packet gives the same result, or the error says that bytes are missing. */
static void check_cut(const uint8_t *data, size_t size, enum packet_error error,
		      const struct packet *packet)
{
	AUTO_FREE uint8_t *cut = xmemdup(data, size);
	struct packet cut_packet;
	enum packet_error cut_error;

	memset(&cut_packet, 0, sizeof(cut_packet));
	cut_error = packet_parse(cut, size, &cut_packet);
	if (cut_error == PACKET_EMPTY || cut_error == PACKET_IPV4_TRUNCATED ||
	    cut_error == PACKET_IPV6_TRUNCATED || cut_error == PACKET_IPV6_EXTENSION ||
	    cut_error == PACKET_TCP_TRUNCATED)
		return;
	REQUIRE(cut_error == error);
	if (!is_written(error))
		return;
	REQUIRE(address_equal(&cut_packet.source, &packet->source));
	REQUIRE(address_equal(&cut_packet.destination, &packet->destination));
	REQUIRE(cut_packet.sequence == packet->sequence);
	REQUIRE(cut_packet.acknowledgment == packet->acknowledgment);
	REQUIRE(cut_packet.payload_length == packet->payload_length);
	REQUIRE(cut_packet.mss == packet->mss);
	REQUIRE(cut_packet.flags == packet->flags);
}

static void check_tracker(const struct packet *packet)
{
	struct step step = {.action = STEP_LOSE, .repeat = 1, .lose = 1};
	const struct script script = {.steps = &step, .n_steps = 1};
	const struct tracker_endpoint endpoint = {&packet->destination, 1, &script};
	struct tracker *tracker = tracker_new(&endpoint, 1, 1);
	struct packet answer = {
		.source = packet->destination,
		.destination = packet->source,
		.acknowledgment = packet->sequence + 1 + packet->payload_length,
		.flags = TCP_FLAG_SYN | TCP_FLAG_ACK,
	};
	struct tracker_decision decision;
	struct attempt_info attempt;
	uint32_t id;

	REQUIRE(tracker_syn_ack(tracker, &answer, &attempt) == -ENOENT);
	REQUIRE(tracker_syn(tracker, packet, 1, &decision) == 0);
	REQUIRE(!decision.retransmission && decision.verdict.kind == VERDICT_DROP);
	REQUIRE(tracker_syn(tracker, packet, 2, &decision) == 0);
	REQUIRE(decision.retransmission && decision.verdict.kind == VERDICT_ACCEPT);
	REQUIRE(tracker_n_attempts(tracker) == 1);
	REQUIRE(tracker_syn_ack(tracker, &answer, &attempt) == 0);
	REQUIRE(attempt.state == ATTEMPT_ESTABLISHED);
	REQUIRE(tracker_find_open(tracker, &packet->source, &packet->destination, &id) == 0);
	REQUIRE(tracker_close(tracker, id).closed);
	REQUIRE(tracker_find_open(tracker, &packet->source, &packet->destination, &id) == -ENOENT);
	tracker_free(tracker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet packet, before;
	enum packet_error error;

	memset(&packet, 0x5a, sizeof(packet));
	before = packet;
	error = packet_parse(data, size, &packet);
	REQUIRE(error < PACKET_N_ERRORS);
	REQUIRE(*packet_error_text(error));
	if (is_written(error))
		check_packet(&packet, data);
	else
		REQUIRE(!memcmp(&packet, &before, sizeof(packet)));
	if (size > 0) {
		/* Two cuts: where the kernel's copy ends, and where the input itself says. */
		check_cut(data, MIN(size, (size_t)PACKET_COPY_RANGE), error, &packet);
		check_cut(data, data[size - 1] % size, error, &packet);
	}
	if (is_written(error) && packet_is_syn(&packet)) {
		REQUIRE(!packet_is_syn_ack(&packet));
		check_tracker(&packet);
	}
	return 0;
}
