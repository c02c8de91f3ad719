#!/usr/bin/env python3
"""calico-ipam on SQLite against our host-local, in one run; what counts are the ratios. Called by integration/benchmark."""

import argparse
import importlib.util
import ipaddress
import json
import os
import re
import shutil
import statistics
import subprocess
import sys

import measure
import network
import report

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = (0, 1_000, 100_000)
POOL, BLOCK_SIZE = "10.64.0.0/14", 26
PER_BLOCK = 1 << (32 - BLOCK_SIZE)
FLUSHES = "fsync,fdatasync,sync,syncfs,sync_file_range,msync"
# Seconds for one section's rounds.
BUDGET = 8
RATIO, FLATNESS, FLUSH_LIMIT, MEMORY_LIMIT = 2.5, 1.5, 0.3, 8 * 1024


def load_store():
    """The tests' module that makes and reads stores."""
    tests = os.path.join(os.path.dirname(HERE), "tests")
    sys.path.append(tests)
    spec = importlib.util.spec_from_file_location("calico_store", os.path.join(tests, "calico.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


store = load_store()


class Calico:
    """A store of a certain fill, and calls on it as the first of its nodes."""

    def __init__(self, path, directory, nodes=1, allocations=0, pool=POOL):
        """`allocations` addresses are given to containers of the nodes in turn, a block at a time."""
        self.path, self.directory = path, directory
        os.makedirs(directory)
        self.names = ["node-%d" % number for number in range(nodes)]
        self.net = store.Network(directory, self.names[0], name=network.NAME)
        config = {"auto_allocate_blocks": True, "maxBlocksPerHost": 1_000_000}
        self.store = store.Store.make(
            self.net.database, [(pool, {"blockSize": BLOCK_SIZE})], self.names, config if allocations else None
        )
        if allocations:
            self.store.put_all(self.entries(ipaddress.ip_network(pool), allocations))
        self.configuration = os.path.join(directory, "network.json")
        with open(self.configuration, "w", encoding="ascii") as file:
            json.dump(self.net.config(), file)

    def entries(self, pool, allocations):
        """What ADDs of that many containers would leave; the blocks of a node follow each other."""
        count = -(-allocations // PER_BLOCK)
        blocks = [pool.network_address + number * PER_BLOCK for number in range(count)]
        each = -(-count // len(self.names))
        entries = {}
        for index, first in enumerate(blocks):
            node, cidr = self.names[index // each], "%s/%d" % (first, BLOCK_SIZE)
            taken = min(PER_BLOCK, allocations - index * PER_BLOCK)
            entries.update(store.filled(cidr, node, ["pod-%d" % (index * PER_BLOCK + n) for n in range(taken)], network.NAME))
        return entries

    def environment(self, verb, container):
        return {
            "CNI_COMMAND": verb,
            "CNI_CONTAINERID": container,
            "CNI_IFNAME": "eth0",
            "CNI_NETNS": "/nowhere",
            "CNI_PATH": "/opt/cni/bin",
        }

    def call(self, verb, container="", expected=0):
        return measure.run([self.path], self.environment(verb, container), self.configuration, expected)

    def add(self, container, **options):
        return self.call("ADD", container, **options)

    def delete(self, container, **options):
        return self.call("DEL", container, **options)

    def output(self, verb, container, wrapper=()):
        with open(self.configuration, "rb") as file:
            return subprocess.run(
                [*wrapper, self.path], env=self.environment(verb, container), stdin=file, capture_output=True, text=True
            )


class Benchmark:
    def __init__(self, ours, host_local, engine, directory):
        self.ours, self.host_local, self.engine, self.directory = ours, host_local, engine, directory
        self.rows, self.made = [], 0

    def place(self):
        self.made += 1
        return os.path.join(self.directory, str(self.made))

    def calico(self, **fill):
        return Calico(self.ours.path, self.place(), **fill)

    def network(self, **fill):
        return network.Network(self.host_local, self.place(), **fill)

    def discard(self, *stores):
        for one in stores:
            shutil.rmtree(one.directory if isinstance(one, Calico) else one.data_directory)

    def row(self, title, ours, original=None, empty=None, bars=(), unit="ms", note=""):
        row = report.Row(title, ours, original, empty, tuple(bars), unit, note)
        self.rows.append(row)
        print("  " + row.line(), flush=True)

    def add_and_delete(self, nodes, allocations):
        """exec + ADD and exec + DEL beside an empty store and beside host-local with nothing reserved."""
        large, yardstick = self.calico(nodes=nodes, allocations=allocations), self.network()
        lanes = [("ours", large), ("host-local", yardstick)]
        empty = self.calico(nodes=nodes) if allocations else None
        if empty:
            lanes.insert(1, ("empty", empty))
        for _, one in lanes:  # the node has a block, and remembers which
            for number in range(3):
                one.add("first-%d" % number)
        taken = measure.in_turn(
            [
                (lane + verb, lambda n, one=one, verb=verb: one.call(verb, "new-%d" % n))
                for verb in ("ADD", "DEL")
                for lane, one in lanes
            ],
            BUDGET,
        )
        for verb in ("ADD", "DEL"):
            bars = [report.Bar("original", RATIO)]
            if allocations == SIZES[-1]:
                bars.append(report.Bar("empty", FLATNESS))
            title = "%s, %d node%s, %s allocations" % (verb, nodes, "s" * (nodes > 1), format(allocations, ","))
            found = [taken.get(lane + verb) for lane in ("ours", "host-local", "empty")]
            self.row(title, *found, bars)
        self.discard(large, yardstick, *([empty] if empty else []))

    def long_run(self, count=1000):
        """Flushes of the disk in a run of ADDs and DELs, as strace counts them; the DELs go to the middle of the ADDs."""
        one, calls = self.calico(), 0
        log = os.path.join(self.directory, "flushes")
        flushes = {"ADD": 0, "DEL": 0}
        trace = ["strace", "-f", "-qq", "-e", "trace=" + FLUSHES, "-o", log]
        for number in range(count):
            for verb, container in (("ADD", "run-%d" % number), ("DEL", "run-%d" % (number // 2))):
                if verb == "DEL" and number % 2:
                    continue
                done = one.output(verb, container, trace)
                if done.returncode:
                    raise RuntimeError("%s: %s" % (verb, done.stdout))
                with open(log, encoding="ascii", errors="replace") as file:
                    flushes[verb] += len(re.findall(r"\d+ +(?:%s)\(" % FLUSHES.replace(",", "|"), file.read()))
                calls += 1
        title = "flushes of the disk for each call, in %s ADDs and %s DELs" % (format(count, ","), format(count // 2, ","))
        note = "%d in ADDs, %d in DELs" % (flushes["ADD"], flushes["DEL"])
        self.row(title, sum(flushes.values()) / calls, bars=[report.Bar("itself", FLUSH_LIMIT)], unit="", note=note)
        self.discard(one)

    def full_pool(self):
        """ADD refused when a /18 has nothing left: just after another refusal, and when that is forgotten."""
        pool, count = "10.200.0.0/18", 1 << 14
        full, yardstick, empty = self.calico(nodes=20, allocations=count, pool=pool), self.network(), self.calico()
        refusal = full.output("ADD", "one-too-many").stdout
        if "No IPs available in pools" not in refusal:
            raise RuntimeError("not refused: " + refusal)
        steps = [
            ("ours", lambda n: full.add("new", expected=1)),
            ("host-local", lambda n: yardstick.add("new")),
            ("empty", lambda n: empty.add("new")),
            (None, lambda n: yardstick.delete("new")),
            (None, lambda n: empty.delete("new")),
        ]
        taken = measure.in_turn(steps, BUDGET)
        title = "ADD refused, pool of %s addresses full, again and again" % format(count, ",")
        self.row(title, taken["ours"], taken["host-local"], taken["empty"], [report.Bar("original", RATIO)])
        fresh = []
        for _ in range(5):
            shutil.rmtree(full.net.hints, ignore_errors=True)
            fresh.append(full.add("new", expected=1))
        self.row("ADD refused, the first: all %d blocks are looked at" % (count // PER_BLOCK), measure.Summary.of(fresh))
        last = self.calico(nodes=20, allocations=count - 1, pool=pool)
        found = []
        for _ in range(5):
            shutil.rmtree(last.net.hints, ignore_errors=True)
            found.append(last.add("new"))
            last.delete("new")
        self.row("ADD of the pool's last address, with nothing remembered", measure.Summary.of(found))
        self.discard(full, last, yardstick, empty)

    def claims(self, count=60):
        """ADDs that each find the node's blocks full and claim a new one, among 1,000 full blocks of others."""
        one = self.calico(nodes=100, allocations=64_000)
        samples = []
        for number in range(count * PER_BLOCK):
            sample = one.add("claim-%d" % number) if number % PER_BLOCK in (0, 1) else None
            if sample is None:
                continue
            if number % PER_BLOCK == 0:
                samples.append(sample)
            else:
                # Fill the rest of the block at once, behind the plugin's back.
                self.fill_newest(one)
        self.row("ADD that claims a block, 100 nodes, 64,000 allocations", measure.Summary.of(samples))
        self.discard(one)

    def fill_newest(self, one):
        """Gives away what is left in the node's block with room."""
        for path in one.store.entries("%s%s/" % (store.HOSTS, one.names[0])):
            cidr = path.rsplit("/", 1)[1].replace("-", "/")
            block = one.store.value(store.block_path(cidr))
            if block["unallocated"]:
                names = ["rest-%s-%d" % (cidr.replace("/", "-"), n) for n in range(PER_BLOCK)]
                one.store.put_all(store.filled(cidr, one.names[0], names, network.NAME, block["sequenceNumber"] + 1))

    def in_parallel(self, width=16, count=1024):
        """Processes side by side, on an empty store each; host-local's the same."""
        samples = {"ours": [], "host-local": []}
        for lane in ("ours", "host-local", "ours", "host-local", "ours"):
            one = self.calico() if lane == "ours" else self.network(subnet="10.80.0.0/16")
            path = self.ours.path if lane == "ours" else self.host_local.path
            calls = (([path], one.environment("ADD", "pod-%d" % n), one.configuration) for n in range(count))
            sample = measure.run_parallel(calls, width)
            reserved = len(one.store.allocations()) if lane == "ours" else one.reserved()
            if sample.status or reserved != count:
                raise RuntimeError("%s: %d calls failed, %d reserved" % (lane, sample.status, reserved))
            if lane == "ours" and (faults := list(one.store.faults())):
                raise RuntimeError("\n".join(faults))
            samples[lane].append(sample)
            self.discard(one)
        taken = {lane: measure.Summary.of(some) for lane, some in samples.items()}
        title = "%d processes in parallel, %s ADDs in total" % (width, format(count, ","))
        self.row(title, taken["ours"], taken["host-local"], None, [report.Bar("original", RATIO)])

    def peak_memory(self, title, one, host_local=None, repeats=7):
        found, output = {}, os.path.join(self.directory, "memory")
        for lane, it, path in (("ours", one, self.ours.path), ("host-local", host_local, self.host_local.path)):
            if it is None:
                continue
            measure.read_from_disk(path)
            peaks = []
            for number in range(repeats + 1):
                environment = it.environment("ADD", "new-%d" % number)
                peaks.append(measure.peak_memory([path], environment, it.configuration, output))
            found[lane] = statistics.median(peaks[1:])
        bars = [report.Bar("itself", MEMORY_LIMIT)]
        self.row("peak memory of ADD, " + title, found["ours"], found.get("host-local"), None, bars, unit="KiB")

    def memory(self):
        one, yardstick = self.calico(), self.network()
        self.peak_memory("0 allocations", one, yardstick)
        self.discard(one, yardstick)
        for nodes in (1, 100):
            one = self.calico(nodes=nodes, allocations=SIZES[-1])
            self.peak_memory("%d node%s, %s allocations" % (nodes, "s" * (nodes > 1), format(SIZES[-1], ",")), one)
            self.discard(one)

    def binary_size(self):
        ours, host_local = (os.stat(program.path).st_size / 1e6 for program in (self.ours, self.host_local))
        self.row("size of the binary", ours, host_local, None, unit="MB")

    def start(self):
        version = {"CNI_COMMAND": "VERSION"}
        taken = measure.in_turn(
            [
                ("ours", lambda n: measure.run([self.ours.path], version)),
                ("host-local", lambda n: measure.run([self.host_local.path], version)),
                ("floor", lambda n: measure.run(["/bin/true"], version)),
            ],
            BUDGET / 3,
        )
        note = "/bin/true: %.2f ms (%.2f)" % (taken["floor"].wall, taken["floor"].least)
        self.row("exec + VERSION", taken["ours"], taken["host-local"], None, note=note)

    def engine_alone(self):
        """One allocation from what a store returns to what it would commit, without a process and without a store."""
        done = subprocess.run([self.engine], capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            pools, least, middle = line.split()
            title = "engine alone, %s pool%s" % (pools, "s" * (pools != "1"))
            self.row(title, int(middle) / 1000, unit="µs", note="least %.1f µs" % (int(least) / 1000))

    def run(self):
        self.start()
        for nodes in (1, 100):
            for allocations in SIZES:
                self.add_and_delete(nodes, allocations)
        self.claims()
        self.full_pool()
        self.in_parallel()
        self.long_run()
        self.memory()
        self.binary_size()
        if self.engine:
            self.engine_alone()


def arguments():
    parser = argparse.ArgumentParser(prog="integration/benchmark calico", description=__doc__)
    parser.add_argument("--ours", default=os.environ.get("CALICO_IPAM"), help="calico-ipam (environment: CALICO_IPAM)")
    parser.add_argument("--host-local", default=os.environ.get("HOST_LOCAL"), help="ours (environment: HOST_LOCAL)")
    parser.add_argument("--engine", default=os.environ.get("ENGINE"), help="EngineBenchmark (environment: ENGINE)")
    results = os.path.join(os.path.dirname(HERE), "results", "calico.md")
    parser.add_argument("--output", default=results, help="where the report goes")
    chosen = parser.parse_args()
    for path in (chosen.ours, chosen.host_local):
        if not path or not os.access(path, os.X_OK):
            parser.error("%s is not executable" % path)
    return chosen


TEXT = """\
# calico-ipam on SQLite against our host-local

Repeat it with `integration/benchmark calico`.

- calico-ipam: %(ours)s
- host-local: %(host_local)s, ours, with nothing reserved
- machine: %(machine)s
- date: %(date)s

%(met)d bars met, %(missed)d missed.

%(table)s

Times are the median and, in brackets, the least, of whole processes from spawn to exit, the programs taking turns in
one loop. A bar is the most that a ratio of medians, or the figure itself, may be. "At 0" is calico-ipam on a store
without allocations, in turn with the rest. CPU is user and system time together. Memory is the median of the largest
resident sets. Every store has blocks of %(size)d addresses in a pool of %(pool)s; the node that calls has the first.
"""


def main():
    chosen = arguments()
    ours = network.Program("calico-ipam", os.path.abspath(chosen.ours))
    host_local = network.Program("host-local", os.path.abspath(chosen.host_local))
    with report.workplace() as (directory, machine):
        benchmark = Benchmark(ours, host_local, chosen.engine, directory)
        benchmark.run()
    headings = ["what", "calico-ipam", "host-local", "ratio", "bar", "to calico-ipam at 0", "bar", "CPU, ratio", "runs"]
    versions = {"ours": ours.version(), "host_local": host_local.version()}
    facts = {"machine": machine, "size": PER_BLOCK, "pool": POOL, **versions}
    return report.publish(TEXT, chosen.output, benchmark.rows, headings, **facts)


if __name__ == "__main__":
    sys.exit(main())
