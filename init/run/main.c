/* Which style a name means, and the way from main() to the command's end. */
/* SPDX-License-Identifier: ISC */
#include "init/run/say.h"
#include <string.h>

enum wrap_as wrap_as(const char *argv0)
{
	/* Docker and podman mount what they call --init under names of their own. */
	static const struct {
		char name[12];
		uint8_t as;
	} rows[] = {
		{ "tini", AS_TINI }, { "tini-static", AS_TINI }, { "docker-init", AS_TINI },
		{ "dumb-init", AS_DUMB_INIT },
		{ "catatonit", AS_CATATONIT }, { "podman-init", AS_CATATONIT },
	};
	const char *slash = strrchr(argv0, '/'), *name = slash ? slash + 1 : argv0;

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i].name, name))
			return rows[i].as;
	return AS_PRIOR;
}

int wrap_main(int argc, char **argv, enum wrap_as as, wrap_confined *confined)
{
	static struct wrap w;
	struct err e;

	w.as = as;
	int code = wrap_options(&w, argc, argv);

	if (code >= 0)
		return code;
	if (!WRAP_CONFINES || !confined || (!w.nsets && !w.config))
		return wrap_live(&w);
	code = confined(&w, &e);
	if (code >= 0)
		return code ^ w.exit_xor[code & 0xff];
	wrap_put(2, "prior: ");
	wrap_put(2, e.text);
	wrap_put(2, "\n");
	return 125;
}
