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
/* fuzz_conf FILE...: try inputs again. */
int main(int argc, char **argv)
{
	static uint8_t input[1 << 21];

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "re");

		if (!f) {
			perror(argv[i]);
			return 1;
		}
		LLVMFuzzerTestOneInput(input, fread(input, 1, sizeof input, f));
		fclose(f);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
#endif
