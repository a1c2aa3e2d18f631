/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's drop monitor: see drop_reasons.h. */
#include "runner/diagnose/drop_reasons.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/net_dropmon.h>

#include "injector/netlink.h"
#include "runner/diagnose/packet_watch.h"

enum {
	ATTR_SW_DROPS = 20, /* NET_DM_ATTR_…, which older headers lack */
	ATTR_REASON = 23,
	/* Headers, and the start of a quoted packet. */
	TRUNCATE_TO = 160,
	QUEUE_LENGTH = 1000,
	ETHERNET_HEADER = 14,
};

struct drop_reasons {
	uint16_t family;
	struct mnl_socket *commands, *alerts;
};

static struct nlmsghdr *begin(void *buffer, uint16_t family, uint8_t command)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic;

	header->nlmsg_type = family;
	header->nlmsg_flags = NLM_F_REQUEST;
	generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	generic->cmd = command;
	generic->version = 1;
	return header;
}

static int find_family(struct mnl_socket *socket, uint16_t *ret)
{
	char request[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	char answer[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = begin(request, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	const struct nlattr *attribute;
	int r;

	mnl_attr_put_strz(header, CTRL_ATTR_FAMILY_NAME, "NET_DM");
	r = netlink_ask(socket, header, answer, sizeof(answer));
	if (r < 0)
		return r;
	header = (struct nlmsghdr *)answer;
	mnl_attr_for_each(attribute, header, sizeof(struct genlmsghdr))
	{
		if (mnl_attr_get_type(attribute) != CTRL_ATTR_FAMILY_ID ||
		    mnl_attr_validate(attribute, MNL_TYPE_U16) < 0)
			continue;
		*ret = mnl_attr_get_u16(attribute);
		return 0;
	}
	return -ENOENT;
}

/* Sends a command, and returns what the kernel says of it. */
static int command(const struct drop_reasons *reasons, uint8_t command, int mode)
{
	struct netlink_batch batch = {0};
	struct nlmsghdr *header = begin(netlink_batch_room(&batch, 256), reasons->family, command);
	int r;

	if (command == NET_DM_CMD_CONFIG) {
		mnl_attr_put_u8(header, NET_DM_ATTR_ALERT_MODE, (uint8_t)mode);
		mnl_attr_put_u32(header, NET_DM_ATTR_TRUNC_LEN,
				 mode == NET_DM_ALERT_MODE_PACKET ? TRUNCATE_TO : 0);
		mnl_attr_put_u32(header, NET_DM_ATTR_QUEUE_LEN, QUEUE_LENGTH);
	} else {
		mnl_attr_put(header, ATTR_SW_DROPS, 0, NULL);
	}
	netlink_batch_add(&batch);
	netlink_batch_acknowledge(&batch);
	r = netlink_batch_send(&batch, reasons->commands, NULL);
	netlink_batch_deinit(&batch);
	return r;
}

static void free_sockets(struct drop_reasons *reasons)
{
	if (reasons->commands)
		mnl_socket_close(reasons->commands);
	if (reasons->alerts)
		mnl_socket_close(reasons->alerts);
}

int drop_reasons_start(struct drop_reasons **ret)
{
	struct drop_reasons reasons = {0};
	int r = netlink_open(NETLINK_GENERIC, &reasons.commands);

	if (r == 0)
		r = netlink_open(NETLINK_GENERIC, &reasons.alerts);
	if (r == 0)
		r = find_family(reasons.commands, &reasons.family);
	/* The one multicast group that keeps its number (net/netlink/genetlink.c). */
	if (r == 0)
		r = netlink_join(reasons.alerts, NET_DM_GRP_ALERT);
	/* -EBUSY while another program monitors. */
	if (r == 0)
		r = command(&reasons, NET_DM_CMD_CONFIG, NET_DM_ALERT_MODE_PACKET);
	if (r == 0)
		r = command(&reasons, NET_DM_CMD_START, 0);
	if (r < 0) {
		free_sockets(&reasons);
		return r;
	}
	*ret = xmemdup(&reasons, sizeof(reasons));
	return 0;
}

static bool is_of_trial(const struct evidence *evidence, const struct seen_packet *packet)
{
	for (size_t i = 0; i < evidence->n_addresses; i++) {
		const struct address_evidence *address = &evidence->addresses[i];

		for (size_t k = 0; k < address->n_trials; k++) {
			uint16_t port = address->trials[k].port;
			const struct address *server = address->trials[k].translated.family
							       ? &address->trials[k].translated
							       : &address->address;

			if ((packet->source.port == port &&
			     address_equal(&packet->destination, server)) ||
			    (packet->destination.port == port &&
			     address_equal(&packet->source, server)))
				return true;
		}
	}
	return false;
}

/* Copies a text of the kernel; every one of them is short. */
static void copy_text(char *ret, size_t size, const struct nlattr *attribute)
{
	snprintf(ret, size, "%.*s", (int)mnl_attr_get_payload_len(attribute),
		 mnl_attr_get_str(attribute));
}

void drop_reasons_parse(const void *message, struct evidence *evidence)
{
	const struct nlmsghdr *header = message;
	const struct genlmsghdr *generic = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute, *payload = NULL;
	struct kernel_drop drop = {.seen = YES};
	struct seen_packet packet;
	const uint8_t *data;
	size_t length;

	if (generic->cmd != NET_DM_CMD_PACKET_ALERT || evidence->kernel_drop.seen == YES)
		return;
	mnl_attr_for_each(attribute, header, sizeof(*generic))
	{
		if (mnl_attr_get_type(attribute) == NET_DM_ATTR_PAYLOAD)
			payload = attribute;
		else if (mnl_attr_get_type(attribute) == NET_DM_ATTR_SYMBOL)
			copy_text(drop.place, sizeof(drop.place), attribute);
		else if (mnl_attr_get_type(attribute) == ATTR_REASON)
			copy_text(drop.reason, sizeof(drop.reason), attribute);
	}
	if (!payload)
		return;
	data = mnl_attr_get_payload(payload);
	length = mnl_attr_get_payload_len(payload);
	/* It begins at the header of the link, if the packet had one by then. */
	if ((length > ETHERNET_HEADER &&
	     packet_watch_parse(data + ETHERNET_HEADER, length - ETHERNET_HEADER, &packet) &&
	     is_of_trial(evidence, &packet)) ||
	    (packet_watch_parse(data, length, &packet) && is_of_trial(evidence, &packet)))
		evidence->kernel_drop = drop;
}

static int on_alert(const struct nlmsghdr *header, void *userdata)
{
	drop_reasons_parse(header, userdata);
	return MNL_CB_OK;
}

void drop_reasons_stop(struct drop_reasons *reasons, struct evidence *evidence)
{
	char buffer[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t length;

	if (!reasons)
		return;
	command(reasons, NET_DM_CMD_STOP, 0);
	command(reasons, NET_DM_CMD_CONFIG, NET_DM_ALERT_MODE_SUMMARY);
	evidence->kernel_drop.seen = NO;
	while ((length = recv(mnl_socket_get_fd(reasons->alerts), buffer, sizeof(buffer),
			      MSG_DONTWAIT)) > 0)
		mnl_cb_run(buffer, (size_t)length, 0, 0, on_alert, evidence);
	free_sockets(reasons);
	free(reasons);
}
