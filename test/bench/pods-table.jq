# SPDX-License-Identifier: Apache-2.0
# The results of `pods` as Markdown.
def names: { none: "no network", ours: "ours", before: "ours, before", go: "Go, host-local", whereabouts: "Go, whereabouts" };
def order: ["none", "ours", "before", "go", "whereabouts"];
def quantile($q): sort | .[((length - 1) * $q) | round];
def short: if . == null then "" elif . < 10 then . * 100 | round / 100 elif . < 100 then . * 10 | round / 10 else round end | tostring;
.about as $about | .measured as $all
| ([$all[] | .pods] | unique) as $crowds
| def of($who; $pods; $what): [$all[] | select(.who == $who and .pods == $pods and .what == $what)];
def all($who; $pods; $what; $key): [of($who; $pods; $what)[][$key][]];
def sum($who; $pods; $what; $key): [of($who; $pods; $what)[][$key]] | add;
def spread($who; $pods; $what): all($who; $pods; $what; "ms") | if length == 0 then "" else "\(quantile(0.5) | short) / \(quantile(0.99) | short)" end;
def rate($who; $pods; $what): (all($who; $pods; $what; "ms") | length) as $n | $n / sum($who; $pods; $what; "seconds") | short;
def failed($who; $pods): sum($who; $pods; "run"; "failed") | if . == 0 then "" else ", \(.) of \($pods * (of($who; $pods; "run") | length)) failed" end;
# of one pod, milliseconds
def cpu($who; $pods; $key): [("run", "stop") as $what | sum($who; $pods; $what; $key) / ([all($who; $pods; $what; "ms") | length, 1] | max) * 1000 | short] | join(" / ");
def plugin($who; $pods): if $who == "none" then "" else
	[("run", "stop") as $what | all($who; $pods; $what; "plugin_ms") | if length == 0 then "" else quantile(0.5) | short end] | join(" / ") end;
"Pods started at once, then stopped at once, by containerd \($about.containerd). RunPodSandbox, StopPodSandbox: milliseconds, the median /",
"the 99th percentile. ADD / DEL: milliseconds of the plugin with its IPAM plugin, medians. CPU: milliseconds of processor time for the start /",
"the stop of one pod, of the plugins and of the whole guest. No network: pods in the host's network, for which containerd calls no plugin.",
"",
"| pods at once | | pods/s started | RunPodSandbox | stopped/s | StopPodSandbox | ADD / DEL | CPU of the plugins, ms | CPU of all, ms |",
"|---:|---|---:|---:|---:|---:|---:|---:|---:|",
($crowds[] as $n | order[] | select(of(.; $n; "stop") | length > 0) as $who
	| "| \($n) | \(names[$who])\(failed($who; $n)) | \(rate($who; $n; "run")) | \(spread($who; $n; "run")) | \(rate($who; $n; "stop")) | \(spread($who; $n; "stop")) | \(plugin($who; $n)) | \(if $who == "none" then "" else cpu($who; $n; "plugin_cpu") end) | \(cpu($who; $n; "cpu")) |"),
"",
"\($about.kernel) on \(if $about.processors == 1 then "one processor" else "\($about.processors) processors" end) of \($about.cpu); sources \($about.version), static release. The contenders took turns in one run of one guest;",
"kube-apiserver and etcd of whereabouts ran in the same guest. Other work ran on the machine; its load before the run: \($about.load)."
