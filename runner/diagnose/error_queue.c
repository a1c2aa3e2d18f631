/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads error queues of connecting sockets: see error_queue.h. */
#include "runner/diagnose/error_queue.h"

/* For struct timespec, which the kernel's header needs but does not include. */
#include <time.h>

#include <linux/errqueue.h>
#include <netinet/in.h>

void error_queue_enable(int fd, int family)
{
	const int on = 1;

	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

bool error_queue_read(int fd, struct icmp_error *ret)
{
	char control[512], data[64];
	struct iovec part = {data, sizeof(data)};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		struct sock_extended_err error;

		if (c->cmsg_len < CMSG_LEN(sizeof(error) + sizeof(struct sockaddr_in)))
			continue;
		memcpy(&error, CMSG_DATA(c), sizeof(error));
		if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6)
			continue;
		*ret = (struct icmp_error){
			.type = error.ee_type,
			.code = error.ee_code,
			.mtu = error.ee_info,
		};
		/* The offender's address follows (SO_EE_OFFENDER in linux/errqueue.h). */
		address_from_sockaddr((const struct sockaddr *)(CMSG_DATA(c) + sizeof(error)),
				      &ret->from);
		return true;
	}
	return false;
}
