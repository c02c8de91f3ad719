#!/usr/bin/env python3
"""`ipamctl ipam check --fix` on each datastore: every state that does not fit, made on purpose, is found
and set right, also while others write, and nobody loses an address.

CALICO_IPAM and IPAMCTL name the programs.
"""

import concurrent.futures
import json
import os
import subprocess
import threading

import calico
import hosts
import isolation
import ledger

POOL = "10.60.0.0/16"
WRITERS, ROUNDS = 16, 6
FIX = ("ipam", "check", "--fix", "--yes", "--unchanged-for", "1")


def block(index, affinity, allocations, unallocated, attributes):
    """(path, value) of a block of four addresses at the far end of the pool."""
    cidr = "10.60.255.%d/30" % (4 * index)
    return calico.block_path(cidr), {
        "cidr": cidr,
        "affinity": affinity,
        "allocations": allocations,
        "unallocated": unallocated,
        "attributes": attributes,
        "sequenceNumber": 1000 + index,
        "sequenceNumberForAllocation": {},
        "deleted": False,
    }


def held(name):
    return {"handle_id": "held." + name, "secondary": {"node": "node-x"}}


def faulty():
    """Entries with one fault each, and by handle the address that has to stay its own."""
    future = {"releasedAt": "2046-01-01T00:00:00Z"}
    blocks = [
        block(0, "host:node-x", [0, 3, None, None], [2, 3], [held("0")]),
        block(1, "host:node-x", [0, None, None, None], [1, 2, 3], [held("1"), held("nobody")]),
        block(2, "host:node-x", [0, 1, None, None], [2, 3], [held("2"), future]),
        block(3, "host:node-x", [0, None, None, None], [1, 2, 3, 9], [held("3")]),
        block(4, "host:node-x", [0, None, None, None], [1, 2, 2, 3], [held("4")]),
        block(5, "host:node-x", [0, None, None, None], [0, 1, 2, 3], [held("5")]),
        block(6, "host:node-x", [0, None, None, None], [1], [held("6")]),
        block(7, None, [None] * 4, [0, 1, 2, 3], []),
        block(8, "host:node-x", [0, 1, None, None], [2, 3], [held("8"), held("missing")]),
        block(9, "host:node-x", [0, None, None, None], [1, 2, 3], [held("9")]),
        block(10, "host:node-x", [0, None, None, None], [1, 2, 3], [held("10")]),
    ]
    entries, living = dict(blocks), {}
    for index, (_, value) in enumerate(blocks):
        cidr = value["cidr"]
        if value["affinity"]:
            entries[calico.affinity_path("node-x", cidr)] = {"state": "confirmed", "deleted": False}
            entries[calico.HANDLES + "held.%d" % index] = {"block": {cidr: 1}, "deleted": False}
            living["held.%d" % index] = cidr.split("/")[0]
    living["held.missing"] = "10.60.255.33"
    entries[calico.HANDLES + "held.8"]["block"]["10.60.255.32/30"] = 3
    entries[calico.HANDLES + "orphan"] = {"block": {"10.60.255.32/30": 1}, "deleted": False}
    entries[calico.affinity_path("node-x", "10.60.255.36/30")]["state"] = "pending"
    entries[calico.affinity_path("node-x", "10.60.255.40/30")]["state"] = "pendingDeletion"
    entries[calico.affinity_path("node-y", "10.60.255.32/30")] = {"state": "confirmed", "deleted": False}
    entries[calico.affinity_path("node-y", "10.60.254.0/30")] = {"state": "pending", "deleted": False}
    return entries, living


@hosts.on_each_datastore
class Repair(hosts.ClusterTest):
    pools = ((POOL, {"blockSize": 30}),)
    node_names = ("node-x", "node-y", *("node-%d" % number for number in range(WRITERS)))
    settings = {"strict_affinity": False, "auto_allocate_blocks": True}

    def break_everything(self):
        entries, living = faulty()
        self.store.put_all(entries)
        if self.kind is hosts.KubernetesCluster:
            spec = {"handleID": "remains", "block": {"10.60.255.0/30": 1}, "deleted": True}
            self.cluster.server.apply(self.store.custom("IPAMHandle", "remains", spec))
        return living

    def namespace(self):
        """A network namespace that is there until the test ends, so that the containers in it live."""
        script = "echo ready && exec cat"
        holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.addCleanup(holder.communicate)
        self.assertEqual(holder.stdout.readline(), b"ready\n")
        return "/proc/%d/ns/net" % holder.pid

    def assertHeld(self, living):
        found = {handle: address for address, (handle, _) in self.store.allocations().items() if handle in living}
        self.assertEqual(found, living, "somebody lost an address")

    def assertFits(self, host):
        """Nothing is left but addresses that nobody is known to use, because the cluster has no such pods."""
        done = host.control("ipam", "check", "--show-problem-ips")
        lines = [line for line in done.stdout.splitlines() if line.startswith("  ") and "; attrs " not in line]
        self.assertEqual([line for line in lines if " has " not in line and line.strip() != POOL], [], done.stderr)
        for line in ("Found 0 handles with no matching IPs", "Found 0 handles mentioned", "Found 0 invalid IPAMBlocks."):
            self.assertIn(line, done.stdout)
        self.assertNotIn("affinities that do not fit", done.stdout)
        self.assertNotIn("not finished", done.stdout)

    def test_every_fault(self):
        living = self.break_everything()
        host = self.host("node-0")
        before = self.store.raw()
        told = host.control("ipam", "check", "--fix", "--unchanged-for", "0")
        self.assertEqual(told.returncode, 2, told.stdout + told.stderr)
        self.assertIn("Found 7 invalid IPAMBlocks.\n", told.stdout)
        self.assertEqual(self.store.raw(), before, "a dry run changed something")
        log = os.path.join(self.temporary, "log")
        done = host.control(*FIX, "--log", log)
        self.assertNotIn("failed to", done.stdout)
        with open(log, encoding="utf-8") as file:
            outcomes = [json.loads(line)["outcome"] for line in file]
        self.assertEqual(set(outcomes), {"repaired"}, done.stdout)
        self.assertFits(host)
        self.assertHeld(living)

    def test_while_others_write(self):
        living = self.break_everything()
        book, end = ledger.Ledger(), threading.Event()
        namespace = self.namespace()
        machines = [self.host("node-%d" % number) for number in range(WRITERS)]

        def write(host):
            for number in range(ROUNDS):
                container = "%s-c%d" % (host.node, number)
                book.intend([container])
                answer = host.add(container, namespace=namespace)
                if answer.status:
                    book.give_up(container)
                    continue
                book.returned(container, answer.addresses)
                if number % 2:
                    book.give_up(container)
                    if host.delete(container, namespace=namespace).status == 0:
                        book.released(container)

        def repair():
            said = []
            while not end.is_set():
                said.append(machines[0].control(*FIX))
            return said

        with concurrent.futures.ThreadPoolExecutor(WRITERS + 1) as pool:
            fixing = pool.submit(repair)
            for job in [pool.submit(write, host) for host in machines]:
                job.result()
            end.set()
            said = fixing.result()
        for done in said:
            self.assertIn(done.returncode, (0, 2), done.stdout + done.stderr)
        self.assertEqual(book.violations, [])
        machines[0].control(*FIX)
        self.assertFits(machines[0])
        held_now = {"net1." + name: addresses for name, addresses in book.held.items()}
        self.assertGreaterEqual(len(held_now), WRITERS * ROUNDS // 2)
        for handle, addresses in held_now.items():
            living[handle] = next(iter(addresses))
        self.assertHeld(living)


class Endpoints(hosts.ClusterTest):
    """Workload endpoints, which Calico's CNI plugin keeps in etcd, tell who uses addresses; others may use more."""

    kind = hosts.EtcdCluster
    pools = ((POOL, {"blockSize": 26}),)
    node_names = ("node-a",)

    def endpoint(self, name, networks):
        document = {
            "kind": "WorkloadEndpoint",
            "apiVersion": "projectcalico.org/v3",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"orchestrator": "k8s", "node": "node-a", "ipNetworks": networks},
        }
        self.store.put(calico.RESOURCES + "workloadendpoints/default/" + name, document)

    def test_their_addresses_are_in_use(self):
        host = self.host("node-a")
        used = host.add("used").addresses[0]
        host.add("not-told")
        self.endpoint("node--a-k8s-used-eth0", [used + "/32"])
        self.endpoint("node--a-k8s-lost-eth0", ["10.60.255.60/32"])
        self.store.put(calico.RESOURCES + "workloadendpoints/default/odd", b"[]")
        told = host.control("ipam", "check", "--show-all-ips")
        for line in (
            "  %s belongs to Workload(default/node--a-k8s-used-eth0)" % used,
            "Found 2 workload IPs.",
            "Found 0 IPs that are allocated in IPAM but not actually in use.",
            "Found 1 IPs that are allocated in IPAM and of no workload endpoint and no node's tunnel; "
            "whether they are in use cannot be told.",
            "  10.60.255.60 in use by Workload(default/node--a-k8s-lost-eth0) and in active IPAM pool but has no IPAM "
            "allocation.",
        ):
            self.assertIn(line + "\n", told.stdout, told.stderr)
        before = self.store.allocations()
        host.control(*FIX)
        self.assertEqual(self.store.allocations(), before, "what may be in use was released")


class EndpointsForbidden(hosts.ClusterTest):
    kind = hosts.EtcdCluster
    node_names = ("node-a",)

    def test_a_check_goes_on_without_them(self):
        kinds = ("ippools", "nodes", "clusterinformations", "ipreservations")
        prefixes = ["/calico/ipam/", *(calico.RESOURCES + kind + "/" for kind in kinds)]
        self.cluster.server.require_users({"node": (None, *prefixes)})
        host = self.host("node-a")
        host.add("c1")
        told = host.control("ipam", "check")
        self.assertIn("warning: workload endpoints are not looked at: ", told.stderr)
        self.assertIn("permission denied", told.stderr)
        self.assertIn("found 0 problems", told.stdout)
        self.assertEqual(told.returncode, 0)


class Pods(hosts.ClusterTest):
    """Addresses of pods in a cluster: released when the API server says that the pod is gone."""

    kind = hosts.KubernetesCluster
    pools = ((POOL, {"blockSize": 29}),)
    node_names = ("node-x",)

    def pod(self, name, address=None, node="node-x"):
        document = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i"}]},
        }
        path = self.cluster.server.collection("v1", "Pod", "default")
        made = self.cluster.server.call("POST", path, document)
        made["status"] = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]} if address else {}
        self.cluster.server.call("PUT", "%s/%s/status" % (path, name), made)

    def test_only_what_is_proven_is_released(self):
        names = ["alive", "waiting", "gone", "moved"]
        cidr = "10.60.0.0/29"
        owners = [
            {"handle_id": "pod." + name, "secondary": {"namespace": "default", "node": "node-x", "pod": name}}
            for name in names
        ]
        owners += [{"handle_id": "mine", "secondary": {"note": "by hand"}}]
        path, value = calico.block_path(cidr), {
            "cidr": cidr,
            "affinity": "host:node-x",
            "allocations": [0, 1, 2, 3, 4, None, None, None],
            "unallocated": [5, 6, 7],
            "attributes": owners,
            "sequenceNumber": 100,
            "sequenceNumberForAllocation": {str(ordinal): 50 + ordinal for ordinal in range(5)},
            "deleted": False,
        }
        entries = {path: value, calico.affinity_path("node-x", cidr): {"state": "confirmed", "deleted": False}}
        for owner in owners:
            entries[calico.HANDLES + owner["handle_id"]] = {"block": {cidr: 1}, "deleted": False}
        self.store.put_all(entries)
        self.pod("alive", "10.60.0.0")
        self.pod("waiting")
        self.pod("moved", "10.60.0.77")
        host = self.host("node-x")
        shown = host.control("ipam", "check", "--show-all-ips")
        self.assertIn("  10.60.0.0 belongs to Workload(default/node--x-k8s-alive-eth0)\n", shown.stdout)
        self.assertIn("Found 3 IPs that are allocated in IPAM but not actually in use.\n", shown.stdout)
        self.assertIn("10.60.0.77 in use by Workload(default/node--x-k8s-moved-eth0) and in active", shown.stdout)
        done = host.control(*FIX)
        self.assertIn("released 10.60.0.2 of handle pod.gone: pod default/gone is gone\n", done.stdout)
        self.assertIn("released 10.60.0.3 of handle pod.moved: pod default/moved has 10.60.0.77\n", done.stdout)
        self.assertIn("keeps 10.60.0.4, which nobody is seen to use: it is neither a pod's nor a tunnel's", done.stdout)
        self.assertEqual(sorted(self.store.allocations()), ["10.60.0.0", "10.60.0.1", "10.60.0.4"])


if __name__ == "__main__":
    isolation.main()
