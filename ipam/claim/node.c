/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/node.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "cni/cleanup.h"

#define BOOT_ID_LEN 36

/* Reads the first line of a file, cut to size; "" if the file cannot be read. */
static void node_read_line(char *ret, size_t size, const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[len > 0 ? len : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

/* Is it empty, or a default that hardware makers leave in place of a number? */
static bool node_is_default(const char *uuid)
{
	static const char *const defaults[] = { "03000200-0400-0500-0006-000700080009",
						"12345678-1234-5678-90ab-cddeefaabbcc", "Not Settable",
						"Not Specified", "To be filled by O.E.M." };
	const char digit = *uuid;

	for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
		if (!strcasecmp(uuid, defaults[i]))
			return true;
	/* all digits are the same */
	for (; *uuid; uuid++)
		if (*uuid != digit && *uuid != '-')
			return false;
	return true;
}

static int node_is_interface(const struct dirent *entry)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/device", entry->d_name);
	return access(path, F_OK) == 0;
}

/* The MAC address of the first hardware interface, in the order of names. */
static void node_read_mac(char *ret, size_t size)
{
	struct dirent **entries;
	char path[PATH_MAX] = "";
	int n = scandir("/sys/class/net", &entries, node_is_interface, alphasort);

	for (int i = 0; i < n; i++) {
		if (i == 0)
			snprintf(path, sizeof(path), "/sys/class/net/%s/address", entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	node_read_line(ret, size, path);
}

/*
 * The hardware number stays the same after the machine is installed anew. If there is none, or only a
 * default, the machine is machine-id and MAC address together, since a machine with a copy of the disk has
 * another MAC address on the same LAN.
 */
static void node_read_machine(char *ret, size_t size)
{
	char id[40], mac[24];

	node_read_line(ret, size, "/sys/class/dmi/id/product_uuid");
	if (node_is_default(ret))
		node_read_line(ret, size, "/sys/firmware/devicetree/base/serial-number");
	if (!node_is_default(ret))
		return;
	node_read_line(id, sizeof(id), "/etc/machine-id");
	if (node_is_default(id))
		*id = '\0';
	node_read_mac(mac, sizeof(mac));
	snprintf(ret, size, "%s%s%s", id, *id && *mac ? " " : "", *id ? mac : "");
}

int node_describe(struct claim *ret, const struct cluster *cluster, struct cni_error *err)
{
	struct claim self = { .since = "" };
	const struct block_boot boot = block_boot();
	const char *start = strchr(boot.s, '.');
	time_t now = time(NULL);
	struct tm tm;

	snprintf(self.node, sizeof(self.node), "%s", cluster->node);
	snprintf(self.network, sizeof(self.network), "%s", cluster->network);
	self.owned = cluster->owned_by_node;
	node_read_line(self.boot, BOOT_ID_LEN + 1, "/proc/sys/kernel/random/boot_id");
	if (!*self.boot || !start)
		return cni_fail(err, CNI_IO, "cannot read /proc/sys/kernel/random/boot_id");
	snprintf(self.boot + strlen(self.boot), sizeof(self.boot) - strlen(self.boot), "%s", start);
	node_read_machine(self.machine, sizeof(self.machine));
	if (gmtime_r(&now, &tm))
		strftime(self.since, sizeof(self.since), "%Y-%m-%dT%H:%M:%SZ", &tm);
	memcpy(self.seen, self.since, sizeof(self.seen));
	*ret = self;
	return 0;
}

bool node_is_same_machine(const char *was, const char *is)
{
	const size_t len = strlen(was);

	/* an older program wrote the machine without the MAC address */
	return len && !strncmp(is, was, len) && (!is[len] || is[len] == ' ');
}

bool node_was_renamed(const struct claim *self, const char *incarnation, const char *machine,
		      const char *boot)
{
	return !strcmp(incarnation, self->incarnation) && node_is_same_machine(machine, self->machine) &&
	       !strcmp(boot, self->boot);
}

bool node_is_same_boot(const char *was, const char *is)
{
	/* an older program wrote the boot without the start of process 1 */
	return !strncmp(is, was, BOOT_ID_LEN) && (!was[strcspn(was, ".")] || !strcmp(is, was));
}
