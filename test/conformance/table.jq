# SPDX-License-Identifier: Apache-2.0
# The table of the tests of a suite that ran, from Ginkgo's report in JSON.

def name: [ .ContainerHierarchyTexts[], .LeafNodeText ] | map(gsub("\\[(sig-network|k8s\\.io|LinuxOnly|Conformance|NodeConformance)\\] ?"; "") | gsub(" +$"; ""))
	| map(select(. != "")) | join(" ");
def result: if .State == "passed" then "passed" else .State + ": " + (.Failure.Message | split("\n")[0]) end;

[ .[].SpecReports[] | select(.LeafNodeType == "It" and (.State != "skipped" or (.Failure.Message // "") != "")) ] | sort_by(name) |
	"### \({ e2e: "Kubernetes", critest: "critest" }[$suite])", "",
	"\(map(select(.State == "passed")) | length) of \(length) passed.", "",
	"| test | result |", "|---|---|", (.[] | "| \(name) | \(result) |"), ""
