#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"

static const char *const places[] = { "/run/cni", "/var/lib/cni", "/etc/netns" };
static const char *const settings[] = { "ipv4/conf/eth0/forwarding", "ipv4/conf/eth0/proxy_arp",
					"ipv4/conf/all/forwarding",  "ipv6/conf/all/forwarding",
					"ipv6/conf/eth0/forwarding", "ipv6/conf/eth0/proxy_ndp" };

static FILE *paper; /* nftw() passes nothing on */

/* The directories of a store or ledger are nobody's; a file whose content the next call decides
 * about is not there twice the same; and what addrpool keeps beside the leases it makes again
 * from them, as test/traced/pool-faults proves. */
static int note_file(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	if ((kind != FTW_D || where->level > 3) && !strstr(path, "last_reserved_ip") &&
	    !strstr(path, "/.addrpool/"))
		fprintf(paper, "%s %d\n", path, kind);
	return 0;
}

/* Addresses that come by themselves a moment after their link are left out. */
static void note_output(const char *text)
{
	for (const char *line = text; *line;) {
		const size_t len = strcspn(line, "\n");
		char copy[1024];

		snprintf(copy, sizeof(copy), "%.*s", (int)len, line);
		if (!strstr(copy, "fe80:") && !strstr(copy, "multicast ff00") && !strstr(copy, "valid_lft"))
			fprintf(paper, "%s\n", copy);
		line += len + (line[len] == '\n');
	}
}

static void note_program(char *const argv[], const char *input)
{
	static char *const env[] = { NULL };
	static struct outcome o;

	run(argv, env, input, NULL, &o);
	note_output(o.out);
	note_output(o.err);
}

static void note_pod(const char *pod, int netns)
{
	struct if_nameindex *links;

	setns(netns, CLONE_NEWNET);
	links = if_nameindex();
	for (const struct if_nameindex *link = links; link && link->if_index; link++)
		fprintf(paper, "pod %s: %s\n", pod, link->if_name);
	if_freenameindex(links);
}

static int open_netns(const char *pod)
{
	char path[64];

	snprintf(path, sizeof(path), "/run/netns/%s", pod);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void note_pods(void)
{
	static const char *const pods[] = { "a", "b" };
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	for (int i = 0; i < 2; i++) {
		int netns = open_netns(pods[i]);

		if (netns >= 0)
			note_pod(pods[i], netns);
		setns(home, CLONE_NEWNET);
		close(netns);
	}
	close(home);
}

static void note_settings(void)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		char path[128];
		FILE *file;

		snprintf(path, sizeof(path), "/proc/sys/net/%s", settings[i]);
		file = fopen(path, "re");
		fprintf(paper, "%s %c\n", settings[i], file ? (char)fgetc(file) : '-');
		if (file)
			fclose(file);
	}
}

char *inventory(void)
{
	static char ip[] = "/sbin/ip", four[] = "-4", six[] = "-6", batch[] = "-batch", dash[] = "-";
	static char nft[] = "/usr/sbin/nft", list[] = "list", ruleset[] = "ruleset";
	char *text = NULL;
	size_t len;

	paper = open_memstream(&text, &len);
	if (!paper) {
		perror("inventory");
		exit(2);
	}
	note_program((char *[]){ ip, four, batch, dash, NULL },
		     "link show\naddress show\nroute show table all\nrule show\nneigh show nud permanent\n");
	note_program((char *[]){ ip, six, batch, dash, NULL },
		     "address show\nroute show table all\nneigh show nud permanent\n");
	if (runtime.nft)
		note_program((char *[]){ nft, list, ruleset, NULL }, "");
	note_pods();
	note_settings();
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		nftw(places[i], note_file, 8, FTW_PHYS);
	fclose(paper);
	return text;
}

static bool is_locked(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;

	if (fd >= 0)
		close(fd);
	return locked;
}

bool lock_held(void)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/lock", runtime.store);
	return is_locked("/run/cni/ipvlan/lock") || is_locked(path);
}

/* Whose is the address, by the store? */
static void lease_owner(const char *address, char ret[64])
{
	char path[PATH_MAX + INET6_ADDRSTRLEN + 1];
	FILE *file;

	*ret = '\0';
	snprintf(path, sizeof(path), "%s/%s", runtime.store, address);
	file = fopen(path, "re");
	if (file && fgets(ret, 64, file))
		ret[strcspn(ret, "\r\n")] = '\0';
	if (file)
		fclose(file);
}

static int count_strange(const struct ifaddrs *list, const char *pod, int *own)
{
	char text[INET6_ADDRSTRLEN], owner[64];
	int strange = 0;

	for (; list; list = list->ifa_next) {
		const struct sockaddr *sa = list->ifa_addr;
		const void *address = NULL;

		if (sa && sa->sa_family == AF_INET)
			address = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
		else if (sa && sa->sa_family == AF_INET6)
			address = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
		if (!address || !inet_ntop(sa->sa_family, address, text, sizeof(text)) ||
		    !strcmp(list->ifa_name, "lo") || !strncmp(text, "fe80:", 5))
			continue;
		++*own;
		lease_owner(text, owner);
		strange += strcmp(owner, pod) != 0;
	}
	return strange;
}

static int count_leases(const char *pod)
{
	DIR *store = opendir(runtime.store);
	const struct dirent *entry;
	char owner[64];
	int n = 0;

	while (store && (entry = readdir(store))) {
		if (entry->d_name[0] != '1' && entry->d_name[0] != 'f')
			continue;
		lease_owner(entry->d_name, owner);
		n += !strcmp(owner, pod);
	}
	if (store)
		closedir(store);
	return n;
}

int addresses(const char *pod, int *own, int *leased)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), netns = open_netns(pod), strange = 0;
	struct ifaddrs *list = NULL;

	*own = 0;
	*leased = count_leases(pod);
	if (netns >= 0 && setns(netns, CLONE_NEWNET) == 0 && getifaddrs(&list) == 0)
		strange = count_strange(list, pod, own);
	freeifaddrs(list);
	setns(home, CLONE_NEWNET);
	close(home);
	if (netns >= 0)
		close(netns);
	return strange;
}
