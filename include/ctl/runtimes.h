/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container runtimes of this machine, and the versions of CNI that they speak.
 */
#ifndef CTL_RUNTIMES_H
#define CTL_RUNTIMES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { RUNTIME_NO_CNI = -1 };

struct runtime {
	const char *program; /* "crio" */
	const char *name;    /* "CRI-O" */
	char version[32];    /* "1.31.2"; "" if the program does not say it within 5 s */
	int newest;	     /* the newest CNI that it speaks: enum cni_version, or RUNTIME_NO_CNI */
	bool driver;	     /* Podman has netavark, which finds ipvlan-netavark */
};

/*
 * Those whose program is in PATH or in a usual directory of programs. The list is the module's, and
 * stands to the end of the process. The first call runs each program with --version.
 */
size_t runtimes_found(const struct runtime **ret);

/* Podman, where it has netavark, and that finds our driver; else NULL. */
const struct runtime *runtimes_with_driver(void);

/* The same for ipvlanctl report: [ { "name": "containerd", "version": "1.6.20", "cni": "1.0.0" } ]. */
json_t *runtimes_json(void);

/* The newest that all of them speak; 1.0.0 if there are none, which every runtime of today speaks. */
int runtimes_cni_version(void);

/* Do all that are found take networks by name, rather than the first file? */
bool runtimes_take_by_name(void);

/*
 * Where containerd takes the plugins of Kubernetes' pods from, if its configuration says so on one line,
 * and there is a kubelet.
 */
bool runtimes_bin_dir(char *ret, size_t size);

#endif
