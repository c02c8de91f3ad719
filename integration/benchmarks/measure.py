"""Runs programs in turn and says how long they took, as the kernel accounts it."""

import dataclasses
import os
import statistics
import time


@dataclasses.dataclass(frozen=True)
class Sample:
    """One process: from spawn to reaped, and what it and its children used of the processor."""

    wall: float
    processor: float
    status: int


@dataclasses.dataclass(frozen=True)
class Summary:
    """Samples of one thing, in milliseconds."""

    count: int
    wall: float
    least: float
    processor: float

    @classmethod
    def of(cls, samples):
        return cls(
            count=len(samples),
            wall=statistics.median(sample.wall for sample in samples) * 1000,
            least=min(sample.wall for sample in samples) * 1000,
            processor=statistics.median(sample.processor for sample in samples) * 1000,
        )


def start(command, environment, stdin):
    """Starts a process that reads a file and whose output nobody reads."""
    return os.posix_spawn(
        command[0],
        command,
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
    )


def run(command, environment, stdin=os.devnull, expected=0):
    """Runs a process to its end. Another exit status than the expected one ends the benchmark."""
    began = time.perf_counter()
    process = start(command, environment, stdin)
    _, status, usage = os.wait4(process, 0)
    ended = time.perf_counter()
    status = os.waitstatus_to_exitcode(status)
    if status != expected:
        raise RuntimeError("%s ended with %d: %s" % (command[0], status, environment))
    return Sample(ended - began, usage.ru_utime + usage.ru_stime, status)


def run_parallel(calls, width):
    """Runs (command, environment, stdin) calls, `width` at a time; the sample is of all of them together."""
    calls, running, processor, failures = iter(calls), 0, 0.0, 0
    began = time.perf_counter()
    while True:
        while running < width and (call := next(calls, None)):
            start(*call)
            running += 1
        if not running:
            break
        _, status, usage = os.wait4(-1, 0)
        running -= 1
        processor += usage.ru_utime + usage.ru_stime
        failures += status != 0
    return Sample(time.perf_counter() - began, processor, failures)


def in_turn(steps, budget, least=5, most=300):
    """Repeats the steps A B C A B C ... until the budget (in seconds) is spent, and sums up each named step.

    A step is (name or None, function of the round's number); what has no name is preparation and is not counted. What
    else the machine does meets all steps alike, which makes their ratios worth more than their times. The first round
    warms up and is not counted either.
    """
    samples = {name: [] for name, _ in steps if name}
    began = time.perf_counter()
    for number in range(most + 1):
        for name, step in steps:
            sample = step(number)
            if name and number:
                samples[name].append(sample)
        if number >= least and time.perf_counter() - began > budget:
            break
    return {name: Summary.of(taken) for name, taken in samples.items()}


def read_from_disk(path):
    """Drops a file from the page cache, so that the next run maps it as it was read and not as it was written.

    What was just linked lies in the cache in large pieces, which are mapped whole and count as the process's.
    """
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def peak_memory(command, environment, stdin, output):
    """The largest resident set of a process in KiB, as GNU time tells it.

    Not from here: a child's figure starts at what its parent had, and Python has more than either program.
    """
    run(["/usr/bin/time", "--format=%M", "--output=" + output, *command], environment, stdin)
    with open(output, encoding="ascii") as file:
        return int(file.read())
