#!/usr/bin/env bats
# ipvlan and addrpool killed at each system call that changes something: what is on the host.

load ../lib/faults

@test "killed at any system call, nothing is lost: hostAccess" {
	faults kill 100 'ADD DEL' "$(pooled '{ "hostAccess": true }')"
}

@test "killed at any system call, nothing is lost: reflector" {
	faults kill 100 'ADD DEL' "$(pooled '{ "mode": "l3", "flag": "vepa", "reflector": [ "10.138.36.66", "fd00:36::66" ] }')"
}

@test "killed at any system call, nothing is lost: hostRoutes" {
	faults kill 100 'ADD DEL' "$(pooled '{ "mode": "l3", "hostRoutes": [ { "dst": "192.168.7.0/24", "gw": "10.138.36.66" } ] }')"
}
