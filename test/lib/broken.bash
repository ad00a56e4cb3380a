# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Copies of the programs with one wrong line: the test for that line must fail.

# broken FILE SED: builds a copy in which the script has changed FILE; it is in $BROKEN. Copies the
# build too, so that only that file is compiled.
broken() {
	local tree=$BATS_TEST_TMPDIR/tree
	BROKEN=$tree/build
	mkdir "$tree"
	cp -a "$TOP"/{Makefile,.ci,plugin,ipam,include,test} "$tree"
	cp -a "$BUILD" "$BROKEN"
	sed -i "$2" "$tree/$1"
	! cmp -s "$TOP/$1" "$tree/$1" || { echo "nothing was changed in $1"; return 1; }
	touch "$tree/$1"
	make -s -C "$tree" B=build CFLAGS='-O1 -Wno-unused' all tools 3>&-
}
