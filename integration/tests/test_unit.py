#!/usr/bin/env python3
"""The systemd unit of ipam-node, judged by systemd's own tools."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import isolation

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "systemd", "ipam-node.service")


class UnitTest(unittest.TestCase):
    def setUp(self):
        self.analyze = shutil.which("systemd-analyze")
        if self.analyze is None:
            raise unittest.SkipTest("systemd-analyze is missing (package systemd)")
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)
        # The unit is verified with a program that is there: where it is installed is not this machine's business.
        with open(UNIT, encoding="utf-8") as file:
            text = file.read()
        self.unit = os.path.join(self.directory, "ipam-node.service")
        with open(self.unit, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/local/bin/ipam-node", "/bin/true"))

    def run_analyze(self, *arguments):
        return subprocess.run([self.analyze, *arguments, self.unit], capture_output=True, text=True, timeout=60)

    def test_systemd_understands_every_line_of_the_unit(self):
        done = self.run_analyze("verify", "--man=no")
        complaints = [line for line in done.stderr.splitlines() if "ipam-node.service" in line]
        self.assertEqual((done.returncode, complaints), (0, []), done.stderr)

    def test_the_unit_exposes_little(self):
        """systemd's measure goes from 0 to 10; 2 is what remains for a service that needs CAP_NET_ADMIN and sockets."""
        done = self.run_analyze("security", "--offline=true", "--no-pager", "--threshold=25")
        if "unrecognized option" in done.stderr or "Unknown" in done.stderr:
            raise unittest.SkipTest("systemd-analyze is too old to judge a file: %s" % done.stderr.strip())
        level = re.search(r"Overall exposure level for ipam-node.service: ([\d.]+)", done.stdout)
        self.assertIsNotNone(level, done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0, level.group(0))

    def test_one_capability_is_left(self):
        with open(self.unit, encoding="utf-8") as file:
            bounds = re.findall(r"^CapabilityBoundingSet=(.*)$", file.read(), re.MULTILINE)
        self.assertEqual(bounds, ["CAP_NET_ADMIN"])


if __name__ == "__main__":
    isolation.main()
