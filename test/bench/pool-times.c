/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-times ROUNDS PROGRAM CONF [PROGRAM CONF]...: what ADD, CHECK and DEL take,
 * in microseconds from fork to exit; the median of all rounds. The programs take
 * turns within each round, so that what disturbs one disturbs all.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 1001
#define PROGRAMS_MAX 4

static const char *const verbs[] = { "ADD", "CHECK", "DEL" };
static double times[PROGRAMS_MAX][3][ROUNDS_MAX];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double call(char *program, const char *conf, const char *verb, int round)
{
	char command[32], container[40], netns[] = "CNI_NETNS=/run/netns/none";
	char ifname[] = "CNI_IFNAME=eth0", path[] = "CNI_PATH=/opt/cni/bin";
	char *argv[] = { program, NULL }, *env[] = { command, container, netns, ifname, path, NULL };
	posix_spawn_file_actions_t files;
	int status = -1;
	double start;
	pid_t pid;

	snprintf(command, sizeof(command), "CNI_COMMAND=%s", verb);
	snprintf(container, sizeof(container), "CNI_CONTAINERID=bench-%d", round);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, conf, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	start = now();
	if (posix_spawn(&pid, program, &files, NULL, argv, env) != 0 || waitpid(pid, &status, 0) != pid ||
	    status != 0) {
		fprintf(stderr, "pool-times: %s %s ended with status %d\n", program, verb, status);
		exit(1);
	}
	start = now() - start;
	posix_spawn_file_actions_destroy(&files);
	return start;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0, programs = (argc - 2) / 2;

	if (rounds < 1 || rounds > ROUNDS_MAX || programs < 1 || programs > PROGRAMS_MAX) {
		fprintf(stderr, "usage: pool-times ROUNDS PROGRAM CONF [PROGRAM CONF]...\n");
		return 2;
	}
	for (int round = -1; round < rounds; round++) /* one to warm up */
		for (int verb = 0; verb < 3; verb++)
			for (int p = 0; p < programs; p++)
				times[p][verb][round < 0 ? 0 : round] =
					call(argv[2 + 2 * p], argv[3 + 2 * p], verbs[verb], round);
	for (int p = 0; p < programs; p++) {
		printf("%s", argv[2 + 2 * p]);
		for (int verb = 0; verb < 3; verb++) {
			qsort(times[p][verb], (size_t)rounds, sizeof(double), by_value);
			printf(" %.0f", times[p][verb][rounds / 2]);
		}
		putchar('\n');
	}
	return 0;
}
