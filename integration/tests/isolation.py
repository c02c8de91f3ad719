"""Mount and network namespaces round a whole test run: nothing a test does is seen outside or outlives it.

`/run` is an empty tmpfs inside, so named network namespaces and the index of our plugins are the run's own as well.
Without root the namespaces come with a user namespace, where the kernel allows one.
"""

import os
import subprocess
import sys
import unittest

MARK = "SWIFT_IPAM_TEST_ISOLATION"
SET_UP = 'mount -t tmpfs tmpfs /run && ip link set lo up && exec "$@"'


def enter():
    """Replaces this process by itself inside the namespaces; returns when it is inside, or when that cannot be."""
    if MARK in os.environ:
        return
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    wrapped = ["unshare", *user, "--mount", "--net", "sh", "-c", SET_UP, "sh"]
    try:
        probe = subprocess.run([*wrapped, "true"], capture_output=True, text=True)
        obstacle = probe.stderr.strip() if probe.returncode else ""
    except OSError as error:
        obstacle = str(error)
    if obstacle:
        os.environ[MARK] = obstacle
        return
    os.environ[MARK] = ""
    os.execvp(wrapped[0], [*wrapped, sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]])


def require():
    """Skips the test unless it runs in namespaces of its own, as their root."""
    obstacle = os.environ.get(MARK, "started without the runner and not through main()")
    if obstacle:
        raise unittest.SkipTest("no namespaces of the test's own: %s" % obstacle)


def require_second_user():
    """Skips the test when no other user than root exists here, as in a user namespace made by an ordinary user."""
    require()
    with open("/proc/self/uid_map", encoding="ascii") as mapping:
        if sum(int(line.split()[2]) for line in mapping) < 65535:
            raise unittest.SkipTest("only one user is mapped into this user namespace")


def main():
    """What `if __name__ == "__main__"` of a test module calls."""
    enter()
    unittest.main(module="__main__")
