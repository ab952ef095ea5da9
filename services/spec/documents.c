/* What is printed from all rows at once: the JSON Schema, the manual's key reference, the example with every key. */
/* SPDX-License-Identifier: ISC */
#include "services/spec/rows.h"

#define SERVICE_REF "#/definitions/service"

void spec_print_schema(FILE *to)
{
	struct conf_book b = { .to = to, .root = service_keys, .shared = service_keys, .shared_ref = SERVICE_REF };

	fputs("{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$id\":\"urn:prior:configuration:1\",\n"
	      "\"title\":\"prior.yaml\",\n\"description\":\"The configuration of prior; printed by prior schema.\",\n",
	      to);
	conf_print_schema(&b, top_keys, NULL);
	fputs(",\n\"definitions\":{\"service\":{", to);
	b.shared = NULL;
	conf_print_schema(&b, service_keys, NULL);
	fputs("}}}\n", to);
}

void spec_print_reference(FILE *to)
{
	struct conf_book b = { .to = to, .root = service_keys, .shared = service_keys };

	fputs(".\\\" Printed by prior from the rows of services/spec; do not edit.\n"
	      ".Ss The top level\n.Bl -tag -width Ds\n", to);
	conf_print_reference(&b, top_keys, "");
	fputs(".El\n.Ss A service\n.Bl -tag -width Ds\n", to);
	b.shared = NULL;
	conf_print_reference(&b, service_keys, "");
	fputs(".El\n", to);
}

void spec_print_example(FILE *to)
{
	struct conf_book b = { .to = to, .root = service_keys, .shared = service_keys };

	fputs("# Every key that this version has an effect for. Printed by prior docs example; make golden writes it.\n"
	      "# yaml-language-server: $schema=prior.schema.json\n", to);
	conf_print_example(&b, top_keys);
	fputs("services:\n  db: {command: [/bin/sleep, infinity]}\n  metrics: {command: [/bin/sleep, infinity]}\n"
	      "  web-old: {command: [/bin/sleep, infinity]}\n"
	      "  web:\n", to);
	b.shared = NULL;
	b.depth = 2;
	conf_print_example(&b, service_keys);
}
