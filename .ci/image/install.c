/* SPDX-License-Identifier: Apache-2.0 */
/*
 * install-plugins DIRECTORY: the program of the container image. It copies the plugins, which are beside
 * it in the image's root, to the directory, one of the node's, and waits for SIGTERM: a DaemonSet
 * starts again what ends by itself.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const plugins[] = { "ipvlan", "addrpool" };

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void copy(int in, int out, const char *name)
{
	ssize_t n;

	do
		n = sendfile(out, in, NULL, 1 << 20);
	while (n > 0);
	if (n < 0 || fchmod(out, 0755) < 0 || fsync(out) < 0)
		fail(name);
}

/* Runtimes call plugins at any time, and find the old one or the new one, whole. */
static void install(int directory, const char *name)
{
	char source[32], beside[32];
	int in, out;

	snprintf(source, sizeof(source), "/%s", name);
	snprintf(beside, sizeof(beside), ".%s.new", name);
	in = open(source, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		fail(source);
	unlinkat(directory, beside, 0);
	out = openat(directory, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (out < 0)
		fail(beside);
	copy(in, out, beside);
	close(in);
	close(out);
	if (renameat(directory, beside, directory, name) < 0)
		fail(name);
}

int main(int argc, char **argv)
{
	int directory, sig;
	sigset_t ends;
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	/* For the first process of a container, signals have no default: waited for they count. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);

	directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		fail(argv[1]);
	for (i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++) {
		install(directory, plugins[i]);
		fprintf(stderr, "%s/%s is that of ipvlan-cni %s\n", argv[1], plugins[i], PROJECT_VERSION);
	}
	close(directory);
	sigwait(&ends, &sig);
	return 0;
}
