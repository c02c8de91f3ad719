#!/usr/bin/env python3
"""calico-ipam on etcd and on the Kubernetes API, both over TLS on loopback. Called by integration/benchmark.

The original is measured in turn with ours where ORIGINAL_CALICO_IPAM or --original names it; elsewhere ours is held
against what it took when it was last recorded.
"""

import argparse
import concurrent.futures
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import measure
import report
import routing  # finds the tests' modules

import calico  # noqa: E402
import frames  # noqa: E402
import gateway  # noqa: E402
import hosts  # noqa: E402
import plugin  # noqa: E402
import proxy  # noqa: E402
import servers  # noqa: E402

# Milliseconds of the original as recorded: release 3.32 on a machine of two cores, etcd without TLS.
RECORDED = {"etcd": {"ADD": 50, "DEL": 50, "parallel": 1900}, "Kubernetes": {"ADD": 95, "DEL": 95, "parallel": 6000}}
REQUESTS_OF_THE_ORIGINAL = {"etcd": 10, "Kubernetes": 11}
RATIO = {"etcd": 0.3, "Kubernetes": 0.25}
ROUNDS = {"etcd": 2, "Kubernetes": 3}
MORE_FOR_A_BLOCK = 3
PARALLEL_RATIO = 0.4
MEMORY = 20 * 1024  # KiB
CLAIM_MEMORY = 30 * 1024
CLAIM_BYTES = 1.5 * 1000 * 1000
HOSTS, PODS, AT_ONCE = 20, 50, 20
POOL, BLOCKS = "10.64.0.0/12", 10_000
NODE = "node-a"
LATENCY = 0.01


def recorded(milliseconds):
    """A figure that was not measured in this run."""
    return measure.Summary(0, milliseconds, milliseconds, 0)


class Caller:
    """A host whose calls are timed: plain processes, with the configuration in a file."""

    def __init__(self, place, cluster, program, port=None, name=NODE):
        self.cluster, self.program = cluster, program
        directory = os.path.join(place.temporary, "%s-%s-%s" % (cluster.name, name, port))
        os.makedirs(directory, exist_ok=True)
        document = {
            "cniVersion": "1.0.0",
            "name": calico.NETWORK,
            "type": "calico",
            "nodename": name,
            "ipam_lock_file": os.path.join(directory, "ipam.lock"),
            "ipam": {"type": "calico-ipam"},
            **cluster.members(port),
        }
        self.file = os.path.join(directory, "network.json")
        with open(self.file, "w", encoding="utf-8") as file:
            json.dump(document, file)

    def parts(self, verb, container):
        """(command, environment, standard input) of a call."""
        return [self.program], plugin.environment(verb, container=container), self.file

    def call(self, verb, container, expected=0):
        return measure.run(*self.parts(verb, container), expected)

    def answer(self, verb, container):
        command, environment, path = self.parts(verb, container)
        with open(path, "rb") as file:
            return subprocess.run(command, env=environment, stdin=file, capture_output=True)


class Benchmark:
    def __init__(self, chosen, directory):
        self.chosen, self.rows = chosen, []
        self.place = routing.Workplace(directory)
        self.clusters = []

    def row(self, title, ours, original=None, bars=(), unit="ms", note=""):
        self.rows.append(report.Row(title, ours, original, None, tuple(bars), unit, note))
        print(self.rows[-1].line(), flush=True)

    def start(self):
        kinds = (hosts.EtcdCluster, hosts.KubernetesCluster)
        self.clusters = [kind(self.place) for kind in kinds if kind.name in self.chosen.engines]

    def fresh(self, cluster, pools=((POOL, {}),), nodes=(NODE,)):
        """An empty store, and nothing remembered of another."""
        shutil.rmtree("/run/swift-ipam", ignore_errors=True)
        return cluster.reset(pools, nodes)

    # MARK: one call after the other

    def single(self, cluster):
        self.fresh(cluster)
        ours = Caller(self.place, cluster, self.chosen.ours)
        ours.call("ADD", "warm")
        steps = [("ADD", lambda n: ours.call("ADD", "a%d" % n)), ("DEL", lambda n: ours.call("DEL", "a%d" % n))]
        if self.chosen.original:
            other = Caller(self.place, cluster, self.chosen.original)
            steps += [
                ("original ADD", lambda n: other.call("ADD", "b%d" % n)),
                ("original DEL", lambda n: other.call("DEL", "b%d" % n)),
            ]
        found = measure.in_turn(steps, self.chosen.budget, least=20, most=200)
        for verb in ("ADD", "DEL"):
            original = found.get("original " + verb) or recorded(RECORDED[cluster.name][verb])
            bars = [report.Bar("original", RATIO[cluster.name])]
            self.row("%s: exec + %s" % (cluster.name, verb), found[verb], original, bars)

    def parallel(self, cluster):
        """Fifty processes at once."""

        def storm(program):
            self.fresh(cluster)
            caller = Caller(self.place, cluster, program)
            caller.call("ADD", "warm")
            sample = measure.run_parallel([caller.parts("ADD", "p%d" % number) for number in range(50)], 50)
            if sample.status:
                raise RuntimeError("%d of 50 ADDs failed" % sample.status)
            return sample

        ours = measure.Summary.of([storm(self.chosen.ours) for _ in range(3)])
        original = recorded(RECORDED[cluster.name]["parallel"])
        if self.chosen.original:
            original = measure.Summary.of([storm(self.chosen.original) for _ in range(2)])
        bars = [report.Bar("original", PARALLEL_RATIO)]
        self.row("%s: 50 parallel ADDs on one host" % cluster.name, ours, original, bars)

    def many_hosts(self, cluster):
        """Each host's pods come one after the other, all hosts at once."""
        names = ["node-%d" % number for number in range(HOSTS)]
        self.fresh(cluster, nodes=names)
        stack = routing.Workplace(self.place.temporary)
        os.environ["CALICO_IPAM"] = self.chosen.ours
        try:
            machines = [hosts.Host(stack, name, cluster) for name in names]

            def work(host):
                for number in range(PODS):
                    answer = host.add("%s-%d" % (host.node, number))
                    if answer.status:
                        raise RuntimeError(str(answer))

            began = time.perf_counter()
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(work, machines))
            seconds = time.perf_counter() - began
        finally:
            stack.close()
        count = len(cluster.store.allocations())
        if count != HOSTS * PODS or list(cluster.store.faults()):
            raise RuntimeError("%d addresses, %s" % (count, list(cluster.store.faults())[:3]))
        note = "%.0f pods/s, %d blocks" % (count / seconds, len(cluster.store.blocks()))
        self.row("%s: %d hosts × %d pods" % (cluster.name, HOSTS, PODS), seconds, unit="s", note=note)

    # MARK: what it costs

    def cost(self, cluster, title, prepare, container, bars):
        """Requests, sequential round trips and bytes of one ADD, as a proxy between the two sees them."""
        reader = frames.FrameProxy.before(self.place, cluster)
        prepare(reader.port)
        seen, count = reader.begin_count(), reader.count
        Caller(self.place, cluster, self.chosen.ours, reader.port).call("ADD", container)
        requests, rounds = len(seen), gateway.sequential(seen)
        to_server, to_client = count.to_server, count.to_client
        note = "%d requests (the original: %d)" % (requests, REQUESTS_OF_THE_ORIGINAL[cluster.name])
        limit = bars.get("rounds")
        row_bars = [report.Bar("itself", limit)] if limit else []
        self.row("%s: sequential round trips of %s" % (cluster.name, title), rounds, bars=row_bars, unit="", note=note)
        row_bars = [report.Bar("itself", bars["bytes"])] if "bytes" in bars else []
        note = "%d bytes sent" % to_server
        self.row("%s: bytes read by %s" % (cluster.name, title), to_client, bars=row_bars, unit="", note=note)

    def warm_cost(self, cluster):
        self.fresh(cluster)

        def prepare(port):
            # What a host remembers is of the place that its configuration names.
            Caller(self.place, cluster, self.chosen.ours, port).call("ADD", "warm-%s" % port)

        self.cost(cluster, "a warm ADD", prepare, "cost", {"rounds": ROUNDS[cluster.name]})

    def latency(self, cluster):
        """How many times the network is waited for in a whole process, connection and handshake among them."""
        self.fresh(cluster)
        wire = proxy.Proxy(self.place, cluster.server.port)
        caller = Caller(self.place, cluster, self.chosen.ours, wire.port)
        caller.call("ADD", "warm")
        times = {}
        for delay in (0, LATENCY):
            wire.latency = delay
            times[delay] = statistics.median(caller.call("ADD", "l%s-%d" % (delay, n)).wall for n in range(15))

        waits = (times[LATENCY] - times[0]) / (2 * LATENCY)
        note = "from %.0f ms each way; TLS is one of them" % (LATENCY * 1000)
        self.row("%s: waits for the network in exec + ADD" % cluster.name, waits, unit="", note=note)

    def memory_of(self, caller, container):
        command, environment, path = caller.parts("ADD", container)
        return measure.peak_memory(command, environment, path, os.path.join(self.place.temporary, "memory"))

    def memory(self, cluster):
        self.fresh(cluster)
        caller = Caller(self.place, cluster, self.chosen.ours)
        caller.call("ADD", "warm")
        for program in self.programs(cluster):
            measure.read_from_disk(program)
        found = statistics.median(self.memory_of(caller, "m%d" % number) for number in range(9))
        self.row("%s: peak memory of ADD" % cluster.name, found, bars=[report.Bar("itself", MEMORY)], unit="KiB")

    def programs(self, cluster):
        return [self.chosen.ours, os.path.join(os.path.dirname(self.chosen.ours), cluster.program)]

    def size(self, cluster):
        size = os.path.getsize(self.programs(cluster)[1]) / 1e6
        self.row("%s: size of %s" % (cluster.name, cluster.program), size, unit="MB")

    # MARK: large and full pools

    def filled(self, cluster, blocks, pool=POOL, size=26):
        """A store in which other nodes have the pool's first blocks, empty ones and full ones."""
        owners = ["other-%d" % number for number in range(100)]
        store = self.fresh(cluster, pools=((pool, {"blockSize": size}),), nodes=(NODE, *owners))
        entries = {}
        for number, network in zip(range(blocks), calico.ipaddress.ip_network(pool).subnets(new_prefix=size)):
            taken = ["%s-%d" % (network.network_address, one) for one in range(2)]
            entries.update(calico.filled(str(network), owners[number % len(owners)], taken))
        store.put_all(entries)
        return store

    def large(self, cluster):
        self.filled(cluster, BLOCKS)
        claims = {"rounds": ROUNDS[cluster.name] + MORE_FOR_A_BLOCK, "bytes": CLAIM_BYTES}
        name = "a claim among {:,} blocks".format(BLOCKS)
        caller = Caller(self.place, cluster, self.chosen.ours)

        def without_a_block(_):
            """The node gives up what it has, and forgets what it remembers."""
            shutil.rmtree("/run/swift-ipam", ignore_errors=True)
            mine = [path for path in self.entries_of(cluster, NODE)]
            cluster.store.put_all(dict.fromkeys(mine))

        self.cost(cluster, name, without_a_block, "claim", claims)
        without_a_block(None)
        bar = report.Bar("itself", CLAIM_MEMORY)
        self.row("%s: peak memory of %s" % (cluster.name, name), self.memory_of(caller, "peak"), bars=[bar], unit="KiB")
        samples = []
        for number in range(5):
            without_a_block(None)
            samples.append(caller.call("ADD", "claim-%d" % number))
        self.row("%s: exec + ADD with %s" % (cluster.name, name), measure.Summary.of(samples))

        def prepare(port):
            Caller(self.place, cluster, self.chosen.ours, port).call("ADD", "large-%s" % port)

        title = "a warm ADD among {:,} blocks".format(BLOCKS)
        self.cost(cluster, title, prepare, "large", {"rounds": ROUNDS[cluster.name]})

    def entries_of(self, cluster, node):
        """The paths of the blocks, affinities and handles of a node."""
        entries = cluster.store.entries(calico.BLOCKS) if cluster.name == "etcd" else cluster.store.entries()
        for path, value in entries.items():
            if path.startswith(calico.BLOCKS) and value.get("affinity") == "host:" + node:
                yield path
                yield calico.affinity_path(node, value["cidr"])
                for attribute in value["attributes"] or []:
                    yield calico.HANDLES + attribute["handle_id"]

    def full(self, cluster):
        """A pool without a free address: the first answer looks everywhere, further ones remember."""
        pool, size, count = "10.64.0.0/20", 26, 64
        store = self.fresh(cluster, pools=((pool, {"blockSize": size}),), nodes=(NODE, "other"))
        entries = {}
        for network in list(calico.ipaddress.ip_network(pool).subnets(new_prefix=size))[:count]:
            taken = [str(address) for address in network]
            entries.update(calico.filled(str(network), "other", taken))
        store.put_all(entries)
        caller = Caller(self.place, cluster, self.chosen.ours)
        first, further, asked = [], [], []
        for number in range(5):
            shutil.rmtree("/run/swift-ipam", ignore_errors=True)
            first.append(caller.call("ADD", "first-%d" % number, expected=1))
            before = cluster.requests()
            further += [caller.call("ADD", "further-%d-%d" % (number, n), expected=1) for n in range(5)]
            asked.append((cluster.requests() - before) / 5)
        title = "pool of {:,} addresses full".format(count << (32 - size))
        self.row("%s: %s, first answer" % (cluster.name, title), measure.Summary.of(first))
        note = "%.1f requests each" % statistics.mean(asked)
        self.row("%s: %s, further answers" % (cluster.name, title), measure.Summary.of(further), note=note)

    def run(self):
        sections = {
            "single": self.single,
            "cost": self.warm_cost,
            "latency": self.latency,
            "memory": self.memory,
            "size": self.size,
            "parallel": self.parallel,
            "hosts": self.many_hosts,
            "full": self.full,
            "large": self.large,
        }
        self.start()
        for name in self.chosen.sections or sections:
            for cluster in self.clusters:
                sections[name](cluster)


def arguments():
    parser = argparse.ArgumentParser(prog="integration/benchmark datastores", description=__doc__)
    parser.add_argument("--ours", default=os.environ.get("CALICO_IPAM"), help="calico-ipam, its siblings beside it")
    original = os.environ.get("ORIGINAL_CALICO_IPAM")
    parser.add_argument("--original", default=original, help="Calico's calico-ipam (environment: ORIGINAL_CALICO_IPAM)")
    results = os.path.join(os.path.dirname(routing.HERE), "results", "datastores.md")
    parser.add_argument("--output", default=results, help="where the report goes")
    parser.add_argument("--engines", nargs="+", default=["etcd", "Kubernetes"], choices=["etcd", "Kubernetes"])
    parser.add_argument("--budget", type=float, default=15, help="seconds for each engine's ADD and DEL in turn")
    names = ["single", "cost", "latency", "memory", "size", "parallel", "hosts", "full", "large"]
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="all, or some of: " + ", ".join(names))
    chosen = parser.parse_args()
    for path in filter(None, (chosen.ours, chosen.original)):
        if not os.access(path, os.X_OK):
            parser.error("%s is not executable" % path)
    if not chosen.ours:
        parser.error("--ours has to name calico-ipam")
    chosen.ours = os.path.abspath(chosen.ours)
    if unknown := set(chosen.sections) - set(names):
        parser.error("no section %s" % ", ".join(sorted(unknown)))
    return chosen


TEXT = """\
# calico-ipam on etcd and Kubernetes

Repeat it with `integration/benchmark datastores`%(option)s.

- calico-ipam: %(ours)s
- original: %(original)s
- servers: %(servers)s
- machine: %(machine)s
- date: %(date)s

%(met)d bars met, %(missed)d missed.

%(table)s

Times are the median and, in brackets, the least, of whole processes from spawn to exit, over TLS on loopback (client
certificates on etcd, a token on Kubernetes), with the server on the same machine. A bar is the most that a ratio of
medians, or the figure itself, may be. Round trips do not count the connection; requests that are under way together are
one. Bytes are those of HTTP/2, without TLS. Memory is the largest resident set. %(remark)s
"""


def main():
    chosen = arguments()
    with report.workplace() as (directory, machine):
        benchmark = Benchmark(chosen, directory)
        try:
            benchmark.run()
        finally:
            benchmark.place.close()
    headings = ["what", "calico-ipam", "original", "ratio", "bar", "", "", "CPU, ratio", "runs"]
    facts = {
        "option": " --original PATH" if chosen.original else "",
        "ours": version(chosen.ours),
        "original": version(chosen.original) if chosen.original else "not at hand; its times as recorded",
        "servers": "etcd %s, kube-testserver" % servers.etcd_version(),
        "machine": machine,
        "remark": (
            "The original was measured in turn with ours."
            if chosen.original
            else "The original's times were recorded earlier and not measured in this run."
        ),
    }
    return report.publish(TEXT, chosen.output, benchmark.rows, headings, **facts)


def version(program):
    said = subprocess.run([program, "-v"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return ((said.stdout + said.stderr).splitlines() or ["no version"])[0]


if __name__ == "__main__":
    sys.exit(main())
