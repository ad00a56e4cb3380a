/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the sources of the ledger, and for no others: ledger.c opens and locks it, page.c reads
 * and writes pages, hold.c records holders, ledger_old.c reads the pages of an earlier version.
 */
#ifndef PLUGIN_LEDGER_FILES_H
#define PLUGIN_LEDGER_FILES_H

#include "plugin/ledger.h"

/* The name of an attachment's files: of its page, and of it as a holder. */
struct file_name {
	char s[NAME_MAX + 1];
} page_file(const struct attachment *who);

/* A path below ledger->dir. */
struct below {
	char s[sizeof("objects//") + sizeof(struct object_key) + sizeof(struct file_name)];
};

/* Fills err with errno: CNI_IO. Returns -1. */
int ledger_broken(const char *what, const char *path, struct cni_error *err);

/* Waits a minute at most for the flock() of fd. */
int ledger_wait(int fd, const char *path, struct cni_error *err);

/* As page_read(), by the name of the file. */
enum found page_read_file(struct page *ret, const struct ledger *ledger, const char *name,
			  struct cni_error *err);

/* The content of a file, up to a limit; the caller frees it. */
enum found file_text(char **ret, int dir, const char *path, struct cni_error *err);

/* Calls each() with the name of each entry of a directory, until it returns other than 0. A file that is no
 * directory has none. */
int each_file(const struct ledger *ledger, const char *directory,
	      int (*each)(const struct ledger *ledger, const char *name, void *arg, struct cni_error *err),
	      void *arg, struct cni_error *err);

int page_append(struct page *page, const struct object *object, struct cni_error *err);

/* Writes the claim: the interface of the namespace belongs to the page's attachment. Replaces an
 * earlier claim. */
int page_claim(const struct ledger *ledger, const struct page *page, struct cni_error *err);

int page_disclaim(const struct ledger *ledger, const struct page *page, struct cni_error *err);

/* Makes the page a holder of the object. */
int hold_write(const struct ledger *ledger, const struct page *page, const struct object *object,
	       struct cni_error *err);

/* Removes the page and its claim. */
int page_unlink(const struct ledger *ledger, const struct page *page, struct cni_error *err);

/* Are there pages of an earlier version? ledger_take_over() converts them; the ledger must be
 * locked. */
bool ledger_is_old(const struct ledger *ledger);
int ledger_take_over(struct ledger *ledger, struct cni_error *err);

#endif
