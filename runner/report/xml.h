/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers around the writer of libxml2: strings, errors, escaped text. */
#ifndef SYNFAULT_RUNNER_REPORT_XML_H
#define SYNFAULT_RUNNER_REPORT_XML_H

#include <libxml/xmlwriter.h>

#include "common/util.h"

/* BAD_CAST without losing const. */
static inline const xmlChar *xml(const char *text)
{
	return (const xmlChar *)text;
}

/* Checks the result of a writer to memory, which fails only without memory. */
static inline void xml_check(int result)
{
	if (result < 0)
		out_of_memory();
}

/*
 * A buffer in memory to write to with xmlNewTextWriterMemory(), never NULL. Grows by doubling:
 * libxml2's default adds a little each time, which is quadratic for a long report.
 */
xmlBufferPtr xml_buffer_new(void);

/*
 * Takes the text out of the buffer, which is freed, and writes its length in bytes. Owned by the
 * caller, from malloc().
 */
char *xml_buffer_steal(xmlBufferPtr buffer, size_t *ret_length);

/*
 * Writes text of valid characters (text_sanitize()), escaped, into the open element or attribute.
 * Not xmlTextWriterWriteAttribute(): that writes everything above 127 as a character reference,
 * which few people can read.
 */
void xml_write(xmlTextWriterPtr writer, const char *text);

#endif
