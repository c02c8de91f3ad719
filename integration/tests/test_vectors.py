#!/usr/bin/env python3
"""The golden vectors, replayed on our plugin alone and alternating with other releases on the same directories."""

import json
import os
import re
import subprocess
import sys
import tempfile

import isolation
import plugin

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.environ.get("VECTORS") or os.path.join(HERE, "..", "vectors", "host-local")


def listed(file, column):
    """The names in one column of a table `a | b | c`, where lines with # are comments; a missing file lists none."""
    path = os.path.join(VECTORS, file)
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as table:
        rows = [line.split("|") for line in table if line.strip() and not line.lstrip().startswith("#")]
    return {row[column].strip() for row in rows}


def cases(directory):
    """File name to cases of a vector directory, without its subdirectories."""
    found = {}
    for file in sorted(os.listdir(directory)):
        if file.endswith(".json"):
            with open(os.path.join(directory, file), encoding="utf-8") as stored:
                found[file] = json.load(stored)
    return found


def deviations():
    """The vectors in which ours differs on purpose."""
    return listed("deviations.txt", 0)


class Vectors(plugin.PluginTest):
    """Replays through the vectors' own runner."""

    def replay(self, *options, binary=None, vectors=None):
        """(names of failed cases, what the runner said)."""
        with tempfile.NamedTemporaryFile("r", prefix="swift-ipam-failed.") as failed:
            command = [sys.executable, os.path.join(VECTORS, "run.py"), "--failed-names", failed.name, *options]
            command += ["--vectors", vectors or VECTORS, binary or plugin.host_local()]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            names = set(failed.read().split("\n")) - {""}
        passed = re.fullmatch(r"(\d+) passed, (\d+) failed", done.stdout.rstrip().split("\n")[-1])
        self.assertIsNotNone(passed, "the runner broke off:\n" + done.stdout[-4000:])
        self.assertEqual(int(passed[2]), len(names))
        self.assertGreater(int(passed[1]) + int(passed[2]), 0, "no case was replayed")
        return names, done.stdout

    def without(self, *excluded):
        """A copy of the vectors without the named ones."""
        names = set().union(*excluded)
        copy = os.path.join(self.temporary, "vectors")
        os.mkdir(copy)
        for file, entries in cases(VECTORS).items():
            kept = [case for case in entries if case["name"] not in names]
            with open(os.path.join(copy, file), "w", encoding="utf-8") as stored:
                json.dump(kept, stored)
        return copy

    def assertAlternates(self, other, vectors, *options):
        """All pass whichever of the two makes the first call of each case."""
        for first, second in ((plugin.host_local(), other), (other, plugin.host_local())):
            with self.subTest(first=first):
                failed, output = self.replay("--alternate", second, *options, binary=first, vectors=vectors)
                self.assertEqual(failed, set(), output[-8000:])

    def test_exactly_the_listed_deviations_fail(self):
        """Every vector gives the recorded bytes, but for those in deviations.txt, which all still differ."""
        known = {case["name"] for entries in cases(VECTORS).values() for case in entries}
        self.assertEqual(deviations() - known, set(), "deviations.txt names vectors that do not exist")
        failed, output = self.replay("--bytes")
        self.assertEqual(failed - deviations(), set(), "unexpected failures:\n" + output[-8000:])
        self.assertEqual(deviations() - failed, set(), "listed as deviations, but they pass")

    def test_own_expectations_hold_where_ours_deviates(self):
        """The vectors in deviations/ record what ours does instead, and all pass."""
        directory = os.path.join(VECTORS, "deviations")
        if not os.path.isdir(directory):
            self.assertEqual(deviations(), set(), "deviations are listed, but no vector says what ours does instead")
            self.skipTest("no deviations are recorded")
        failed, output = self.replay("--bytes", vectors=directory)
        self.assertEqual(failed, set(), output[-8000:])

    def test_alternates_with_the_distributions_release(self):
        """Ours and release 1.1.1, call by call on one directory, give the recorded results.

        Values are compared, not bytes: release 1.1.1 orders the keys of a 1.0.0 result in another way.
        """
        differing = listed("differs-on-1.1.1.txt", 1)
        self.assertTrue(differing, "differs-on-1.1.1.txt is missing")
        self.assertAlternates(plugin.other_host_local(), self.without(deviations(), differing))

    def test_alternates_with_the_original(self):
        """Ours and release 1.9.1, call by call on one directory, give the recorded results."""
        original = os.environ.get("ORIGINAL")
        if not original:
            self.skipTest("ORIGINAL names no plugin of release 1.9.1")
        self.assertAlternates(original, self.without(deviations()), "--bytes")


if __name__ == "__main__":
    isolation.main()
