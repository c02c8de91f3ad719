"""ipam-node as a process in a node's namespace: started, asked, stopped and killed."""

import ctypes
import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import unittest

import waiting

PORT = 9098
CLONE_NEWNET = 0x40000000


def ipam_node():
    """The agent under test."""
    path = os.environ.get("IPAM_NODE", "")
    if not os.access(path, os.X_OK):
        raise unittest.SkipTest("IPAM_NODE does not name the agent")
    return os.path.abspath(path)


def option(name, value):
    """`route_protocol` and 84 as the command line has them, --route-protocol 84; a truth value is the flag alone."""
    word = name.replace("_", "-")
    if isinstance(value, bool):
        return ["--" + word if value else "--no-" + word]
    return ["--" + word, str(value)]


def inside(namespace, make):
    """Calls a function on a thread that has entered a network namespace. A socket made there stays there."""
    results = []

    def work():
        libc = ctypes.CDLL(None, use_errno=True)
        with open(namespace.path, "rb") as file:
            if libc.setns(file.fileno(), CLONE_NEWNET):
                results.append(OSError(ctypes.get_errno(), "setns"))
                return
        try:
            results.append(make())
        except OSError as error:
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(results[0], OSError):
        raise results[0]
    return results[0]


class Answer:
    """What a command of the agent that ended printed."""

    def __init__(self, done):
        self.status, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr

    def __str__(self):
        return "status %d\n%s%s" % (self.status, self.stdout, self.stderr)

    @property
    def document(self):
        return json.loads(self.stdout)


class Agent:
    """The agent of a node, with options that last from one process to the next."""

    def __init__(self, test, namespace, **options):
        self.test, self.namespace, self.options = test, namespace, options
        self.path, self.process = ipam_node(), None
        self.log_path = os.path.join(test.temporary, "agent-%s.log" % namespace.name)
        test.addCleanup(self.kill)

    def command(self, verb, *more, wrapper=(), **options):
        """The command line of a verb; `wrapper` goes between the namespace and the program."""
        words = [*self.namespace.wrapper, *wrapper, self.path, verb]
        for name, value in {**self.options, **options}.items():
            if value is not None:
                words += option(name, value)
        return [*words, *more]

    # MARK: one command

    def call(self, verb, *more, timeout=60, wrapper=(), **options):
        """Runs a verb to its end."""
        command = self.command(verb, *more, wrapper=wrapper, **options)
        return Answer(subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout))

    def sync(self, **options):
        return self.call("sync", **options)

    def plan(self, **options):
        """What should be against what is."""
        return self.call("plan", "-o", "json", **options).document

    def cleanup(self, **options):
        return self.call("cleanup", **options)

    # MARK: the process that stays

    def start(self, is_ready=True, wrapper=(), **options):
        """Starts it, and waits until it has its routes where they should be; `is_ready=False` for no waiting."""
        with open(self.log_path, "ab") as log:
            command = self.command("run", wrapper=wrapper, **options)
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if is_ready:
            waiting.until(self.is_ready, lambda: "the agent is not ready; it said\n" + self.log(), 30)
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError("the agent ended with %d\n%s" % (self.process.returncode, self.log()))
        return self.get("/readyz")[0] == 200

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self, number=signal.SIGKILL):
        """Ends it the hard way, and waits until it is gone."""
        if self.is_running:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
        if self.process is not None:
            self.process.wait(timeout=30)

    def stop(self):
        """Ends it the way systemd does; the status is 0."""
        self.kill(signal.SIGTERM)
        if self.process.returncode:
            raise AssertionError("a clean stop ended with %d\n%s" % (self.process.returncode, self.log()))

    def pause(self):
        """Stops it where it is, until `resume`."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def log(self):
        """What it has said so far."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def said(self, *words):
        """The lines of the log that have all these words."""
        return [line for line in self.log().splitlines() if all(word.lower() in line.lower() for word in words)]

    # MARK: what it tells over HTTP

    def get(self, path):
        """(status, body); the status is 0 when nobody listens."""
        try:
            end = inside(self.namespace, lambda: socket.create_connection(("127.0.0.1", PORT), timeout=10))
        except OSError:
            return 0, ""
        connection = http.client.HTTPConnection("127.0.0.1", PORT)
        connection.sock = end
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def status(self):
        """The agent's own view, as a document."""
        return json.loads(self.get("/status")[1])

    def conditions(self, kind=None):
        """What stands in the way, as (kind, subject, message), of one kind or of all."""
        found = [(one["kind"], one["subject"], one["message"]) for one in self.status()["conditions"]]
        return [one for one in found if kind in (None, one[0])]

    def metrics(self):
        """Series to number, as Prometheus would read it; labels are part of the name."""
        found = {}
        for line in self.get("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found

    def metric(self, prefix, **labels):
        """The sum of the series of a name that have these labels."""
        wanted = ['%s="%s"' % pair for pair in labels.items()]
        series = [
            value
            for name, value in self.metrics().items()
            if name.split("{")[0] == prefix and all(one in name for one in wanted)
        ]
        if not series:
            raise AssertionError("no series %s with %s" % (prefix, labels))
        return sum(series)
