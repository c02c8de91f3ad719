"""Repeatable randomness: every random test prints the seed that repeats it."""

import os
import random


def source(purpose):
    """A generator of its own for each purpose, from SEED or, without it, from a fresh seed."""
    seed = os.environ.get("SEED") or str(int.from_bytes(os.urandom(4), "big"))
    print("seed %s for %s (repeat with SEED=%s)" % (seed, purpose, seed), flush=True)
    return random.Random("%s %s" % (seed, purpose))


def child(parent):
    """A generator for another thread, repeatable whatever the threads do."""
    return random.Random(parent.getrandbits(64))


def count(variable, default):
    """A size that the environment may change."""
    return int(os.environ.get(variable) or default)
