#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The static programs are the same, bit for bit, when other people build them elsewhere: libraries and programs anew, in
# other directories. STATICS as in static.bats. Minutes for each architecture.

# is_reproducible ARCHITECTURE
is_reproducible() {
	local of first second=$BATS_TEST_TMPDIR/another/place program
	for of in $STATICS; do
		[ "${of%%=*}" != "$1" ] || first=${of#*=}
	done
	mkdir -p "$second"
	cd "$BATS_TEST_DIRNAME/../.." || return
	git ls-files -z | tar --null -T - -cf - | tar -C "$second" -xf -
	cp "$first/git-id" "$second/.ci/git-id"
	IPVLAN_CNI_CACHE=$BATS_TEST_TMPDIR/cache make -s -j"$(nproc)" -C "$second" B=build static ARCH="$1"
	second=$(find "$second/build" -name addrpool-claim -printf '%h')
	for program in ipvlan addrpool addrpool-claim ipvlanctl ipvlan-node ipvlan-netavark; do
		cmp "$first/$program" "$second/$program"
	done
	rm -rf "$BATS_TEST_TMPDIR/cache"
}

@test "amd64: libraries and programs are the same when built anew in another directory" {
	is_reproducible amd64
}

@test "arm64: libraries and programs are the same when built anew in another directory" {
	is_reproducible arm64
}
