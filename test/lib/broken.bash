# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Copies of the programs with one wrong line: the test for that line must fail.

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# broken FILE SED...: builds a copy in which the scripts have changed FILE; it is in $BROKEN. Fails if one of them
# changes nothing. Copies the build too, so that only that file is compiled. With BUILT=no it builds nothing, and
# skips the test.
broken() {
	local tree=$BATS_TEST_TMPDIR/tree file=$1 script
	shift
	BROKEN=$tree/build
	mkdir "$tree"
	cp -a "$TOP"/{Makefile,.ci,plugin,ipam,include,test} "$tree"
	[ "${BUILT:-}" = no ] || cp -a "$BUILD" "$BROKEN"
	for script; do
		sed "$script" "$tree/$file" >"$tree/changed"
		! cmp -s "$tree/$file" "$tree/changed" || { echo "$file: nothing is changed by $script"; return 1; }
		mv "$tree/changed" "$tree/$file"
	done
	[ "${BUILT:-}" != no ] || skip 'not built'
	make -s -C "$tree" B=build CFLAGS='-O1 -Wno-unused' all tools 3>&-
}
