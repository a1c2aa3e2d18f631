/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 (RFC 4648, section 4): how a record stores bytes that are not text. */
#ifndef SYNFAULT_RUNNER_RECORD_BASE64_H
#define SYNFAULT_RUNNER_RECORD_BASE64_H

#include "common/strbuf.h"

/** base64_encode() - add the encoded bytes, padded */
void base64_encode(const void *data, size_t length, struct strbuf *out);
/**
 * base64_decode() - add the decoded bytes
 *
 * Return: 0, or -EINVAL if the text is not exactly what base64_encode() writes (bad characters,
 * padding or trailing bits); then what was added is useless.
 */
int base64_decode(const char *text, size_t length, struct strbuf *out);

#endif
