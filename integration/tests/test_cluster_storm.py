#!/usr/bin/env python3
"""Twenty hosts give a thousand pods their addresses on one store, while processes are killed and connections cut."""

import collections
import concurrent.futures
import ipaddress
import subprocess
import sys
import threading
import time

import calico
import hosts
import isolation
import ledger
import proxy
import seeds

HOSTS, PODS = seeds.count("HOSTS", 20), seeds.count("PODS", 50)
AT_ONCE = 10
KILLED, CUT = 0.08, 0.06
# How long after its begin a killed call gets SIGKILL, at most: about as long as calls take under this load.
LONGEST = 0.4
POOL = "10.60.0.0/20"
# Makes the notes of `ipamctl ipam gc` ten minutes older.
AGE = """
import glob, re
for path in glob.glob("/run/swift-ipam/ipamctl/faults*.json"):
    text = open(path).read()
    text = re.sub(r'("since": *)(\\d+)', lambda found: found[1] + str(int(found[2]) - 600), text)
    open(path, "w").write(text)
"""
TRIES = 6


@hosts.on_each_engine
class Storm(hosts.ClusterTest):
    """As kubelet does it: a sandbox whose ADD fails is deleted, and another one is made for the pod."""

    pools = ((POOL, {"blockSize": 28}),)
    node_names = tuple("node-%d" % number for number in range(HOSTS))

    def setUp(self):
        super().setUp()
        self.ledger, self.tally, self.lock = ledger.Ledger(), collections.Counter(), threading.Lock()
        self.random = seeds.source("the storm of " + self.kind.name)
        self.faults = seeds.child(self.random)
        self.proxy = proxy.Proxy(self, self.cluster.server.port, plan=self.fault)
        self.machines = {name: self.host(name, port=self.proxy.port) for name in self.node_names}
        self.calm = False

    def fault(self, _):
        """Some connections end after a random number of bytes: in the handshake, in a read, in a commit."""
        if self.calm or self.faults.random() >= CUT:
            return None
        direction = self.faults.choice(["to_server", "to_client"])
        return proxy.Fault(**{direction: self.faults.randrange(1, 12000)})

    def count(self, word):
        with self.lock:
            self.tally[word] += 1

    def run_call(self, verb, container, host, random):
        """(whether it was killed, its answer)."""
        delay = random.uniform(0, LONGEST) if not self.calm and random.random() < KILLED else None
        dead, answer = host.killed(verb, container, delay)
        self.count(verb)
        if dead:
            self.count("killed " + verb)
        elif answer.status:
            self.count("failed " + verb)
        return dead, answer

    def addition(self, pod, host, random):
        """Sandbox after sandbox until one has an address; those before it are deleted, sooner or later."""
        for turn in range(TRIES):
            container = "%s-%d" % (pod, turn)
            self.ledger.intend([container])
            dead, answer = self.run_call("ADD", container, host, random)
            if not dead and answer.status == 0:
                self.ledger.returned(container, answer.addresses)
                return
            self.ledger.give_up(container)
            if not dead and not answer.document["msg"]:
                self.ledger.complain("ADD %s says nothing: %s" % (container, answer))
            self.deletion(container, host, random)
        self.ledger.complain("pod %s has no address after %d sandboxes: %s" % (pod, TRIES, answer))

    def deletion(self, container, host, random):
        self.ledger.give_up(container)
        dead, answer = self.run_call("DEL", container, host, random)
        if not dead and answer.status == 0:
            self.ledger.released(container)

    def worker(self, name, random):
        """A host's pods one after the other; every fifth is deleted and replaced.

        No name has a dot: GC keeps what it cannot tell from the handle of another network.
        """
        host = self.machines[name]
        for number in range(PODS):
            self.addition("%s-p%d" % (name, number), host, random)
            if number % 5 == 4:
                self.replace(name, number, host, random)

    def replace(self, name, number, host, random):
        prefix = "%s-p%d-" % (name, random.randrange(number))
        with self.ledger.lock:
            victims = [container for container in self.ledger.held if container.startswith(prefix)]
        for container in victims:
            self.deletion(container, host, random)
            self.addition("%s-q%d" % (name, number), host, random)

    def test_a_thousand_pods(self):
        """No address twice; what the dead left goes with GC; blocks, handles and ipamctl agree; then all can go."""
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [pool.submit(self.worker, name, seeds.child(self.random)) for name in self.node_names]
            for job in jobs:
                job.result()
        seconds = time.monotonic() - began
        print("%s: %d pods in %.1f s, %s" % (self.kind.name, HOSTS * PODS, seconds, sorted(self.tally.items())))
        print("  %d connections, %d cut" % (self.proxy.count.connections, self.proxy.count.faults))
        self.assertEqual(self.ledger.violations, [])
        for what in ("killed ADD", "killed DEL"):
            self.assertGreater(self.tally[what], 0, "none " + what)
        self.assertGreater(self.proxy.count.faults, 0, "no connection was cut")
        self.assertAddressesAreHeldOnce()
        self.calm = True
        self.settle()
        self.repair()
        self.assertSound("after GC")
        expected = {address: "net1." + name for name, addresses in self.ledger.held.items() for address in addresses}
        self.assertGreaterEqual(len(expected), HOSTS * PODS * 0.9)
        found = {address: handle for address, (handle, _) in self.store.allocations().items()}
        self.assertEqual(found, expected, "the store is not what the living hold")
        self.assertToolAgrees(len(expected))
        self.remove_all()

    def assertAddressesAreHeldOnce(self):
        """With all that the dead left: every pod has what it was told, and blocks do not overlap."""
        allocations = self.store.allocations()
        for container, addresses in self.ledger.held.items():
            for address in addresses:
                self.assertEqual(allocations.get(address, (None,))[0], "net1." + container)
        self.assertEqual(list(calico.overlaps(list(self.store.blocks()))), [])
        for address in allocations:
            self.assertIn(ipaddress.ip_address(address), ipaddress.ip_network(POOL))

    def settle(self):
        """DEL of every second container that is in doubt, as a runtime repeats it; the rest is left to GC."""
        for container in sorted(self.ledger.doubtful)[::2]:
            self.assertSucceeds(self.machines[container.rsplit("-", 2)[0]].delete(container))
        living = {name: [] for name in self.machines}
        for container in sorted(self.ledger.held):
            living[container.rsplit("-", 2)[0]].append(container)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for answer in pool.map(lambda name: self.machines[name].collect(living[name]), living):
                self.assertSucceeds(answer)

    def repair(self):
        """`ipamctl ipam gc` takes back what handles count too much: counts of calls that died before their block."""
        host = self.machines["node-0"]
        look = host.control("ipam", "gc", "--repair-handles", "--interval", "1")
        # What it saw five minutes ago it may repair: its note is made that old.
        aged = subprocess.run([*host.wrapper, sys.executable, "-c", AGE], capture_output=True, text=True)
        self.assertEqual(aged.returncode, 0, aged.stderr)
        done = host.control("ipam", "gc", "--repair-handles", "--interval", "1", "--apply")
        self.assertEqual((look.returncode, done.returncode), (0, 0), look.stdout + done.stdout + done.stderr)

    def assertToolAgrees(self, count):
        """ipamctl finds as many addresses, and nothing that contradicts itself."""
        done = self.machines["node-0"].control("ipam", "check", "--show-problem-ips")
        # A cluster that has none of the pods takes all addresses for leaked, which is a problem; nothing else is.
        leaked = count if self.kind is hosts.KubernetesCluster else 0
        self.assertEqual(done.returncode, 2 if leaked else 0, done.stdout + done.stderr)
        self.assertIn("IPAM blocks record %d allocations.\n" % count, done.stdout)
        self.assertIn("Check complete; found %d problems.\n" % leaked, done.stdout)

    def remove_all(self):
        def remove(container):
            return self.machines[container.rsplit("-", 2)[0]].delete(container)

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for answer in pool.map(remove, sorted(self.ledger.held)):
                self.assertSucceeds(answer)
        self.assertEqual((self.store.allocations(), self.store.handles()), ({}, {}))
        self.assertSound("at the end")


if __name__ == "__main__":
    isolation.main()
