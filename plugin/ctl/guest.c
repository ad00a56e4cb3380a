/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/netns.h"

/* Never returns. */
static void guest_keep(int ready)
{
	const char byte = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) < 0 || write(ready, &byte, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

int guest_open(struct guest *ret, const char *what_for, struct cni_error *err)
{
	int ready[2];
	ssize_t len;
	char byte;

	*ret = (struct guest){ .pid = -1, .netns = -1 };
	if (pipe2(ready, O_CLOEXEC) < 0)
		return cni_fail(err, CNI_RETRY, "cannot make a pipe: %s", errno_text(errno));
	fflush(stdout);
	ret->pid = fork();
	if (ret->pid == 0)
		guest_keep(ready[1]);
	close(ready[1]);
	len = ret->pid < 0 ? -1 : read(ready[0], &byte, 1);
	close(ready[0]);
	if (len != 1)
		return cni_fail(err, CNI_IO, "cannot make a network namespace");
	snprintf(ret->container, sizeof(ret->container), "ipvlanctl-%s-%d", what_for, (int)getpid());
	snprintf(ret->path, sizeof(ret->path), "/proc/%d/ns/net", (int)ret->pid);
	return netns_open(ret->path, false, &ret->netns, err) == NETNS_OPEN ? 0 : -1;
}

void guest_close(struct guest *guest)
{
	if (guest->netns >= 0)
		close(guest->netns);
	if (guest->pid > 0 && kill(guest->pid, SIGKILL) == 0)
		waitpid(guest->pid, NULL, 0);
}
