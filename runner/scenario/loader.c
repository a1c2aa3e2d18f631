/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds errors to a document, and holds what its parts share: see loader.h. */
#include "runner/scenario/loader.h"

#include "common/text.h"
#include "runner/scenario/reference.h"

struct place loader_place(const struct loader *loader, const struct node *node)
{
	return node_place(node, loader->path);
}

bool loader_error(struct loader *loader, const struct node *at, const char *format, ...)
{
	struct place place = node_place(at, loader->path);
	AUTO_FREE char *message = FORMAT_REST(format);

	diag_add(loader->diags, &place, "%s", message);
	return false;
}

bool loader_error_within(struct loader *loader, const struct node *at, size_t offset, size_t length,
			 const char *format, ...)
{
	struct place place = node_place_within(at, loader->path, offset, length);
	AUTO_FREE char *message = FORMAT_REST(format);

	diag_add(loader->diags, &place, "%s", message);
	return false;
}

void loader_hint(struct loader *loader, const char *format, ...)
{
	AUTO_FREE char *hint = FORMAT_REST(format);

	diag_hint(loader->diags, "%s", hint);
}

bool loader_hint_nearest(struct loader *loader, const char *word, const char *const *names)
{
	const char *nearest = text_nearest(word, names);

	if (nearest)
		loader_hint(loader, "did you mean \"%s\"?", nearest);
	return nearest;
}

void loader_hint_names(struct loader *loader, const char *word, const char *const *names,
		       const char *introduction)
{
	AUTO_STRBUF struct strbuf list = {0};

	if (loader_hint_nearest(loader, word, names))
		return;
	for (size_t i = 0; names[i]; i++) {
		strbuf_puts(&list, i ? ", " : "");
		strbuf_puts(&list, names[i]);
	}
	if (list.length)
		loader_hint(loader, "%s: %s", introduction, strbuf_text(&list));
}

void loader_add_text(struct loader *loader, const struct node *text)
{
	if (reference_find(text->text))
		array_append(loader->texts, loader->n_texts, loader->texts_capacity, text);
}
