"""The specification of host-local's allocation, as a plain model of one network directory.

Requests are modelled where the specification leaves no choice: at most one of them for each set. A failing ADD gives
back only what it took itself; the releases before ours also take older addresses of the attachment.
"""

import dataclasses
import ipaddress

import plugin


@dataclasses.dataclass
class Range:
    """Addresses first...last of a subnet, with the gateway that is never handed out."""

    subnet: ipaddress.IPv4Network | ipaddress.IPv6Network
    first: ipaddress.IPv4Address | ipaddress.IPv6Address
    last: ipaddress.IPv4Address | ipaddress.IPv6Address
    gateway: ipaddress.IPv4Address | ipaddress.IPv6Address

    def __contains__(self, address):
        return address.version == self.subnet.version and self.first <= address <= self.last

    def __str__(self):
        return "%s-%s" % (self.first, self.last)


class Refusal(Exception):
    """A failing call; the text is the expected message."""


def parse(sets):
    """The range sets of a configuration."""
    return [
        [Range(ipaddress.ip_network(item["subnet"]), *window) for item, window in zip(ranges, plugin.windows(ranges))]
        for ranges in sets
    ]


class Directory:
    """One network directory: every file but the lock, name to content."""

    def __init__(self):
        self.files = {}

    # MARK: entries

    def entries(self, container, interface):
        """(exact entries, entries that hold the id alone) of an attachment, in the order of a walk."""
        exact, old = plugin.content(container, interface), container.encode()
        names = sorted(self.files)
        return [n for n in names if self.files[n] == exact], [n for n in names if self.files[n] == old]

    def holds(self, container, interface):
        """True when the attachment has any entry."""
        return any(self.entries(container, interface))

    def release(self, container, interface):
        exact, old = self.entries(container, interface)
        for name in exact or old:
            del self.files[name]

    # MARK: verbs

    def add(self, sets, container, interface, requests=()):
        """[(address/length, gateway)], one for each set."""
        pending, taken, answer = list(requests), [], []
        try:
            for index, ranges in enumerate(sets):
                wanted = [a for a in pending if any(a in item for item in ranges)]
                try:
                    if wanted:
                        pending.remove(wanted[0])
                        address, home = self.take(ranges, wanted[0])
                    else:
                        address, home = self.choose(ranges, index, container, interface)
                except Refusal as refusal:
                    raise Refusal("failed to allocate for range %d: %s" % (index, refusal)) from None
                self.files[str(address)] = plugin.content(container, interface)
                self.files["%s%d" % (plugin.CURSOR, index)] = str(address).encode()
                taken.append(str(address))
                answer.append(("%s/%d" % (address, home.subnet.prefixlen), str(home.gateway)))
            if pending:
                raise Refusal("failed to allocate all requested IPs: " + " ".join(map(str, pending)))
        except Refusal:
            for name in taken:
                del self.files[name]
            raise
        return answer

    def delete(self, sets, container, interface):
        for _ in sets:
            self.release(container, interface)

    def check(self, container, interface):
        if not self.holds(container, interface):
            raise Refusal("host-local: Failed to find address added by container " + container)

    # MARK: allocation

    def take(self, ranges, address):
        """A requested address; whether the attachment has one already does not matter."""
        home = next(item for item in ranges if address in item)
        if address == home.gateway:
            raise Refusal("requested ip %s is subnet's gateway" % address)
        if str(address) in self.files:
            whole = ",".join(map(str, ranges))
            raise Refusal("requested IP address %s is not available in range set %s" % (address, whole))
        return address, home

    def choose(self, ranges, index, container, interface):
        """The first free address behind the cursor."""
        exact, old = self.entries(container, interface)
        for name in sorted(exact + old):
            if any(ipaddress.ip_address(name) in item for item in ranges):
                reason = "%s has been allocated to %s, duplicate allocation is not allowed"
                raise Refusal(reason % (name, container))
        position = start = self.successor(ranges, self.cursor(ranges, index))
        while True:
            address, home = position
            if address != ranges[home].gateway and str(address) not in self.files:
                return address, ranges[home]
            position = self.successor(ranges, position)
            if position == start:
                raise Refusal("no IP addresses available in range set: " + ",".join(map(str, ranges)))

    def cursor(self, ranges, index):
        """(address handed out last, index of its range), or None when the cursor does not fit the set."""
        stored = self.files.get("%s%d" % (plugin.CURSOR, index))
        if stored is None:
            return None
        address = ipaddress.ip_address(stored.decode())
        return next(((address, home) for home, item in enumerate(ranges) if address in item), None)

    @staticmethod
    def successor(ranges, position):
        """The position after this one; without one, the very first."""
        if position is None:
            return ranges[0].first, 0
        address, home = position
        if address != ranges[home].last:
            return address + 1, home
        home = (home + 1) % len(ranges)
        return ranges[home].first, home
