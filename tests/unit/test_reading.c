/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attempts read off their packets. A story is a row of packets, each a direction and flags: ">S" is
 * the client's SYN, "<SA" the server's SYN-ACK, "<RA" an RST that acknowledges, ">A+10" an ACK with
 * ten bytes, "!3.1" an ICMP error of that type and code.
 */
#include <criterion/criterion.h>

#include "runner/trace/reading.h"

#define CLIENT_ISN UINT32_C(0xfffffff0) /* sequence numbers soon wrap */
#define SERVER_ISN UINT32_C(5000)

struct story {
	struct reader reader;
	uint32_t next[2]; /* sequence numbers: the client's, the server's */
};

static void begin(struct story *story, const char *client, const char *server)
{
	struct attempt_key key = {.isn = CLIENT_ISN};

	cr_assert_eq(address_parse(client, 40000, &key.client), 0);
	cr_assert_eq(address_parse(server, 80, &key.server), 0);
	reader_begin(&story->reader, &key);
	story->next[0] = CLIENT_ISN + 1;
	story->next[1] = SERVER_ISN + 1;
}

static uint8_t parse_flags(const char **word)
{
	static const char letters[] = "FSRPA";
	uint8_t flags = 0;

	for (const char *letter; **word && (letter = strchr(letters, **word)); (*word)++)
		flags |= (uint8_t)(1U << (letter - letters));
	return flags;
}

static void take(struct story *story, const char *word)
{
	const struct attempt_key *key = &story->reader.key;
	struct segment segment = {.tcp = {.source = key->client, .destination = key->server}};
	bool server = *word == '<';

	if (*word == '!') {
		segment.kind = SEGMENT_ICMP_ERROR;
		segment.tcp.sequence = key->isn;
		segment.icmp_type = (uint8_t)atoi(word + 1);
		segment.icmp_code = (uint8_t)atoi(strchr(word, '.') + 1);
		reader_take(&story->reader, &segment);
		return;
	}
	word++;
	if (server) {
		segment.tcp.source = key->server;
		segment.tcp.destination = key->client;
	}
	segment.tcp.flags = parse_flags(&word);
	segment.tcp.payload_length = *word == '+' ? (uint32_t)atol(word + 1) : 0;
	segment.tcp.acknowledgment = story->next[!server];
	segment.tcp.sequence = story->next[server];
	if (segment.tcp.flags & TCP_FLAG_SYN)
		segment.tcp.sequence = server ? SERVER_ISN : CLIENT_ISN;
	/* "=": sent before, sent again */
	if (!strchr(word, '='))
		story->next[server] += segment.tcp.payload_length;
	reader_take(&story->reader, &segment);
}

static char *tell(const char *client, const char *server, const char *words)
{
	AUTO_FREE char *copy = xstrdup(words);
	struct strbuf text = {0};
	struct story story;
	char *rest = copy, *word;

	begin(&story, client, server);
	while ((word = strsep(&rest, " ")))
		take(&story, word);
	reading_format(&story.reader.reading, &text);
	return strbuf_steal(&text);
}

Test(reading, reads_attempts_as_an_engineer_would)
{
	static const struct {
		const char *packets, *reading;
	} cases[] = {
		{">S", "no answer"},
		{">S >S >S", "no answer"},
		{">S <RA", "refused by RST"},
		{">S >S <RA", "refused by RST"},
		{">S <R", "no answer"}, /* acknowledges nothing: the client ignores it */
		{">S !3.0", "ICMP error (net unreachable)"},
		{">S !3.1", "ICMP error (host unreachable)"},
		{">S !3.2", "ICMP error (protocol unreachable)"},
		{">S !3.3", "ICMP error (port unreachable)"},
		{">S !3.13", "ICMP error (administratively prohibited)"},
		{">S !3.99", "ICMP error (type 3, code 99)"},
		{">S !11.0", "ICMP error (type 11, code 0)"},
		{">S <SA", "SYN-ACK never answered"},
		{">S <SA <SA >S <SA", "SYN-ACK never answered"},
		{">S <SA >R", "SYN-ACK too late: the client had given up"},
		{">S <SA >A", "completed, 0 bytes from the client, 0 from the server, not closed"},
		{">S <SA >S <SA >A >FA <FA >A",
		 "completed, 0 bytes from the client, 0 from the server"},
		{">S <SA >A >PA+10 <A <PA+300 >A >FA <FA >A",
		 "completed, 10 bytes from the client, 300 from the server"},
		{">S <SA >A >PA+10 <PA+100 <PA+100 >RA",
		 "completed, 10 bytes from the client, 200 from the server, reset by the client"},
		/* Fast Open: what the SYN-ACK acknowledges of the SYN's data */
		{">S+7 <SA >A",
		 "completed, 7 bytes from the client, 0 from the server, not closed"},
		{">S+1 <SA >A >PA+4 <PA+1 >A",
		 "completed, 5 bytes from the client, 1 from the server, not closed"},
		{">S+7= <SA >A",
		 "completed, 0 bytes from the client, 0 from the server, not closed"},
		{">S <SA >A >PA+1",
		 "completed, 1 byte from the client, 0 from the server, not closed"},
		{">S <SA >A <RA",
		 "reset after SYN-ACK, 0 bytes from the client, 0 from the server"},
		{">S <SA >A >PA+10 <R",
		 "reset after SYN-ACK, 10 bytes from the client, 0 from the server"},
		{">S <SA <R", "reset after SYN-ACK, 0 bytes from the client, 0 from the server"},
		/* the server had closed its side; the client sent on */
		{">S <SA >A <FA >PA+5 <R", "completed, 5 bytes from the client, 0 from the server"},
		/* an error about an established connection does not answer its SYN */
		{">S <SA >A !3.1",
		 "completed, 0 bytes from the client, 0 from the server, not closed"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *reading = tell("192.0.2.1", "192.0.2.2", cases[i].packets);

		cr_expect_str_eq(reading, cases[i].reading, "%s: \"%s\", not \"%s\"",
				 cases[i].packets, reading, cases[i].reading);
	}
}

Test(reading, knows_the_errors_of_ipv6)
{
	static const struct {
		const char *packets, *reading;
	} cases[] = {
		{">S !1.0", "ICMP error (no route)"},
		{">S !1.1", "ICMP error (administratively prohibited)"},
		{">S !1.3", "ICMP error (address unreachable)"},
		{">S !1.4", "ICMP error (port unreachable)"},
		{">S !3.0", "ICMP error (type 3, code 0)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *reading = tell("2001:db8::1", "2001:db8::2", cases[i].packets);

		cr_expect_str_eq(reading, cases[i].reading, "%s: \"%s\", not \"%s\"",
				 cases[i].packets, reading, cases[i].reading);
	}
}

Test(reading, counts_repeated_data_once)
{
	AUTO_FREE char *reading =
		tell("192.0.2.1", "192.0.2.2", ">S <SA >A <PA+100= <PA+100= <PA+100 <FA >FA");

	cr_assert_str_eq(reading, "completed, 0 bytes from the client, 100 from the server");
}

Test(reading, counts_beyond_4_gib)
{
	struct story story;

	begin(&story, "192.0.2.1", "192.0.2.2");
	take(&story, ">S");
	take(&story, "<SA");
	take(&story, ">A");
	for (int i = 0; i < 10000; i++)
		take(&story, "<A+1000000");
	cr_assert_eq(story.reader.reading.server_bytes, UINT64_C(10000000000));
}

/* ---- segments ---- */

/* A port unreachable about a SYN from 10.0.0.1:40000 to 10.0.0.2:80. */
static const uint8_t icmp_error[] = {
	0x45, 0,    0,    56, 0,  0, 0, 0, 64, IPPROTO_ICMP, 0, 0, 10, 0, 0, 2, 10, 0, 0,
	1,    3,    3,    0,  0,  0, 0, 0, 0, /**/
	0x45, 0,    0,    60, 0,  0, 0, 0, 64, IPPROTO_TCP,  0, 0, 10, 0, 0, 1, 10, 0, 0,
	2,    0x9c, 0x40, 0,  80, 1, 2, 3, 4,
};

Test(reading, an_icmp_error_belongs_to_the_packet_it_quotes)
{
	struct segment segment;
	char text[ADDRESS_TEXT_SIZE];

	cr_assert(segment_parse(icmp_error, sizeof(icmp_error), &segment));
	cr_assert_eq(segment.kind, SEGMENT_ICMP_ERROR);
	cr_assert_eq(segment.icmp_type, 3);
	cr_assert_eq(segment.icmp_code, 3);
	cr_assert_str_eq(address_format(&segment.tcp.source, text), "10.0.0.1:40000");
	cr_assert_str_eq(address_format(&segment.tcp.destination, text), "10.0.0.2:80");
	cr_assert_eq(segment.tcp.sequence, 0x01020304);
}

Test(reading, refuses_a_packet_that_is_cut_anywhere)
{
	struct segment segment;

	for (size_t length = 0; length < sizeof(icmp_error); length++) {
		/* of exactly this length, so that a sanitizer sees what is read beyond it */
		AUTO_FREE uint8_t *copy = xmemdup(icmp_error, length);

		cr_expect(!segment_parse(copy, length, &segment), "%zu bytes", length);
	}
}

Test(reading, ignores_other_packets)
{
	struct segment segment;
	AUTO_FREE uint8_t *echo = xmemdup(icmp_error, sizeof(icmp_error));
	AUTO_FREE uint8_t *udp = xmemdup(icmp_error, sizeof(icmp_error));
	AUTO_FREE uint8_t *about_udp = xmemdup(icmp_error, sizeof(icmp_error));
	AUTO_FREE uint8_t *long_header = xmemdup(icmp_error, sizeof(icmp_error));

	echo[20] = 8;
	udp[9] = IPPROTO_UDP;
	about_udp[28 + 9] = IPPROTO_UDP;
	long_header[28] = 0x4f;
	cr_expect(!segment_parse(echo, sizeof(icmp_error), &segment));
	cr_expect(!segment_parse(udp, sizeof(icmp_error), &segment));
	cr_expect(!segment_parse(about_udp, sizeof(icmp_error), &segment));
	cr_expect(!segment_parse(long_header, sizeof(icmp_error), &segment));
}
