# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The cases of pool-compare: some hundred, made by combination, the same in each run. A case is a directory, and
# calls that use it one after the other.
#
#	begin NAME              a new case: CNI 1.1.0, network "net", ipam {"subnet": "10.9.0.0/24"}
#	version VERSION         from here on, this "cniVersion"; network NAME likewise
#	ipam MEMBERS            these members of "ipam", besides "type" and "dataDir"; data MEMBER is the latter
#	also MEMBERS            these members of the configuration beside "ipam", each with a comma after it
#	text JSON               this is the configuration
#	put FILE CONTENT        a file, as printf's %b; lease NAME CONTENT is one in the network's directory
#	both COMMAND            a shell command in the directory of either program
#	add ID [IFNAME [ARGS]]  a call; so are del, check, status, gc, and call VERB ID IFNAME ARGS NETNS
#
# If several requested addresses are in one range set, or outside all, host-local takes or names any of them
# first. So no case requests two of a kind.

versions=(0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0)
v4='"subnet": "10.9.0.0/24"'
v6='"subnet": "fd00:9::/64"'
small='"subnet": "10.9.0.0/29"'

# Uses the next version in turn, for cases that do not depend on the version.
any_version() {
	version "${versions[turn++ % ${#versions[@]}]}"
}

# Makes the name of a case from its values. Plus signs make equal names differ.
begin_with() {
	local name=$1 words=${*:2}
	words=${words//[!a-zA-Z0-9.:_=-]/_}
	name+=-$words
	while [ -n "${seen[$name]:-}" ]; do
		name+=+
	done
	begin "$name"
}

cases_subnets() {
	local subnet
	for subnet in 10.0.0.0/8 172.16.0.0/12 10.8.0.0/15 10.9.0.0/16 10.9.4.0/22 10.9.0.0/23 10.9.0.128/25 10.9.0.192/26 \
		10.9.0.32/27 10.9.0.240/28 10.9.0.8/29 10.9.0.4/30 10.9.0.252/30 10.9.0.2/31 10.9.0.7/32 0.0.0.0/0 \
		255.255.255.248/29 fd00::/8 fd00:9::/48 fd00:9::/64 fd00:9::/80 fd00:9::/96 fd00:9::1:0/112 \
		fd00:9::100/120 fd00:9::10/124 fd00:9::8/125 fd00:9::4/126 fd00:9::2/127 fd00:9::7/128 ::/0 ::/96 \
		::ffff:10.9.0.0/120 ::ffff:10.9.0.0/24 ::102:300/120 2001:DB8:0:0:0::/64; do
		begin_with subnet "$subnet"
		any_version
		ipam "\"subnet\": \"$subnet\""
		add c1
		add c2
		del c1
		add c3
		add c4
	done
	for subnet in 10.9.0.0 10.9.0.0/ /24 10.9.0.0/33 10.9.0.0/-1 10.9.0.0/024 10.9.0.0/+24 10.9.0.0/24/1 ' 10.9.0.0/24' \
		10.9.0/24 010.9.0.0/24 10.9.0.5/24 10.9.0.0/7 fd00:9::1/64 fd00:9::/129 fd00:9::%eth0/64 zz ''; do
		begin_with subnet-wrong "$subnet"
		ipam "\"subnet\": \"$subnet\""
		add c1
	done
}

# Each form of a result in each version.
cases_results() {
	local v shape i=0
	local all='"dst": "10.5.0.0/16", "gw": "10.9.0.9", "mtu": 1400, "advmss": 1300, "priority": 7, "table": 99, "scope": 253'
	local shapes=("$v4" "$v6" "\"ranges\": [[{$v4}], [{$v6}]]" "\"ranges\": [[{$v6}], [{$v4}]]"
		"\"ranges\": [[{$v4}], [{\"subnet\": \"10.8.0.0/24\"}]]"
		"$v4, \"routes\": [{\"dst\": \"0.0.0.0/0\"}, {$all}, {\"dst\": \"10.6.0.1/32\", \"gw\": \"10.9.0.7\", \"table\": 0, \"scope\": 0}]"
		"\"ranges\": [[{$v4}], [{$v6}]], \"routes\": [{\"dst\": \"::/0\"}, {\"dst\": \"fd00:a::/64\", \"gw\": \"fd00:9::9\"}, {\"dst\": \"10.5.1.2/16\"}], \"resolvConf\": \"resolv.conf\""
		"$v4, \"routes\": [], \"resolvConf\": \"resolv.conf\"")
	for v in "${versions[@]}"; do
		for shape in "${!shapes[@]}"; do
			begin "result-$v-$shape"
			version "$v"
			ipam "${shapes[shape]}"
			put resolv.conf 'nameserver 9.9.9.9\noptions ndots:5\n'
			add "c$((++i))"
			del "c$i"
		done
	done
	for v in 1.2.0 0.5.0 x '' 1.1 1.1.0.0; do
		begin "version-$v"
		version "$v"
		add c1
		del c1
	done
}

cases_routes() {
	local route
	for route in '{}' '{"dst": ""}' '{"dst": "10.5.0.0"}' '{"dst": "zz"}' '{"dst": "10.5.0.0/16", "gw": "zz"}' \
		'{"dst": "10.5.0.0/16", "gw": ""}' '{"dst": "10.5.0.0/16", "gw": "fd00::1"}' '{"gw": "10.9.0.1"}' \
		'{"dst": "10.5.0.0/16", "mtu": -1}' '{"dst": "10.5.0.0/16", "mtu": "1400"}' '{"dst": "10.5.0.0/16", "mtu": 0}' \
		'{"dst": "10.5.0.0/16", "table": null}' '{"dst": "10.5.0.0/16", "priority": 1.5}' \
		'{"dst": "10.5.0.0/16", "scope": 300}' '{"DST": "10.5.0.0/16"}' '{"dst": "10.5.7.9/16", "more": 1}' null 5; do
		begin_with route "$route"
		ipam "$v4, \"routes\": [$route]"
		add c1
	done
}

# Limits of a range.
cases_bounds() {
	local start end
	for start in none 10.9.0.7 10.9.0.8 10.9.0.9 10.9.0.10 10.9.0.14 10.9.0.15 fd00::1 ::ffff:10.9.0.11; do
		for end in none 10.9.0.8 10.9.0.9 10.9.0.11 10.9.0.15 10.9.0.16 fd00::1; do
			begin_with bounds "$start-$end"
			ipam "\"subnet\": \"10.9.0.8/29\", \"rangeStart\": \"${start#none}\", \"rangeEnd\": \"${end#none}\""
			add c1
			add c2
		done
	done
	for start in none fd00:9::8 fd00:9::9 fd00:9::f fd00:9::10 10.9.0.1; do
		for end in none fd00:9::8 fd00:9::b fd00:9::f fd00:9::10; do
			begin_with bounds-v6 "$start-$end"
			ipam "\"subnet\": \"fd00:9::8/125\", \"rangeStart\": \"${start#none}\", \"rangeEnd\": \"${end#none}\""
			add c1
			add c2
		done
	done
	for start in zz 10.9.0 10.9.0.010 ' 10.9.0.10' 10.9.0.10/24 fe80::1%eth0; do
		begin_with bounds-wrong "$start"
		ipam "$v4, \"rangeStart\": \"$start\""
		add c1
		begin_with bounds-wrong-end "$start"
		ipam "$v4, \"rangeEnd\": \"$start\""
		add c1
		begin_with bounds-wrong-gateway "$start"
		ipam "$v4, \"gateway\": \"$start\""
		add c1
	done
}

cases_gateways() {
	local gateway
	for gateway in 10.9.0.0 10.9.0.1 10.9.0.2 10.9.0.3 10.9.0.6 10.9.0.7 10.9.0.8 192.168.7.7 fd00::1 :: 0.0.0.0 ''; do
		begin_with gateway "$gateway"
		any_version
		ipam "$small, \"gateway\": \"$gateway\""
		add c1
		add c2
		add c3
	done
	for gateway in fd00:9::1 fd00:9::2 fd00:9:: fd00:9::ffff fe80::1 10.9.0.1; do
		begin_with gateway-v6 "$gateway"
		any_version
		ipam "$v6, \"gateway\": \"$gateway\""
		add c1
		add c2
	done
	for gateway in 10.9.0.6 10.8.0.1 10.8.0.2; do
		begin_with gateway-of-two "$gateway"
		ipam "\"ranges\": [[{$small, \"gateway\": \"$gateway\"}, {\"subnet\": \"10.8.0.0/30\"}]]"
		fill 8
	done
}

# ADD until no address is free, and a few more.
fill() {
	local i
	for ((i = 1; i <= $1; i++)); do
		add "f$i"
	done
}

# ADD until no address is free; then addresses are released and assigned again.
cases_exhaustion() {
	local size ipam_text
	while read -r size ipam_text; do
		begin_with full "$size-$ipam_text"
		any_version
		ipam "$ipam_text"
		fill "$size"
		add more
		del f2
		add again
		add more
		del f1
		del again
		add third
		add fourth
		add more
	done <<-'JSON'
		5 "subnet": "10.9.0.0/29"
		2 "subnet": "fd00:9::/126"
		3 "subnet": "10.9.0.0/24", "rangeStart": "10.9.0.100", "rangeEnd": "10.9.0.102"
		2 "subnet": "10.9.0.0/24", "rangeStart": "10.9.0.1", "rangeEnd": "10.9.0.3"
		2 "subnet": "10.9.0.0/24", "rangeStart": "10.9.0.253"
		2 "subnet": "fd00:9::/64", "rangeStart": "fd00:9::ff", "rangeEnd": "fd00:9::100"
		2 "ranges": [[{"subnet": "10.9.0.0/30"}, {"subnet": "10.9.0.4/30"}]]
		3 "ranges": [[{"subnet": "10.9.0.8/29", "rangeStart": "10.9.0.10", "rangeEnd": "10.9.0.11"}, {"subnet": "10.9.0.0/30"}]]
		3 "ranges": [[{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.20", "rangeEnd": "10.9.0.21"}, {"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.10", "rangeEnd": "10.9.0.10"}]]
		1 "ranges": [[{"subnet": "10.9.0.0/30"}], [{"subnet": "fd00:9::/126"}]]
		1 "ranges": [[{"subnet": "10.9.0.0/30", "gateway": "10.9.0.2"}]]
	JSON
	# the failed ADDs used an address of the first set each, until the second was full
	begin full-second-set
	ipam '"ranges": [[{"subnet": "10.9.0.0/28"}], [{"subnet": "fd00:9::/126"}]]'
	fill 4
	del f2
	add again
	# enough to make addrpool read the directory
	begin full-long-run
	any_version
	ipam '"subnet": "10.9.0.0/27"'
	fill 29
	add more
	del f7
	add more
	del f20
	add more2
}

cases_sets() {
	local ipam_text
	while read -r ipam_text; do
		begin_with sets "$ipam_text"
		ipam "$ipam_text"
		add c1
		add c2
		del c1
		status
	done <<-'JSON'
		"ranges": []
		"ranges": null
		"ranges": [[]]
		"ranges": [[{}]]
		"ranges": [[{"subnet": "10.9.0.0/24"}], []]
		"ranges": [null]
		"ranges": [[null]]
		"subnet": ""
		"subnet": null
		"more": 1
		"rangeStart": "10.9.0.5"
		"gateway": "10.9.0.5"
		"ranges": [[{"subnet": "10.9.0.0/24"}, {"subnet": "fd00::/64"}]]
		"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "10.9.0.0/24"}]]
		"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "10.9.0.128/25"}]]
		"ranges": [[{"subnet": "10.9.0.0/24"}, {"subnet": "10.9.0.0/16"}]]
		"ranges": [[{"subnet": "10.9.0.0/24", "rangeEnd": "10.9.0.20"}, {"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.20"}]]
		"ranges": [[{"subnet": "10.9.0.0/24", "rangeEnd": "10.9.0.20"}, {"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.21"}]]
		"ranges": [[{"subnet": "10.9.0.0/24", "rangeEnd": "10.9.0.20"}], [{"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.21"}]]
		"ranges": [[{"subnet": "10.9.0.0/16", "rangeStart": "10.9.1.0", "rangeEnd": "10.9.2.0"}], [{"subnet": "10.9.0.0/24"}]]
		"ranges": [[{"subnet": "10.9.0.0/16", "rangeStart": "10.9.1.0", "rangeEnd": "10.9.2.0"}], [{"subnet": "10.9.0.0/16", "rangeStart": "10.9.0.5", "rangeEnd": "10.9.0.6"}]]
		"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "10.8.0.5/24"}]]
		"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "10.8.0.0/24", "rangeStart": "10.9.0.5"}]]
		"ranges": [[{"subnet": "fd00:9::/64"}], [{"subnet": "fd00:8::/64"}], [{"subnet": "10.9.0.0/24"}]]
		"ranges": [[{"subnet": "10.9.0.0/30"}], [{"subnet": "10.9.0.4/30"}], [{"subnet": "10.9.0.8/30"}]]
		"ranges": [[{"subnet": "10.9.0.0/24"}, {"subnet": "10.9.0.0/24"}]]
		"subnet": "10.9.0.0/24", "ranges": [[{"subnet": "10.8.0.0/24"}]]
		"subnet": "10.9.0.0/24", "ranges": [[{"subnet": "10.9.0.0/24"}]]
		"subnet": "10.9.0.0/24", "rangeStart": "10.9.0.50", "rangeEnd": "10.9.0.52", "gateway": "10.9.0.51", "ranges": [[{"subnet": "fd00:9::/64"}]]
		"subnet": "10.9.0.0/24", "ranges": []
		"Subnet": "10.9.0.0/24", "RANGESTART": "10.9.0.9"
		"RANGES": [[{"SUBNET": "10.9.0.0/24", "rangestart": "10.9.0.9"}]]
		"subnet": "10.9.0.0/24", "subnet": "10.8.0.0/24"
		"ranges": [{"subnet": "10.9.0.0/24"}]
		"ranges": {"subnet": "10.9.0.0/24"}
		"ranges": [[{"subnet": "10.9.0.0/24"}, {"subnet": "10.8.0.0/24"}, {"subnet": "10.7.0.0/24"}]]
		"range": {"subnet": "10.9.0.0/24"}
	JSON
	for v in 0.1.0 0.2.0 0.3.0; do
		begin "sets-two-of-a-family-$v"
		version "$v"
		ipam '"ranges": [[{"subnet": "10.9.0.0/24"}], [{"subnet": "fd00:9::/64"}], [{"subnet": "fd00:8::/64"}]]'
		add c1
		del c1
	done
	cases_runtime_ranges
}

cases_runtime_ranges() {
	local runtime
	while read -r runtime; do
		begin_with runtime-ranges "$runtime"
		also "\"runtimeConfig\": $runtime,"
		add c1
		add c2
		del c1
		begin_with runtime-ranges-alone "$runtime"
		ipam '"more": 1'
		also "\"runtimeConfig\": $runtime,"
		add c1
		begin_with runtime-ranges-first "$runtime"
		ipam "$v4, \"ranges\": [[{$v6}]]"
		also "\"runtimeConfig\": $runtime,"
		add c1
		del c1
	done <<-'JSON'
		{}
		null
		{"ipRanges": null}
		{"ipRanges": []}
		{"ipRanges": [[]]}
		{"ipRanges": [[{"subnet": "10.7.0.0/24"}]]}
		{"ipRanges": [[{"subnet": "10.7.0.0/24"}, {"subnet": "10.6.0.0/24"}], [{"subnet": "fd00:7::/64"}]]}
		{"ipRanges": [[{"subnet": "10.9.0.0/25"}]]}
		{"ipRanges": [[{"subnet": "10.9.0.5/25"}]]}
		{"IPRanges": [[{"subnet": "10.7.0.0/24", "rangeStart": "10.7.0.77"}]]}
	JSON
}

# Requested addresses, in the three forms.
cases_wanted() {
	local wanted
	for wanted in 10.9.0.2 10.9.0.55 10.9.0.55/24 10.9.0.55/16 10.9.0.55/32 10.9.0.55/33 10.9.0.55/ 10.9.0.1 10.9.0.0 \
		10.9.0.255 10.8.0.5 10.9.0.100 10.9.0.9 fd00:9::5 fd00:9::5/64 FD00:9:0:0::5 fd00:9::1 fd00:9:: fd00:9::9 \
		fd00:8::5 ::ffff:10.9.0.55 ::ffff:10.9.0.55/120 10.9.0.055 ' 10.9.0.55' 10.9.0 zz fe80::1%eth0 ''; do
		begin_with wanted-args "$wanted"
		wanted_case "IP=$wanted"
		begin_with wanted-cni "$wanted"
		also "\"args\": {\"cni\": {\"ips\": [\"$wanted\"]}},"
		wanted_case ''
		begin_with wanted-runtime "$wanted"
		also "\"runtimeConfig\": {\"ips\": [\"$wanted\"]},"
		wanted_case ''
	done
	cases_wanted_together
}

wanted_case() {
	any_version
	ipam "\"ranges\": [[{$v4, \"rangeEnd\": \"10.9.0.99\"}, {\"subnet\": \"10.9.0.128/25\", \"rangeEnd\": \"10.9.0.255\"}], [{$v6}]]"
	lease 10.9.0.9 'x\r\neth0'
	lease fd00:9::9 'x\r\neth0'
	add c1 eth0 "$1"
	add c2 eth0 "$1"
	del c1
}

cases_wanted_together() {
	local more arguments
	while read -r arguments more; do
		begin_with wanted-together "$arguments $more"
		also "$more"
		ipam "\"ranges\": [[{$v4}], [{$v6}]]"
		[ "$arguments" != - ] || arguments=''
		add c1 eth0 "$arguments"
		add c2 eth0 "$arguments"
		del c1
	done <<-'JSON'
		IP=10.9.0.5 "runtimeConfig": {"ips": ["fd00:9::5"]},
		IP=fd00:9::5 "args": {"cni": {"ips": ["10.9.0.5/24"]}},
		IP=10.9.0.5 "args": {"cni": {"ips": ["10.9.0.5"]}},
		IP=10.9.0.5 "runtimeConfig": {"ips": ["10.8.0.6"]},
		- "runtimeConfig": {"ips": ["10.9.0.5", "fd00:9::5"]},
		- "runtimeConfig": {"ips": ["fd00:9::5", "10.9.0.5"]}, "args": {"cni": {"ips": ["10.9.0.5"]}},
		- "runtimeConfig": {"ips": ["10.8.0.5", "fd00:9::5"]},
		- "runtimeConfig": {"ips": ["10.9.0.1", "fd00:9::1"]},
		- "runtimeConfig": {"ips": ["10.9.0.5", "fd00:9::1"]},
		- "runtimeConfig": {"ips": ["10.9.0.5"]}, "args": {"cni": {"ips": ["fd00:9::5"]}},
		- "runtimeConfig": {"ips": []}, "args": {"cni": {"ips": []}},
		- "runtimeConfig": {"ips": null}, "args": {"cni": null},
		- "runtimeConfig": {"ips": ["10.9.0.5", "zz"]},
		- "runtimeConfig": {"IPS": ["10.9.0.5"]}, "ARGS": {"CNI": {"Ips": ["fd00:9::5"]}},
		- "args": {"labels": [{"key": "a", "value": "b"}], "cni": {"mac": "02:00:00:00:00:01"}},
		- "args": {"ips": ["10.9.0.5"]},
	JSON
	# if there is no other form, either of the two works
	begin wanted-two-of-one-set-taken
	ipam "$small"
	fill 5
	also '"runtimeConfig": {"ips": ["10.9.0.2", "10.9.0.8"]},'
	add c1
	# a requested address moves the next search
	begin wanted-moves-on
	ipam "$small"
	add c1 eth0 IP=10.9.0.4
	add c2
	add c3
	add c4
	add c5
	# a container with an address requests another one
	begin wanted-by-owner
	add c1
	add c1 eth0 IP=10.9.0.9
	add c1 eth1 IP=10.9.0.10
	add c1 eth0 IP=10.9.0.2
	del c1
	begin wanted-by-owner-two-sets
	ipam "\"ranges\": [[{$v4}], [{$v6}]]"
	add c1
	add c1 eth0 IP=10.9.0.9
	add c1 eth0 IP=fd00:9::9
	check c1
	add c2
	begin wanted-of-second-set-fails
	ipam "\"ranges\": [[{$v4}], [{$v6}]]"
	add c1
	add c2 eth0 IP=fd00:9::1
	add c3 eth0 IP=fd00:9::2
	add c4
	del c4
	add c5
}

cases_arguments() {
	local arguments
	while IFS= read -r arguments; do
		begin_with arguments "$arguments"
		add c1 eth0 "$arguments"
		del c1 eth0 "$arguments"
	done <<-'END_OF_LIST'
		FOO=BAR
		FOO=BAR;IgnoreUnknown=1
		IgnoreUnknown=1;FOO=BAR
		IgnoreUnknown=1
		IgnoreUnknown=0
		IgnoreUnknown=true;A=b
		IgnoreUnknown=TRUE;A=b
		IgnoreUnknown=True;A=b
		IgnoreUnknown=t;A=b
		IgnoreUnknown=yes
		IgnoreUnknown=maybe
		IgnoreUnknown=
		IgnoreUnknown=false
		IgnoreUnknown=false;A=b
		IgnoreUnknown=0;A=b
		IgnoreUnknown=2
		IgnoreUnknown=1;IgnoreUnknown=0;A=b
		IgnoreUnknown=0;IgnoreUnknown=1;A=b
		ignoreunknown=1
		ip=10.9.0.5
		ip=10.9.0.5;IgnoreUnknown=1
		IP=10.9.0.5;
		;IP=10.9.0.5
		;
		IP
		IP=
		IP=;IgnoreUnknown=1
		=10.9.0.5
		=
		IP==10.9.0.5
		IP=10.9.0.5=1
		IP=10.9.0.5;IP=10.9.0.6
		IP=10.9.0.5;IP=zz
		IP=zz;IP=10.9.0.5
		IP=10.9.0.5,10.9.0.6
		IP=10.9.0.5 ; IgnoreUnknown=1
		 IP=10.9.0.5
		A=b;C=d
		C=d;A=b
		A=b;A=c
		IP=zz;FOO=BAR
		FOO=BAR;IP=zz
		FOO=BAR;IgnoreUnknown=maybe
		IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=abc;K8S_POD_UID=123
		CommonArgs=1
		CommonArgs=1;IgnoreUnknown=1
	END_OF_LIST
}

# Records of an earlier search.
cases_last() {
	local name content
	while read -r name content; do
		content=${content/#-/}
		begin "last-$name"
		ipam "$small"
		lease last_reserved_ip.0 "$content"
		add c1
		add c2
		begin "last-$name-of-two-ranges"
		ipam '"ranges": [[{"subnet": "10.9.0.0/29"}, {"subnet": "10.8.0.0/29"}], [{"subnet": "fd00:9::/64"}]]'
		lease last_reserved_ip.0 "$content"
		lease last_reserved_ip.1 "$content"
		add c1
		add c2
	done <<-'END_OF_LIST'
		empty -
		garbage zz
		blanks  \0040\n
		in 10.9.0.4
		before-end 10.9.0.5
		end 10.9.0.6
		broadcast 10.9.0.7
		network 10.9.0.0
		gateway 10.9.0.1
		outside 10.9.0.99
		second-range 10.8.0.3
		second-range-end 10.8.0.6
		newline 10.9.0.4\n
		blank-before \0040010.9.0.4
		prefix 10.9.0.4/29
		leading-zero 10.9.0.04
		mapped ::ffff:10.9.0.4
		v6 fd00:9::7
		v6-end fd00:9::ffff:ffff:ffff:ffff
		nul 10.9.0.4\0000
		long 10.9.0.4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
	END_OF_LIST
	begin last-at-the-end-of-everything
	ipam '"subnet": "255.255.255.248/29"'
	lease last_reserved_ip.0 255.255.255.254
	add c1
	begin last-at-the-end-of-everything-v6
	ipam '"subnet": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff8/125"'
	lease last_reserved_ip.0 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
	add c1
	begin last-removed-on-the-way
	ipam "$small"
	add c1
	add c2
	both 'rm data/net/last_reserved_ip.0'
	add c3
	del c1
	add c4
}

# Earlier files in the directory.
cases_leases() {
	local content name
	while read -r name content; do
		content=${content/#-/}
		begin "lease-$name"
		any_version
		lease 10.9.0.2 "$content"
		add c1
		check c1
		add c1 eth1
		del c1
		add c2
		del c1 eth1
	done <<-'END_OF_LIST'
		of-another x\r\neth0
		own c1\r\neth0
		own-with-newline c1\r\neth0\n
		own-with-blanks \0040c1\r\neth0\0040\0040
		own-with-lf c1\neth0
		own-with-blank-inside c1\0040\r\neth0
		other-interface c1\r\neth1
		legacy c1
		legacy-newline c1\n
		legacy-crlf c1\r\n
		legacy-other c2
		prefix-of-name c\r\neth0
		name-is-prefix c11\r\neth0
		empty -
		one-newline \n
		nul \0000
		nuls \0000\0000\0000\0000
		three-lines c1\r\neth0\r\nmore
		comment #c1\r\neth0
	END_OF_LIST
	while read -r name; do
		begin_with lease-called "$name"
		lease "$name" 'c1\r\neth0'
		add c1
		check c1
		del c1
		add c2
	done <<-'END_OF_LIST'
		10.9.0.3
		10.9.0.200
		10.8.0.1
		fd00:9::2
		FD00:9::3
		10.9.0.02
		10.9.0.2.bak
		last_reserved_ip.7
		notes
		.hidden
		10.9.0.2~
	END_OF_LIST
	begin lease-in-directory
	both 'mkdir -p data/net/sub && printf "c1\r\neth0" >data/net/sub/10.9.0.3'
	add c1
	check c1
	del c1
	begin lease-is-a-directory
	both 'mkdir -p data/net/10.9.0.2'
	add c1
	add c2 eth0 IP=10.9.0.2
	check c1
	del c1
	begin lease-of-two
	lease 10.9.0.2 'c1\r\neth0'
	lease 10.9.0.9 'c1\r\neth0'
	lease 10.9.0.10 c1
	check c1
	add c1
	del c1
	check c1
	del c1
	check c1
	# a container whose lease has no interface, and one whose lease has one
	begin lease-legacy-twice
	lease 10.9.0.2 c1
	lease 10.9.0.3 c1
	check c1 eth7
	del c1 eth7
	check c1 eth7
	begin lease-removed-by-hand
	add c1
	add c2
	both 'rm data/net/10.9.0.2'
	check c1
	add c1
	del c1
	begin lease-changed-by-hand
	add c1
	add c2
	both 'printf "c9\r\neth0" >data/net/10.9.0.2'
	check c1
	add c1
	check c9
	del c9
	add c4
	begin lease-moved-by-hand
	add c1
	both 'mv data/net/10.9.0.2 data/net/10.9.0.77'
	check c1
	add c1
	del c1
	begin lock-removed
	add c1
	both 'rm data/net/lock'
	add c2
	del c1
	begin leases-read-only-modes
	add c1
	both 'chmod 400 data/net/10.9.0.2 data/net/last_reserved_ip.0'
	add c2
	del c1
}

cases_lives() {
	local v
	for v in "${versions[@]}"; do
		begin "life-$v"
		version "$v"
		add c1
		check c1
		add c1
		add c1 eth1
		check c2
		del c1
		check c1
		del c1
		del c1 eth1
		add c1
		del c9
	done
	begin life-in-other-networks
	add c1
	network other
	add c1
	network net
	del c1
	network other
	check c1
	begin life-in-strange-networks
	network 0.a-b_c
	add c1
	network 10.9.0.2
	add c1
	del c1
	network a/b
	add c1
	network ..
	add c1
	network ''
	add c1
	begin life-with-the-configuration-changed
	add c1
	ipam '"subnet": "10.8.0.0/24"'
	check c1
	add c1
	add c2
	del c1
	add c3
	ipam "\"ranges\": [[{$v6}], [{$v4}]]"
	add c3
	add c4
	del c3
	begin life-with-a-set-less
	ipam "\"ranges\": [[{$v6}], [{$v4}]]"
	add c1
	ipam "$v4"
	add c1
	del c1
	add c1
	begin del-without-directory
	del c1
	begin check-without-directory
	check c1
	begin add-without-directory
	add c1
	begin add-failing-without-directory
	add c1 eth0 IP=10.9.0.1
	begin del-of-broken-configurations
	add c1
	ipam '"subnet": "10.9.0.5/24"'
	del c1
	ipam '"ranges": []'
	del c2
	begin del-without-ipam
	text '{"cniVersion": "1.1.0", "name": "net"}'
	del c1
	add c1
	check c1
	begin ipam-null
	text '{"cniVersion": "1.1.0", "name": "net", "ipam": null}'
	add c1
	del c1
}

cases_ids() {
	local id
	for id in a 0 A.b-c_d a: -a .a a/b ' a' 'a ' a%2f aé a..b lock last_reserved_ip.0 10.9.0.2 \
		0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef \
		"$(printf 'a%.0s' {1..200})" "$(printf 'b%.0s' {1..300})"; do
		begin_with id "${id:0:20}-${#id}"
		add "$id"
		add "$id"
		add "$id" eth1
		del "$id"
	done
	for id in eth0.100 e@h a:b a/b .. 'a b' abcdefghijklmno abcdefghijklmnop é '%' ''; do
		begin_with ifname "$id"
		add c1 "$id"
		del c1 "$id"
	done
}

# nest A.B VALUE: sets `nested` to "A": {"B": VALUE}.
nest() {
	local key=$1
	nested="\"${key##*.}\": $2"
	while [[ $key == *.* ]]; do
		key=${key%.*}
		nested="\"${key##*.}\": {$nested}"
	done
}

# Each key of the configuration with values of each type.
cases_types() {
	local key value nested
	for value in null true 5 '"x"' '""' '[]' '{}' '[null]' '["x"]' '[[]]'; do
		for key in subnet rangeStart rangeEnd gateway routes ranges resolvConf; do
			begin_with type "ipam.$key=$value"
			ipam "$v4, \"$key\": $value"
			[ $key = subnet ] && ipam "\"subnet\": $value"
			add c1
		done
		begin_with type "ipam.dataDir=$value"
		data "\"dataDir\": $value,"
		add c1
		del c1
		begin_with type "ipam.type=$value"
		text "{\"cniVersion\": \"1.1.0\", \"name\": \"net\", \"ipam\": {\"type\": $value, \"dataDir\": \"data\", $v4}}"
		add c1
		begin_with type "ipam=$value"
		text "{\"cniVersion\": \"1.1.0\", \"name\": \"net\", \"ipam\": $value}"
		add c1
		for key in args args.cni args.cni.ips runtimeConfig runtimeConfig.ips runtimeConfig.ipRanges dns prevResult \
			type; do
			begin_with type "$key=$value"
			nest "$key" "$value"
			also "$nested,"
			add c1
		done
		begin_with type "name=$value"
		text "{\"cniVersion\": \"1.1.0\", \"name\": $value, \"ipam\": {\"type\": \"x\", \"dataDir\": \"data\", $v4}}"
		add c1
		begin_with type "all=$value"
		text "$value"
		add c1
	done
	begin no-json
	text '{"cniVersion": "1.1.0", "name": "net", "ipam": '
	add c1
	begin json-and-more
	text "{\"cniVersion\": \"1.1.0\", \"name\": \"net\", \"ipam\": {\"dataDir\": \"data\", $v4}} x"
	add c1
	begin no-input
	text ''
	add c1
	begin keys-in-any-case
	text "{\"CNIVERSION\": \"1.0.0\", \"Name\": \"net\", \"IPAM\": {\"DataDir\": \"data\", $v4}}"
	add c1
	del c1
}

# Keys that only addrpool knows, with each other type, and keys of other IPAM plugins.
cases_foreign() {
	local key value
	for value in null true 5 1.5 '"x"' '""' '[]' '{}' '[null]' '[5]' '[[]]'; do
		for key in exclude reuseDelay fsync sticky cluster; do
			case $key:$value in
			reuseDelay:5 | cluster:{}) continue ;; # valid types, with invalid values
			esac
			begin_with foreign "$key=$value"
			ipam "$v4, \"$key\": $value"
			add c1
			check c1
			del c1
		done
	done
	begin foreign-whereabouts
	ipam "$v4, \"range\": \"10.9.0.0/24\", \"range_start\": \"10.9.0.5\", \"exclude\": [], \"log_file\": \"w.log\", \"log_level\": \"debug\",
		\"kubernetes\": {\"kubeconfig\": \"x\"}, \"etcd_host\": \"x\", \"enable_overlapping_ranges\": true, \"sticky\": false"
	add c1
	del c1
	begin foreign-around
	also '"logLevel": "debug", "logFile": "x.log", "ipMasq": true, "vlan": 0, "routes": ["10.0.0.0/8"], "cluster": "east",'
	add c1
	del c1
}

cases_resolv() {
	local name content
	while read -r name content; do
		begin "resolv-$name"
		any_version
		ipam "$v4, \"resolvConf\": \"resolv.conf\""
		put resolv.conf "${content/#-/}"
		add c1
	done <<-'END_OF_LIST'
		empty -
		nameserver nameserver 9.9.9.9\n
		no-newline nameserver 9.9.9.9
		several nameserver 9.9.9.9\nnameserver 2620:fe::fe\nnameserver zz\n
		all nameserver 9.9.9.9\ndomain example.com\nsearch a.example b.example\noptions ndots:2 rotate\n
		accumulated search a.example\nsearch b.example\noptions ndots:2\noptions rotate\ndomain a\ndomain b\n
		comments # comment\n; comment\nnameserver 9.9.9.9 # trailing\nsearch a # b\n#nameserver 1.1.1.1\n
		tabs nameserver\t9.9.9.9\nsearch\ta.example\tb.example\n
		indented \0040\0040nameserver 9.9.9.9\n\tsearch a\n
		crlf nameserver 9.9.9.9\r\nsearch a b\r\n
		blank-lines \n\n\nnameserver 9.9.9.9\n\n\0040\n
		alone nameserver\nsearch\ndomain\noptions\n
		unknown sortlist 1.2.3.4\nnameservers 9.9.9.9\nNAMESERVER 9.9.9.9\n
		two-on-a-line nameserver 9.9.9.9 8.8.8.8\ndomain a b\n
		utf8 domain b\0303\0274cher.example\n
	END_OF_LIST
	for name in nonexist . /nonexist/resolv.conf ''; do
		begin_with resolv-missing "$name"
		ipam "$v4, \"resolvConf\": \"$name\""
		add c1
		check c1
		del c1
	done
	# an unreadable file takes no address
	begin resolv-missing-then-there
	ipam "$v4, \"resolvConf\": \"resolv.conf\""
	add c1
	put resolv.conf 'nameserver 9.9.9.9\n'
	add c2
}

cases_places() {
	begin place-not-creatable
	data '"dataDir": "/proc/x",'
	add c1
	check c1
	del c1
	begin place-below-a-file
	put data/file x
	data '"dataDir": "data/file",'
	add c1
	check c1
	del c1
	begin place-deep
	data '"dataDir": "a/b/c/d",'
	add c1
	del c1
	begin place-with-slashes
	data '"dataDir": "data//",'
	add c1
	add c2
	begin place-with-dots
	data '"dataDir": "./a/../data/.",'
	both 'mkdir a'
	add c1
	begin place-absolute
	data '"dataDir": "/proc/self/cwd/data",'
	add c1
	add c2
	del c1
	begin place-default
	data ''
	add c1
	check c1
	add c2
	del c1
	begin place-empty
	data '"dataDir": "",'
	add c1
	del c1
	begin place-network-is-a-file
	put data/net x
	add c1
	check c1
	del c1
	begin place-is-a-link
	both 'mkdir real && ln -s real link'
	data '"dataDir": "link",'
	add c1
	del c1
}

cases_verbs() {
	begin status-and-gc
	add c1
	status
	gc
	check c1
	begin status-and-gc-of-broken-configurations
	ipam '"ranges": []'
	status
	gc
	ipam '"subnet": "10.9.0.5/24"'
	status
	gc
	text '{"cniVersion": "1.1.0", "name": "net"}'
	status
	gc
	begin status-of-a-full-network
	ipam '"subnet": "10.9.0.0/30"'
	add c1
	status
	begin status-without-directory
	status
	gc
	begin status-of-a-place-not-creatable
	data '"dataDir": "/proc/x",'
	status
	begin gc-of-some
	add c1
	add c2
	add c1 eth1
	also '"cni.dev/valid-attachments": [{"containerID": "c1", "ifname": "eth0"}],'
	gc
	check c1
	also '"cni.dev/valid-attachments": [],'
	gc
	begin gc-of-all
	add c1
	also '"cni.dev/valid-attachments": null,'
	gc
	begin verbs-too-old
	version 1.0.0
	status
	gc
	version 0.3.1
	check c1
	begin verb-unknown
	call FOO c1 eth0 '' /run/netns/none
	call VERSION '' '' '' ''
	call add c1 eth0 '' /run/netns/none
	begin environment-missing
	call ADD '' eth0 '' /run/netns/none
	call ADD c1 '' '' /run/netns/none
	call ADD c1 eth0 '' ''
	call DEL c1 eth0 '' ''
	call CHECK c1 eth0 '' ''
	begin own-namespace
	call ADD c1 eth0 '' /proc/self/ns/net
	call DEL c1 eth0 '' /proc/self/ns/net
	begin check-with-result
	ipam '"subnet": "10.9.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]'
	add c1
	also '"prevResult": {"cniVersion": "1.1.0", "interfaces": [{"name": "eth0", "sandbox": "/run/netns/none"}], "ips": [{"address": "10.9.0.2/24", "gateway": "10.9.0.1", "interface": 0}]},'
	check c1
	del c1
	check c1
	begin check-with-another-result
	add c1
	also '"prevResult": {"cniVersion": "1.1.0", "ips": [{"address": "10.9.0.3/24"}]},'
	check c1
	also '"prevResult": {"cniVersion": "1.1.0", "ips": []},'
	check c1
	also '"prevResult": 5,'
	check c1
	del c1
}

# Random steps, from a generator with the same numbers everywhere. A container requests an address only once,
# since the programs differ for a container that has one.
cases_walks() {
	local step seed n prefix shape
	while read -r prefix shape; do
		for _ in 1 2 3; do
			begin "walk-$((seed = ${seed:-0} + 1))"
			any_version
			ipam "$shape"
			n=$((seed * 7919))
			for ((step = 0; step < 14; step++)); do
				n=$(((n * 1103515245 + 12345) % 2147483648))
				walk_step $((n / 65536))
			done
		done
	done <<-'JSON'
		10.9.0. "subnet": "10.9.0.0/29"
		10.9.0. "ranges": [[{"subnet": "10.9.0.0/29"}, {"subnet": "10.8.0.0/30"}]]
		10.9.0. "ranges": [[{"subnet": "10.9.0.0/29"}], [{"subnet": "fd00:9::/124"}]]
		fd00:9:: "subnet": "fd00:9::/125", "gateway": "fd00:9::4"
		10.9.0. "subnet": "10.9.0.0/28", "rangeStart": "10.9.0.2", "rangeEnd": "10.9.0.6"
	JSON
}

walk_step() {
	local id=w$(($1 / 7 % 5)) ifname=eth$(($1 / 35 % 2))
	case $(($1 % 7)) in
	0 | 1 | 2) add "$id" "$ifname" ;;
	3) check "$id" "$ifname" ;;
	4 | 5) del "$id" "$ifname" ;;
	6) add "r$step" eth0 "IP=$prefix$(($1 / 70 % 5 + 2))" ;;
	esac
}

make_cases() {
	local turn=0 family
	for family in subnets results routes bounds gateways exhaustion sets wanted arguments last leases lives ids types foreign \
		resolv places verbs walks; do
		"cases_$family"
	done
}
