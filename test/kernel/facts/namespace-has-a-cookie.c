/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces reuse inode numbers, never cookies (Linux 5.14); NS_GET_ID is the cookie (6.18)
 * Decided in: net/core/net_namespace.c, setup_net(); net/core/sock.c; fs/nsfs.c
 * Relied on by: include/net/netns.h, plugin/net/netns.c, plugin/net/alive.c
 */
#include "fact.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef NS_GET_ID
#define NS_GET_ID _IOR(0xb7, 13, uint64_t)
#endif
#define NAMESPACES 200

struct seen {
	ino_t inode;
	uint64_t cookie, id;
	bool has_cookie, has_id;
};

/* Makes a namespace, which replaces the one before, and looks at it. */
static struct seen look(void)
{
	struct seen seen = { 0 };
	socklen_t len = sizeof(seen.cookie);
	struct stat st;
	int fd, ns;

	if (unshare(CLONE_NEWNET) < 0)
		return seen;
	ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	fd = fact_socket();
	seen.inode = fstat(ns, &st) == 0 ? st.st_ino : 0;
	seen.has_cookie = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &seen.cookie, &len) == 0;
	seen.has_id = ioctl(ns, NS_GET_ID, &seen.id) == 0;
	close(fd);
	close(ns);
	return seen;
}

int main(void)
{
	static struct seen all[NAMESPACES];
	int inodes = 0, cookies = 0;

	fact_begin(
		"Namespaces reuse inode numbers, never cookies (Linux 5.14); NS_GET_ID is the cookie (6.18)");
	for (int i = 0; i < NAMESPACES; i++) {
		all[i] = look();
		/* the one before is gone a moment later */
		usleep(1000);
		for (int j = 0; j < i; j++) {
			inodes += all[i].inode == all[j].inode;
			cookies += all[i].cookie == all[j].cookie;
		}
	}
	fact(inodes > 0, "of %d namespaces no two had one inode number", NAMESPACES);
	fact(all[0].has_cookie == fact_since(5, 14), "SO_NETNS_COOKIE is %s",
	     all[0].has_cookie ? "there" : "missing");
	fact(!all[0].has_cookie || cookies == 0, "%d pairs have one cookie", cookies);
	fact(!fact_since(6, 18) || (all[0].has_id && all[0].id == all[0].cookie),
	     "NS_GET_ID says %llu, the cookie is %llu", (unsigned long long)all[0].id,
	     (unsigned long long)all[0].cookie);
	return fact_end();
}
