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

/**
 * xml_buffer_new() - make a buffer for xmlNewTextWriterMemory(); never NULL
 *
 * It grows by doubling. By default libxml2 adds a little each time, which takes quadratic time for
 * a long report.
 */
xmlBufferPtr xml_buffer_new(void);

/**
 * xml_buffer_steal() - take the text out of the buffer, and free the buffer
 * @ret_length: in bytes
 *
 * Return: the text, owned by the caller, from malloc().
 */
char *xml_buffer_steal(xmlBufferPtr buffer, size_t *ret_length);

/**
 * xml_write() - escape text and add it to the open element or attribute
 * @text: only valid characters (text_sanitize())
 *
 * Unlike xmlTextWriterWriteAttribute() it does not replace everything above 127 by character
 * references, which few people can read.
 */
void xml_write(xmlTextWriterPtr writer, const char *text);

#endif
