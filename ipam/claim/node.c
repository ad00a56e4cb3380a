#include "claim/node.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cni/cleanup.h"

/* The first line of a file, cut to size; "" when it cannot be read. */
static void read_line(char *ret, size_t size, const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[len > 0 ? len : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

int node_describe(struct claim *ret, const struct cluster *cluster, struct cni_error *err)
{
	struct claim self = { .since = "" };
	time_t now = time(NULL);
	struct tm tm;

	snprintf(self.node, sizeof(self.node), "%s", cluster->node);
	snprintf(self.network, sizeof(self.network), "%s", cluster->network);
	read_line(self.boot, sizeof(self.boot), "/proc/sys/kernel/random/boot_id");
	if (!*self.boot)
		return cni_fail(err, CNI_IO, "cannot read /proc/sys/kernel/random/boot_id");
	/* the first one survives another installation of the system */
	read_line(self.machine, sizeof(self.machine), "/sys/class/dmi/id/product_uuid");
	if (!*self.machine)
		read_line(self.machine, sizeof(self.machine), "/etc/machine-id");
	if (gmtime_r(&now, &tm))
		strftime(self.since, sizeof(self.since), "%Y-%m-%dT%H:%M:%SZ", &tm);
	*ret = self;
	return 0;
}
