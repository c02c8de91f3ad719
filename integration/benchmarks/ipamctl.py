#!/usr/bin/env python3
"""ipamctl on each datastore with as many addresses as the largest clusters have pods. Called by integration/benchmark."""

import argparse
import json
import os
import subprocess
import sys
import time

import measure
import report
import routing  # finds the tests' modules

import calico  # noqa: E402
import etcd  # noqa: E402
import hosts  # noqa: E402
import kubernetes  # noqa: E402
import servers  # noqa: E402

POOL, SIZE = "10.64.0.0/12", 26
BLOCKS, PODS, NODES = 10_000, 15, 1000  # 150,000 pods: the most that Kubernetes is meant for
CREATED = "2026-01-01T00:00:00Z"
SECONDS = {"sqlite": 3, "etcd": 3, "Kubernetes": 15}
MEMORY = 150 * 1024  # KiB
# A pool that people still look at as a whole, with every address but a few of each block in use.
MAP_POOL, MAP_BLOCKS, MAP_PODS, MAP_SECONDS, MAP_SIZE = "10.64.0.0/16", 1024, 60, 1, 2 << 20


def contents(blocks, pods):
    """Batches of entries, path to value, and of pods: blocks full of pods, their handles and affinities."""
    networks = calico.ipaddress.ip_network(POOL).subnets(new_prefix=SIZE)
    number = 1_700_000_000_000_000_000
    for index, network in zip(range(blocks), networks):
        node, block = "node-%d" % (index % NODES), str(network)
        names = ["web-%d-%d" % (index, pod) for pod in range(pods)]
        handles = ["k8s-pod-network.%064x" % (index * 1000 + pod) for pod in range(pods)]
        owners = [
            {
                "handle_id": handle,
                "secondary": {
                    "namespace": "default",
                    "node": node,
                    "pod": name,
                    "timestamp": "2026-01-01 00:00:00 +0000 UTC",
                },
            }
            for handle, name in zip(handles, names)
        ]
        size = network.num_addresses
        entries = {
            calico.affinity_path(node, block): {"state": "confirmed", "deleted": False},
            calico.block_path(block): {
                "cidr": block,
                "affinity": "host:" + node,
                "affinity_claim_time": CREATED,
                "allocations": list(range(pods)) + [None] * (size - pods),
                "unallocated": list(range(pods, size)),
                "attributes": owners,
                "sequenceNumber": number + pods,
                "sequenceNumberForAllocation": {str(ordinal): number + ordinal for ordinal in range(pods)},
                "deleted": False,
            },
        }
        entries.update({calico.HANDLES + handle: {"block": {block: 1}, "deleted": False} for handle in handles})
        yield entries, [(name, node, str(network[ordinal])) for ordinal, name in enumerate(names)]


def pod(name, node, address):
    """A pod as its node tells of it, of about the size that pods have."""
    about = {
        "cni.projectcalico.org/containerID": "%064x" % calico.fnv1a(name),
        "cni.projectcalico.org/podIP": address + "/32",
        "cni.projectcalico.org/podIPs": address + "/32",
    }
    container = {
        "name": "web",
        "image": "registry.example/web:1.27.3",
        "resources": {"limits": {"memory": "128Mi"}, "requests": {"cpu": "100m", "memory": "64Mi"}},
        "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
        "terminationMessagePath": "/dev/termination-log",
        "imagePullPolicy": "IfNotPresent",
    }
    ready = [{"type": kind, "status": "True", "lastTransitionTime": CREATED} for kind in ("Ready", "PodScheduled")]
    state = {"running": {"startedAt": CREATED}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": unique("pod", name),
            "creationTimestamp": CREATED,
            "labels": {"app": "web", "pod-template-hash": "5d4f8c7b9"},
            "annotations": about,
        },
        "spec": {"nodeName": node, "containers": [container], "restartPolicy": "Always"},
        "status": {
            "phase": "Running",
            "hostIP": "172.16.0.1",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": ready,
            "startTime": CREATED,
            "containerStatuses": [
                {"name": "web", "ready": True, "restartCount": 0, "image": "web", "imageID": "web", "state": state}
            ],
        },
    }


def unique(kind, name):
    text = "%032x" % calico.fnv1a(kind + name)
    return "-".join((text[:8], text[8:12], "4" + text[13:16], "8" + text[17:20], text[20:]))


def fill(store, blocks, pods):
    batch = {}
    for entries, _ in contents(blocks, pods):
        batch.update(entries)
        if len(batch) > 2000:
            store.put_all(batch)
            batch = {}
    store.put_all(batch)


class Sqlite:
    name = "sqlite"

    def __init__(self, place, blocks, pods, pool=POOL):
        path = os.path.join(place.temporary, "ipam.db")
        fill(calico.Store.make(path, pools=((pool, {"blockSize": SIZE}),), nodes=()), blocks, pods)
        self.variables = {"DATASTORE_TYPE": "sqlite", "DATABASE_FILE": path}


class Etcd:
    name = "etcd"

    def __init__(self, place, blocks, pods):
        cluster = hosts.EtcdCluster(place)
        fill(cluster.reset(((POOL, {"blockSize": SIZE}),)), blocks, pods)
        self.variables = cluster.variables()


class Kubernetes:
    """An API server, filled past it in its own etcd: a third of a million requests take too long."""

    name = "Kubernetes"

    def __init__(self, place, blocks, pods):
        cluster = hosts.KubernetesCluster(place)
        forms, below = cluster.store, etcd.EntriesOfAPIServer(cluster.server)
        plurals = {"IPAMBlock": "ipamblocks", "BlockAffinity": "blockaffinities", "IPAMHandle": "ipamhandles"}
        batch = {}

        def put(path, document):
            batch[path] = json.dumps(document).encode()
            if len(batch) >= 1000:
                below.write(batch)
                batch.clear()

        for entries, running in contents(blocks, pods):
            for path, value in entries.items():
                document = forms.to_object(path, value)
                about = document["metadata"]
                about.update(uid=unique(document["kind"], about["name"]), creationTimestamp=CREATED, generation=1)
                plural = plurals[document["kind"]]
                put("/registry/%s/%s/%s" % (kubernetes.V1.split("/")[0], plural, about["name"]), document)
            for one in running:
                put("/registry/pods/default/" + one[0], pod(*one))
        below.write(batch)
        # Only a server that starts reads everything at once, and not each entry as a change.
        cluster.server.stop()
        cluster.server.start()
        cluster.store.put_all(dict([calico.pool_entry((POOL, {"blockSize": SIZE}))]))
        self.variables = cluster.variables()


class Benchmark:
    def __init__(self, chosen, directory):
        self.chosen, self.rows = chosen, []
        self.directory = directory

    def row(self, title, value, bar, unit, note=""):
        self.rows.append(report.Row(title, value, None, None, (report.Bar("itself", bar),), unit, note))
        print(self.rows[-1].line(), flush=True)

    def check(self, kind):
        place = routing.Workplace(self.directory)
        try:
            began = time.monotonic()
            store = kind(place, self.chosen.blocks, PODS)
            print("%s filled in %.0f s" % (kind.name, time.monotonic() - began), flush=True)
            command = [self.chosen.ours, "ipam", "check"]
            environment = {"PATH": os.environ["PATH"], "HOME": place.temporary, **store.variables}
            said = subprocess.run(command, env=environment, capture_output=True, text=True)
            count = self.chosen.blocks * PODS
            if "IPAM blocks record %d allocations." % count not in said.stdout or "found 0 problems" not in said.stdout:
                raise RuntimeError(said.stdout[-2000:] + said.stderr)
            samples = [measure.run(command, environment) for _ in range(self.chosen.runs)]
            title = "%s: check of {:,} addresses in {:,} blocks".format(count, self.chosen.blocks) % kind.name
            summary = measure.Summary.of(samples)
            note = "of the processor %.1f s" % (summary.processor / 1000)
            self.row(title, summary.wall / 1000, SECONDS[kind.name], "s", note)
            peak = measure.peak_memory(command, environment, os.devnull, os.path.join(place.temporary, "memory"))
            self.row("%s: its peak memory" % kind.name, peak, MEMORY, "KiB")
        finally:
            place.close()

    def map(self):
        place = routing.Workplace(self.directory)
        try:
            store = Sqlite(place, MAP_BLOCKS, MAP_PODS, MAP_POOL)
            environment = {"PATH": os.environ["PATH"], "HOME": place.temporary, **store.variables}
            page = os.path.join(place.temporary, "map.html")
            for title, options in (("text", []), ("page", ["--html", page])):
                command = [self.chosen.ours, "ipam", "map", calico.pool_name(MAP_POOL), *options]
                said = subprocess.run(command, env=environment, capture_output=True, text=True)
                if said.returncode:
                    raise RuntimeError(said.stderr)
                summary = measure.Summary.of([measure.run(command, environment) for _ in range(self.chosen.runs)])
                title = "map of a /16 with {:,} blocks, {:,} addresses in use: {}".format(
                    MAP_BLOCKS, MAP_BLOCKS * MAP_PODS, title
                )
                self.row(title, summary.wall / 1000, MAP_SECONDS, "s")
            self.row("size of the page", os.path.getsize(page), MAP_SIZE, "B")
        finally:
            place.close()

    def run(self):
        for kind in (Sqlite, Etcd, Kubernetes):
            if kind.name in self.chosen.engines:
                self.check(kind)
        if Sqlite.name in self.chosen.engines:
            self.map()


def arguments():
    parser = argparse.ArgumentParser(prog="integration/benchmark ipamctl", description=__doc__)
    parser.add_argument("--ours", default=os.environ.get("IPAMCTL"), help="ipamctl, as it is packaged")
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--runs", type=int, default=5)
    names = [kind.name for kind in (Sqlite, Etcd, Kubernetes)]
    parser.add_argument("--engines", nargs="+", choices=names, default=names)
    default = os.path.join(os.path.dirname(routing.HERE), "results", "ipamctl.md")
    parser.add_argument("--output", default=default, help="the report")
    chosen = parser.parse_args()
    if not chosen.ours or not os.access(chosen.ours, os.X_OK):
        parser.error("--ours names no program: %s" % chosen.ours)
    chosen.ours = os.path.abspath(chosen.ours)
    return chosen


TEXT = """# ipamctl on large datastores

Written by `integration/benchmark ipamctl`.

- servers: %(servers)s
- machine: %(machine)s
- date: %(date)s

%(met)d bars met, %(missed)d missed.

%(table)s

Times are the median of whole processes from spawn to exit, over TLS on loopback, with the server on the same machine.
Each block has 15 pods with a handle each; in Kubernetes each pod is an object. Memory is the largest resident set.
"""


def main():
    chosen = arguments()
    with report.workplace() as (directory, machine):
        benchmark = Benchmark(chosen, directory)
        benchmark.run()
    headings = ["what", "ipamctl", "original", "ratio", "bar", "", "", "CPU, ratio", "runs"]
    facts = {"servers": "etcd %s, kube-testserver" % servers.etcd_version(), "machine": machine}
    return report.publish(TEXT, chosen.output, benchmark.rows, headings, **facts)


if __name__ == "__main__":
    sys.exit(main())
