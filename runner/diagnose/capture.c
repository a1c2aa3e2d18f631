/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capture files of diagnoses: see capture.h. */
#include "runner/diagnose/capture.h"

#include <errno.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "runner/diagnose/format.h"
#include "runner/diagnose/packet_watch.h"
#include "runner/report/file.h"
#include "runner/trace/pcapng.h"

#define WHAT "capture"

/* The devices where packets were seen, by their place in the file. */
struct interfaces {
	uint32_t *indexes;
	size_t n, capacity;
};

static uint32_t place_interface(struct pcapng *file, struct interfaces *interfaces, uint32_t index)
{
	char name[IF_NAMESIZE];

	for (size_t i = 0; i < interfaces->n; i++)
		if (interfaces->indexes[i] == index)
			return (uint32_t)i;
	array_append(interfaces->indexes, interfaces->n, interfaces->capacity, index);
	return pcapng_add_interface(file, &(struct pcapng_interface){
						  .name = if_indextoname(index, name),
						  .filter = "tcp or icmp or icmp6",
						  .snap_length = PACKET_WATCH_SNAP_LENGTH,
					  });
}

static void write_packets(struct pcapng *file, const struct evidence *evidence)
{
	struct interfaces interfaces = {0};

	for (size_t i = 0; i < evidence->n_packets; i++) {
		const struct seen_packet *packet = &evidence->packets[i].seen;
		const struct trial *begins = evidence->packets[i].begins;
		AUTO_FREE char *comment = begins ? format_trial(evidence, begins) : NULL;

		pcapng_add_packet(file, &(struct pcapng_packet){
						.interface = place_interface(file, &interfaces,
									     packet->interface),
						.at_ns = packet->at_ns,
						.data = packet->data,
						.captured = packet->captured,
						.length = packet->length,
						.comment = comment,
					});
	}
	/* Readers expect at least one interface. */
	if (interfaces.n == 0)
		pcapng_add_interface(file, &(struct pcapng_interface){.name = "lo"});
	free(interfaces.indexes);
}

static void write_section(struct pcapng *file, const struct evidence *evidence,
			  const struct diagnosis *diagnosis)
{
	AUTO_FREE char *comment =
		xasprintf("synfault diagnose %s\n%s", evidence->target,
			  diagnosis->n_causes ? diagnosis->causes[0].sentence : "reachable");

	pcapng_add_section(file, &(struct pcapng_section){
					 .comment = comment,
					 .system = "Linux",
					 .application = "synfault " SYNFAULT_VERSION,
				 });
}

/* Writes the capture into memory, since the file must appear as a whole. */
static int write_to_memory(int fd, const struct evidence *evidence,
			   const struct diagnosis *diagnosis, size_t *ret_size)
{
	struct pcapng *file = pcapng_begin(fd);
	struct stat status;
	int r;

	write_section(file, evidence, diagnosis);
	write_packets(file, evidence);
	r = pcapng_end(file);
	if (r < 0)
		return r;
	if (fstat(fd, &status) < 0)
		return -errno;
	*ret_size = (size_t)status.st_size;
	return 0;
}

int capture_write(const char *path, const struct evidence *evidence,
		  const struct diagnosis *diagnosis, struct diag_list *diags)
{
	AUTO_CLOSE int fd = memfd_create(WHAT, MFD_CLOEXEC);
	void *content = MAP_FAILED;
	size_t size = 0;
	int r = fd < 0 ? -errno : write_to_memory(fd, evidence, diagnosis, &size);

	if (r == 0) {
		content = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
		r = content == MAP_FAILED ? -errno : 0;
	}
	if (r < 0) {
		diag_add(diags, NULL, "can't write the %s %s: %s", WHAT, path, strerror(-r));
		return r;
	}
	r = report_file_write(WHAT, path, content, size, diags);
	munmap(content, size);
	return r;
}
