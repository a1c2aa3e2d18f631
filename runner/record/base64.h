/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 (RFC 4648, section 4): how a record stores bytes that are not text. */
#ifndef SYNFAULT_RUNNER_RECORD_BASE64_H
#define SYNFAULT_RUNNER_RECORD_BASE64_H

#include "common/strbuf.h"

/* Adds the encoded bytes, padded. */
void base64_encode(const void *data, size_t length, struct strbuf *out);
/*
 * Adds the decoded bytes. Returns 0, or -EINVAL when the text is not exactly what base64_encode()
 * writes (bad characters, padding or trailing bits); what was added then is of no use.
 */
int base64_decode(const char *text, size_t length, struct strbuf *out);

#endif
