/* Fuzzes the endpoint's requests: whatever the bytes are, however they come, one verdict. libFuzzer's entry. */
/* SPDX-License-Identifier: ISC */
#include "services/http/http.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Byte by byte, each time in a buffer that ends where they do: once there is a verdict, more bytes do not change it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request first = { 0 }, r;
	bool said = false;

	if (size > HTTP_HEAD_MAX)
		size = HTTP_HEAD_MAX;
	for (size_t n = 1; n <= size; n++) {
		char *text = malloc(n);

		if (!text)
			return 0;
		memcpy(text, data, n);
		const bool now = http_parse(text, n, &r);

		free(text);
		if (now && !said)
			first = r;
		const bool other = now && (r.status != first.status || r.page != first.page || r.head != first.head);

		if ((said && !now) || other || (now && r.page >= HTTP_PAGES) || (n == HTTP_HEAD_MAX && !now))
			abort();
		said |= now;
	}
	return 0;
}

#ifndef FUZZER
#define FUZZ_MAX HTTP_HEAD_MAX
#include "tests/fuzz/again.h"
#endif
