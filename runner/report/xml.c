/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See xml.h. */
#include "runner/report/xml.h"

xmlBufferPtr xml_buffer_new(void)
{
	xmlBufferPtr buffer = ALLOCATED(xmlBufferCreate());

	xmlBufferSetAllocationScheme(buffer, XML_BUFFER_ALLOC_DOUBLEIT);
	return buffer;
}

char *xml_buffer_steal(xmlBufferPtr buffer, size_t *ret_length)
{
	char *text;

	*ret_length = (size_t)xmlBufferLength(buffer);
	/* NULL if nothing was written; from malloc() unless xmlMemSetup() was called. */
	text = (char *)xmlBufferDetach(buffer);
	xmlBufferFree(buffer);
	return text ? text : xstrdup("");
}

void xml_write(xmlTextWriterPtr writer, const char *text)
{
	xmlChar *escaped;

	/* xmlEncodeSpecialChars() is slow, and most text needs no escapes. */
	if (text[strcspn(text, "<>&\"\r")] == '\0') {
		xml_check(xmlTextWriterWriteRaw(writer, xml(text)));
		return;
	}
	escaped = ALLOCATED(xmlEncodeSpecialChars(NULL, xml(text)));
	xml_check(xmlTextWriterWriteRaw(writer, escaped));
	xmlFree(escaped);
}
