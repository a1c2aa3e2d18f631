/* SPDX-License-Identifier: MIT */
/*
 * A reader for the JSON of replies, and the writer of a request's strings: all that the protocol
 * needs, so that libsynfault depends on nothing but the C library.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stddef.h>
#include <stdio.h>

enum json_type {
	JSON_NOTHING, /* null */
	JSON_WORD,    /* true or false, in @text */
	JSON_NUMBER,  /* its digits, in @text */
	JSON_TEXT,
	JSON_LIST,
	JSON_OBJECT,
};

/**
 * struct json_value - a value, and where to go on from it
 * @type: its type
 * @key: its key if it is in an object; else NULL
 * @text: of a text, a number or a word; else NULL
 * @first: the first value in a list or object; NULL if it is empty
 * @next: the next value in the same list or object; NULL after the last one
 */
struct json_value {
	enum json_type type;
	const char *key;
	const char *text;
	struct json_value *first;
	struct json_value *next;
};

/**
 * json_read() - read a document
 * @text: the document
 * @length: its length; it may contain NULs, which are an error
 * @ret_value: gets the outermost value; all of it is one piece of memory, for free()
 *
 * A text with an escaped NUL is an error, too: no reply has one.
 *
 * Return: 0, -EINVAL if it is not a JSON document, -ENOMEM.
 */
int json_read(const char *text, size_t length, struct json_value **ret_value);

/** json_get() - return the value of a key; NULL if there is none, or @object is not an object or
 * NULL. */
const struct json_value *json_get(const struct json_value *object, const char *key);

/** json_text() - return the text of a key's value; NULL if there is none, or it is not a text. */
const char *json_text(const struct json_value *object, const char *key);

/** json_number() - return the whole number that is a key's value; 0 if there is none. */
long long json_number(const struct json_value *object, const char *key);

/** json_write_text() - write a text as a JSON string, with its quotes. */
void json_write_text(FILE *stream, const char *text);

#endif
