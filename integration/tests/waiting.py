"""Waiting for what another process brings about: never a fixed time, always for something that can be seen."""

import time

PAUSE = 0.01


def until(check, said, seconds=15):
    """Asks until the answer is true in Python's sense, and returns it. `said` may be a function that describes what is."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError("after %g s: %s" % (seconds, said() if callable(said) else said))
        time.sleep(PAUSE)


def while_true(check, said, seconds):
    """For so long, nothing may make the answer false."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not check():
            raise AssertionError(said() if callable(said) else said)
        time.sleep(PAUSE)
