"""Tables of measurements: ratios, the bars they have to stay below, and the machine they were taken on."""

import contextlib
import dataclasses
import os
import platform
import shutil
import tempfile
import time

import measure


@dataclasses.dataclass(frozen=True)
class Bar:
    """The most that ours may be, as a multiple of `reference`: "original", or "empty" for ours with no reservations.

    With the reference "itself" the limit is in the row's own unit.
    """

    reference: str
    limit: float


def figure(value):
    """A number with three significant digits or so."""
    return "%.0f" % value if value >= 1000 else "%.1f" % value if value >= 10 else "%.2f" % value


def ratio_text(ratio):
    return "%.2f" % ratio if ratio >= 0.1 else "%.3f" % ratio if ratio >= 0.01 else "%.4f" % ratio


@dataclasses.dataclass(frozen=True)
class Row:
    """One thing measured. Times are summaries, everything else is a plain number."""

    title: str
    ours: object
    original: object
    empty: object
    bars: tuple
    unit: str
    note: str

    def ratio(self, reference, field="wall"):
        """Ours as a multiple of another column, or None if there is none."""
        if reference == "itself":
            return self.ours
        other = getattr(self, reference)
        if other is None:
            return None
        if isinstance(other, measure.Summary):
            return getattr(self.ours, field) / getattr(other, field) if getattr(other, field) else None
        return self.ours / other

    def is_met(self, bar):
        return self.ratio(bar.reference) <= bar.limit

    def cell(self, column):
        value = getattr(self, column)
        if value is None:
            return ""
        if isinstance(value, measure.Summary):
            return "%s (%s) %s" % (figure(value.wall), figure(value.least), self.unit)
        return "%s %s" % (figure(value), self.unit)

    def ratio_cell(self, reference, field="wall"):
        ratio = self.ratio(reference, field)
        return "" if ratio is None else ratio_text(ratio)

    def bar_cell(self, *references):
        return ", ".join(
            "≤ %s: %s" % (format(bar.limit, ",g"), "met" if self.is_met(bar) else "**missed**")
            for bar in self.bars
            if bar.reference in references
        )

    def processor_cell(self):
        return self.ratio_cell("original", "processor") if isinstance(self.ours, measure.Summary) else ""

    def count_cell(self):
        columns = (self.ours, self.original)
        return " / ".join(str(column.count) for column in columns if isinstance(column, measure.Summary))

    def cells(self):
        title = "%s; %s" % (self.title, self.note) if self.note else self.title
        return [
            title,
            self.cell("ours"),
            self.cell("original"),
            self.ratio_cell("original"),
            self.bar_cell("original", "itself"),
            self.ratio_cell("empty"),
            self.bar_cell("empty"),
            self.processor_cell(),
            self.count_cell(),
        ]

    def line(self):
        """The row for somebody who watches."""
        parts = [self.title, "ours " + self.cell("ours")]
        if self.original is not None:
            parts.append("original %s, ratio %s" % (self.cell("original"), self.ratio_cell("original")))
        if self.empty is not None:
            parts.append("%s x ours when empty" % self.ratio_cell("empty"))
        return "; ".join(parts)


HEADINGS = [
    "what",
    "ours",
    "original",
    "ours / original",
    "bar",
    "ours / ours at 0",
    "bar",
    "CPU, ours / original",
    "runs",
]


def table(rows, headings=HEADINGS):
    """A Markdown table whose columns line up as plain text as well."""
    lines = [headings] + [row.cells() for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    text = [
        "| %s |" % " | ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        )
        for line in lines
    ]
    rule = ["-" * width if column == 0 else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return "\n".join([text[0], "| %s |" % " | ".join(rule), *text[1:]])


def judge(rows):
    """How many bars are met, and how many missed."""
    verdicts = [row.is_met(bar) for row in rows for bar in row.bars]
    return sum(verdicts), len(verdicts) - sum(verdicts)


@dataclasses.dataclass(frozen=True)
class Machine:
    """Where the figures were taken."""

    processor: str
    cores: int
    system: str
    kernel: str
    file_system: str
    load: str

    @classmethod
    def here(cls, directory):
        return cls(
            processor=processor(),
            cores=len(os.sched_getaffinity(0)),
            system=platform.freedesktop_os_release().get("PRETTY_NAME", "Linux"),
            kernel="Linux %s %s" % (platform.release().split("-")[0], platform.machine()),
            file_system=file_system(directory),
            load="%.1f" % os.getloadavg()[0],
        )

    def __str__(self):
        cores = "%d core%s" % (self.cores, "" if self.cores == 1 else "s")
        place = "%s on %s" % (self.file_system, self.system)
        return "%s, %s, %s, %s, load %s at the start" % (self.processor, cores, self.kernel, place, self.load)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model"):
                return " ".join(value.split())
    return platform.machine()


def file_system(path):
    """The type of the file system that a path lies on: that of the mount with the path's device number."""
    device = os.stat(path).st_dev
    wanted = "%d:%d" % (os.major(device), os.minor(device))
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            fields, _, rest = line.partition(" - ")
            if fields.split()[2] == wanted:
                return rest.split()[0]
    return "unknown file system"


@contextlib.contextmanager
def workplace(*versions):
    """A directory for a run, where state lies in life (/tmp is in memory on many machines), and the machine."""
    directory = tempfile.mkdtemp(prefix="swift-ipam-benchmark.", dir=os.environ.get("TMPDIR") or "/var/tmp")
    try:
        machine = Machine.here(directory)
        print("\n".join((str(machine), *versions, "")), flush=True)
        yield directory, machine
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def publish(template, path, rows, headings=HEADINGS, **facts):
    """Writes the report to a file and its table to stdout. It names releases and not paths, which mean nothing on another
    machine. Returns the exit status: 1 when a bar is missed."""
    lines = table(rows, headings)
    met, missed = judge(rows)
    date = time.strftime("%Y-%m-%d", time.gmtime())
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(template % {"date": date, "met": met, "missed": missed, "table": lines, **facts})
    print("\n%s\n\n%d bars met, %d missed; written to %s" % (lines, met, missed, os.path.relpath(path)))
    return 1 if missed else 0
