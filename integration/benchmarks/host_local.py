#!/usr/bin/env python3
"""Our host-local against the original, in one run; what counts are the ratios. Called by integration/benchmark."""

import argparse
import os
import shutil
import statistics
import sys

import measure
import report
from network import Network, Program

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = (0, 1_000, 10_000, 50_000)
LARGEST = SIZES[-1]
RUN_LENGTH = 60_000
# Seconds for one section's rounds. All sections, with making and removing their files, stay below six minutes.
BUDGET = 12


def repeats(count):
    """How often ours takes a turn for each one of the original's: few rounds fit into a section with many reservations,
    but a call of a millisecond has to be measured more often than that."""
    return 10 if count >= 10_000 else 1


def add_delete_steps(lanes, part):
    """An ADD on each network in turn, then the DELs."""
    return [
        (lane + verb, lambda n, network=network, verb=verb: network.call(verb, "new-%d-%d" % (n, part)))
        for verb in ("ADD", "DEL")
        for lane, network in lanes
    ]


class Benchmark:
    def __init__(self, ours, original, directory):
        self.ours, self.original, self.directory = ours, original, directory
        self.rows = []
        self.made = 0

    def network(self, program, **fill):
        self.made += 1
        return Network(program, os.path.join(self.directory, str(self.made)), **fill)

    def pair(self, **fill):
        """The same network twice, and an empty one for ours: the yardstick for what must not grow."""
        return self.network(self.ours, **fill), self.network(self.original, **fill), self.network(self.ours)

    def discard(self, *networks):
        for network in networks:
            shutil.rmtree(network.data_directory)

    def say(self, text):
        print(text, flush=True)

    def row(self, title, ours, original=None, empty=None, bars=(), unit="ms", note=""):
        row = report.Row(title, ours, original, empty, tuple(bars), unit, note)
        self.rows.append(row)
        self.say("  " + row.line())

    def add_and_delete(self, count):
        """exec + ADD and exec + DEL with this many reservations of others."""
        ours, original, empty = self.pair(count=count)
        others = [("empty", empty)] if count else []
        steps = []
        for part in range(repeats(count)):
            steps += add_delete_steps([("ours", ours), *others], part)
        steps += add_delete_steps([("original", original)], 0)
        taken = measure.in_turn(steps, BUDGET)
        bars = {0: [report.Bar("original", 0.6)], LARGEST: [report.Bar("original", 0.01), report.Bar("empty", 1.5)]}
        for verb in ("ADD", "DEL"):
            title = "%s, %s reservations" % (verb, format(count, ","))
            lanes = [taken.get(lane + verb) for lane in ("ours", "original", "empty")]
            self.row(title, *lanes, bars.get(count, ()))
        self.discard(ours, original, empty)

    def after_foreign_change(self, count):
        """Our first ADD after the original added to the same directory: what we remembered of it is void."""
        ours, empty = self.network(self.ours, count=count), self.network(self.ours)
        taken = measure.in_turn(
            [
                ("original", lambda n: ours.add("foreign-%d" % n, program=self.original)),
                ("ours", lambda n: ours.add("new-%d" % n)),
                ("empty", lambda n: empty.add("new-%d" % n)),
                (None, lambda n: ours.delete("new-%d" % n)),
                (None, lambda n: ours.delete("foreign-%d" % n)),
                (None, lambda n: empty.delete("new-%d" % n)),
            ],
            BUDGET / 2,
            most=50,
        )
        title = "first ADD after the original's, %s reservations" % format(count, ",")
        self.row(title, taken["ours"], taken["original"], taken["empty"])
        self.discard(ours, empty)

    def behind_run(self):
        """ADD with the cursor in front of a long run of occupied addresses."""
        before, free = 9, 10 + RUN_LENGTH
        ours, original, empty = self.pair(first=before + 1, count=RUN_LENGTH, cursor=before)
        steps = []
        for _ in range(repeats(RUN_LENGTH)):
            steps += [
                ("ours", lambda n: ours.add("new")),
                ("empty", lambda n: empty.add("new")),
                (None, lambda n: ours.delete("new")),
                (None, lambda n: empty.delete("new")),
                (None, lambda n: ours.place_cursor(before)),
            ]
        steps += [
            ("original", lambda n: original.add("new")),
            # Its own DEL would take longer than all the rest of the round.
            (None, lambda n: original.remove_file(free)),
            (None, lambda n: original.place_cursor(before)),
        ]
        taken = measure.in_turn(steps, BUDGET)
        title = "ADD behind a run of %s occupied addresses" % format(RUN_LENGTH, ",")
        self.row(title, taken["ours"], taken["original"], taken["empty"], [report.Bar("empty", 2)])
        self.discard(ours, original, empty)

    def refused(self):
        """ADD when nothing is left of a /16."""
        ours, original, empty = self.pair(count=65_533)
        for network in (ours, original):
            answer = network.output("ADD", "one-too-many")
            if "no IP addresses available" not in answer:
                raise RuntimeError("%s did not refuse: %s" % (network.program.label, answer))
        steps = []
        for _ in range(repeats(65_533)):
            steps += [
                ("ours", lambda n: ours.add("new", expected=1)),
                ("empty", lambda n: empty.add("new")),
                (None, lambda n: empty.delete("new")),
            ]
        steps.append(("original", lambda n: original.add("new", expected=1)))
        taken = measure.in_turn(steps, BUDGET)
        bars = [report.Bar("empty", 2)]
        self.row("ADD refused on a full /16", taken["ours"], taken["original"], taken["empty"], bars)
        self.discard(ours, original, empty)

    def fill_in_parallel(self, width=16, subnet="10.80.0.0/20", capacity=4093):
        """Processes side by side until a /20 is full. Ours runs before and after the original's only run."""
        samples = {"ours": [], "original": []}
        for lane, program in (("ours", self.ours), ("original", self.original), ("ours", self.ours)):
            network = self.network(program, subnet=subnet)
            calls = (
                ([program.path], network.environment("ADD", "pod-%d" % number), network.configuration)
                for number in range(capacity)
            )
            sample = measure.run_parallel(calls, width)
            if sample.status or network.reserved() != capacity:
                raise RuntimeError("%s: %d calls failed, %d reserved" % (lane, sample.status, network.reserved()))
            samples[lane].append(sample)
            self.discard(network)
        taken = {lane: measure.Summary.of(some) for lane, some in samples.items()}
        title = "%d processes in parallel fill a /20 (%s ADDs, total)" % (width, format(capacity, ","))
        self.row(title, taken["ours"], taken["original"], None, [report.Bar("original", 0.5)])

    def peak_memory(self, count, repeats=7):
        ours, original, empty = self.pair(count=count)
        found = {"ours": [], "original": []}
        output = os.path.join(self.directory, "memory")
        for network in (ours, original):
            measure.read_from_disk(network.program.path)
        for number in range(repeats + 1):
            for lane, network in (("ours", ours), ("original", original)):
                environment = network.environment("ADD", "new-%d" % number)
                peak = measure.peak_memory([network.program.path], environment, network.configuration, output)
                if number:
                    found[lane].append(peak)
        ours_peak, original_peak = (statistics.median(found[lane]) for lane in ("ours", "original"))
        title = "peak memory of ADD, %s reservations" % format(count, ",")
        self.row(title, ours_peak, original_peak, None, [report.Bar("original", 1)], unit="KiB")
        self.discard(ours, original, empty)

    def start(self):
        """What every call pays: VERSION does nothing else. An empty program shows the floor of the measurement."""
        version = {"CNI_COMMAND": "VERSION"}
        taken = measure.in_turn(
            [
                ("ours", lambda n: measure.run([self.ours.path], version)),
                ("original", lambda n: measure.run([self.original.path], version)),
                ("floor", lambda n: measure.run(["/bin/true"], version)),
            ],
            BUDGET / 3,
        )
        note = "/bin/true: %.2f ms (%.2f)" % (taken["floor"].wall, taken["floor"].least)
        self.row("exec + VERSION", taken["ours"], taken["original"], None, note=note)

    def binary_size(self):
        ours, original = (os.stat(program.path).st_size / 1e6 for program in (self.ours, self.original))
        self.row("size of the binary", ours, original, None, unit="MB")

    def run(self):
        self.say("start")
        self.start()
        for count in SIZES:
            self.say("%d reservations" % count)
            self.add_and_delete(count)
        self.say("the original in between")
        for count in (10_000, LARGEST):
            self.after_foreign_change(count)
        self.say("long searches")
        self.behind_run()
        self.refused()
        self.say("parallel")
        self.fill_in_parallel()
        self.say("size")
        for count in (0, LARGEST):
            self.peak_memory(count)
        self.binary_size()


def arguments():
    parser = argparse.ArgumentParser(prog="integration/benchmark host-local", description=__doc__)
    parser.add_argument("--ours", default=os.environ.get("HOST_LOCAL"), help="our program (environment: HOST_LOCAL)")
    parser.add_argument(
        "--original",
        default=os.environ.get("ORIGINAL") or "/usr/lib/cni/host-local",
        help="the original (environment: ORIGINAL; default: Debian's)",
    )
    results = os.path.join(os.path.dirname(HERE), "results", "host-local.md")
    parser.add_argument("--output", default=results, help="where the report goes")
    chosen = parser.parse_args()
    for path in (chosen.ours, chosen.original):
        if not path or not os.access(path, os.X_OK):
            parser.error("%s is not executable" % path)
    return chosen


TEXT = """\
# host-local against the original

Repeat it with `integration/benchmark host-local%(option)s`.

- ours: %(ours)s
- original: %(original)s
- machine: %(machine)s
- date: %(date)s

%(met)d bars met, %(missed)d missed.

%(table)s

Times are the median and, in brackets, the least, of whole processes from spawn to exit, the programs taking turns in
one loop. A bar is the most that a ratio of medians may be. "Ours at 0" is ours on an empty directory, in turn with the
rest. CPU is user and system time together. Memory is the median of the largest resident sets.
"""


def main():
    chosen = arguments()
    ours = Program("ours", os.path.abspath(chosen.ours))
    original = Program("original", os.path.abspath(chosen.original))
    versions = {"ours": ours.version(), "original": original.version()}
    with report.workplace(*map("%s: %s".__mod__, versions.items())) as (directory, machine):
        benchmark = Benchmark(ours, original, directory)
        benchmark.run()
    option = "" if versions["original"].startswith("Debian") else " --original PATH-OF-THE-ORIGINAL"
    return report.publish(TEXT, chosen.output, benchmark.rows, option=option, machine=machine, **versions)


if __name__ == "__main__":
    sys.exit(main())
