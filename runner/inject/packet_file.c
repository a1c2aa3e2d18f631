/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The capture file of a daemon: see packet_file.h. */
#include "runner/inject/packet_file.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/mman.h>

#include "runner/trace/trace.h"

static void add_interface(struct packet_file *file, uint32_t index, const char *name)
{
	struct spool_interface interface = {.index = index};

	snprintf(interface.name, sizeof(interface.name), "%s", name);
	array_append(file->interfaces, file->n_interfaces, file->interfaces_capacity, interface);
}

static void find_interfaces(struct packet_file *file)
{
	struct if_nameindex *all = if_nameindex();

	if (!all)
		return;
	for (size_t i = 0; all[i].if_index; i++)
		add_interface(file, all[i].if_index, all[i].if_name);
	if_freenameindex(all);
}

int packet_file_open(struct packet_file *file, const char *path, bool everywhere)
{
	*file = (struct packet_file){.path = path, .fd = -1, .spool_fd = -1};
	if (!path)
		return 0;
	/* In memory, where packets stay until their outcome is known (captures.h). */
	file->spool_fd = memfd_create("capture", MFD_CLOEXEC);
	if (file->spool_fd >= 0)
		file->fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
	if (file->fd < 0) {
		int status = -errno;

		packet_file_close(file);
		return status;
	}
	if (everywhere)
		find_interfaces(file);
	return 0;
}

void packet_file_close(struct packet_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->spool_fd >= 0)
		close(file->spool_fd);
	free(file->interfaces);
	*file = (struct packet_file){.path = file->path, .fd = -1, .spool_fd = -1};
}

/* Returns the index of an interface in the file; adds a new one at the end. */
static uint32_t place_interface(struct packet_file *file, const struct spool_interface *interface)
{
	for (size_t i = 0; i < file->n_interfaces; i++)
		if (file->interfaces[i].index == interface->index &&
		    strcmp(file->interfaces[i].name, interface->name) == 0)
			return (uint32_t)i;
	add_interface(file, interface->index, interface->name);
	return (uint32_t)(file->n_interfaces - 1);
}

/* Replaces the section's own interfaces by those of the file. */
static void use_interfaces(struct packet_file *file, struct spool_content *content)
{
	const struct spool_interface *interfaces = content->interfaces;
	AUTO_FREE uint32_t *places = xzalloc((content->n_interfaces + 1) * sizeof(*places));

	if (file->n_interfaces + content->n_interfaces == 0)
		return;
	for (size_t i = 0; i < content->n_interfaces; i++)
		places[i] = place_interface(file, &interfaces[i]);
	for (size_t i = 0; i < content->n_packets; i++)
		content->packets[i].interface = places[content->packets[i].interface];
	free(content->interfaces);
	content->n_interfaces = file->n_interfaces;
	content->interfaces_capacity = file->n_interfaces;
	content->interfaces = xmemdup(file->interfaces, file->n_interfaces * sizeof(*interfaces));
}

static int empty_spool(const struct packet_file *file)
{
	return ftruncate(file->spool_fd, 0) < 0 || lseek(file->spool_fd, 0, SEEK_SET) < 0 ? -errno
											  : 0;
}

char *packet_file_add(struct packet_file *file, const struct scenario *scenario,
		      const struct record *record, const char *outcome)
{
	AUTO_SPOOL_CONTENT struct spool_content content = {0};
	int status = 0;

	content = spool_read(file->spool_fd);
	if (content.reason)
		return xstrdup(content.reason);
	if (content.size == 0)
		return xstrdup("the scenario ended before its packets were captured");
	use_interfaces(file, &content);
	if (!file->error)
		status = trace_write(file->fd, &content, scenario, record, outcome);
	if (!status)
		status = empty_spool(file);
	if (status < 0 && !file->error)
		file->error = status;
	return file->error
		       ? xasprintf("%s can't be written: %s", file->path, strerror(-file->error))
		       : NULL;
}
