"""What every server of the tests has: a process, a directory that vanishes with the test, and a port on loopback."""

import glob
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

TESTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(TESTS))


def free_port():
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def in_memory():
    """Where servers keep what they write: nothing of it has to outlive the machine."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Server:
    """A server process that ends with its test, stopped, killed and started again at will.

    `place` is a test, or anything else with `addCleanup`.
    """

    def __init__(self, place):
        self.directory = tempfile.mkdtemp(prefix="swift-ipam-server.", dir=in_memory())
        place.addCleanup(shutil.rmtree, self.directory, True)
        place.addCleanup(self.kill)
        self.log = os.path.join(self.directory, "log")
        self.process = None

    def spawn(self, command, **options):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stderr=log, **{"stdin": subprocess.DEVNULL, "stdout": log, **options}
            )

    def said(self):
        """The end of what the server logged."""
        with open(self.log, "rb") as log:
            return log.read()[-3000:].decode(errors="replace")

    def end(self, how):
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
        self.process = None

    def stop(self):
        self.end(signal.SIGTERM)

    def kill(self):
        self.end(signal.SIGKILL)

    def freeze(self):
        """The server keeps its connections and answers nobody."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def restart(self):
        """Ends the server as a power failure does, and starts it on the same data and port."""
        self.kill()
        self.start()


class Client:
    """JSON over HTTP to one server; each thread has a connection of its own."""

    def __init__(self, url, context):
        self.url, self.context, self.local = urllib.parse.urlsplit(url), context, threading.local()

    def connect(self):
        if self.url.scheme == "http":
            return http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=30)
        return http.client.HTTPSConnection(self.url.hostname, self.url.port, context=self.context, timeout=30)

    def call(self, method, path, body=None, headers=None):
        """(status, text) of a request. What an old connection of a restarted server breaks is asked once more."""
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
        for is_last in (False, True):
            connection = getattr(self.local, "connection", None) or self.connect()
            self.local.connection = connection
            try:
                connection.request(method, path, data, headers)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except (http.client.HTTPException, OSError):
                connection.close()
                self.local.connection = None
                if is_last:
                    raise
        raise AssertionError("unreachable")


class SocketClient(Client):
    """The same over a socket in the file system."""

    def __init__(self, path):
        super().__init__("http://localhost", None)
        self.path = path

    def connect(self):
        connection = super().connect()
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.path)
        return connection


def samples(text, name):
    """The samples of one metric in the text format: [(labels as text, value)]."""
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith((name + "{", name + " ")))
    return [(head[len(name) :], float(value)) for head, value in rows]


def find_etcd():
    """etcd's server, or None."""
    return shutil.which("etcd", path=os.environ.get("PATH", "") + ":/usr/sbin")


def find_kubernetes():
    """A kube-testserver that can be run, or None."""
    named = os.environ.get("KUBE_TESTSERVER")
    if named:
        return os.path.abspath(named) if os.access(named, os.X_OK) else None
    built = os.path.join(ROOT, ".build", "kube-testserver", "kube-testserver")
    if os.access(built, os.X_OK):
        return built
    packed = os.path.join(os.path.dirname(ROOT), "shared", "kube-testserver", "kube-testserver.xz")
    return unpacked(packed) if os.access(packed, os.R_OK) else None


def unpacked(path):
    """A compressed program, unpacked once for each version of it."""
    state = os.stat(path)
    directory = os.path.join(ROOT, ".build", "kube-testserver")
    program = os.path.join(directory, "unpacked-%x-%x" % (state.st_size, int(state.st_mtime)))
    if not os.access(program, os.X_OK):
        os.makedirs(directory, exist_ok=True)
        for old in glob.glob(os.path.join(directory, "unpacked-*")):
            os.unlink(old)
        fresh = "%s.%d" % (program, os.getpid())
        with open(fresh, "wb") as file:
            subprocess.run(["xz", "--decompress", "--stdout", path], stdout=file, check=True)
        os.chmod(fresh, 0o755)
        os.rename(fresh, program)
    return program


def require_etcd():
    program = find_etcd()
    if program is None:
        raise unittest.SkipTest("etcd is missing (package etcd-server)")
    return program


def require_kubernetes():
    program = find_kubernetes()
    if program is None:
        raise unittest.SkipTest("no kube-testserver: build it with integration/kube-testserver/build")
    return program


def etcd_version():
    """The version of etcd's server; empty where there is none."""
    etcd = find_etcd()
    said = subprocess.run([etcd, "--version"], capture_output=True, text=True).stdout if etcd else ""
    return "".join(line.split()[-1] for line in said.splitlines() if line.startswith("etcd Version"))


def versions():
    """One line about the servers that the tests will use."""
    return "etcd: %s; kube-testserver: %s" % (etcd_version() or "missing", find_kubernetes() or "missing")
