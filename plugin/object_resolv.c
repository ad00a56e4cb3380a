/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/cleanup.h"
#include "plugin/kinds.h"

/*
 * /etc/netns/<name>/resolv.conf, which ip-netns(8) mounts over /etc/resolv.conf for programs that
 * it starts in that namespace. A file without our first line belongs to somebody else, and is not
 * changed.
 */
#define ROOT "/etc/netns"
#define MARK "# made by ipvlan-cni\n"

struct path {
	char s[sizeof(ROOT) + sizeof(((struct object *)0)->name) + sizeof("//resolv.conf.new")];
};

static struct path resolv_path_of(const struct object *object, const char *file)
{
	struct path path;

	snprintf(path.s, sizeof(path.s), ROOT "/%s%s", object->name, file);
	return path;
}

static enum whose {
	NOBODYS,
	OURS,
	THEIRS,
	UNREADABLE
} resolv_whose(const struct object *object, struct cni_error *err)
{
	const struct path path = resolv_path_of(object, "/resolv.conf");
	autoclose int fd = open(path.s, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[sizeof(MARK)] = "";

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return NOBODYS;
	if ((fd < 0 && errno != ELOOP && errno != ENXIO) ||
	    (fd >= 0 && read(fd, text, strlen(MARK)) < 0 && errno != EISDIR)) {
		cni_fail(err, CNI_IO, "cannot read %s: %s", path.s, errno_text(errno));
		return UNREADABLE;
	}
	return strcmp(text, MARK) ? THEIRS : OURS;
}

/* NULL for a value with line ends, which is left out. */
static const char *resolv_word(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && *text && !strpbrk(text, "\r\n") ? text : NULL;
}

static void resolv_print_list(FILE *out, const char *key, const json_t *list)
{
	const char *before = key;
	json_t *value;
	size_t i;

	json_array_foreach(list, i, value) {
		if (!resolv_word(value))
			continue;
		fprintf(out, "%s %s", before, resolv_word(value));
		before = "";
	}
	if (before != key)
		fputc('\n', out);
}

static void resolv_print(FILE *out, const json_t *dns)
{
	const char *domain = resolv_word(json_object_get(dns, "domain"));
	json_t *server;
	size_t i;

	fputs(MARK, out);
	json_array_foreach(json_object_get(dns, "nameservers"), i, server)
		if (resolv_word(server))
			fprintf(out, "nameserver %s\n", resolv_word(server));
	if (domain)
		fprintf(out, "domain %s\n", domain);
	resolv_print_list(out, "search", json_object_get(dns, "search"));
	resolv_print_list(out, "options", json_object_get(dns, "options"));
}

static int resolv_write_file(const struct object *object)
{
	const struct path new = resolv_path_of(object, "/resolv.conf.new"),
			  path = resolv_path_of(object, "/resolv.conf");
	autoclose int fd = -1;
	FILE *out;

	if ((mkdir(ROOT, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(resolv_path_of(object, "").s, 0755) < 0 && errno != EEXIST))
		return -1;
	fd = open(new.s, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		return -1;
	take_fd(&fd);
	resolv_print(out, object->dns);
	if (fclose(out) == 0 && rename(new.s, path.s) == 0)
		return 0;
	unlink(new.s);
	return -1;
}

static int resolv_make(struct view *view, const struct object *object, struct cni_error *err)
{
	(void)view;
	switch (resolv_whose(object, err)) {
	case UNREADABLE:
		return -1;
	case THEIRS:
		cni_log("resolvConf: %s was not made by the plugin, and stays",
			resolv_path_of(object, "/resolv.conf").s);
		return 0;
	default:
		break;
	}
	if (resolv_write_file(object) == 0)
		return 0;
	return cni_fail(err, CNI_IO, "resolvConf: cannot write %s: %s",
			resolv_path_of(object, "/resolv.conf").s, errno_text(errno));
}

static int resolv_remove(struct view *view, const struct object *object, struct cni_error *err)
{
	const enum whose now = resolv_whose(object, err);

	(void)view;
	if (now == UNREADABLE)
		return -1;
	if (now == OURS && unlink(resolv_path_of(object, "/resolv.conf").s) < 0 && errno != ENOENT)
		return cni_fail(err, CNI_IO, "cannot remove %s: %s", resolv_path_of(object, "/resolv.conf").s,
				errno_text(errno));
	unlink(resolv_path_of(object, "/resolv.conf.new").s);
	rmdir(resolv_path_of(object, "").s); /* fails if there are other files in it */
	return 0;
}

static enum found resolv_find(struct view *view, const struct object *object, struct cni_error *err)
{
	(void)view;
	switch (resolv_whose(object, err)) {
	case UNREADABLE:
		return FOUND_FAILED;
	case NOBODYS:
		return FOUND_NOT;
	default:
		return FOUND;
	}
}

/* Can the directory of a namespace be made, or files in it? Its name does not matter. */
static int resolv_check(struct view *view, const struct object *object, struct cni_error *err)
{
	int rc = access(ROOT "/.", W_OK | X_OK);

	(void)view;
	(void)object;
	if (rc < 0 && errno == ENOENT)
		rc = access("/etc", W_OK | X_OK);
	return rc < 0 ? cni_fail(err, CNI_IO, "resolvConf: cannot write %s: %s", ROOT, errno_text(errno)) : 0;
}

const struct kind kind_resolv = {
	.name = "resolv.conf",
	.key = KEY_NAME,
	.make = resolv_make,
	.remove = resolv_remove,
	.find = resolv_find,
	.check = resolv_check,
};
