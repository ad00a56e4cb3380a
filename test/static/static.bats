#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # the libraries read PLUGIN and ENGINE
# The static programs of both architectures. In BUILD are those of this machine; STATICS has the directory of each
# architecture, as "amd64=DIRECTORY arm64=DIRECTORY".

load ../lib/cluster

setup() {
	make_etcd_places
}

teardown() {
	etcd_stop
}

# etc_of BUNDLE: from now on addrpool runs where /etc has nothing but the test's CA, as BUNDLE.
etc_of() {
	cat >"$BATS_TEST_TMPDIR/addrpool" <<-WRAP
		#!/bin/sh
		exec unshare -m sh -c 'cp /etc/machine-id $BATS_TEST_TMPDIR/machine-id
			mount -t tmpfs tmpfs /etc && cp $BATS_TEST_TMPDIR/machine-id /etc &&
			install -D $CERTS/ca.crt $1 && exec $BUILD/addrpool "\$@"' addrpool "\$@"
	WRAP
	chmod +x "$BATS_TEST_TMPDIR/addrpool"
	PLUGIN=$BATS_TEST_TMPDIR/addrpool
}

@test "without a CA in the configuration, addrpool-claim trusts those of the system, where each distribution has them" {
	local bundle number=0
	etcd_start_tls "$SERVER"
	ENGINE="\"etcd\": {\"endpoints\": [\"$ETCD_URL\"], \"cert\": \"$CERTS/client.crt\", \"key\": \"$CERTS/client.key\"}"
	for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
		/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
		number=$((number + 1))
		etc_of "$bundle"
		on "n$number" '"timeout": 4'
		add c1
	done
	etc_of /etc/nowhere/ca.crt
	on other '"timeout": 4'
	pool ADD "$CONF" c1
	fails 7 "etcd $ETCD_URL: SSL certificate problem: unable to get local issuer certificate"
}

@test "no program requires a library, a loader, a fixed address or an executable stack" {
	local of program headers
	for of in $STATICS; do
		for program in ipvlan addrpool addrpool-claim ipvlanctl ipvlan-node ipvlan-netavark; do
			headers=$(readelf -Wldh "${of#*=}/$program")
			[[ $headers = *GNU_STACK* && $headers != *NEEDED* && $headers != *INTERP* && $headers != *'RWE'* ]]
			[[ $headers =~ Type:\ +DYN && $headers = *GNU_RELRO* && $headers != *TEXTREL* ]]
			case ${of%%=*} in
			amd64) [[ $headers = *'Advanced Micro Devices X86-64'* ]] ;;
			arm64) [[ $headers = *AArch64* ]] ;;
			esac
		done
	done
}

@test "--version lists the libraries that are in the program" {
	local program
	[[ $("$BUILD/addrpool-claim" --version | sed -n 2p) =~ ^contains\ .*curl\ [0-9].*musl\ [0-9] ]]
	for program in ipvlan addrpool addrpool-claim ipvlanctl ipvlan-node ipvlan-netavark; do
		[ "$("$BUILD/$program" --version | sed -n 2p)" = "contains $(awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $2, $3 }' "$BUILD/$program.linked")" ]
		strings "$BUILD/$program" | grep -q '^contains '
	done
	# what is in none of it is not listed
	[[ $("$BUILD/addrpool" --version) != *libmnl* ]]
}

@test "the SBOM is valid SPDX 2.3 and has each program with its libraries" {
	local of sbom=$BATS_TEST_TMPDIR/sbom.spdx.json python program
	python=$("$TOP/test/static/get-spdx-tools")
	for of in $STATICS; do
		"$TOP/.ci/sbom" ipvlan-cni 1.0.0 "${of%%=*}" "${of#*=}" >"$sbom"
		"$python" -m spdx_tools.spdx.clitools.pyspdxtools -i "$sbom"
		[ "$(jq '.files | length' "$sbom")" = 6 ]
		for program in ipvlan addrpool-claim; do
			jq -r --arg file "./bin/$program" '.files[] | select(.fileName == $file).checksums[] | select(.algorithm == "SHA256").checksumValue' "$sbom" |
				grep -qx "$(sha256sum <"${of#*=}/$program" | cut -d' ' -f1)"
			diff <(awk '{ print $2, $3 }' "${of#*=}/$program.linked" | sort) \
				<(jq -r --arg id "SPDXRef-File-$program" '[.packages[] | { key: .SPDXID, value: (.name + " " + .versionInfo) }] as $names |
					.relationships[] | select(.spdxElementId == $id and .relationshipType == "STATIC_LINK").relatedSpdxElement |
					. as $library | $names[] | select(.key == $library).value' "$sbom" | sort)
		done
	done
	# the validator would notice
	jq 'del(.creationInfo.created)' "$sbom" >"$BATS_TEST_TMPDIR/bad.spdx.json"
	! "$python" -m spdx_tools.spdx.clitools.pyspdxtools -i "$BATS_TEST_TMPDIR/bad.spdx.json" || return 1
}
