/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps packets until a capture file is made of them: see spool.h. */
#include "runner/record/spool.h"

#include <net/if.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/strbuf.h"

#define BUFFER_SIZE ((size_t)64 * 1024)
/* No packet is longer; one that claims to be is left out. */
#define PACKET_MAX ((uint32_t)128 * 1024)

enum item_kind {
	ITEM_PACKET,
	ITEM_INTERFACE, /* its name follows */
	ITEM_REASON,    /* text follows */
	ITEM_END,
};

/* What precedes each item; @size bytes follow, padded to a multiple of eight. */
struct item {
	uint32_t kind;
	uint32_t size;
	uint32_t interface;      /* PACKET, INTERFACE: the kernel's index */
	uint32_t length;         /* PACKET */
	int64_t at_ns;           /* PACKET */
	uint32_t order;          /* PACKET */
	uint32_t read_late;      /* PACKET */
	uint64_t lost, left_out; /* END */
};
_Static_assert(sizeof(struct item) % 8 == 0, "items are aligned");

struct spool {
	int fd;
	int error;
	uint64_t limit, used;
	uint64_t left_out;
	uint32_t *interfaces; /* whose names have been written */
	size_t n_interfaces, interfaces_capacity;
	struct strbuf buffer;
};

/* ---- writing ---- */

static void flush(struct spool *spool)
{
	if (!spool->error)
		spool->error =
			write_all(spool->fd, strbuf_text(&spool->buffer), spool->buffer.length);
	spool->buffer.length = 0;
}

static void add_item(struct spool *spool, struct item item, const void *data)
{
	strbuf_add(&spool->buffer, &item, sizeof(item));
	strbuf_add(&spool->buffer, data, item.size);
	strbuf_pad(&spool->buffer, '\0', -(size_t)item.size % 8);
	if (spool->buffer.length >= BUFFER_SIZE)
		flush(spool);
}

struct spool *spool_begin(int fd, uint64_t limit)
{
	struct spool *spool = xzalloc(sizeof(*spool));

	spool->fd = fd;
	spool->limit = limit;
	return spool;
}

static void name_interface(struct spool *spool, uint32_t index)
{
	char name[IF_NAMESIZE] = "";

	for (size_t i = 0; i < spool->n_interfaces; i++)
		if (spool->interfaces[i] == index)
			return;
	array_append(spool->interfaces, spool->n_interfaces, spool->interfaces_capacity, index);
	if (!if_indextoname(index, name))
		snprintf(name, sizeof(name), "if%u", index);
	add_item(spool,
		 (struct item){.kind = ITEM_INTERFACE, .interface = index, .size = sizeof(name)},
		 name);
}

void spool_add(struct spool *spool, const struct nflog_packet *packet)
{
	const uint64_t size = sizeof(struct item) + ((uint64_t)packet->captured + 7) / 8 * 8;
	const uint64_t limit = packet->control ? spool->limit : spool->limit - spool->limit / 8;

	if (spool->used + size > limit || packet->captured > PACKET_MAX) {
		spool->left_out++;
		return;
	}
	spool->used += size;
	name_interface(spool, packet->interface);
	add_item(spool,
		 (struct item){
			 .kind = ITEM_PACKET,
			 .size = packet->captured,
			 .interface = packet->interface,
			 .length = packet->length,
			 .at_ns = packet->at_ns,
			 .order = packet->order,
			 .read_late = packet->read_late,
		 },
		 packet->data);
}

void spool_refuse(struct spool *spool, const char *reason)
{
	add_item(spool, (struct item){.kind = ITEM_REASON, .size = (uint32_t)strlen(reason)},
		 reason);
}

void spool_end(struct spool *spool, uint64_t lost)
{
	add_item(spool, (struct item){.kind = ITEM_END, .lost = lost, .left_out = spool->left_out},
		 "");
	flush(spool);
	strbuf_free(&spool->buffer);
	free(spool->interfaces);
	free(spool);
}

/* ---- reading ---- */

static void take_packet(struct spool_content *content, const struct item *item, const uint8_t *data)
{
	size_t i = 0;

	while (i < content->n_interfaces && content->interfaces[i].index != item->interface)
		i++;
	if (i == content->n_interfaces)
		return; /* we don't write such an item */
	array_append(content->packets, content->n_packets, content->packets_capacity,
		     (struct spool_packet){
			     .interface = (uint32_t)i,
			     .at_ns = item->at_ns,
			     .order = item->order,
			     .read_late = item->read_late,
			     .data = data,
			     .captured = item->size,
			     .length = item->length,
		     });
}

static void take_interface(struct spool_content *content, const struct item *item,
			   const uint8_t *data)
{
	struct spool_interface interface = {.index = item->interface};

	memcpy(interface.name, data, MIN((size_t)item->size, sizeof(interface.name) - 1));
	array_append(content->interfaces, content->n_interfaces, content->interfaces_capacity,
		     interface);
}

static void take_item(struct spool_content *content, const struct item *item, const uint8_t *data)
{
	switch ((enum item_kind)item->kind) {
	case ITEM_PACKET:
		take_packet(content, item, data);
		break;
	case ITEM_INTERFACE:
		take_interface(content, item, data);
		break;
	case ITEM_REASON:
		free(content->reason);
		content->reason = xstrndup((const char *)data, item->size);
		break;
	case ITEM_END:
		content->lost = item->lost;
		content->left_out = item->left_out;
		content->whole = true;
		break;
	}
}

/* Packets of the same microsecond stay in the order in which they came. */
static int compare_times(const void *left, const void *right)
{
	const struct spool_packet *a = left, *b = right;

	return COMPARE(a->at_ns, b->at_ns) ?: COMPARE(a->data, b->data);
}

static int compare_orders(const void *left, const void *right)
{
	const struct spool_packet *a = left, *b = right;

	return a->order != b->order ? ((int32_t)(a->order - b->order) < 0 ? -1 : 1) : 0;
}

/*
 * If the kernel gave only some packets a time, all are sorted by the order in which it logged them.
 * A packet with the time of its reading came before the next one, so its time is at most that of
 * the next one. The same holds for two times that the kernel gave: two processors may have taken
 * them in either order.
 */
static void sort(struct spool_content *content)
{
	struct spool_packet *packets = content->packets;
	bool any_late = false;

	for (size_t i = 0; i < content->n_packets; i++)
		any_late = any_late || packets[i].read_late;
	if (content->n_packets)
		qsort(packets, content->n_packets, sizeof(*packets),
		      any_late ? compare_orders : compare_times);
	for (size_t i = content->n_packets; any_late && i-- > 1;)
		packets[i - 1].at_ns = MIN(packets[i - 1].at_ns, packets[i].at_ns);
}

struct spool_content spool_read(int fd)
{
	struct spool_content content = {0};
	struct stat status;
	size_t at = 0;

	if (fstat(fd, &status) < 0 || status.st_size <= 0)
		return content;
	content.mapping = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (content.mapping == MAP_FAILED) {
		content.mapping = NULL;
		return content;
	}
	content.size = (size_t)status.st_size;
	while (content.size - at >= sizeof(struct item)) {
		const uint8_t *data = (const uint8_t *)content.mapping + at;
		struct item item;

		memcpy(&item, data, sizeof(item));
		at += sizeof(item);
		if (item.size > content.size - at)
			break;
		take_item(&content, &item, data + sizeof(item));
		at += MIN(content.size - at, ((size_t)item.size + 7) / 8 * 8);
	}
	sort(&content);
	return content;
}

void spool_content_free(struct spool_content *content)
{
	if (content->mapping)
		munmap(content->mapping, content->size);
	free(content->packets);
	free(content->interfaces);
	free(content->reason);
	*content = (struct spool_content){0};
}
