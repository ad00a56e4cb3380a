/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes of the pod to a destination to which another of its interfaces has a route already, such
 * as a second default route.
 */
#ifndef PLUGIN_BESIDE_H
#define PLUGIN_BESIDE_H

#include "plugin/iface.h"
#include "plugin/plan.h"

/*
 * Adds the routes of the plan that which[] marks: the kernel has others with their destination and
 * metric. The new route takes precedence. The old one stays, and is used again after the interface
 * is deleted; the log names it. With one metric, IPv6 shares packets among routes with gateways,
 * and otherwise uses one of them. So a new IPv6 route without "priority" gets a metric that is lower
 * by one. Errors: as iface_configure().
 */
int beside_place(struct iface *iface, const struct plan *plan, const bool *which, struct cni_error *err);

#endif
