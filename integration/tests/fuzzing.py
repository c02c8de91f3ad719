#!/usr/bin/env python3
"""The fuzzer's worker: feeds a plugin mutated input in a mount namespace where hardly anything can be written.

usage (in a mount namespace of its own): fuzzing.py SEED COUNT CORPUS, with the plugin in HOST_LOCAL

Everything is mounted read-only but for the data directory and the plugin's index. What breaks the contract is printed
as JSON, one finding a line, with what repeats it; the last line is a summary. The status is 0 unless the worker itself
fails.
"""

import base64
import collections
import ipaddress
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys

import mutation
import plugin

DATA, INDEX = "/run/networks", "/run/swift-ipam"
PATIENCE = 20  # seconds until a call counts as stuck
SWEEP = 250  # calls between looks at the disk, and between fresh starts
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]*")
CURSOR = re.compile(r"last_reserved_ip\.[0-9]+")


def close_off():
    """Leaves only the data directory and the index writable, both empty."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    for place in (DATA, INDEX):
        os.mkdir(place)
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        places = [row.split()[4] for row in table]
    for place in sorted(set(places), key=len):
        # A place hidden under a later mount cannot be named; it cannot be written either.
        subprocess.run(["mount", "-o", "remount,bind,ro", place], stderr=subprocess.DEVNULL)
    for place in (DATA, INDEX):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)


class Files:
    """The three standard streams of the calls, as memory files used again and again."""

    def __init__(self):
        self.input, self.output, self.error = (os.memfd_create(name) for name in ("input", "output", "error"))
        self.actions = [
            (os.POSIX_SPAWN_DUP2, descriptor, number)
            for number, descriptor in enumerate((self.input, self.output, self.error))
        ]

    def load(self, stdin):
        for descriptor in (self.input, self.output, self.error):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(self.input, stdin)
        os.lseek(self.input, 0, os.SEEK_SET)

    def content(self, descriptor):
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


class Fuzzer:
    def __init__(self, seed, corpus):
        self.files, self.binary = Files(), plugin.host_local()
        self.mutator = mutation.Mutator(random.Random(seed), DATA, corpus)
        self.tally, self.findings = collections.Counter(), 0

    def run(self, count):
        suspects = []
        for number in range(count):
            stdin, variables = self.mutator.example()
            suspects.append((number, stdin, variables))
            fault = self.judge(variables, *self.call(stdin, variables))
            if fault:
                self.report(fault, suspects[-1])
            if len(suspects) == SWEEP or number == count - 1:
                for fault in self.strays([one[1] for one in suspects]):
                    self.report(fault + " after one of the calls up to this one", suspects[-1])
                suspects = []
                self.start_afresh()
        print(json.dumps({"calls": count, "findings": self.findings, "outcomes": self.tally}))

    def call(self, stdin, variables):
        """Runs the plugin: (status as os.waitstatus_to_exitcode gives it, stdout, stderr)."""
        self.files.load(stdin)
        process = os.posix_spawn(
            self.binary, [self.binary], variables, file_actions=self.files.actions, setsigdef=[signal.SIGPIPE]
        )
        signal.signal(signal.SIGALRM, lambda *_: os.kill(process, signal.SIGKILL))
        signal.alarm(PATIENCE)
        _, status = os.waitpid(process, 0)
        signal.alarm(0)
        code = os.waitstatus_to_exitcode(status)
        return code, self.files.content(self.files.output), self.files.content(self.files.error)

    def report(self, fault, suspect):
        self.findings += 1
        number, stdin, variables = suspect
        readable = {os.fsdecode(name): os.fsdecode(value) for name, value in variables.items()}
        repeat = {"number": number, "environment": readable, "stdin": base64.b64encode(stdin).decode()}
        print(json.dumps({"fault": fault, **repeat}), flush=True)

    # MARK: the contract

    def judge(self, variables, status, stdout, stderr):
        """What is wrong with an answer, or None."""
        said = "status %d, stdout %r, stderr %r" % (status, stdout[:500], stderr[-500:])
        verb = variables.get(b"CNI_COMMAND", b"").decode("utf-8", "replace")
        if status not in (0, 1):
            return "ended by a signal or a crash: " + said
        try:
            document = json.loads(stdout) if stdout else None
        except ValueError:
            return "stdout is not JSON: " + said
        self.tally["%s %s" % (verb if verb in mutation.VERBS else "unknown", "refused" if status else "done")] += 1
        if status == 1:
            good = isinstance(document, dict) and type(document.get("code")) is int and "msg" in document
            good = good and isinstance(document["msg"], str) and isinstance(document.get("details", ""), str)
            return None if good else "status 1 without an error object: " + said
        if verb in ("ADD", "VERSION"):
            good = isinstance(document, dict) and isinstance(document.get("cniVersion"), str)
            good = good and ("supportedVersions" in document or self.gives_addresses(document))
            return None if good else "success without a result: " + said
        if verb in ("DEL", "CHECK", "GC", "STATUS", ""):
            return "a document nobody asked for: " + said if stdout else None
        return "an unknown verb succeeded: " + said

    @staticmethod
    def gives_addresses(result):
        """True for a result with addresses in any version's shape."""
        found = [ip.get("address") for ip in result.get("ips", [])]
        found += [result[key]["ip"] for key in ("ip4", "ip6") if key in result]
        try:
            return bool(found) and all(ipaddress.ip_interface(text) for text in found)
        except ValueError:
            return False

    # MARK: the disk

    def strays(self, inputs):
        """What lies where it should not."""
        if mutation.names_directory_below(DATA, inputs):
            return
        for entry in os.scandir(DATA):
            if entry.name == ".swift-ipam":
                continue
            if not entry.is_dir(follow_symlinks=False) or not NAME.fullmatch(entry.name):
                yield "stray %s" % entry.path
                continue
            for file in os.scandir(entry.path):
                fault = self.fault_of(file)
                if fault:
                    yield "%s %s" % (fault, file.path)

    @staticmethod
    def fault_of(file):
        """What is wrong with a file of a network directory, or None."""
        if not file.is_file(follow_symlinks=False):
            return "stray"
        if file.name == "lock" or CURSOR.fullmatch(file.name):
            return None
        try:
            canonical = str(ipaddress.ip_address(file.name)) == file.name
        except ValueError:
            return "stray"
        if not canonical:
            return "not an address's canonical name:"
        with open(file.path, "rb") as held:
            whole = re.fullmatch(rb"[a-zA-Z0-9][a-zA-Z0-9_.\-]*\r\n[^\r\n]+", held.read())
        return None if whole else "not a reservation:"

    def start_afresh(self):
        for place in (DATA, INDEX):
            for entry in os.scandir(place):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    os.unlink(entry.path)


def main():
    seed, count, corpus = sys.argv[1:]
    close_off()
    Fuzzer(seed, corpus).run(int(count))


if __name__ == "__main__":
    main()
