/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

#define STORES "/var/lib/cni/networks"
#define ROLES 64
#define LEDGER "/run/cni/ipvlan"

/* A leased address, and the text that replaces it. */
struct role {
	char address[INET6_ADDRSTRLEN], text[64];
};

static struct role roles[ROLES];
static int n_roles;

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int is_address(const struct dirent *entry)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, entry->d_name, address) == 1 ||
	       inet_pton(AF_INET6, entry->d_name, address) == 1;
}

static void note_lease(const char *store, const char *address)
{
	struct role *role = &roles[n_roles];
	char path[PATH_MAX], owner[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), STORES "/%s/%s", store, address);
	file = fopen(path, "re");
	if (file && fgets(owner, sizeof(owner), file) && n_roles < ROLES) {
		owner[strcspn(owner, "\r\n")] = '\0';
		snprintf(role->address, sizeof(role->address), "%.45s", address);
		snprintf(role->text, sizeof(role->text), "{%s's%s}", owner,
			 strchr(address, ':') ? " inet6" : "");
		n_roles++;
	}
	if (file)
		fclose(file);
}

static void each_entry(const char *path, int (*fits)(const struct dirent *entry),
		       void (*each)(const char *name, const char *arg), const char *arg)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, fits, alphasort);

	for (int i = 0; i < n; i++) {
		each(entries[i]->d_name, arg);
		free(entries[i]);
	}
	free(entries);
}

static void note_leased(const char *address, const char *store)
{
	note_lease(store, address);
}

static void note_store(const char *store, const char *arg)
{
	char path[PATH_MAX];

	(void)arg;
	snprintf(path, sizeof(path), STORES "/%s", store);
	each_entry(path, is_address, note_leased, store);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == ':' || c == '-';
}

static const struct role *role_of(const char *word, size_t len)
{
	for (int i = 0; i < n_roles; i++)
		if (strlen(roles[i].address) == len && !strncmp(roles[i].address, word, len))
			return &roles[i];
	return NULL;
}

static bool has_digit(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (isdigit((unsigned char)word[i]))
			return true;
	return false;
}

static bool is_lladdr(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (i % 3 == 2 ? word[i] != ':' : !isxdigit((unsigned char)word[i]))
			return false;
	return len == strlen("02:00:00:00:00:00");
}

/* The MAC address of the master, which all interfaces of pods have, unless ADD has made their
 * master. */
static char lladdr[32];

static void put_word(FILE *ret, const char *word, size_t len, bool ledger)
{
	const size_t address = word[len - 1] == ':' ? len - 1 : len; /* "PATH: CONTENT" */
	const struct role *role = role_of(word, address);

	if (role)
		fprintf(ret, "%s%s", role->text, address < len ? ":" : "");
	else if ((ledger && has_digit(word, len)) ||
		 (is_lladdr(word, len) && strncmp(word, lladdr, len) != 0))
		fputc('#', ret);
	else if (!strncmp(word, "ipva", 4) && has_digit(word, len))
		fputs("the anchor", ret);
	else
		fwrite(word, 1, len, ret);
}

/* Figures in the ledger are inodes, indices and ids; addresses are part of its objects. */
static char *canonical_line(const char *line)
{
	const bool ledger = !strncmp(line, LEDGER, strlen(LEDGER)) || !strncmp(line, "result ", 7);
	char *text = NULL;
	size_t size;
	FILE *ret = open_memstream(&text, &size);

	if (!ret)
		exit(2);
	while (*line) {
		size_t len = 0;

		while (is_word(line[len]))
			len++;
		if (!strncmp(line, "index ", 6)) {
			line += 6 + strspn(line + 6, "0123456789");
			fputs("index #", ret);
		} else if (len) {
			put_word(ret, line, len, ledger);
			line += len;
		} else {
			fputc(*line++, ret);
		}
	}
	fputc('\n', ret);
	fclose(ret);
	return text;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *sorted(char *text)
{
	char **lines, *ret = NULL, *rest = NULL;
	size_t n = 1, used = 0, size;
	FILE *whole = open_memstream(&ret, &size);

	for (const char *c = text; *c; c++)
		n += *c == '\n';
	lines = calloc(n, sizeof(*lines));
	if (!lines || !whole)
		exit(2);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		lines[used++] = canonical_line(line);
	qsort(lines, used, sizeof(*lines), by_text);
	for (size_t i = 0; i < used; i++) {
		fputs(lines[i], whole);
		free(lines[i]);
	}
	free(lines);
	fclose(whole);
	return ret;
}

static void read_lladdr(const char *text)
{
	const char *link = strstr(text, "host: link eth0 "), *at = link ? strstr(link, " lladdr ") : NULL;

	snprintf(lladdr, sizeof(lladdr), "%.17s", at ? at + strlen(" lladdr ") : "");
}

char *state(const char *more)
{
	char *all = inventory(), *text, *ret;

	if (asprintf(&text, "%s%s", all, more) < 0)
		exit(2);
	free(all);
	n_roles = 0;
	each_entry(STORES, is_visible, note_store, NULL);
	read_lladdr(text);
	ret = sorted(text);
	free(text);
	return ret;
}

static bool is_address_of_pod(const char *line, size_t len)
{
	return !strncmp(line, "pod ", 4) && memmem(line, len, ": address ", 10) &&
	       !memmem(line, len, " dev lo ", 8);
}

/* Is the address on an interface of a pod? */
static bool is_used(const char *state, const char *role)
{
	size_t len;

	for (const char *line = state; *line; line += len + 1) {
		len = strcspn(line, "\n");
		if (is_address_of_pod(line, len) && memmem(line, len, role, strlen(role)))
			return true;
	}
	return false;
}

/* The test gave the stranger's address by hand. */
static const char *not_leased(const char *state)
{
	size_t len;

	for (const char *line = state; *line; line += len + 1) {
		len = strcspn(line, "\n");
		if (is_address_of_pod(line, len) && !memchr(line, '{', len) &&
		    strncmp(line, "pod stranger", 12) != 0)
			return line;
	}
	return NULL;
}

const char *state_fault(const char *state)
{
	static char text[256];
	const char *line = not_leased(state);

	if (line) {
		snprintf(text, sizeof(text), "an address that is not leased: %.*s", (int)strcspn(line, "\n"),
			 line);
		return text;
	}
	for (int i = 0; i < n_roles; i++) {
		if (is_used(state, roles[i].text))
			continue;
		snprintf(text, sizeof(text), "leased, and on no interface: %s", roles[i].text);
		return text;
	}
	return NULL;
}
