"""Calls that are killed at each of their system calls in turn."""

import itertools
import os
import re
import shutil
import signal
import subprocess

import plugin

# Whatever touches files, their content, their times or their locks, and the end of the process.
CALLS = frozenset(
    "open openat openat2 creat read pread64 write writev pwrite64 pwritev link linkat symlinkat unlink unlinkat rename "
    "renameat renameat2 mkdir mkdirat getdents64 stat fstat lstat newfstatat statx readlink readlinkat utimensat "
    "futimesat flock fcntl ftruncate fallocate fsync fdatasync fchmod fchown lseek mmap munmap close exit_group".split()
)

ROW = re.compile(r"\d+ +(\w+)\(")


class KillingTest(plugin.PluginTest):
    """Steps the moment of death through one kind of call until the call outlives it.

    A network is whatever has the method `call` of `plugin.Network`.
    """

    def setUp(self):
        super().setUp()
        if shutil.which("strace") is None:
            self.skipTest("strace is missing (package strace)")
        probe = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True)
        if probe.returncode:
            self.skipTest("strace cannot trace here: %s" % probe.stderr.strip())

    def traced(self, network, verb, container, *options, **more):
        """Runs a call under strace."""
        return network.call(verb, container, wrapper=["strace", "-f", "-qq", *options], **more)

    def dies(self, network, verb, container, moment, **more):
        """Runs a call that is killed on entry to its nth system call of a kind; False when it came to its end before.

        With several threads each counts for itself: then the first to get there dies with all others.
        """
        inject = "inject=%s:signal=KILL:when=%d" % moment
        answer = self.traced(network, verb, container, "-o", "/dev/null", "-e", inject, **more)
        if answer.status in (-signal.SIGKILL, 128 + signal.SIGKILL):
            return True
        self.assertSucceeds(answer)
        return False

    def kinds(self, network, verb, container, **more):
        """The kinds of system calls that a call makes."""
        log = os.path.join(self.temporary, "trace")
        self.assertSucceeds(self.traced(network, verb, container, "-o", log, **more))
        with open(log, encoding="utf-8", errors="replace") as trace:
            made = {match[1] for match in map(ROW.match, trace) if match}
        return sorted(made & CALLS)

    def step_through(self, verb, prepare, verify, container="victim", **more):
        """For each kind of system call: death at the first one, at the second, until the call outlives it.

        `prepare` gives the network for a call, `verify(network, said)` looks at what the call left.
        """
        network, deaths = prepare(), 0
        kinds = self.kinds(network, verb, container, **more)
        verify(network, "not killed")
        for kind in kinds:
            for number in itertools.count(1):
                network = prepare()
                died = self.dies(network, verb, container, (kind, number), **more)
                verify(network, "killed at %s %d of %s" % (kind, number, verb) if died else "not killed")
                if not died:
                    break
                deaths += 1
        self.assertGreater(deaths, 20, "too few deaths: the kills do not work")
        print("%s died %d times" % (verb, deaths))
