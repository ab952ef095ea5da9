/* Inside of services/spec: the tables of rows, and readers and printers of the values that no type of row can say. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "init/base/text.h"
#include "init/conf/conf.h"
#include "services/spec/spec.h"

/* rows_*.c: one table per block of the configuration, in the order in which `show` prints. */
extern const struct conf_key service_keys[];	/* struct spec_service, with all sections below it */
extern const struct conf_key isolation_keys[];
extern const struct conf_key security_keys[];
extern const struct conf_key limits_keys[];
extern const struct conf_key resource_keys[];	/* isolation.resources: other spellings of limits */
extern const struct conf_key health_keys[];
extern const struct conf_key listen_keys[];	/* struct spec_listen */
extern const struct conf_key connections_keys[];
extern const struct conf_key interface_keys[], bridge_keys[]; /* struct spec_interface, struct spec_bridge */
extern const struct conf_key top_keys[];	/* struct spec */

const struct conf_index *service_index(void);
const struct conf_index *top_index(void);

/* Readers (struct conf_key.set). They take the value at n or tell what is wrong with it and leave obj as it was. */
#define READER(name) void name(struct conf_read *r, const struct conf_key *k, void *obj, const struct node *n)
/* forms_process.c */
READER(set_user);
READER(set_caps);
READER(set_cap_drop);
READER(set_capabilities);
READER(set_security_opt);
READER(set_network_mode);
READER(set_cpus);
/* forms_supervise.c */
READER(set_restart);
READER(set_backoff);
READER(set_on_failure);
READER(set_depends_on);
READER(set_health_test);
/* forms_cell.c */
READER(set_seccomp);
READER(set_unveil);
READER(set_landlock);
READER(set_tmpfs);
READER(set_families);
/* forms_filter.c */
READER(set_namespaces);
/* forms_limits.c */
READER(set_rlimit);
READER(set_cpu_max);
READER(set_cpus_allowed);
/* load.c, forms_machine.c */
READER(set_version);
READER(set_services);
READER(set_defaults);
READER(set_interfaces);
READER(set_bridges);

#define PRINTER(name) void name(struct conf_out *o, const struct conf_key *k, const void *obj)
PRINTER(put_on_failure);
PRINTER(put_depends_on);
PRINTER(put_health_test);
PRINTER(put_seccomp);
PRINTER(put_namespaces);
PRINTER(put_unveil);
PRINTER(put_rlimit);
PRINTER(put_cpu_max);

#define IS_GIVEN(name) bool name(const struct conf_key *k, const void *obj)
IS_GIVEN(depends_on_given);
IS_GIVEN(unveil_given);
IS_GIVEN(rlimit_given);
IS_GIVEN(cpu_max_given);
IS_GIVEN(never_given);

/* Rules (struct conf_key.check): rules.c. */
#define RULE(name) int name(const void *field, struct err *e)
RULE(user_rule);		/* a name, or a number from 0 to 4294967294 as only one spelling has it */
RULE(users_rule);
RULE(work_dir_rule);		/* not below /proc: CVE-2024-21626 */
RULE(paths_rule);
RULE(environment_rule);
RULE(hostname_rule);
RULE(cpu_list_rule);
RULE(volumes_rule);
RULE(devices_rule);
RULE(address_rule);		/* one, without prefix length */
RULE(addresses_rule);
RULE(prefixes_rule);
RULE(cell_prefixes_rule);
RULE(ports_rule);
RULE(egress_rule);
RULE(further_links_rule);
RULE(interface_rule);
RULE(sysctl_rule);
RULE(modules_rule);
RULE(socket_address_rule);
RULE(socket_path_rule);
RULE(socket_name_rule);
RULE(fifo_path_rule);
RULE(socket_vsock_rule);
RULE(socket_netlink_rule);
RULE(forward_rule);		/* of logs */
RULE(identifier_rule);
RULE(syslog_socket_rule);
RULE(options_rule);
RULE(console_rule);
RULE(rtc_rule);
RULE(verity_rule);
RULE(public_key_rule);
RULE(console_shell_rule);
RULE(last_boot_rule);
RULE(slot_rule);
RULE(baud_rule);
RULE(at_least_one_rule);	/* CONF_SIZE: 0 means "not given" */
RULE(calls_rule);
RULE(pledge_rule);		/* promises.c */
RULE(conditions_rule);
RULE(mac_rule);
RULE(device_paths_rule);	/* rules_devices.c */
RULE(attributes_rule);
RULE(properties_rule);
RULE(links_rule);
RULE(zone_rule_name);
RULE(architectures_rule);	/* forms_filter.c */
RULE(directories_rule);		/* rules_paths.c: relative, never prior's own */
RULE(credentials_rule);
RULE(label_rule);

#define DAYS(n) ((n) * INT64_C(86400000))
#define LONGEST DAYS(30)	/* of all timeouts: fits into 32 bits of milliseconds */
