/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "cni/cleanup.h"
#include "net/netns.h"

#ifndef SO_NETNS_COOKIE /* musl */
#define SO_NETNS_COOKIE 71
#endif
#ifndef NS_GET_ID /* Linux 6.18 */
#define NS_GET_ID _IOR(NSIO, 13, uint64_t)
#endif

uint64_t netns_number(int socket)
{
	struct stat st = { .st_ino = 0 };
	uint64_t cookie;
	socklen_t len = sizeof(cookie);

	if (getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) == 0)
		return cookie;
	stat("/proc/self/ns/net", &st);
	return st.st_ino;
}

static int netns_read_cookie(void *arg, struct cni_error *err)
{
	autoclose int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t *cookie = arg;
	socklen_t len = sizeof(*cookie);

	(void)err;
	return getsockopt(any, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &len);
}

struct netns_id netns_id_of(int netns)
{
	struct netns_id id = { 0 };
	struct stat st;

	if (fstat(netns, &st) < 0)
		return id;
	id.inode = st.st_ino;
	if (ioctl(netns, NS_GET_ID, &id.cookie) < 0 &&
	    netns_run(netns, netns_read_cookie, &id.cookie, NULL) < 0)
		id.cookie = 0;
	return id;
}

struct netns_id netns_id_by(int netns, int socket)
{
	struct netns_id id = { 0 };
	socklen_t len = sizeof(id.cookie);
	struct stat st;

	if (fstat(netns, &st) == 0)
		id.inode = st.st_ino;
	if (getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &id.cookie, &len) < 0)
		id.cookie = 0;
	return id;
}

struct netns_id netns_id(const char *path)
{
	autoclose int fd = -1;

	return netns_open(path, true, &fd, NULL) == NETNS_OPEN ? netns_id_of(fd) : (struct netns_id){ 0 };
}

struct netns_id netns_id_asked(const struct request *req)
{
	return req->pod && req->pod->inode ? *req->pod : netns_id(req->netns);
}

bool netns_is(const struct netns_id *a, const struct netns_id *b)
{
	return a->inode == b->inode && (a->cookie == b->cookie || !a->cookie || !b->cookie);
}

struct netns_id_text netns_id_text(const struct netns_id *id)
{
	const unsigned long long inode = id->inode, cookie = id->cookie;
	struct netns_id_text text;

	if (cookie)
		snprintf(text.s, sizeof(text.s), "%llu/%llu", inode, cookie);
	else
		snprintf(text.s, sizeof(text.s), "%llu", inode);
	return text;
}

struct netns_id netns_id_parse(const char *text)
{
	char *rest;
	struct netns_id id = { .inode = strtoull(text, &rest, 10) };

	if (*rest == '/')
		id.cookie = strtoull(rest + 1, NULL, 10);
	return id;
}
