/* SPDX-License-Identifier: Apache-2.0 */
/*
 * on-node DIRECTORY NANOSECONDS PROGRAM [ARGUMENT]...: PROGRAM on another machine, or in another boot of it.
 *
 * Runs PROGRAM with the machine and boot that the files of DIRECTORY describe: boot_id, machine-id, and stat
 * of process 1. Its CLOCK_BOOTTIME is NANOSECONDS ahead of this machine's, or behind if negative. All else
 * is this machine's. The exit status is the program's, or 128 plus the number of the signal that killed it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "on-node: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* If both exist, addrpool-claim reads the product's uuid and not machine-id; one file serves as both. */
static void put_in_place(const char *directory)
{
	static const char *const files[][2] = {
		{ "boot_id", "/proc/sys/kernel/random/boot_id" },
		{ "machine-id", "/etc/machine-id" },
		{ "machine-id", "/sys/class/dmi/id/product_uuid" },
		{ "stat", "/proc/1/stat" },
	};
	char path[4096];

	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail("mount /");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[i][0]);
		if (access(files[i][1], F_OK) == 0 && mount(path, files[i][1], NULL, MS_BIND, NULL) < 0)
			fail(path);
	}
}

/* Affects children started from now on. */
static void shift_clock(const char *nanoseconds)
{
	const long long second = 1000000000, shift = strtoll(nanoseconds, NULL, 10);
	const long long rest = (shift % second + second) % second;
	int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	char text[80];
	int len = snprintf(text, sizeof(text), "boottime %lld %lld\n", (shift - rest) / second, rest);

	if (fd < 0 || write(fd, text, (size_t)len) != len)
		fail("/proc/self/timens_offsets");
	close(fd);
}

int main(int argc, char **argv)
{
	int status = 0;
	pid_t child;

	if (argc < 4) {
		fputs("usage: on-node DIRECTORY NANOSECONDS PROGRAM [ARGUMENT]...\n", stderr);
		return 125;
	}
	if (unshare(CLONE_NEWNS | CLONE_NEWTIME) < 0)
		fail("unshare");
	put_in_place(argv[1]);
	shift_clock(argv[2]);
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(argv[3], argv + 3);
		fail(argv[3]);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			fail("waitpid");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
