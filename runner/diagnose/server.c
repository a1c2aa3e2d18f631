/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads listeners and counters of this host: see server.h. */
#include "runner/diagnose/server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>

#include "injector/sock_list.h"

/* ---- counters and limits ---- */

/* Returns the number in a file that contains nothing else, or -1. */
static int64_t read_number(const char *path)
{
	AUTO_FCLOSE FILE *file = fopen(path, "re");
	int64_t number;

	return file && fscanf(file, "%" SCNd64, &number) == 1 ? number : -1;
}

static enum known read_switch(const char *path)
{
	int64_t number = read_number(path);

	return number < 0 ? UNKNOWN : number > 0 ? YES : NO;
}

/* Returns a counter of /proc/net/netstat (a line of names, then a line of values), or -1. */
static int64_t netstat_counter(const char *wanted)
{
	AUTO_FCLOSE FILE *file = fopen("/proc/net/netstat", "re");
	AUTO_FREE char *names = NULL, *values = NULL;
	size_t names_size = 0, values_size = 0;

	while (file && getline(&names, &names_size, file) > 0 &&
	       getline(&values, &values_size, file) > 0) {
		char *name_rest = NULL, *value_rest = NULL;
		char *name = strtok_r(names, " \n", &name_rest);
		char *value = strtok_r(values, " \n", &value_rest);

		for (; name && value; name = strtok_r(NULL, " \n", &name_rest),
				      value = strtok_r(NULL, " \n", &value_rest))
			if (strcmp(name, wanted) == 0)
				return strtoll(value, NULL, 10);
	}
	return -1;
}

/* Returns how many packets connection tracking dropped, on all processors; -1: unknown. */
static int64_t conntrack_drops(void)
{
	AUTO_FCLOSE FILE *file = fopen("/proc/net/stat/nf_conntrack", "re");
	AUTO_FREE char *line = NULL;
	size_t size = 0, column = 0, wanted = SIZE_MAX;
	int64_t drops = 0;

	if (!file || getline(&line, &size, file) < 0)
		return -1;
	for (char *rest = NULL, *name = strtok_r(line, " \n", &rest); name;
	     name = strtok_r(NULL, " \n", &rest), column++)
		if (strcmp(name, "drop") == 0)
			wanted = column;
	if (wanted == SIZE_MAX)
		return -1;
	while (getline(&line, &size, file) > 0) {
		column = 0;
		for (char *rest = NULL, *value = strtok_r(line, " \n", &rest); value;
		     value = strtok_r(NULL, " \n", &rest))
			if (column++ == wanted)
				drops += (int64_t)strtoull(value, NULL, 16);
	}
	return drops;
}

void server_read_counters(struct server_counters *ret)
{
	*ret = (struct server_counters){
		.listen_overflows = netstat_counter("ListenOverflows"),
		.request_drops = netstat_counter("TCPReqQFullDrop"),
		.path_filtered = netstat_counter("IPReversePathFilter"),
		.conntrack_drops = conntrack_drops(),
	};
}

static int64_t growth(int64_t before, int64_t after)
{
	return before < 0 || after < 0 ? -1 : after - before;
}

static uint32_t count_time_wait(void)
{
	AUTO_FCLOSE FILE *file = fopen("/proc/net/sockstat", "re");
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	uint32_t count;

	while (file && getline(&line, &size, file) > 0)
		if (sscanf(line, "TCP: inuse %*u orphan %*u tw %" SCNu32, &count) == 1)
			return count;
	return 0;
}

static void read_port_range(struct server_evidence *server)
{
	AUTO_FCLOSE FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

	if (!file ||
	    fscanf(file, "%" SCNu32 " %" SCNu32, &server->port_low, &server->port_high) != 2)
		server->port_low = server->port_high = 0;
}

/* ---- sockets ---- */

struct search {
	struct server_evidence *server;
	uint32_t inodes[MAX_LISTENERS];
};

static void on_socket(void *userdata, const struct sock_entry *entry)
{
	struct search *search = userdata;
	struct server_evidence *server = search->server;

	if (entry->state == TCP_SYN_RECV)
		server->half_open++;
	if (entry->state != TCP_LISTEN || server->n_listeners == MAX_LISTENERS)
		return;
	server->listeners[server->n_listeners] = (struct listener){
		.address = entry->local,
		.v6only = entry->ipv6_only,
		.queued = entry->unread,
		.backlog = entry->unacknowledged,
	};
	server->listeners[server->n_listeners].max_files = -1;
	search->inodes[server->n_listeners++] = entry->inode;
}

/* Returns "nginx (pid 12)" for a process, or NULL; owned by the caller. */
static char *name_process(const char *pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%s/comm", pid);
	AUTO_FCLOSE FILE *file = fopen(path, "re");
	char name[64];

	if (!file || !fgets(name, sizeof(name), file))
		return NULL;
	name[strcspn(name, "\n")] = '\0';
	return xasprintf("%s (pid %s)", name, pid);
}

/* Returns the soft limit of a process's open files, or -1: unknown, or none. */
static int64_t file_limit(const char *pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%s/limits", pid);
	AUTO_FCLOSE FILE *file = fopen(path, "re");
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	int64_t limit;

	while (file && getline(&line, &size, file) >= 0)
		if (sscanf(line, "Max open files %" SCNd64, &limit) == 1)
			return limit;
	return -1;
}

static int64_t count_entries(DIR *directory)
{
	int64_t n = 0;

	rewinddir(directory);
	for (const struct dirent *entry; (entry = readdir(directory));)
		n += entry->d_name[0] != '.';
	return n;
}

static void note_process(struct listener *listener, const char *pid, DIR *files)
{
	listener->program = name_process(pid);
	listener->n_files = count_entries(files);
	listener->max_files = file_limit(pid);
}

/* Searches one process's descriptors for the sockets. */
static void look_at_process(const char *pid, const struct search *search)
{
	AUTO_FREE char *path = xasprintf("/proc/%s/fd", pid);
	DIR *directory = opendir(path);
	bool held[MAX_LISTENERS] = {false};
	const struct dirent *entry;
	char link[64];

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		ssize_t length =
			readlinkat(dirfd(directory), entry->d_name, link, sizeof(link) - 1);
		uint32_t inode;

		if (length <= 0)
			continue;
		link[length] = '\0';
		if (sscanf(link, "socket:[%" SCNu32 "]", &inode) != 1)
			continue;
		for (size_t i = 0; i < search->server->n_listeners; i++)
			held[i] = held[i] || search->inodes[i] == inode;
	}
	for (size_t i = 0; i < search->server->n_listeners; i++)
		if (held[i] && !search->server->listeners[i].program)
			note_process(&search->server->listeners[i], pid, directory);
	closedir(directory);
}

static void name_programs(const struct search *search)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (!proc)
		return;
	while (search->server->n_listeners > 0 && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at_process(entry->d_name, search);
	closedir(proc);
}

void server_list(uint16_t port, struct server_evidence *ret)
{
	struct search search = {.server = ret};

	*ret = (struct server_evidence){0};
	ret->looked =
		sock_list(1u << TCP_LISTEN | 1u << TCP_SYN_RECV, port, on_socket, &search) == 0;
	name_programs(&search);
}

void server_look(uint16_t port, const struct server_counters *before, struct server_evidence *ret)
{
	struct server_counters after;

	server_list(port, ret);
	server_read_counters(&after);
	ret->listen_overflows = growth(before->listen_overflows, after.listen_overflows);
	ret->request_drops = growth(before->request_drops, after.request_drops);
	ret->path_filtered = growth(before->path_filtered, after.path_filtered);
	ret->conntrack_drops = growth(before->conntrack_drops, after.conntrack_drops);
	ret->conntrack_count = read_number("/proc/sys/net/netfilter/nf_conntrack_count");
	ret->conntrack_max = read_number("/proc/sys/net/netfilter/nf_conntrack_max");
	ret->syn_cookies = read_switch("/proc/sys/net/ipv4/tcp_syncookies");
	ret->abort_on_overflow = read_switch("/proc/sys/net/ipv4/tcp_abort_on_overflow");
	ret->time_wait = count_time_wait();
	read_port_range(ret);
}

void server_forget_listeners(struct server_evidence *server)
{
	server_free(server);
	server->n_listeners = 0;
	server->looked = false;
}

void server_free(struct server_evidence *server)
{
	for (size_t i = 0; i < server->n_listeners; i++)
		free(server->listeners[i].program);
	free(server->stray.program);
}
