/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For analyzers, which see one file at a time: what these return. Without it
 * they follow paths on which a failure is none.
 */
#include "cni/error.h"

#define cni_fail(...) (cni_fail(__VA_ARGS__), -1)
#define cni_fail_as(...) (cni_fail_as(__VA_ARGS__), -1)
#define cni_hint(...) (cni_hint(__VA_ARGS__), -1)
