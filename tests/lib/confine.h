/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confines a program as a container does: capabilities, and no new namespaces. Each function is a
 * `prepare` of struct program and confines the calling root process for good.
 */
#ifndef SYNFAULT_TESTS_LIB_CONFINE_H
#define SYNFAULT_TESTS_LIB_CONFINE_H

/* As root, with CAP_NET_ADMIN alone. */
void confine_to_net_admin(void);
/* As root, with Docker's default set plus CAP_NET_ADMIN. */
void confine_as_docker(void);
/* As root, with Podman's default set, which lacks CAP_NET_RAW, plus CAP_NET_ADMIN. */
void confine_as_podman(void);
/* As an ordinary user, with CAP_NET_ADMIN in the ambient set. */
void confine_to_user_with_net_admin(void);
/* As an ordinary user of a container in which only root has CAP_NET_ADMIN. */
void confine_to_user(void);
/* As root, with Docker's default set, which lacks CAP_NET_ADMIN. */
void confine_without_net_admin(void);

#endif
