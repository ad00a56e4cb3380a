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
	char version[32];    /* "1.31.2"; "" if the program does not print it within 5 s */
	int newest;	     /* the newest CNI that it speaks: enum cni_version, or RUNTIME_NO_CNI */
	bool driver;	     /* Podman uses netavark, and finds ipvlan-netavark */
};

/*
 * Finds the runtimes whose program is in PATH or in a usual directory of programs. The list belongs to
 * the module, and is valid until the process ends. The first call runs each program with --version.
 */
size_t runtimes_found(const struct runtime **ret);

/* Returns Podman if it uses netavark and finds ipvlan-netavark, else NULL. */
const struct runtime *runtimes_with_driver(void);

/* The list for ipvlanctl report: [ { "name": "containerd", "version": "1.6.20", "cni": "1.0.0" } ]. */
json_t *runtimes_json(void);

/* The newest version that all runtimes of the list speak. If it is empty: 1.0.0, which every current runtime
 * speaks. */
int runtimes_cni_version(void);

/* Do all runtimes of the list select a network by its name, rather than by the first file? */
bool runtimes_take_by_name(void);

/*
 * Finds the directory from which containerd runs plugins for Kubernetes. Requires a kubelet, and a
 * configuration that names the directory on one line.
 */
bool runtimes_bin_dir(char *ret, size_t size);

#endif
