#!/usr/bin/env python3
"""What the built plugin is made of: one static file of bounded size, without Foundation, that starts no thread."""

import os
import re
import shutil
import struct
import subprocess
import unittest

import isolation
import plugin

PT_DYNAMIC, PT_INTERP = 2, 3
SIZE_LIMIT = 9_000_000

# Names that stay in a stripped file when any part of Foundation is linked in: module descriptors, and the mangled names
# of its types and protocols. The Swift runtime itself mentions `Foundation.__SwiftValue`, which none of these match.
FOUNDATION = re.compile(rb"\$s\d+_?Foundation|\0_?Foundation[A-Za-z]*\0")


def segment_types(image):
    """The types of a 64-bit ELF file's program headers."""
    if image[:4] != b"\x7fELF" or image[4] != 2:
        raise ValueError("not a 64-bit ELF file")
    order = "<" if image[5] == 1 else ">"
    (offset,) = struct.unpack_from(order + "Q", image, 32)
    size, count = struct.unpack_from(order + "HH", image, 54)
    return [struct.unpack_from(order + "I", image, offset + number * size)[0] for number in range(count)]


class LinkageTest(plugin.PluginTest):
    size_limit = SIZE_LIMIT

    def program(self):
        """The file that is looked at."""
        return plugin.host_local()

    def setUp(self):
        super().setUp()
        with open(self.program(), "rb") as file:
            self.image = file.read()

    def test_the_file_needs_neither_a_loader_nor_libraries(self):
        types = segment_types(self.image)
        self.assertNotIn(PT_INTERP, types)
        self.assertNotIn(PT_DYNAMIC, types)

    def test_a_dynamic_program_would_be_noticed(self):
        with open("/bin/sh", "rb") as file:
            self.assertIn(PT_INTERP, segment_types(file.read()))

    def test_no_part_of_foundation_is_linked_in(self):
        found = sorted({match.group().strip(b"\0").decode() for match in FOUNDATION.finditer(self.image)})
        self.assertEqual(found, [])

    def test_the_file_is_small(self):
        self.assertLessEqual(len(self.image), self.size_limit)

    def test_the_file_is_stripped(self):
        (offset,) = struct.unpack_from("<Q", self.image, 40)
        size, count = struct.unpack_from("<HH", self.image, 58)
        types = [struct.unpack_from("<I", self.image, offset + number * size + 4)[0] for number in range(count)]
        self.assertNotIn(2, types, "the file has a symbol table")

    def test_the_file_starts(self):
        answer = self.assertSucceeds(plugin.call(self.program(), "VERSION", b""))
        self.assertIn("1.1.0", answer.document["supportedVersions"])


class ThreadTest(plugin.PluginTest):
    """Counts the system calls that make threads and processes, while each verb does real work."""

    def setUp(self):
        super().setUp()
        self.log = os.path.join(self.temporary, "calls")
        self.strace = ["strace", "--follow-forks", "--trace=clone,clone3,fork,vfork", "--output=" + self.log]
        if not shutil.which("strace"):
            raise unittest.SkipTest("strace is missing (package strace)")
        probe = subprocess.run([*self.strace, "true"], capture_output=True, text=True)
        if probe.returncode:
            raise unittest.SkipTest("strace cannot trace here: %s" % probe.stderr.strip())

    def births(self):
        with open(self.log, encoding="utf-8") as file:
            return [line.rstrip() for line in file if re.search(r"\b(clone3?|v?fork)\(", line)]

    def test_a_new_process_would_be_noticed(self):
        subprocess.run([*self.strace, "sh", "-c", "true; (true)"], check=True)
        self.assertTrue(self.births())

    def test_no_verb_starts_a_thread_or_a_process(self):
        network = self.network(version="1.1.0", sets=("10.1.2.0/24", "2001:db8::/64"))
        self.assertSucceeds(network.add("early"))
        for verb, act in (
            ("ADD", lambda: network.add("c1", wrapper=self.strace)),
            ("CHECK", lambda: network.check("c1", wrapper=self.strace)),
            ("STATUS", lambda: network.call("STATUS", wrapper=self.strace)),
            ("VERSION", lambda: network.call("VERSION", wrapper=self.strace)),
            ("GC", lambda: network.collect([("c1", "eth0")], wrapper=self.strace)),
            ("DEL", lambda: network.delete("c1", wrapper=self.strace)),
        ):
            with self.subTest(verb):
                self.assertSucceeds(act())
                self.assertEqual(self.births(), [])


if __name__ == "__main__":
    isolation.main()
