/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's TCP settings for a sandbox. A new network namespace starts with the sysctls that are
 * compiled into the kernel, not with the host's: a client in it would see another SYN schedule than
 * on the machine on which it is tested. The differences are found once per run and written in each
 * sandbox.
 */
#ifndef SYNFAULT_RUNNER_SANDBOX_SYSCTL_H
#define SYNFAULT_RUNNER_SANDBOX_SYSCTL_H

#include "common/util.h"

struct sysctl {
	char *name;  /* below /proc/sys, such as "net/ipv4/tcp_syn_retries" */
	char *value; /* as read, without the final newline */
};

struct sysctls {
	struct sysctl *items; /* sorted by name */
	size_t n_items, capacity;
};

/* @value: as read, without the final newline; both are borrowed */
typedef void (*sysctl_look_fn)(void *userdata, const char *name, const char *value);

/**
 * sysctls_look() - look at all settings that matter in the calling process's namespace; never fails
 * @look: is called for each of them
 * @userdata: for @look
 */
void sysctls_look(sysctl_look_fn look, void *userdata);
/**
 * sysctls_read() - read all settings that matter in the calling process's namespace; never fails
 * @ret: free it with sysctls_free()
 */
void sysctls_read(struct sysctls *ret);
/**
 * sysctls_difference() - select the wanted settings that a fresh namespace has otherwise
 * @ret: settings of @wanted with another value in @fresh; those that @fresh lacks are left out
 */
void sysctls_difference(const struct sysctls *wanted, const struct sysctls *fresh,
			struct sysctls *ret);
/**
 * sysctls_write() - write settings in the calling process's network namespace
 * @ret_failed: on failure the name of the setting, borrowed from @settings
 *
 * Settings that don't decide on a handshake may fail.
 *
 * Return: 0, or the negative errno of the first other one.
 */
int sysctls_write(const struct sysctls *settings, const char **ret_failed);
/** sysctls_write_one() - write one sysctl that a scenario sets; return 0 or a negative errno */
int sysctls_write_one(const char *name, const char *value);
/** sysctls_read_number() - read an unsigned sysctl; return @otherwise if it can't be read */
uint32_t sysctls_read_number(const char *name, uint32_t otherwise);
/**
 * sysctls_has() - find out whether a sysctl has this value
 * @value: one blank in it stands for any amount of white space
 *
 * Return: false also if it can't be read.
 */
bool sysctls_has(const char *name, const char *value);
void sysctls_free(struct sysctls *settings);

#endif
