/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reasons of the kernel's resets: see reset_reasons.h. */
#include "runner/diagnose/reset_reasons.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/duration.h"

#define EVENT "events/tcp/tcp_send_reset"

struct reset_reasons {
	int tracing, instance; /* directories */
	char name[64];         /* of the instance, below the root of tracefs */
};

/* Mounts tracefs without a place; returns its root directory, or a negative errno. */
static int open_tracefs(void)
{
	AUTO_CLOSE int context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	int root;

	if (context < 0)
		return errno == ENODEV ? -ENOENT : -errno;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	root = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	return root < 0 ? -errno : root;
}

static FILE *open_file(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? NULL : fdopen(fd, "r");
}

static bool has_reason(int tracing)
{
	AUTO_FCLOSE FILE *file = open_file(tracing, EVENT "/format");
	AUTO_FREE char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) >= 0)
		if (strstr(line, " reason;"))
			return true;
	return false;
}

static int write_switch(int directory, const char *name, const char *value)
{
	AUTO_CLOSE int fd = openat(directory, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static void remove_instance(struct reset_reasons *reasons)
{
	cleanup_close(&reasons->instance);
	/* It is removed with its events and buffers. */
	unlinkat(reasons->tracing, reasons->name, AT_REMOVEDIR);
	cleanup_close(&reasons->tracing);
}

int reset_reasons_start(struct reset_reasons **ret)
{
	struct reset_reasons reasons = {.tracing = open_tracefs(), .instance = -1};
	int r;

	if (reasons.tracing < 0)
		return reasons.tracing;
	if (!has_reason(reasons.tracing)) {
		close(reasons.tracing);
		return -ENOENT;
	}
	/* All pid namespaces share it, so our pid alone may not be ours alone. */
	snprintf(reasons.name, sizeof(reasons.name), "instances/synfault-%ld-%lld", (long)getpid(),
		 (long long)clock_monotonic_ns());
	r = mkdirat(reasons.tracing, reasons.name, 0700) < 0 ? -errno : 0;
	if (r < 0) {
		close(reasons.tracing);
		return r;
	}
	reasons.instance = openat(reasons.tracing, reasons.name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = reasons.instance < 0 ? -errno : write_switch(reasons.instance, "trace_clock", "mono");
	if (r == 0)
		r = write_switch(reasons.instance, EVENT "/enable", "1");
	if (r < 0) {
		remove_instance(&reasons);
		return r;
	}
	*ret = xmemdup(&reasons, sizeof(reasons));
	return 0;
}

/* Returns whether a line has an address with its port, and not only one that begins with it. */
static bool names_port(const char *line, const char *key, const char *value)
{
	AUTO_FREE char *text = xasprintf("%s%s ", key, value);

	return strstr(line, text) != NULL;
}

/* Returns the time of a line, which precedes the event's name: "123.456789: tcp_send_reset: …". */
static int64_t time_of(const char *line)
{
	const char *end = strstr(line, ": tcp_send_reset:");
	const char *start = end;
	int64_t seconds, microseconds;

	while (start && start > line && start[-1] != ' ')
		start--;
	return start && sscanf(start, "%" SCNd64 ".%6" SCNd64, &seconds, &microseconds) == 2
		       ? seconds * NS_PER_S + microseconds * 1000
		       : -1;
}

/* Returns whether the line is about a trial at the address, which the kernel writes as we do. */
static bool is_of_trial(const char *line, const struct trial *trial, const struct address *address)
{
	int64_t at_ns = time_of(line);
	const struct address *server = trial->translated.family ? &trial->translated : address;
	char where[ADDRESS_TEXT_SIZE], port[16];
	const char *destination = strstr(line, " dest=");

	address_format(server, where);
	snprintf(port, sizeof(port), ":%u ", trial->port);
	/* TCP's view is that of the server. */
	return trial->port && at_ns >= trial->started_ns - NS_PER_MS &&
	       at_ns <= trial->started_ns + trial->took_ns + NS_PER_MS && destination &&
	       names_port(line, " src=", where) && strstr(destination, port);
}

void reset_reasons_parse(const char *line, struct evidence *evidence)
{
	const char *reason = strstr(line, " reason=");

	if (!reason || evidence->kernel_reset.seen == YES)
		return;
	for (size_t i = 0; i < evidence->n_addresses; i++) {
		const struct address_evidence *address = &evidence->addresses[i];

		for (size_t k = 0; k < address->n_trials; k++) {
			struct kernel_reset reset = {.seen = YES};

			if (!is_of_trial(line, &address->trials[k], &address->address))
				continue;
			sscanf(reason, " reason=%47s", reset.reason);
			evidence->kernel_reset = reset;
		}
	}
}

void reset_reasons_stop(struct reset_reasons *reasons, struct evidence *evidence)
{
	FILE *trace;
	AUTO_FREE char *line = NULL;
	size_t size = 0;

	if (!reasons)
		return;
	write_switch(reasons->instance, EVENT "/enable", "0");
	evidence->kernel_reset.seen = NO;
	trace = open_file(reasons->instance, "trace");
	while (trace && getline(&line, &size, trace) >= 0)
		reset_reasons_parse(line, evidence);
	if (trace)
		fclose(trace);
	remove_instance(reasons);
	free(reasons);
}
