/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel settings that a scenario can change: see sysctl_allowlist.h. */
#include "runner/scenario/sysctl_allowlist.h"

#include <inttypes.h>

#include "common/strbuf.h"

/*
 * Bounds are those of net/ipv4/sysctl_net_ipv4.c; if it has none, those of the type. Not every
 * kernel has all settings.
 */
#define FLAG(path)                                                                                 \
	{                                                                                          \
		path, 1, 0, 1                                                                      \
	}
#define BYTE(path)                                                                                 \
	{                                                                                          \
		path, 1, 0, UINT8_MAX                                                              \
	}
#define COUNT(path, low)                                                                           \
	{                                                                                          \
		path, 1, low, INT32_MAX                                                            \
	}
#define UP_TO(path, high)                                                                          \
	{                                                                                          \
		path, 1, 0, high                                                                   \
	}
#define WORD(path)                                                                                 \
	{                                                                                          \
		path, 0, 0, 0                                                                      \
	}
static const struct allowed_sysctl names[] = {
	{"net/ipv4/tcp_syn_retries", 1, 1, 127}, /* MAX_TCP_SYNCNT */
	UP_TO("net/ipv4/tcp_syn_linear_timeouts", 127),
	BYTE("net/ipv4/tcp_synack_retries"),
	BYTE("net/ipv4/tcp_retries1"),
	BYTE("net/ipv4/tcp_retries2"),
	BYTE("net/ipv4/tcp_orphan_retries"),
	COUNT("net/ipv4/tcp_rto_min_us", 1),
	{"net/ipv4/tcp_rto_max_ms", 1, 1000, 120000},
	FLAG("net/ipv4/tcp_abort_on_overflow"),
	COUNT("net/ipv4/tcp_max_syn_backlog", 0),
	UP_TO("net/ipv4/tcp_syncookies", 2),
	FLAG("net/ipv4/tcp_migrate_req"),
	UP_TO("net/ipv4/tcp_fastopen", 0xffff),
	COUNT("net/ipv4/tcp_fastopen_blackhole_timeout_sec", 0),
	COUNT("net/ipv4/tcp_fin_timeout", 0),
	COUNT("net/ipv4/tcp_keepalive_time", 1),
	COUNT("net/ipv4/tcp_keepalive_intvl", 1),
	{"net/ipv4/tcp_keepalive_probes", 1, 1, 255},
	UP_TO("net/ipv4/tcp_ecn", 5),
	FLAG("net/ipv4/tcp_ecn_fallback"),
	UP_TO("net/ipv4/tcp_timestamps", 2),
	FLAG("net/ipv4/tcp_sack"),
	FLAG("net/ipv4/tcp_dsack"),
	FLAG("net/ipv4/tcp_window_scaling"),
	UP_TO("net/ipv4/tcp_tw_reuse", 2),
	COUNT("net/ipv4/tcp_max_tw_buckets", 0),
	FLAG("net/ipv4/tcp_rfc1337"),
	UP_TO("net/ipv4/tcp_mtu_probing", 2),
	{"net/ipv4/tcp_base_mss", 1, 0, 65535},
	{"net/ipv4/tcp_min_snd_mss", 1, 48, 65535},
	FLAG("net/ipv4/tcp_slow_start_after_idle"),
	FLAG("net/ipv4/tcp_moderate_rcvbuf"),
	FLAG("net/ipv4/tcp_no_metrics_save"),
	UP_TO("net/ipv4/tcp_early_retrans", 4),
	BYTE("net/ipv4/tcp_recovery"),
	FLAG("net/ipv4/tcp_thin_linear_timeouts"),
	FLAG("net/ipv4/tcp_autocorking"),
	COUNT("net/ipv4/tcp_limit_output_bytes", 0),
	UP_TO("net/ipv4/tcp_notsent_lowat", UINT32_MAX),
	FLAG("net/ipv4/tcp_shrink_window"),
	WORD("net/ipv4/tcp_congestion_control"),
	{"net/ipv4/tcp_rmem", 3, 1, INT32_MAX},
	{"net/ipv4/tcp_wmem", 3, 1, INT32_MAX},
	{"net/ipv4/ip_local_port_range", 2, 1, UINT16_MAX},
	{"net/ipv4/ip_default_ttl", 1, 1, 255},
	UP_TO("net/ipv4/ip_unprivileged_port_start", UINT16_MAX),
	COUNT("net/core/somaxconn", 0),
	FLAG("net/ipv6/bindv6only"),
	UP_TO("net/mptcp/enabled", 1),
};

const char *sysctl_short_name(const struct allowed_sysctl *name)
{
	return strrchr(name->path, '/') + 1;
}

/* Accepts both "net.ipv4.tcp_sack" and "net/ipv4/tcp_sack". */
static bool is_path(const char *path, const char *name)
{
	for (; *path && (*path == *name || (*path == '/' && *name == '.')); path++)
		name++;
	return !*path && !*name;
}

const struct allowed_sysctl *sysctl_allowlist_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (is_path(names[i].path, name) || strcmp(sysctl_short_name(&names[i]), name) == 0)
			return &names[i];
	return NULL;
}

const char **sysctl_allowlist(void)
{
	const char **list = xzalloc((ARRAY_SIZE(names) + 1) * sizeof(*list));

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		list[i] = sysctl_short_name(&names[i]);
	return list;
}

static char *what_it_takes(const struct allowed_sysctl *name)
{
	if (name->n_numbers == 0)
		return xstrdup("a word of letters, digits, \"-\" and \"_\"");
	if (name->n_numbers == 1)
		return xasprintf("a number from %" PRId64 " to %" PRId64, name->low, name->high);
	return xasprintf("%zu numbers from %" PRId64 " to %" PRId64 " with blanks between them",
			 name->n_numbers, name->low, name->high);
}

static bool is_word(const char *text)
{
	return *text && strlen(text) <= 64 &&
	       !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_-")];
}

/* Returns whether a text consists of exactly the numbers that the setting takes. */
static bool are_numbers(const struct allowed_sysctl *name, const char *text)
{
	size_t n = 0;

	for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
		size_t digits = strspn(text, "0123456789");
		int64_t value = 0;

		for (size_t i = 0; i < digits && value <= name->high; i++)
			value = value * 10 + (text[i] - '0');
		text += digits;
		if (!digits || (*text && !strchr(" \t", *text)) || value < name->low ||
		    value > name->high)
			return false;
		n++;
	}
	return n == name->n_numbers;
}

char *sysctl_value(const struct allowed_sysctl *name, const char *text, char **ret_message)
{
	if (name->n_numbers ? are_numbers(name, text) : is_word(text))
		return xstrdup(text);
	*ret_message = what_it_takes(name);
	return NULL;
}
