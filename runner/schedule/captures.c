/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps captures: see captures.h. */
#include "runner/schedule/captures.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "runner/report/file.h"
#include "runner/report/svg_files.h"
#include "runner/trace/trace.h"

#define SUFFIX ".pcapng"

void captures_complete(struct capture_policy *policy, const char *directory)
{
	if (policy->mode == CAPTURE_N_MODES)
		policy->mode = policy->directory ? CAPTURE_FAILED : CAPTURE_NEVER;
	if (!policy->directory)
		policy->directory = directory;
}

int captures_prepare(const struct capture_policy *policy, struct diag_list *diags)
{
	return policy->mode == CAPTURE_NEVER
		       ? 0
		       : report_directory_make("packet captures", policy->directory, diags);
}

int captures_open(const struct capture_policy *policy)
{
	int fd;

	if (policy->mode == CAPTURE_NEVER)
		return -1;
	/*
	 * In memory: most captures have a few KiB, and a file on a disk would cost each scenario a
	 * millisecond. --capture-size bounds the memory.
	 */
	fd = memfd_create("capture", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_kept(const struct capture_policy *policy, const struct result *result)
{
	return policy->mode == CAPTURE_ALWAYS || result_is_failure(result);
}

/* Makes the file anew: what an earlier run left there may be a link or another user's file. */
static int create(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);

	if (fd >= 0 || errno != EEXIST)
		return fd;
	unlink(path);
	return open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
}

static int write_capture(const char *path, const struct spool_content *content,
			 const struct result *result)
{
	AUTO_CLOSE int fd = create(path);
	AUTO_STRBUF struct strbuf outcome = {0};
	int status;

	if (fd < 0)
		return -errno;
	result_outcome_line(result, &outcome);
	status = trace_write(fd, content, result->scenario, result->record, strbuf_text(&outcome));
	if (status < 0)
		unlink(path);
	return status;
}

/* Writes the capture. Returns whether the file exists; if not, the result says why. */
static bool keep(const char *path, int fd, struct result *result)
{
	AUTO_SPOOL_CONTENT struct spool_content content = spool_read(fd);
	int status;

	if (content.reason) {
		result->no_capture = steal_pointer(&content.reason);
		return false;
	}
	if (content.size == 0) {
		result->no_capture = xstrdup("the scenario ended before its packets were captured");
		return false;
	}
	status = write_capture(path, &content, result);
	if (status < 0)
		result->no_capture = xasprintf("%s can't be written: %s", path, strerror(-status));
	return status == 0;
}

void captures_take(const struct capture_policy *policy, int fd, struct result *result, size_t index)
{
	AUTO_FREE char *name = report_page_name(result, index);
	AUTO_FREE char *path = xasprintf("%s/%s" SUFFIX, policy->directory, name);

	if (is_kept(policy, result) && keep(path, fd, result))
		result->capture = steal_pointer(&path);
	else
		unlink(path); /* a file of an earlier run would be taken for this run's */
}

void captures_set_aside(struct result *result)
{
	AUTO_FREE char *path = NULL;

	if (!result->capture)
		return;
	path = xasprintf("%.*s.%zu" SUFFIX, (int)(strlen(result->capture) - strlen(SUFFIX)),
			 result->capture, result->n_earlier + 1);
	if (rename(result->capture, path) < 0)
		return;
	free(result->capture);
	result->capture = steal_pointer(&path);
}
