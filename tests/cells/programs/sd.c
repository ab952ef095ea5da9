/* A service on libsystemd, built by lifecycle.sh: stores a descriptor, pings its watchdog, finds what it stored. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

int main(void)
{
	char **names = NULL, said[32] = "";
	int n = sd_listen_fds_with_names(0, &names);
	uint64_t us = 0;

	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], "memory"))
			said[read(SD_LISTEN_FDS_START + i, said, sizeof said - 1)] = '\0';
	printf("kept '%s'\n", said);
	printf("watchdog %d\n", sd_watchdog_enabled(0, &us) > 0 && us == 3000000);
	fflush(stdout);
	if (n == 0) {
		int ends[2];

		if (pipe(ends) < 0 || write(ends[1], "a secret", 8) != 8 ||
		    sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=memory\nFDPOLL=0", &ends[0], 1) <= 0)
			return 1;
	}
	sd_notifyf(0, "READY=1\nSTATUS=%d stored\nMAINPID=%d", n, (int)getpid());
	if (sd_notify_barrier(0, 5000000) < 0)
		return 2;
	printf("barrier passed\n");
	fflush(stdout);
	while (n < 2) {
		sd_notify(0, "WATCHDOG=1");
		usleep(100000);
		if (access("hang", F_OK) == 0)	/* in its working directory: stop saying so */
			pause();
	}
	return 0;
}
