/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container allows a program: sets of capabilities, and no namespaces. Each function is a
 * `prepare` of struct program: it confines the calling process, which is root, for good.
 */
#ifndef SYNFAULT_TESTS_LIB_CONFINE_H
#define SYNFAULT_TESTS_LIB_CONFINE_H

/* As root, with nothing but CAP_NET_ADMIN. */
void confine_to_net_admin(void);
/* As root, with what Docker gives by default, and CAP_NET_ADMIN. */
void confine_as_docker(void);
/* As root, with what Podman gives by default, which lacks CAP_NET_RAW, and CAP_NET_ADMIN. */
void confine_as_podman(void);
/* As an ordinary user, with CAP_NET_ADMIN in the ambient set. */
void confine_to_user_with_net_admin(void);
/* As an ordinary user of a container that has CAP_NET_ADMIN: only its root holds it. */
void confine_to_user(void);
/* As root, with what Docker gives by default: CAP_NET_ADMIN is not in it. */
void confine_without_net_admin(void);

#endif
