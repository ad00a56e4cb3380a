/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports to the service manager: the protocol of sd_notify(3), one datagram.
 */
#ifndef NODE_NOTIFY_H
#define NODE_NOTIFY_H

/* state: "READY=1", for instance. Does nothing if NOTIFY_SOCKET is not set. */
void notify(const char *state);

#endif
