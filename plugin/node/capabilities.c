/* SPDX-License-Identifier: Apache-2.0 */
#include "node/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CAP_BPF
#define CAP_BPF 39
#endif

#define BIT(capability) (1ULL << (capability))
#define FOR_REPAIRS \
	(BIT(CAP_NET_ADMIN) | BIT(CAP_SYS_ADMIN) | BIT(CAP_BPF) | BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_OVERRIDE))

/* So many capabilities a kernel can have. */
#define ALL 64

static int capabilities_set(uint64_t mask)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) < 0)
		return -1;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		const uint32_t part = (uint32_t)(mask >> 32 * i);

		data[i].permitted &= part;
		data[i].effective = data[i].permitted;
		data[i].inheritable &= part;
	}
	return (int)syscall(SYS_capset, &head, data);
}

static uint64_t capabilities_of(const struct options *options)
{
	if (options->no_repair && !options->gc_s && !options->listen)
		return BIT(CAP_DAC_OVERRIDE);
	return FOR_REPAIRS | (options->host_mounts ? BIT(CAP_SYS_CHROOT) : 0);
}

int capabilities_drop(const struct options *options, struct cni_error *err)
{
	const uint64_t kept = capabilities_of(options);

	for (unsigned long i = 0; i < ALL; i++)
		if (!(kept & BIT(i)) && prctl(PR_CAPBSET_READ, i) == 1 && prctl(PR_CAPBSET_DROP, i) < 0)
			return cni_fail(err, CNI_INTERNAL, "cannot drop capability %lu: %s", i,
					errno_text(errno));
	if (capabilities_set(kept) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return cni_fail(err, CNI_INTERNAL, "cannot drop capabilities: %s", errno_text(errno));
	return 0;
}
