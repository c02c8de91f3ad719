"""Packets under which routes change: who is pinged every millisecond, and who is sent to as fast as it goes.

Each runs as a process of its own, so that the test's work does not delay it: `traffic.py ping|send ADDRESS`.
"""

import collections
import errno
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

import agents

PORT = 9  # discard


class Traffic:
    """Traffic from a namespace to an address until `stop` is called."""

    def __init__(self, test, namespace, kind, address):
        # Who may open a socket for pings is a setting of each namespace.
        namespace.run("sysctl", "-q", "-w", "net.ipv4.ping_group_range=0 2147483647")
        command = [*namespace.wrapper, sys.executable, "-B", os.path.abspath(__file__), kind, address]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.end)
        if self.process.stdout.readline() != "ready\n":
            raise AssertionError("%s to %s does not start" % (kind, address))

    def stop(self):
        """Ends it, and returns what it counted."""
        self.process.send_signal(signal.SIGTERM)
        text = self.process.stdout.read()
        self.end()
        return json.loads(text)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def pinged(test, namespace, address):
    """Pings an address every millisecond; counts `sent` and lists the numbers of the `lost`."""
    return Traffic(test, namespace, "ping", address)


def sent(test, namespace, address):
    """Sends datagrams to an address without a pause; counts `sent` and `failed` by the error's name."""
    return Traffic(test, namespace, "send", address)


class Capture:
    """What passes a device of a namespace, seen from a raw socket."""

    ETH_P_ALL = 3

    def __init__(self, test, namespace, device):
        def make():
            end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(self.ETH_P_ALL))
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            end.bind((device, 0))
            return end

        self.end = agents.inside(namespace, make)
        self.end.setblocking(False)
        test.addCleanup(self.end.close)

    def packets(self):
        """The IPv4 packets since the last call that came in, without their link headers."""
        found = []
        while True:
            try:
                packet, (_, kind, direction, *_) = self.end.recvfrom(2048)
            except BlockingIOError:
                return found
            if kind == 0x0800 and direction != socket.PACKET_OUTGOING:
                found.append(packet[14:])

    def datagrams(self, port):
        """How many UDP datagrams to a port came in since the last call."""
        return sum(one[9] == socket.IPPROTO_UDP and one[22:24] == struct.pack("!H", port) for one in self.packets())

    def echoes(self, address):
        """How many echo requests to an address came in since the last call."""
        target = socket.inet_aton(address)
        return sum(one[9] == socket.IPPROTO_ICMP and one[16:20] == target and one[20] == 8 for one in self.packets())


class Stop:
    """Whether the process was asked to end."""

    def __init__(self):
        self.is_wanted = False
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "is_wanted", True))


def ping(address, interval=0.001, grace=1.0):
    """Echo requests one interval apart. What has no answer when the grace is over is lost, as is what cannot be sent."""
    is_v6 = ":" in address
    family, protocol, request = (
        (socket.AF_INET6, socket.IPPROTO_ICMPV6, 128) if is_v6 else (socket.AF_INET, socket.IPPROTO_ICMP, 8)
    )
    stop, end = Stop(), socket.socket(family, socket.SOCK_DGRAM, protocol)
    end.setblocking(False)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    waiting, number, failed = {}, 0, []
    selector = selectors.DefaultSelector()
    selector.register(end, selectors.EVENT_READ)
    print("ready", flush=True)
    due = time.monotonic()
    last = None
    while last is None or (waiting and time.monotonic() < last + grace):
        now = time.monotonic()
        if last is None and stop.is_wanted:
            last = now
        if last is None and now >= due:
            # The number that counts is in the payload: that of the protocol has 16 bits.
            packet = struct.pack("!BBHHHQ", request, 0, 0, 0, number & 0xFFFF, number)
            try:
                end.sendto(packet, (address, 0))
                waiting[number] = now
            except OSError as error:
                failed.append([number, errno.errorcode[error.errno]])
            number += 1
            due = max(due + interval, now - 10 * interval)
        for _ in selector.select(max(0, min(due - time.monotonic(), interval)) if last is None else 0.01):
            receive(end, waiting)
    print(json.dumps({"sent": number, "lost": sorted(waiting), "failed": failed}))


def receive(end, waiting):
    """Strikes what is answered off the list."""
    while True:
        try:
            answer = end.recv(256)
        except BlockingIOError:
            return
        except OSError:
            # An error that a router reported; the request stays unanswered.
            continue
        if len(answer) >= 16:
            waiting.pop(struct.unpack("!Q", answer[8:16])[0], None)


def send(address):
    """Datagrams as fast as they go."""
    stop = Stop()
    end = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    print("ready", flush=True)
    failed, count, target = collections.Counter(), 0, (address, PORT)
    while not stop.is_wanted:
        for _ in range(100):
            try:
                end.sendto(b"x", target)
            except OSError as error:
                failed[errno.errorcode[error.errno]] += 1
        count += 100
    print(json.dumps({"sent": count, "failed": failed}))


if __name__ == "__main__":
    {"ping": ping, "send": send}[sys.argv[1]](sys.argv[2])
