# SPDX-License-Identifier: Apache-2.0
# The results of `rate` as Markdown.
def percent: if . then . * 100 | round | "\(.) %" else "" end;
def kinds: [["pod", 1, "TCP of the pod, 1 connection"], ["pod", 8, "TCP of the pod, 8 connections"],
	["inside", 1, "TCP of a network in the pod, 1 connection"], ["inside", 8, "TCP of a network in the pod, 8 connections"],
	["udp", null, "UDP of the pod, twice the rate"]];
. as $all
| ([$all[] | .rate] | unique) as $rates
| "| Mbit/s | what sends | share of the rate | lost packets | fairness | ms of a ping |",
"|---:|---|---:|---:|---:|---:|",
($rates[] as $rate | kinds[] as [$from, $flows, $name]
	| [("shaper", "master") as $how | $all[] | select(.rate == $rate and .from == $from and .flows == $flows and .how == $how)]
	| "| \($rate / 1000000) | \($name) | \(map(.share | percent) | join(" → ")) | \(map(.lost | percent) | join(" → ")) | \(map(.fair | percent | select(. != "")) | join(" → ")) | \(map(.ping | select(.) | round) | join(" → ")) |")
