/* Fuzzes the configuration: whatever the bytes are, loading and printing ends well. libFuzzer's entry, or a main(). */
/* SPDX-License-Identifier: ISC */
#include "services/spec/spec.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything that a verb would do with a file: load, print the problems, show each service in all forms. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *sink;
	struct spec s;
	struct err e = { 0 };

	if (!sink)
		sink = fopen("/dev/null", "we");
	if (!sink || spec_load_text(&s, "fuzz.yaml", (const char *)data, size, &e) < 0)
		return 0;
	spec_print_problems(&s, sink);
	for (unsigned i = 0; i < s.nservices && i < 8; i++) {
		spec_show(&s, s.services[i].name, false, sink, &e);
		spec_show(&s, s.services[i].name, true, sink, &e);
		spec_show_isolation(&s, s.services[i].name, false, sink, &e);
		(void)spec_has_errors(&s, s.services[i].name);
	}
	spec_free(&s);
	return 0;
}

#ifndef FUZZER
#define FUZZ_MAX (1 << 21)
#include "tests/fuzz/again.h"
#endif
