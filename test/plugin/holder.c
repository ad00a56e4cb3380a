/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holder process|thread|descriptor|socket PATH: keeps the network namespace at PATH alive only in
 * that way, prints "ready", and waits to be killed.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int netns, home;

static void enter(int namespace)
{
	if (setns(namespace, CLONE_NEWNET) == 0)
		return;
	perror("setns");
	exit(1);
}

static void wait_for_the_end(void)
{
	close(home);
	puts("ready");
	fflush(stdout);
	pause();
}

static void *in_a_thread(void *arg)
{
	enter(netns);
	close(netns);
	wait_for_the_end();
	return arg;
}

int main(int argc, char **argv)
{
	const char *kind = argc == 3 ? argv[1] : "";
	pthread_t thread;

	netns = argc == 3 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (netns < 0 || home < 0) {
		perror("open");
		return 1;
	}
	if (!strcmp(kind, "thread")) {
		if (pthread_create(&thread, NULL, in_a_thread, NULL) == 0)
			pthread_join(thread, NULL);
		return 1;
	}
	if (strcmp(kind, "descriptor") != 0)
		enter(netns);
	if (!strcmp(kind, "socket") && socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0)
		enter(home);
	if (strcmp(kind, "descriptor") != 0)
		close(netns);
	wait_for_the_end();
	return 0;
}
