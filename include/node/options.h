/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line asks for. Without options ipvlan-node repairs, and does nothing else.
 */
#ifndef NODE_OPTIONS_H
#define NODE_OPTIONS_H

#include <stdbool.h>

struct options {
	const char *install_from; /* directory; NULL: no program is installed */
	const char *bin_dir;
	const char *cni_path; /* of programs that are called: bin_dir, or the usual directories */
	const char *template; /* file; NULL: no configuration is written */
	const char *conf_dir;
	const char *node;
	const char *account_dir; /* "token" and "ca.crt"; NULL: no kubeconfig is written */
	const char *kubeconfig;
	const char *server; /* URL; NULL: that of KUBERNETES_SERVICE_HOST */
	const char *keep_dir;
	const char *ready_file;
	const char *listen;  /* "PORT", "ADDRESS:PORT", "[ADDRESS]:PORT"; NULL: no metrics */
	int gc_s;	     /* 0: no garbage collection */
	bool uninstall_last; /* what was placed, when the last instance of the node ends */
	bool host_mounts;
	bool no_repair;
};

/* Is there anything to place? */
bool options_place(const struct options *options);

/* Returns 0, or -1 after it has explained on standard error what is wrong. */
int options_read(struct options *ret, int argc, char **argv);

#endif
