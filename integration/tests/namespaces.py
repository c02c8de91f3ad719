"""Network namespaces for tests: one plays the host, one each pod. All vanish with the test."""

import contextlib
import os
import subprocess

import isolation


class Namespace:
    """A named network namespace with its loopback up."""

    count = 0

    def __init__(self, test, role):
        isolation.require()
        Namespace.count += 1
        self.name = "ipam-%d-%d-%s" % (os.getpid(), Namespace.count, role)
        ip("netns", "add", self.name)
        test.addCleanup(ip, "netns", "delete", self.name)
        # Without duplicate address detection a v6 address is usable at once.
        for scope in ("all", "default"):
            self.run("sysctl", "-q", "-w", "net.ipv6.conf.%s.accept_dad=0" % scope)
        self.run("ip", "link", "set", "lo", "up")

    @property
    def path(self):
        """What a runtime passes as CNI_NETNS."""
        return "/run/netns/" + self.name

    @property
    def wrapper(self):
        """Put before a command, this runs it inside."""
        return ("ip", "netns", "exec", self.name)

    def run(self, *command, check=True):
        """Runs a command inside and returns its output."""
        done = subprocess.run([*self.wrapper, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if check and done.returncode:
            raise AssertionError("%s in %s: %s" % (" ".join(command), self.name, done.stdout))
        return done.stdout

    def reaches(self, address):
        """True when the address answers one of the pings of fifteen seconds."""
        ping = ["ping", "-n", "-q", "-c", "1", "-w", "15", address]
        return subprocess.run([*self.wrapper, *ping], stdout=subprocess.DEVNULL).returncode == 0

    def addresses(self, device="eth0"):
        """The global addresses of a device."""
        rows = self.run("ip", "-o", "addr", "show", "dev", device, "scope", "global").split("\n")
        return {row.split()[3].split("/")[0] for row in rows if row}


class Machine:
    """Namespaces for mounts, processes and network with a shell as their first process; all in it ends with the test.

    `mounts` are directories that start out empty inside.
    """

    def __init__(self, test, mounts):
        isolation.require()
        script = "".join("mount -t tmpfs tmpfs %s && " % path for path in mounts)
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
            + ["sh", "-c", script + "ip link set lo up && echo ready && cat >/dev/null; :"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        test.addCleanup(self.end)
        self.first = None
        if self.holder.stdout.readline() != b"ready\n":
            raise AssertionError("no namespaces for mounts, processes and network together")
        with open("/proc/%d/task/%d/children" % (self.holder.pid, self.holder.pid), encoding="ascii") as children:
            self.first = children.read().split()[0]

    def run(self, *command, environment=None):
        """Runs a command inside."""
        wrapper = ["nsenter", "--target", self.first, "--mount", "--net", "--pid"]
        return subprocess.run(
            [*wrapper, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def end(self):
        """Ends the first process, and the kernel with it all others inside."""
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()


def ip(*arguments):
    """Runs `ip` and fails with what it printed."""
    done = subprocess.run(["ip", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise AssertionError("ip %s: %s" % (" ".join(arguments), done.stdout))


@contextlib.contextmanager
def mounted(*arguments):
    """Mounts something for a while; the last argument is the place."""
    isolation.require()
    subprocess.run(["mount", *arguments], check=True)
    try:
        yield arguments[-1]
    finally:
        subprocess.run(["umount", "--lazy", arguments[-1]], check=True)
