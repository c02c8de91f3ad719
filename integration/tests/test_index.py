#!/usr/bin/env python3
"""What ours remembers of a directory below /run: it may be damaged or out of date, but never misleads."""

import ipaddress
import os

import foreign
import isolation
import seeds


class Index(foreign.ForeignTest):
    def test_damaged_index_is_not_believed(self):
        """What ours remembers, cut short, zeroed, garbled or written twice, misleads nobody."""
        isolation.require()
        host, random = foreign.Host(self, "damaged"), seeds.source("damage to the index")
        damages = {
            "empty": lambda held: b"",
            "one byte": lambda held: held[:1],
            "half": lambda held: held[: len(held) // 2],
            "one byte less": lambda held: held[:-1],
            "zeroed": lambda held: bytes(len(held)),
            "garbled": lambda held: random.randbytes(len(held)),
            "doubled": lambda held: held * 2,
        }
        with host.active():
            self.filled(name="known")
            self.index_files()
            for number, (name, damage) in enumerate(damages.items()):
                with self.subTest(name):
                    network = self.filled(name="pods-%d" % number)
                    self.rewrite_index(damage)
                    self.assertTruthful(network)

    def test_scattered_damage_to_the_index_is_survived(self):
        """With single bits of it turned over or its end garbled, calls still answer, and no address is given twice."""
        isolation.require()
        host, random = foreign.Host(self, "scattered"), seeds.source("bits of the index")

        def turn_bits(held):
            if random.random() < 0.1:
                return held[: len(held) // 2] + random.randbytes(len(held) - len(held) // 2)
            spoilt = bytearray(held)
            for _ in range(random.choice((1, 1, 8, 64))):
                spoilt[random.randrange(len(spoilt))] ^= 1 << random.randrange(8)
            return bytes(spoilt)

        with host.active():
            network = self.filled()
            for turn in range(60):
                self.rewrite_index(turn_bits)
                before = network.reservations()
                answer = network.add("more-%d" % turn)
                if answer.status:
                    self.assertFails(answer, 999)
                else:
                    self.assertNotIn(self.assertSucceeds(answer).addresses[0], before)
                self.assertSucceeds(network.delete("more-%d" % turn))
                self.assertLessEqual(before.items(), network.reservations().items(), "a foreign reservation is gone")

    def index_files(self):
        """The files of the index; without any the test is skipped."""
        files = [os.path.join(place, name) for place, _, names in os.walk(foreign.INDEX) for name in names]
        if not files:
            self.skipTest("nothing is remembered below %s" % foreign.INDEX)
        return files

    def rewrite_index(self, change):
        """Changes every file of the index in place."""
        for path in self.index_files():
            with open(path, "r+b") as file:
                changed = change(file.read())
                file.seek(0)
                file.truncate()
                file.write(changed)

    def test_changes_that_make_it_grow_are_all_seen(self):
        """Others free some addresses and take many more between two calls: what they freed is free.

        The numbers lie on both sides of the sizes at which a table of records is full.
        """
        for number, own in enumerate((20, 31, 32, 33, 60, 63, 64, 65, 120, 128, 250)):
            with self.subTest(own=own):
                network = self.network(name="net-%d" % number, sets=["10.83.0.0/22"])
                base = ipaddress.ip_address("10.83.0.1")
                for one in range(own):
                    self.assertSucceeds(network.add("own-%d" % one))
                for freed in (2, own // 2, own):
                    os.unlink(self.path(network, str(base + freed)))
                for taken in range(own + 10):
                    self.reserve(network, str(base + 512 + taken), "other-%d" % taken)
                # Nothing may come before these: a call that notices one error could repair all.
                for freed in (own // 2, 2, own):
                    heir = "heir-%d" % freed
                    answer = self.assertSucceeds(network.add(heir, arguments="IP=%s" % (base + freed)))
                    self.assertEqual(answer.addresses, [str(base + freed)])
                self.assertAbsent(network, ["own-%d" % (freed - 1) for freed in (2, own // 2, own)])
                for taken in range(0, own + 10, 7):
                    self.assertFails(network.add("other-%d" % taken), 999, "duplicate allocation is not allowed")


if __name__ == "__main__":
    isolation.main()
