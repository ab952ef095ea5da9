/* For fuzzers whose inputs are files: FILE... tries them again. FUZZ_MAX: the largest input, in bytes. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include <stdio.h>

int main(int argc, char **argv)
{
	static uint8_t input[FUZZ_MAX];

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
