/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the directory of configurations, as runtimes read them.
 */
#ifndef CTL_FILES_H
#define CTL_FILES_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/report.h"

/* Is the content what runtimes expect of that name? path may be that of any file. */
void examine_content(struct report *report, const char *path, const json_t *doc);

/*
 * Which file is the first there, and what is in the others that no runtime reads. any: there is a
 * network of type ipvlan in one that is read. files: the paths of those.
 */
void examine_directory_of_files(struct report *report, const json_t *files, bool any);

#endif
