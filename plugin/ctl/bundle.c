/* SPDX-License-Identifier: Apache-2.0 */
/* ipvlanctl report: one file for a bug report. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cni/child.h"
#include "cni/cleanup.h"
#include "cni/json.h"
#include "cni/listing.h"
#include "ctl/commands.h"
#include "ctl/places.h"
#include "ctl/podman.h"
#include "ctl/progress.h"
#include "ctl/redact.h"
#include "ctl/runtimes.h"
#include "ctl/scan.h"
#include "ctl/tar.h"
#include "ctl/text.h"
#include "plugin/fence.h"

/* Longer than ipvlanctl pools waits for one plugin. */
#define PATIENCE_S (LISTING_S + 3 * LISTING_LOCK_S)
#define FILE_KEPT (256 << 10)
#define PODS_KEPT 100

struct bundle {
	int fd;
	struct secrets secrets;
	char contents[8192]; /* the list of files, for the reader */
	size_t used;
	struct cni_error err;
};

/* Removes secrets. Adds nothing after a write has failed. */
static void bundle_add(struct bundle *bundle, const char *name, const char *what, const char *text)
{
	autofree char *clean = redact_text(&bundle->secrets, text);

	if (bundle->err.msg[0] || tar_add(bundle->fd, name, clean, strlen(clean), &bundle->err) < 0)
		return;
	if (*what && bundle->used < sizeof(bundle->contents))
		bundle->used +=
			(size_t)snprintf(bundle->contents + bundle->used,
					 sizeof(bundle->contents) - bundle->used, "%-20s %s\n", name, what);
}

static void bundle_add_json(struct bundle *bundle, const char *name, const char *what, const json_t *doc)
{
	autofree char *text = json_dumps(doc, JSON_INDENT(2) | JSON_ENCODE_ANY);

	bundle_add(bundle, name, what, text ? text : "");
}

static bool bundle_find(const char *program, char path[PATH_MAX])
{
	static const char *const dirs[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, PATH_MAX, "%s/%s", dirs[i], program);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* Returns the output of a program, or of ipvlanctl if program is ""; or the reason why there is none. The
 * caller frees it. */
static char *bundle_output_of(const char *program, const char *const *arguments)
{
	struct child child = {
		.what = "", .env = environ, .patience_s = PATIENCE_S, .output_max = LISTING_MAX, .quiet = true
	};
	struct cni_error why = { 0 };
	char path[PATH_MAX] = "/proc/self/exe", *text = NULL;
	struct outcome o = { .output = NULL };

	if (*program && !bundle_find(program, path))
		cni_fail(&why, CNI_IO, "this machine has no %s", program);
	child.argv[0] = path;
	for (int i = 0; arguments[i]; i++)
		child.argv[i + 1] = arguments[i];
	if (!why.msg[0])
		child_run(&child, &o, &why);
	if ((why.msg[0] ? asprintf(&text, "%s\n", why.msg)
			: asprintf(&text, "%s%s", o.output ? o.output : "",
				   o.stderr_len ? o.stderr_end : "")) < 0)
		abort();
	return text;
}

static void bundle_add_output(struct bundle *bundle, const char *name, const char *what, const char *program,
			      const char *const *arguments)
{
	autofree char *text = NULL;

	progress("collecting %s", name);
	text = bundle_output_of(program, arguments);
	bundle_add(bundle, name, what, text);
}

#define OUTPUT(bundle, name, what, program, ...) \
	bundle_add_output(bundle, name, what, program, (const char *const[]){ __VA_ARGS__, NULL })

/* Returns a regular file, or the beginning of a large one; NULL: there is none. The caller frees it. */
static char *bundle_read_text(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;
	size_t used = 0;
	ssize_t n;
	char *text;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return NULL;
	text = malloc(FILE_KEPT + 1);
	if (!text)
		abort();
	while (used < FILE_KEPT && (n = read(fd, text + used, FILE_KEPT - used)) > 0)
		used += (size_t)n;
	for (size_t i = 0; i < used; i++)
		if (!text[i])
			text[i] = '?';
	text[used] = '\0';
	return text;
}

static const char *bundle_line_end(const char *text)
{
	const size_t len = strlen(text);

	return len && text[len - 1] == '\n' ? "" : "\n";
}

struct sheet {
	char *s;
	size_t len;
	FILE *out;
};

static void bundle_sheet_open(struct sheet *ret)
{
	*ret = (struct sheet){ .s = NULL };
	ret->out = open_memstream(&ret->s, &ret->len);
	if (!ret->out)
		abort();
}

static void bundle_sheet_add(struct bundle *bundle, struct sheet *sheet, const char *name, const char *what)
{
	if (fclose(sheet->out) != 0)
		abort();
	bundle_add(bundle, name, what, sheet->s);
	free(sheet->s);
}

/* Prints a line with the title, and the text. */
static void bundle_sheet_put(const struct sheet *sheet, const char *title, const char *text)
{
	fprintf(sheet->out, "== %s\n%s%s", title, text, bundle_line_end(text));
}

static void bundle_add_versions(struct bundle *bundle)
{
	autofree char *release = bundle_read_text("/usr/lib/os-release");
	struct utsname host = { .release = "" };
	struct sheet sheet;

	uname(&host);
	bundle_sheet_open(&sheet);
	fprintf(sheet.out, "ipvlan-cni %s\nkernel %s %s %s\n", about_version(), host.release, host.version,
		host.machine);
	bundle_sheet_put(&sheet, "/usr/lib/os-release", release ? release : "the file does not exist");
	bundle_sheet_add(bundle, &sheet, "versions.txt", "versions of ipvlan-cni, kernel and distribution");
}

/* Must be first: it finds the secrets. A file that is not JSON is left out, since its secrets cannot be
 * found. */
static void bundle_add_configurations(struct bundle *bundle)
{
	json_auto_t *files = places_list(&bundle->err), *podmans = podman_networks(), *all = json_object();
	const json_t *file, *entry;
	size_t i;

	json_array_foreach(files, i, file) {
		const char *path = json_string_value(file);
		autofree char *text = bundle_read_text(path);
		json_auto_t *doc = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
		const char *name = places_name(path);

		json_object_set_new(
			all, name,
			doc ? redact_json(&bundle->secrets, doc)
			    : json_string("left out: it cannot be read as JSON, and may have secrets"));
	}
	/* as ipvlan's configuration, in which the secrets of Podman's options can be found */
	json_array_foreach(podmans, i, entry) {
		json_auto_t *plugins = podman_plugins(json_object_get(entry, "network"), NULL);

		json_object_set_new(all, scan_text(entry, "file"),
				    plugins ? redact_json(&bundle->secrets, plugins)
					    : json_string("left out: its options cannot be read"));
	}
	bundle_add_json(bundle, "configurations.json",
			"/etc/cni/net.d, and Podman's networks of ipvlan-netavark, without secrets", all);
}

/* All files below a directory. depth: of directories. */
// NOLINTNEXTLINE(misc-no-recursion): the ledger has three levels
static void bundle_put_directory(const struct sheet *sheet, const char *dir, int depth)
{
	struct dirent **entries;
	int n = depth ? scandir(dir, &entries, NULL, alphasort) : -1;

	for (int i = 0; i < n; i++) {
		autofree char *path = NULL, *text = NULL;

		if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) < 0)
			abort();
		text = bundle_read_text(path);
		if (text)
			bundle_sheet_put(sheet, path, text);
		else if (entries[i]->d_type == DT_DIR && *entries[i]->d_name != '.')
			bundle_put_directory(sheet, path, depth - 1);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void bundle_add_ledger(struct bundle *bundle)
{
	struct sheet sheet;

	bundle_sheet_open(&sheet);
	bundle_put_directory(&sheet, "/run/cni/ipvlan", 5);
	bundle_sheet_add(bundle, &sheet, "ledger.txt", "the plugin's ledger, /run/cni/ipvlan");
}

static void bundle_put_sysctl(const struct sheet *sheet, const char *format, ...)
{
	char name[128], path[160];
	autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	text = bundle_read_text(path);
	if (text)
		fprintf(sheet->out, "%s = %s", name, text);
}

static void bundle_put_link_sysctls(const struct sheet *sheet, const char *link)
{
	static const char *const v4[] = { "forwarding", "rp_filter",	"arp_ignore",	 "arp_announce",
					  "proxy_arp",	"accept_local", "route_localnet" };
	static const char *const v6[] = { "forwarding", "accept_ra", "disable_ipv6", "proxy_ndp",
					  "accept_dad" };

	if (strchr(link, '/') || strlen(link) > 15)
		return;
	for (size_t i = 0; i < sizeof(v4) / sizeof(*v4); i++)
		bundle_put_sysctl(sheet, "ipv4/conf/%s/%s", link, v4[i]);
	for (size_t i = 0; i < sizeof(v6) / sizeof(*v6); i++)
		bundle_put_sysctl(sheet, "ipv6/conf/%s/%s", link, v6[i]);
}

static void bundle_add_sysctls(struct bundle *bundle, const json_t *doc)
{
	const json_t *master;
	struct sheet sheet;
	size_t i;

	bundle_sheet_open(&sheet);
	bundle_put_sysctl(&sheet, "ipv4/ip_forward");
	bundle_put_sysctl(&sheet, "bridge/bridge-nf-call-iptables");
	bundle_put_link_sysctls(&sheet, "all");
	bundle_put_link_sysctls(&sheet, "default");
	json_array_foreach(json_object_get(doc, "masters"), i, master)
		bundle_put_link_sysctls(&sheet, scan_text(master, "name"));
	bundle_sheet_add(bundle, &sheet, "sysctl.txt", "forwarding, ARP, rp_filter and IPv6 of the host");
}

static void bundle_put_nftable(const struct sheet *sheet, const char *family, const char *name)
{
	autofree char *text =
		bundle_output_of("nft", (const char *const[]){ "list", "table", family, name, NULL });

	fprintf(sheet->out, "== nft list table %s %s\n%s%s", family, name, text, bundle_line_end(text));
}

/* Each master with antiSpoof, bandwidth or counters has a table. */
static void bundle_add_nftables(struct bundle *bundle, const json_t *doc)
{
	const json_t *master;
	struct sheet sheet;
	char name[32];
	size_t i;

	bundle_sheet_open(&sheet);
	bundle_put_nftable(&sheet, "inet", "ipvlan_cni");
	json_array_foreach(json_object_get(doc, "masters"), i, master) {
		snprintf(name, sizeof(name), FENCE_PREFIX "%u", if_nametoindex(scan_text(master, "name")));
		bundle_put_nftable(&sheet, "netdev", name);
	}
	bundle_sheet_add(bundle, &sheet, "host/nft.txt", "the plugin's nftables tables");
}

static void bundle_add_pod(struct bundle *bundle, const json_t *pod, size_t number)
{
	const char *path = scan_text(json_object_get(pod, "namespace"), "path");
	static const char *const lists[][4] = { { "-d", "-j", "link" },
						{ "-d", "-j", "addr" },
						{ "-4", "-j", "route" },
						{ "-6", "-j", "route" } };
	char name[32], *net = NULL;
	struct sheet sheet;

	if (!*path || asprintf(&net, "--net=%s", path) < 0)
		return;
	snprintf(name, sizeof(name), "pods/%zu.txt", number);
	progress("collecting %s", name);
	bundle_sheet_open(&sheet);
	fprintf(sheet.out, "container %s, interface %s, namespace %s\n", scan_text(pod, "container"),
		scan_text(pod, "interface"), path);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		autofree char *text =
			bundle_output_of("nsenter", (const char *const[]){ net, "ip", lists[i][0],
									   lists[i][1], lists[i][2], NULL });

		fprintf(sheet.out, "== ip %s %s %s\n%s%s", lists[i][0], lists[i][1], lists[i][2], text,
			bundle_line_end(text));
	}
	bundle_sheet_add(bundle, &sheet, name, "");
	free(net);
}

static void bundle_add_pods(struct bundle *bundle, const json_t *doc)
{
	const json_t *master, *pod;
	size_t i, k, n = 0;

	json_array_foreach(json_object_get(doc, "masters"), i, master)
		json_array_foreach(json_object_get(master, "pods"), k, pod)
			if (n < PODS_KEPT)
				bundle_add_pod(bundle, pod, ++n);
	bundle->used +=
		(size_t)snprintf(bundle->contents + bundle->used, sizeof(bundle->contents) - bundle->used,
				 "%-20s links, addresses and routes of %zu pods\n", "pods/", n);
}

static void bundle_collect(struct bundle *bundle)
{
	json_auto_t *doc = NULL, *runtimes = NULL;

	bundle_add_configurations(bundle);
	doc = scan(NULL);
	runtimes = runtimes_json();
	bundle_add_versions(bundle);
	bundle_add_json(bundle, "runtimes.json", "container runtimes and their versions", runtimes);
	OUTPUT(bundle, "doctor.txt", "ipvlanctl doctor", "", "doctor");
	OUTPUT(bundle, "show.txt", "ipvlanctl show -v", "", "show", "-v");
	OUTPUT(bundle, "show.json", "ipvlanctl show --json", "", "show", "--json");
	OUTPUT(bundle, "pools.json", "address pools and leases", "", "pools", "--json");
	OUTPUT(bundle, "repair.txt", "ipvlanctl repair --dry-run", "", "repair", "--dry-run");
	bundle_add_ledger(bundle);
	OUTPUT(bundle, "host/link.json", "the host's links", "ip", "-d", "-j", "link");
	OUTPUT(bundle, "host/addr.json", "the host's addresses", "ip", "-d", "-j", "addr");
	OUTPUT(bundle, "host/route4.json", "the host's IPv4 routes", "ip", "-4", "-j", "route", "show",
	       "table", "all");
	OUTPUT(bundle, "host/route6.json", "the host's IPv6 routes", "ip", "-6", "-j", "route", "show",
	       "table", "all");
	OUTPUT(bundle, "host/rule.json", "the host's routing rules", "ip", "-j", "rule");
	bundle_add_nftables(bundle, doc);
	bundle_add_sysctls(bundle, doc);
	bundle_add_pods(bundle, doc);
	bundle_add(bundle, "CONTENTS", "", bundle->contents);
}

/* Replaces characters of the host's name that a file's name should not have. */
static void bundle_default_name(char *ret, size_t size)
{
	const time_t now = time(NULL);
	struct utsname host = { .nodename = "" };
	struct tm tm;
	char date[32] = "";

	uname(&host);
	for (char *c = host.nodename; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			*c = '_';
	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(ret, size, "ipvlanctl-report-%s-%s.tar", host.nodename, date);
}

/* "-": the archive goes to standard output, and messages to standard error. */
static int bundle_open_archive(const char *name)
{
	if (strcmp(name, "-") != 0)
		return open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (!isatty(STDOUT_FILENO))
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	errno = ENOTTY;
	return -1;
}

int report_main(int argc, char **argv)
{
	struct bundle bundle = { .fd = -1 };
	char usual[160];
	const char *name = usual;

	bundle_default_name(usual, sizeof(usual));
	if (argc > 1)
		name = argv[1];
	bundle.fd = bundle_open_archive(name);
	if (bundle.fd < 0) {
		cni_log("ipvlanctl: cannot make %s: %s", name, errno_text(errno));
		return 1;
	}
	secrets_open(&bundle.secrets);
	bundle_collect(&bundle);
	secrets_close(&bundle.secrets);
	if (!bundle.err.msg[0])
		tar_end(bundle.fd, &bundle.err);
	if (close(bundle.fd) < 0 && !bundle.err.msg[0])
		cni_fail(&bundle.err, CNI_IO, "cannot write the report: %s", errno_text(errno));
	progress_end();
	if (bundle.err.msg[0]) {
		cni_log("ipvlanctl: %s", bundle.err.msg);
		return 1;
	}
	if (strcmp(name, "-") != 0)
		printf("%s\n\n%s\nPasswords, tokens and keys were removed. Addresses and names remain: "
		       "read the archive before you pass it on.\n",
		       name, bundle.contents);
	return 0;
}
