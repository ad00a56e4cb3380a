/* SPDX-License-Identifier: Apache-2.0 */
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

static FILE *paper; /* nftw() passes no argument */

static int open_netns(const char *pod)
{
	char path[NAME_MAX + 16];

	snprintf(path, sizeof(path), "/run/netns/%s", pod);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void note_content(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[1024];

	while (file && fgets(line, sizeof(line), file))
		fprintf(paper, "%s: %s\n", path, strtok(line, "\r\n") ? line : "");
	if (file)
		fclose(file);
}

static void note_target(const char *path)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target));

	fprintf(paper, "%s -> %.*s\n", path, len > 0 ? (int)len : 0, target);
}

/* Left out: directories of a store or ledger; a file whose content differs after each call;
 * addrpool's files beside the leases, which it makes again from them, as test/traced/pool-faults
 * proves; and counters. */
static int note_file(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	if ((kind == FTW_D && where->level <= 3) || strstr(path, "last_reserved_ip") ||
	    strstr(path, "/.addrpool/") || strstr(path, "/run/cni/ipvlan.counters."))
		return 0;
	fprintf(paper, "%s %d\n", path, kind);
	if (kind == FTW_F)
		note_content(path);
	else if (kind == FTW_SL)
		note_target(path);
	return 0;
}

/* Removes counters, and the numbers of addresses in the names of limits. */
static void cut_counts(char *word)
{
	static const char *const before[] = { "packets ",  "counter packets ", "0x",
					      "late_out_", "late_in_",	       "limit out_",
					      "limit in_", "\"out_",	       "\"in_" };

	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
		char *at = strstr(word, before[i]);

		if (at)
			at[strlen(before[i])] = '\0';
	}
}

/* Each rule, and each element of a set, in a line. */
static void note_nft(void)
{
	static char nft[] = "/usr/sbin/nft", list[] = "list", ruleset[] = "ruleset";
	static char *const env[] = { NULL };
	static struct outcome o;
	char set[64] = "", *rest = NULL;

	run((char *[]){ nft, list, ruleset, NULL }, env, "", NULL, &o);
	for (char *word = strtok_r(o.out, "{},\n\t", &rest); word; word = strtok_r(NULL, "{},\n\t", &rest)) {
		size_t len;

		word += strspn(word, " ");
		len = strlen(word);
		while (len && word[len - 1] == ' ')
			word[--len] = '\0';
		if (!strncmp(word, "set ", 4) || !strncmp(word, "chain ", 6))
			snprintf(set, sizeof(set), "%s", word);
		cut_counts(word);
		if (*word)
			fprintf(paper, "nft: %s: %s\n", set, word);
	}
	fputs(o.err, paper);
}

/* Namespaces, by inode. */
struct seen {
	ino_t inodes[REACH_MAX];
	int n;
};

/* Was it in the list before? */
static bool note_netns(int fd, struct seen *seen)
{
	struct stat st = { .st_ino = 0 };

	fstat(fd, &st);
	for (int i = 0; i < seen->n; i++)
		if (seen->inodes[i] == st.st_ino)
			return true;
	if (seen->n < REACH_MAX)
		seen->inodes[seen->n++] = st.st_ino;
	return false;
}

struct visitor {
	void (*each)(const char *pod, void *arg);
	void *arg;
};

static void visit(int netns, const char *name, struct seen *seen, const struct visitor *visitor)
{
	/* a name that is being removed is a file without a namespace */
	if (netns >= 0 && !note_netns(netns, seen) && strcmp(name, "lan") != 0 &&
	    setns(netns, CLONE_NEWNET) == 0)
		visitor->each(name, visitor->arg);
	if (netns >= 0)
		close(netns);
}

static int is_named(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int is_process(const struct dirent *entry)
{
	return entry->d_name[0] > '0' && entry->d_name[0] <= '9';
}

static void visit_below(const char *place, const char *rest, int (*fits)(const struct dirent *entry),
			struct seen *seen, const struct visitor *visitor)
{
	struct dirent **entries = NULL;
	int n = scandir(place, &entries, fits, alphasort);

	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s%s", place, entries[i]->d_name, rest);
		visit(open(path, O_RDONLY | O_CLOEXEC), entries[i]->d_name, seen, visitor);
		free(entries[i]);
	}
	free(entries);
}

void each_pod(void (*each)(const char *pod, void *arg), void *arg)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	const struct visitor visitor = { each, arg };
	struct seen seen = { .n = 0 };

	note_netns(home, &seen);
	visit_below("/run/netns", "", is_named, &seen, &visitor);
	visit_below("/proc", "/ns/net", is_process, &seen, &visitor);
	setns(home, CLONE_NEWNET);
	close(home);
}

static void note_pod(const char *pod, void *arg)
{
	char where[NAME_MAX + 8];

	(void)arg;
	snprintf(where, sizeof(where), "pod %s", pod);
	dump(paper, where);
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
	char *text = NULL;
	size_t len;

	paper = open_memstream(&text, &len);
	if (!paper) {
		perror("inventory");
		exit(2);
	}
	dump(paper, "host");
	if (runtime.nft)
		note_nft();
	each_pod(note_pod, NULL);
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

static int note_lock(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)where;
	return kind == FTW_F && is_locked(path);
}

bool lock_held(void)
{
	return nftw("/run/cni", note_lock, 8, FTW_PHYS) > 0 ||
	       nftw("/var/lib/cni", note_lock, 8, FTW_PHYS) > 0;
}

/* The holder of the address in the store. */
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
