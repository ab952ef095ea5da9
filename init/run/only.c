/* main() of the build that is `prior run` and nothing else: `make run-only`. */
/* SPDX-License-Identifier: ISC */
#include "init/run/wrap.h"
#include <string.h>

int main(int argc, char **argv)
{
	enum wrap_as as = argc > 0 ? wrap_as(argv[0]) : AS_PRIOR;
	bool verb = as == AS_PRIOR && argc > 1 && !strcmp(argv[1], "run");

	return wrap_main(argc - verb, argv + verb, as, NULL);
}
