"""Who holds which address while many processes add and delete."""

import threading


class Ledger:
    """Who holds which address, from an ADD's successful return to the start of its DEL, as the runtime sees it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.owner, self.held = {}, {}
        self.wanted, self.doubtful = set(), set()
        self.violations = []

    def intend(self, containers):
        """These will be added: the collector must leave them alone from now on."""
        with self.lock:
            self.wanted |= set(containers)

    def returned(self, container, addresses):
        """An ADD has succeeded."""
        with self.lock:
            for address in addresses:
                if address in self.owner:
                    self.violations.append("%s given to %s and %s" % (address, self.owner[address], container))
                self.owner[address] = container
            self.held[container] = addresses

    def give_up(self, container):
        """A DEL begins, or an ADD was killed: whatever the container has may be given to others from now on."""
        with self.lock:
            for address in self.held.pop(container, []):
                if self.owner.get(address) == container:
                    del self.owner[address]
            self.wanted.discard(container)
            self.doubtful.add(container)

    def released(self, container):
        """A DEL has succeeded."""
        with self.lock:
            self.doubtful.discard(container)

    def valid(self):
        with self.lock:
            return [(container, "eth0") for container in sorted(self.wanted)]

    def complain(self, text):
        with self.lock:
            self.violations.append(text)
