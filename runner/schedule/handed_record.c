/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes records from supervisors: see handed_record.h. */
#include "runner/schedule/handed_record.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct record *handed_record_empty(const struct scenario *scenario)
{
	struct record *record = record_new();

	record->scenario = xstrdup(scenario->name);
	record->path = xstrdup(scenario->path);
	return record;
}

static struct record *read_record(int fd, char **ret_message)
{
	struct record *record;
	struct stat status;
	void *text;

	if (fstat(fd, &status) < 0 || status.st_size == 0)
		return NULL;
	text = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return NULL;
	record = record_read_json(text, (size_t)status.st_size, ret_message);
	munmap(text, (size_t)status.st_size);
	return record;
}

struct record *handed_record(const struct scenario *scenario, int fd, int wait_status,
			     bool interrupted)
{
	AUTO_FREE char *message = NULL;
	struct record *record = read_record(fd, &message);

	if (record)
		return record;
	record = handed_record_empty(scenario);
	if (interrupted)
		record_add_problem(record, false, "the run was interrupted");
	else if (WIFSIGNALED(wait_status))
		record_add_problem(record, false,
				   "the scenario's supervisor was killed by signal %d (%s)",
				   WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	else
		record_add_problem(
			record, false, "the scenario's supervisor left no record (status %d%s%s)",
			WEXITSTATUS(wait_status), message ? "; " : "", message ? message : "");
	return record;
}
