# SPDX-License-Identifier: Apache-2.0
"""Nodes that share a pool, their pods, the calls of their runtimes, and the history of all these.

A node is a directory with its dataDir and the files that identify its machine and boot. A pod is a network
namespace that exists only by a descriptor of this process.
"""

import ctypes
import json
import os
import random
import shutil
import subprocess
import threading
import time

import standin

SUBNET, BLOCK_SIZE, BLOCKS, CAPACITY = "10.9.0.0/25", 4, 32, 125  # not the first two addresses and the last
NETWORKS = ("net", "other")
CLONE_NEWNET = 0x40000000
TRACED = ("renameat", "symlinkat", "unlinkat", "linkat", "mkdirat", "write", "sendto")

libc = ctypes.CDLL(None, use_errno=True)


def make_namespace(own=os.open("/proc/self/ns/net", os.O_RDONLY)):
    """Returns a descriptor of a new network namespace."""
    if libc.unshare(CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "unshare")
    made = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    if libc.setns(own, CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "setns")
    return made


class History:
    def __init__(self, path):
        self.file = open(path, "w", buffering=1 << 16)
        self.lock = threading.Lock()
        self.step = self.seq = 0
        self.shift = 0.0  # seconds that the clocks of all nodes are ahead
        self.start = time.clock_gettime(time.CLOCK_BOOTTIME)

    def now(self):
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.start + self.shift

    def write(self, kind, **event):
        with self.lock:
            self.seq += 1
            line = {"seq": self.seq, "t": round(self.now(), 3), "step": self.step, "kind": kind, **event}
            self.file.write(json.dumps(line) + "\n")


class Plan:
    """The faults of one call. rng None: there are none."""

    def __init__(self, step=0, rng=None, away=False):
        self.step, self.rng, self.away = step, rng, None
        self.kill_at = self.kill_after = self.rate = None
        if away:
            self.away = "away" if not rng or rng.random() < 0.97 else rng.choice(["refused", "hang"])
        if rng and rng.random() < 0.3:
            self.rate = 0.3

    def kill(self):
        """Kills the call once: at a request, at a change of a file, or at a time."""
        rng = self.rng
        moment = rng.choice(["request", "request", "change", "change", "time"])
        if moment == "request":
            self.kill_at = (rng.randrange(3), rng.choice(["kill before", "kill after"]))
        elif moment == "change":
            self.kill_at = ("change", rng.choice(TRACED), rng.randint(1, 8))  # strace counts the calls of each name
        else:
            self.kill_after = rng.uniform(0, 0.06)

    def fault(self, n):
        if self.kill_at and self.kill_at[0] == n:
            return self.kill_at[1]
        if self.away:
            return self.away
        if self.rate and self.rng.random() < self.rate:
            return self.rng.choice(["lost", "unanswered", "unanswered", "late", "twice", "twice", "slow", "busy"])
        return None

    def late(self):
        return self.step + self.rng.randint(1, 3)

    def delay(self):
        return self.rng.uniform(0.005, 0.03)


class Pod:
    def __init__(self, name, node, network):
        self.name, self.node, self.network = name, node, network
        self.address = None
        self.namespace = make_namespace()
        self.inside = f"/proc/{os.getpid()}/fd/{self.namespace}"

    def close(self):
        if self.namespace is not None:
            os.close(self.namespace)
        self.namespace = None


class Node:
    def __init__(self, work, name):
        self.name, self.place = name, f"{work}/{name}"
        self.data = f"{self.place}/data"
        self.boots = self.starts = 0
        self.booted = 0.0
        self.up, self.away, self.wiped = True, False, False
        os.makedirs(self.place)
        self.put("machine-id", f"{name}-machine")
        self.boot(0.0)

    def put(self, name, text):
        # written in place, since the file may be mounted
        with open(f"{self.place}/{name}", "w") as file:
            file.write(text + "\n")

    def boot(self, now):
        """The machine starts."""
        self.boots += 1
        self.booted = now
        self.put("boot_id", f"{self.name[0]}{self.boots:07x}-0000-4000-8000-000000000000")
        self.start()

    def start(self):
        """Process 1 starts. The node may be a container on a machine that does not restart."""
        self.starts += 1
        with open("/proc/1/stat") as file:
            comm, rest = file.read().rsplit(")", 1)
        fields = rest.split()
        fields[19] = str(self.starts * 1000)  # starttime, field 22
        self.put("stat", f"{comm}) {' '.join(fields)}")

    def lose_data(self):
        shutil.rmtree(self.data, ignore_errors=True)

    def conf(self, network, endpoint):
        cluster = {"node": self.name, "pool": "shared", "blockSize": BLOCK_SIZE, "timeout": 2}
        cluster["etcd"] = {"endpoints": [endpoint]}
        ipam = {"type": "addrpool", "dataDir": self.data, "subnet": SUBNET, "cluster": cluster}
        return json.dumps({"cniVersion": "1.1.0", "name": network, "ipam": ipam})

    def own_blocks(self, network):
        """The blocks that it owns according to its files: see include/ipam/block.h."""
        directory = f"{self.data}/.addrpool/{network}/blocks"
        owned = []
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
            path = f"{directory}/{name}"
            if "-" in name and os.path.islink(path) and os.readlink(path).startswith("owned "):
                owned.append(name.replace("-", "/"))
        return owned


class Outcome:
    """status: ok, error, killed; or broken, which is a fault of the program."""

    def __init__(self, code, text, killed, errors=None):
        """errors: stderr of a program for people, which prints no JSON."""
        self.address = self.code = self.message = None
        self.status = "ok"
        if errors is not None:
            self.message = errors.strip() or None
            self.status = "killed" if killed else {0: "ok", 1: "error"}.get(code, "broken")
            return
        try:
            answer = json.loads(text) if text.strip() else {}
        except ValueError:
            answer = None
        if killed:
            self.status = "killed"
        elif code not in (0, 1) or answer is None or (code == 1) != ("msg" in answer):
            self.status, self.message = "broken", f"exit status {code}: {text[:200]}"
        elif code == 1:
            self.status, self.code = "error", answer["code"]
            self.message = answer["msg"]
        elif "ips" in answer:
            self.address = answer["ips"][0]["address"].split("/")[0]


class Cluster:
    def __init__(self, work, programs, tools, history, engine, names):
        self.work, self.programs, self.tools, self.history = work, programs, tools, history
        self.standin = standin.StandIn(engine, history)
        self.nodes = {name: Node(work, name) for name in names}
        self.numbers = iter(range(1, 1 << 40))
        self.number_lock = threading.Lock()
        self.faults = 0

    def clock(self, node):
        """Nanoseconds that the node's CLOCK_BOOTTIME is ahead of ours. It is ten seconds when the node boots."""
        history = self.history
        return int((history.shift - history.start - node.booted + 10) * 1e9)

    def command(self, node, plan, words):
        command = [f"{self.tools}/on-node", node.place, str(self.clock(node))]
        if plan.kill_at and plan.kill_at[0] == "change":
            command += ["/usr/bin/strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + ",".join(TRACED)]
            command += ["-e", f"inject={plan.kill_at[1]}:signal=KILL:when={plan.kill_at[2]}"]
        return command + words

    def run(self, node, network, verb, plan, words, environment, conf, **more):
        """Runs a program on the node, and writes call and result to the history. conf: a function of the endpoint."""
        process = None
        killed = threading.Event()

        def kill():
            killed.set()
            process.kill()  # its children end with it

        with self.number_lock:
            call = standin.Call(next(self.numbers), plan, kill)
        text = conf(self.standin.address(call))
        self.history.write(
            "call", call=call.number, verb=verb, node=node.name, network=network, away=bool(plan.away), **more
        )
        self.standin.begin(call)
        process = subprocess.Popen(
            self.command(node, plan, words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], **environment},
            text=True,
        )
        timer = threading.Timer(plan.kill_after, kill) if plan.kill_after is not None else None
        if timer:
            timer.start()
        output, errors = process.communicate(text)
        if timer:
            timer.cancel()
            timer.join()
        self.standin.end(call)
        self.faults += call.faults
        code = process.returncode
        traced = plan.kill_at and plan.kill_at[0] == "change"
        killed_by_us = killed.is_set() or (traced and code in (137, -9))
        outcome = Outcome(code, output, killed_by_us, errors if verb == "release-node" else None)
        seen = {"asked": call.asked, "answered": call.answered, "listed": call.listed, "faults": call.faults}
        said = {"address": outcome.address, "code": outcome.code, "message": outcome.message}
        whole = not (plan.kill_at or plan.kill_after is not None)
        self.history.write(
            "result",
            **{"call": call.number, "status": outcome.status, "whole": whole},
            **seen,
            **{key: value for key, value in said.items() if value is not None},
            **({"stderr": errors.strip()[:400]} if errors.strip() else {}),
        )
        return outcome

    def cni(self, verb, node, network, pod, plan, alone=True, wanted=None):
        environment = {"CNI_COMMAND": verb, "CNI_PATH": self.programs}
        more = {"alone": alone}
        if pod:
            environment |= {"CNI_CONTAINERID": pod.name, "CNI_IFNAME": "eth0", "CNI_NETNS": pod.inside}
            more |= {"pod": pod.name}
        if wanted:
            environment |= {"CNI_ARGS": f"IP={wanted}"}
            more |= {"wanted": wanted}
        return self.run(
            node,
            network,
            verb,
            plan,
            [f"{self.programs}/addrpool"],
            environment,
            lambda endpoint: node.conf(network, endpoint),
            **more,
        )

    def collect(self, node, network, pods, plan):
        """GC with pods as the runtime's list."""

        def conf(endpoint):
            attachments = [{"containerID": pod.name, "ifname": "eth0"} for pod in pods]
            return json.dumps({**json.loads(node.conf(network, endpoint)), "cni.dev/valid-attachments": attachments})

        environment = {"CNI_COMMAND": "GC", "CNI_PATH": self.programs}
        return self.run(node, network, "GC", plan, [f"{self.programs}/addrpool"], environment, conf, alone=True)

    def release(self, node, name, plan, network=NETWORKS[0]):
        """Runs release-node on node for the node called name. For node itself it releases only blocks of one network."""
        path = f"{self.work}/release.conf"

        def conf(endpoint):
            with open(path, "w") as file:
                file.write(node.conf(network, endpoint))
            return ""

        words = [f"{self.programs}/addrpool", "release-node", "--yes", name, path]
        return self.run(node, network, "release-node", plan, words, {"CNI_PATH": self.programs}, conf, of=name)


def rng_of(seed, *names):
    return random.Random("/".join(str(name) for name in (seed, *names)))
