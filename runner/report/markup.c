/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A layer over libxml2's writer: see markup.h. */
#include "runner/report/markup.h"

#include <math.h>

#include "common/text.h"
#include "runner/report/xml.h"

struct markup {
	xmlBufferPtr buffer;
	xmlTextWriterPtr writer;
};

struct markup *markup_new(void)
{
	struct markup *markup = xzalloc(sizeof(*markup));

	markup->buffer = xml_buffer_new();
	markup->writer = ALLOCATED(xmlNewTextWriterMemory(markup->buffer, 0));
	return markup;
}

void markup_free(struct markup *markup)
{
	if (!markup)
		return;
	xmlFreeTextWriter(markup->writer);
	xmlBufferFree(markup->buffer);
	free(markup);
}

void markup_freep(struct markup **markup)
{
	markup_free(*markup);
}

void markup_open(struct markup *markup, const char *element)
{
	xml_check(xmlTextWriterStartElement(markup->writer, xml(element)));
}

void markup_close(struct markup *markup)
{
	xml_check(xmlTextWriterFullEndElement(markup->writer));
}

void markup_close_void(struct markup *markup)
{
	xml_check(xmlTextWriterEndElement(markup->writer));
}

static void add_escaped(struct markup *markup, const char *text, size_t length)
{
	AUTO_STRBUF struct strbuf safe = {0};

	text_sanitize(&safe, text, length);
	xml_write(markup->writer, strbuf_text(&safe));
}

void markup_attr(struct markup *markup, const char *name, const char *value)
{
	xml_check(xmlTextWriterStartAttribute(markup->writer, xml(name)));
	add_escaped(markup, value, strlen(value));
	xml_check(xmlTextWriterEndAttribute(markup->writer));
}

void markup_attrf(struct markup *markup, const char *name, const char *format, ...)
{
	AUTO_FREE char *value = FORMAT_REST(format);

	markup_attr(markup, name, value);
}

void markup_number(struct markup *markup, const char *name, double value)
{
	long long tenths = llround(value * 10), size = llabs(tenths);
	char text[48];

	/* Not %.1f, which writes the locale's decimal point. */
	if (size % 10)
		snprintf(text, sizeof(text), "%s%lld.%lld", tenths < 0 ? "-" : "", size / 10,
			 size % 10);
	else
		snprintf(text, sizeof(text), "%lld", tenths / 10);
	xml_check(xmlTextWriterStartAttribute(markup->writer, xml(name)));
	xml_check(xmlTextWriterWriteRaw(markup->writer, xml(text)));
	xml_check(xmlTextWriterEndAttribute(markup->writer));
}

void markup_bytes(struct markup *markup, const char *text, size_t length)
{
	add_escaped(markup, text, length);
}

void markup_text(struct markup *markup, const char *text)
{
	add_escaped(markup, text, strlen(text));
}

void markup_textf(struct markup *markup, const char *format, ...)
{
	AUTO_FREE char *text = FORMAT_REST(format);

	markup_text(markup, text);
}

void markup_raw(struct markup *markup, const char *text)
{
	xml_check(xmlTextWriterWriteRaw(markup->writer, xml(text)));
}

void markup_begin(struct markup *markup, const char *element, const char *class_name)
{
	markup_open(markup, element);
	markup_attr(markup, "class", class_name);
}

void markup_element(struct markup *markup, const char *element, const char *class_name,
		    const char *text)
{
	markup_open(markup, element);
	if (class_name)
		markup_attr(markup, "class", class_name);
	markup_text(markup, text);
	markup_close(markup);
}

void markup_elementf(struct markup *markup, const char *element, const char *class_name,
		     const char *format, ...)
{
	AUTO_FREE char *text = FORMAT_REST(format);

	markup_element(markup, element, class_name, text);
}

char *markup_steal(struct markup *markup, size_t *ret_length)
{
	char *text;

	xml_check(xmlTextWriterEndDocument(markup->writer));
	*ret_length = (size_t)xmlBufferLength(markup->buffer);
	text = xstrndup((const char *)xmlBufferContent(markup->buffer), *ret_length);
	xmlBufferEmpty(markup->buffer);
	return text;
}
