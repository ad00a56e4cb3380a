/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket of another process leads to its namespace: pidfd_getfd (Linux 5.6), SIOCGSKNS
 * Decided in: kernel/pid.c, pidfd_getfd(); net/socket.c, sock_ioctl()
 * Relied on by: plugin/net/alive.c
 */
#include "fact.h"

#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Makes a socket in a namespace that nothing but that holds, and returns the socket and the namespace's
 * inode. */
static int socket_elsewhere(ino_t *inode)
{
	struct stat st;
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = fact_socket();
	*inode = stat("/proc/self/ns/net", &st) == 0 ? st.st_ino : 0;
	return unshare(CLONE_NEWNET) < 0 ? -1 : fd;
}

int main(void)
{
	ino_t inode = 0;
	struct stat st = { 0 };
	int message[2], mine, theirs, pidfd, ns;
	pid_t child;

	fact_begin("A socket of another process leads to its namespace: pidfd_getfd (Linux 5.6), SIOCGSKNS");
	if (pipe(message) < 0)
		return 1;
	child = fork();
	if (child == 0) {
		theirs = socket_elsewhere(&inode);
		if (write(message[1], &theirs, sizeof(theirs)) > 0 &&
		    write(message[1], &inode, sizeof(inode)) > 0)
			pause();
		_exit(1);
	}
	if (read(message[0], &theirs, sizeof(theirs)) < 0 || read(message[0], &inode, sizeof(inode)) < 0)
		return 1;
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	mine = (int)syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
	fact(mine >= 0, "pidfd_getfd: %s", strerror(errno));
	ns = ioctl(mine, SIOCGSKNS);
	fact(ns >= 0 && fstat(ns, &st) == 0, "SIOCGSKNS: %s", strerror(errno));
	fact(st.st_ino == inode, "it is namespace %lu, not %lu", (unsigned long)st.st_ino,
	     (unsigned long)inode);
	fact(stat("/proc/self/ns/net", &st) == 0 && st.st_ino != inode, "it is ours");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return fact_end();
}
