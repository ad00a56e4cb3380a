#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The networks of conf-examples/article-*, on the article's LAN, through cnitool.

load ../lib/article
load ../lib/cnitool

@test "each network of the article, with every verb" {
	local file name
	mkdir -p /etc/netns
	mount -t tmpfs tmpfs /etc/netns
	for file in "$NETCONFPATH"/article-*.conflist; do
		name=$(basename "$file" .conflist)
		cnitool status "$name" ns1
		in_order
		cnitool add "$name" ns1
		in_order
		cnitool check "$name" ns1
		in_order
		cnitool del "$name" ns1
		in_order
	done
	umount /etc/netns
}
