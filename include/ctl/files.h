/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the directory of configurations, as runtimes read them.
 */
#ifndef CTL_FILES_H
#define CTL_FILES_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/report.h"

/* Checks that a file's content is what runtimes expect under its name. path: of a file in any directory. */
void examine_content(struct report *report, const char *path, const json_t *doc);

/*
 * Reports the first file of the directory, and networks of ipvlan in files that no runtime reads.
 * files: the paths of the files that runtimes read. any: one of them has a network of type ipvlan.
 */
void examine_directory_of_files(struct report *report, const json_t *files, bool any);

#endif
