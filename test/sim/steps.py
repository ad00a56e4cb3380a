# SPDX-License-Identifier: Apache-2.0
"""The events of a cluster, one step after the other, by seed.

What a step does depends on the seed, its number and what is there, never on what an earlier step has drawn: a
call that ends in another way changes what the next steps find, and not what they are.
"""

import concurrent.futures
import ipaddress
import os

from cluster import CAPACITY, NETWORKS, SUBNET, Plan, Pod, rng_of

# How often each happens in about a thousand steps.
WEIGHTS = {
    "add": 370,
    "ask": 50,
    "remove": 330,
    "vanish": 30,
    "again": 60,
    "check": 40,
    "status": 15,
    "collect": 8,
    "jump": 12,
    "cut": 16,
    "mend": 40,
    "off": 6,
    "on": 16,
    "restart": 8,
    "wipe": 3,
    "repair": 25,
    "release": 16,
    "release_own": 2,
    "save": 6,
    "restore": 4,
}
BURST = 100  # and of several calls at once, where that is wanted
KILLS = 0.08  # of the calls


class Steps:
    def __init__(self, seed, cluster, history, concurrent_calls=False, kills=KILLS):
        self.seed, self.cluster, self.history, self.kills = seed, cluster, history, kills
        self.pods, self.owed = {}, {}  # that live; whose DEL has not succeeded yet
        self.killed = None  # the pod of the last DEL that was killed
        self.saved = []
        self.number = 0
        self.weights = dict(WEIGHTS, **({"burst": BURST} if concurrent_calls else {}))
        self.log = []

    def step(self, number):
        self.number = self.history.step = number
        rng = self.rng = rng_of(self.seed, number)
        self.history.shift += rng.choice([0.1, 1, 1, 2, 3, 5, 10, rng.uniform(10, 100)])
        self.cluster.standin.deliver(number)
        name = rng.choices(list(self.weights), list(self.weights.values()))[0]
        # the pool is filled and emptied alternately
        wanted = rng_of(self.seed, "wanted", number // 250).choice([5, 30, 60, 90, CAPACITY])
        if name in ("add", "remove") and rng.random() < 0.7:
            name = "add" if len(self.pods) < wanted else "remove"
        done = getattr(self, name)()
        self.log = self.log[-19:] + [f"step {number}: {name.replace('_', ' ')}: {done or 'nothing to do'}"]

    def pick(self, things):
        things = sorted(things)
        return things[self.rng.randrange(len(things))] if things else None

    def node(self, wanted=lambda node: node.up):
        name = self.pick(name for name, node in self.cluster.nodes.items() if wanted(node))
        return self.cluster.nodes[name] if name else None

    def network(self):
        return NETWORKS[self.rng.random() < 0.25]

    def plan(self, node, n=0):
        """Faults use a separate random sequence, since their number depends on the program."""
        plan = Plan(self.number, rng_of(self.seed, self.number, "plan", n), node.away)
        if plan.rng.random() < self.kills:
            plan.kill()
        return plan

    def say(self, verb, pod, outcome):
        return f"{verb} {pod.name} on {pod.node.name}/{pod.network}: {outcome.status} {outcome.address or outcome.message or ''}"

    def end(self, pod):
        """The pod's last process ends."""
        if pod.namespace is None:
            return
        pod.close()
        self.pods.pop(pod.name, None)
        self.history.write("gone", pod=pod.name)

    def added(self, pod, outcome):
        if outcome.status == "ok":
            pod.address = outcome.address
            self.pods[pod.name] = pod
        else:
            self.end(pod)
            self.owed[pod.name] = pod
        return self.say("ADD", pod, outcome)

    def new_pod(self, n=0):
        node = self.node()
        return node and Pod(f"p{self.number}-{n}", node, self.network())

    def add(self):
        pod = self.new_pod()
        if not pod:
            return None
        return self.added(pod, self.cluster.cni("ADD", pod.node, pod.network, pod, self.plan(pod.node)))

    def ask(self):
        """A pod requests an address, mostly one of a block of its node without a pod. After a killed DEL the
        node may have released that block, and not know it."""
        pod, rng = self.new_pod(), rng_of(self.seed, self.number, "address")
        if not pod:
            return None
        if self.killed and self.killed.node.up and rng.random() < 0.5:
            pod.node, pod.network = self.killed.node, self.killed.network
        near = ipaddress.ip_network(rng.choice(self.empty_blocks(pod) or [SUBNET]) if rng.random() < 0.7 else SUBNET)
        wanted = str(near[rng.randrange(near.num_addresses)])
        outcome = self.cluster.cni("ADD", pod.node, pod.network, pod, self.plan(pod.node), wanted=wanted)
        return f"asks for {wanted}: {self.added(pod, outcome)}"

    def empty_blocks(self, pod):
        used = [ipaddress.ip_address(pod.address) for pod in self.pods_of(pod.node, pod.network)]
        blocks = [ipaddress.ip_network(block) for block in pod.node.own_blocks(pod.network)]
        return [str(block) for block in blocks if not any(address in block for address in used)]

    def release_pod(self, pod, n=0, alone=True):
        return self.cluster.cni("DEL", pod.node, pod.network, pod, self.plan(pod.node, n), alone)

    def released(self, pod, outcome):
        self.end(pod)
        self.owed.pop(pod.name, None)
        if outcome.status != "ok":
            self.owed[pod.name] = pod
        if outcome.status == "killed":
            self.killed = pod
        return self.say("DEL", pod, outcome)

    def living(self):
        name = self.pick(name for name, pod in self.pods.items() if pod.node.up)
        return self.pods[name] if name else None

    def remove(self):
        pod = self.living()
        if not pod:
            return None
        if self.rng.random() < 0.2:
            self.end(pod)
        return self.released(pod, self.release_pod(pod))

    def vanish(self):
        """A pod ends without a DEL."""
        pod = self.living()
        if not pod:
            return None
        self.end(pod)
        self.owed[pod.name] = pod
        return f"{pod.name} on {pod.node.name}/{pod.network}"

    def again(self):
        """A DEL that was not called before, or failed."""
        name = self.pick(name for name, pod in self.owed.items() if pod.node.up)
        return name and self.released(self.owed[name], self.release_pod(self.owed[name]))

    def check(self):
        pod = self.living()
        return pod and self.say(
            "CHECK", pod, self.cluster.cni("CHECK", pod.node, pod.network, pod, self.plan(pod.node))
        )

    def status(self):
        node, network = self.node(), self.network()
        if not node:
            return None
        outcome = self.cluster.cni("STATUS", node, network, None, self.plan(node))
        return f"{node.name}/{network}: {outcome.status}"

    def collect(self):
        """A runtime's GC, with all running pods."""
        node, network = self.node(), self.network()
        if not node:
            return None
        outcome = self.cluster.collect(node, network, self.pods_of(node, network), self.plan(node))
        return f"{node.name}/{network}: {outcome.status}"

    def pods_of(self, node, network=None):
        return [p for p in self.pods.values() if p.node is node and network in (None, p.network)]

    def jump(self):
        seconds = self.rng.choice([70, 600, 3600, 86400, 300000])
        self.history.shift += seconds
        return f"{seconds} s"

    def cut(self):
        """A node does not reach the engine for some time."""
        node = self.node(lambda node: node.up and not node.away)
        if not node:
            return None
        node.away = True
        self.history.write("cut", node=node.name)
        return node.name

    def mend(self):
        node = self.node(lambda node: node.away)
        if not node:
            return None
        node.away = False
        self.history.write("mended", node=node.name)
        return node.name

    def kill_pods(self, node):
        for pod in sorted(self.pods_of(node), key=lambda pod: pod.name):
            self.end(pod)
            self.owed[pod.name] = pod

    def off(self):
        """A machine is switched off. At least two stay on."""
        if sum(node.up for node in self.cluster.nodes.values()) < 3:
            return None
        node = self.node()
        node.up = False
        self.history.write("off", node=node.name)
        self.kill_pods(node)
        return node.name

    def boot(self, node, rng):
        """A machine restarts, or a container that is a node. It keeps all of its data or none."""
        machine, keeps = rng.random() < 0.6, rng.random() < 0.7
        self.kill_pods(node)
        if not keeps:
            node.lose_data()
            node.wiped = not machine
            for name in [name for name, pod in self.owed.items() if pod.node is node]:
                del self.owed[name]
        elif machine:
            node.wiped = False
        if machine:
            node.boot(self.history.now())
        else:
            node.start()
        node.up = True
        self.history.write("restart", node=node.name, boot="new" if machine else "kept", data="kept" if keeps else "lost")
        return f"{node.name}, boot id {'new' if machine else 'kept'}, data {'kept' if keeps else 'lost'}"

    def on(self):
        node = self.node(lambda node: not node.up)
        return node and self.boot(node, self.rng)

    def restart(self):
        node = self.node()
        return node and self.boot(node, self.rng)

    def wipe(self):
        """A node's files are removed while its pods run."""
        node = self.node()
        if not node:
            return None
        node.lose_data()
        node.wiped = True
        self.history.write("wipe", node=node.name)
        return node.name

    def repair(self):
        """The remedy for a node that has lost its leases: its pods end, and its blocks are released."""
        node = self.node(lambda node: node.up and node.wiped and not node.away)
        if not node:
            return None
        self.kill_pods(node)
        for pod in [pod for pod in self.owed.values() if pod.node is node]:
            self.released(pod, self.cluster.cni("DEL", node, pod.network, pod, Plan()))
        outcomes = [self.cluster.release(node, node.name, Plan(), network) for network in NETWORKS]
        node.wiped = any(outcome.status != "ok" for outcome in outcomes)
        return f"release-node {node.name} on itself: " + ", ".join(outcome.message or "ok" for outcome in outcomes)

    def release(self):
        """An administrator releases a node that does not answer. That is right if it is off, and wrong if only the
        engine does not reach it."""
        gone = self.node(lambda node: not node.up or (node.away and self.rng.random() < 0.3))
        node = self.node(lambda node: node.up and not node.away and node is not gone)
        if not gone or not node:
            return None
        outcome = self.cluster.release(node, gone.name, self.plan(node))
        return f"release-node {gone.name} on {node.name}: {outcome.status} {outcome.message or ''}"

    def release_own(self):
        """An administrator releases a node on itself by mistake, since pods may run."""
        node = self.node(lambda node: node.up and not node.away and not node.wiped)
        if not node:
            return None
        outcome = self.cluster.release(node, node.name, self.plan(node), self.network())
        return f"release-node {node.name} on itself: {outcome.status} {outcome.message or ''}"

    def save(self):
        path = f"{self.cluster.work}/snapshot.{self.number}"
        with self.cluster.standin.lock:
            self.cluster.standin.etcd.save(path)
        self.history.write("save", path=path)
        for old in self.saved[:-1]:
            os.remove(old)
        self.saved = self.saved[-1:] + [path]
        return path

    def restore(self):
        path = self.pick(self.saved)
        if not path:
            return None
        self.history.write("restore", path=path)
        self.cluster.standin.restore(path)
        return path

    def burst(self):
        """Several calls at once, on one node or on several."""
        calls, one = [], self.node() if self.rng.random() < 0.5 else None
        for n in range(self.rng.randint(2, 6)):
            pod = self.new_pod(n) if self.rng.random() < 0.6 else self.living()
            if pod and one and not pod.address:
                pod.node = one
            if pod and pod not in [pod for pod, _ in calls]:
                calls.append((pod, "DEL" if pod.address else "ADD"))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(self.one_of_burst, calls, range(len(calls))))
        ends = {"ADD": self.added, "DEL": self.released}
        return "; ".join(ends[verb](pod, outcome) for (pod, verb), outcome in zip(calls, outcomes))

    def one_of_burst(self, call, n):
        pod, verb = call
        return self.cluster.cni(verb, pod.node, pod.network, pod, self.plan(pod.node, n), alone=False)
