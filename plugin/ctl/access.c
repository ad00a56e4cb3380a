/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/access.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "cni/json.h"
#include "ctl/call.h"
#include "ctl/guest.h"
#include "ctl/ping.h"
#include "ctl/progress.h"
#include "ctl/scan.h"
#include "net/addr.h"
#include "net/netns.h"
#include "plugin/object.h"

#define IFNAME "eth0"
#define CLOSED_PORT 1 /* a host without a filter answers with RST */
#define PATIENCE_MS 1000

struct knock {
	struct ip to;
	bool answered;
};

/* Runs in the pod's namespace. */
static int access_knock(void *arg, struct cni_error *err)
{
	struct knock *knock = arg;
	const bool v4 = knock->to.family == AF_INET;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(CLOSED_PORT) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(CLOSED_PORT) };
	autoclose int fd = socket(knock->to.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t size = sizeof(error);

	(void)err;
	memcpy(v4 ? (void *)&in.sin_addr : (void *)&in6.sin6_addr, knock->to.bytes, ip_size(&knock->to));
	if (fd < 0)
		return 0;
	if (connect(fd, v4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
		    v4 ? sizeof(in) : sizeof(in6)) < 0)
		error = errno;
	if (error == EINPROGRESS && poll(&wait, 1, PATIENCE_MS) > 0)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	knock->answered = !error || error == ECONNREFUSED;
	return 0;
}

/* Tries an echo request, then TCP, since a firewall may accept TCP only. */
static bool access_answers(int netns, const struct ip *to)
{
	struct knock at = { .to = *to };
	double ms;

	if (ping(netns, to, &ms, NULL) == FOUND)
		return true;
	netns_run(netns, access_knock, &at, NULL);
	return at.answered;
}

/* Returns the sysctl that filters strictly by the reverse path on a link; NULL: none does. */
static const char *access_strict_on(const char *link)
{
	static char name[64];

	snprintf(name, sizeof(name), "ipv4/conf/%s/rp_filter", link);
	if (netns_sysctl_is(name, "1", NULL) != FOUND &&
	    (netns_sysctl_is("ipv4/conf/all/rp_filter", "1", NULL) != FOUND ||
	     netns_sysctl_is(name, "2", NULL) == FOUND))
		return NULL;
	snprintf(name, sizeof(name), "net.ipv4.conf.%s.rp_filter", link);
	return name;
}

static void access_report_silence(struct exam *exam, const struct ip *host, bool other_way)
{
	char anchor[IFNAMSIZ], remedy[256];
	const char *strict;

	anchor_name(exam->master.index, anchor);
	strict = exam->conf.mode == IPVLAN_MODE_L2 ? NULL : access_strict_on(anchor);
	snprintf(remedy, sizeof(remedy),
		 "let the host's firewall accept packets from pods: nft list ruleset, iptables -S "
		 "INPUT%s%s%s",
		 strict ? "; or set sysctl " : "", strict ? strict : "", strict ? "=2" : "");
	report(exam->report, WARNING, "hostAccess", remedy,
	       "network \"%s\": the host, %s, does not answer pods by ICMP or TCP%s", exam_network(exam),
	       ip_text(host).s, other_way ? ", though pods answer the host" : "");
}

/* pod: its address of the family. */
static void access_examine_family(struct exam *exam, int netns, const struct ip *pod)
{
	struct ip host = { .family = 0 };

	if (addr_main(&exam->host, exam->master.index, pod->family, &host, NULL) != FOUND)
		return;
	progress("asking the host from a pod of %s", exam_network(exam));
	if (access_answers(netns, &host))
		report(exam->report, OK, "hostAccess", NULL, "the host answers pods at %s", ip_text(&host).s);
	else
		access_report_silence(exam, &host, access_answers(-1, pod));
}

/* addresses: strings, or objects that have one as "address". */
static void access_examine_from(struct exam *exam, const char *path, const json_t *addresses)
{
	autoclose int netns = -1;
	bool done[2] = { false, false };
	const json_t *entry;
	struct prefix pod;
	size_t i;

	if (netns_open(path, false, &netns, NULL) != NETNS_OPEN)
		return;
	json_array_foreach(addresses, i, entry) {
		const char *text =
			json_string_value(json_is_string(entry) ? entry : json_field(entry, "address"));

		if (!text || !prefix_parse(text, &pod) || done[pod.ip.family == AF_INET6])
			continue;
		done[pod.ip.family == AF_INET6] = true;
		access_examine_family(exam, netns, &pod.ip);
	}
}

static const json_t *access_running_pod(const struct exam *exam, const json_t *machine)
{
	const json_t *master, *pod;
	size_t i, k;

	json_array_foreach(json_object_get(machine, "masters"), i, master)
		json_array_foreach(json_object_get(master, "pods"), k, pod)
			if (!strcmp(scan_text(pod, "network"), exam_network(exam)) &&
			    json_is_true(json_object_get(pod, "up")) && *scan_text(pod, "container"))
				return pod;
	return NULL;
}

static void access_examine_from_guest(struct exam *exam, const struct guest *guest)
{
	const struct call call = { .container = guest->container, .netns = guest->path, .ifname = IFNAME };
	struct cni_error err = { 0 };
	json_auto_t *result = call_add(&call, exam->plugins, &err);

	if (result)
		access_examine_from(exam, guest->path, json_field(result, "ips"));
	else
		report_error(exam->report, ERROR, "ADD", &err);
	call_del(&call, exam->plugins, result, NULL);
}

void examine_access(struct exam *exam, const json_t *machine)
{
	const unsigned int required = SOUND_STATUS | SOUND_LINK | SOUND_LOCK;
	const json_t *pod = access_running_pod(exam, machine);
	struct cni_error err = { 0 };
	struct guest guest;

	if ((exam->sound & required) != required || !exam->conf.host_access)
		return;
	if (pod) {
		access_examine_from(exam, scan_text(json_object_get(pod, "namespace"), "path"),
				    json_object_get(pod, "addresses"));
		return;
	}
	if (guest_open(&guest, "doctor", &err) == 0)
		access_examine_from_guest(exam, &guest);
	else
		report_error(exam->report, WARNING, "hostAccess", &err);
	guest_close(&guest);
}
