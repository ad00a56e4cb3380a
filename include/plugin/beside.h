/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes of the pod beside those that another of its interfaces has to the same destination,
 * such as a second default route.
 */
#ifndef PLUGIN_BESIDE_H
#define PLUGIN_BESIDE_H

#include "plugin/iface.h"
#include "plugin/plan.h"

/*
 * Adds those routes of the plan that which[] says, since the kernel has others of their destination and
 * metric. In both families a new
 * route takes precedence over one of the same metric, which stays and is used again once
 * the interface is gone; the log says so. IPv6 would share packets among routes of one metric, so
 * that a route without "priority" has a metric less by one. Errors: as iface_configure().
 */
int beside_place(struct iface *iface, const struct plan *plan, const bool *which, struct cni_error *err);

#endif
