"""The commands that README and articles show, executed as they stand in a machine of their own.

A document is a script: its blocks run from the first to the last in one shell, in a root file system of their own (an
overlay on this machine's, so that nothing is seen outside), with a network and a host name of their own. What a block is
for is said by its language, and by a comment of HTML before it, which no reader sees:

  ```console                 lines after `$ ` are commands (with continuation lines and here-documents), the rest is what
                             they print; a row `...` stands for any number of rows, and what differs from one run to the
                             next, such as a time, for any other
  ```sh                      commands that have to succeed, whatever they print
  <!-- file: PATH -->        the next block is the content of this file
  <!-- prepare ... -->       commands that a reader need not see
  <!-- sandbox: etcd -->     the machine has more: `etcd` at https://10.0.0.1:2379 with certificates in /etc/etcd, and
                             `kubernetes`, which ~/.kube/config is for

  documentation.py --record PACKAGE FILE...     writes what the commands print into the documents
"""

import contextlib
import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

TESTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(TESTS))
CATALOGUE = os.path.join(ROOT, "Sources", "ipamctl", "ipamctl.docc")
TIMEOUT = 300

FENCE = re.compile(r"^```(\w*)\s*$")
COMMENT = re.compile(r"^<!-- (file|sandbox): (.*?) -->$")
HERE_DOCUMENT = re.compile(r"<<-?\s*'?\"?(\w+)'?\"?")
# What is another one every time.
VARYING = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d{4} UTC)?"), "TIME"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b([0-9a-f]{64}|[0-9a-f]{32})\b"), "DIGEST"),
    (re.compile(r"\b(sequence ?[Nn]umber\"?:?) \d+"), r"\1 NUMBER"),
    (re.compile(r"\(\d+ files\)"), "(N files)"),
    (re.compile(r"\b\d+ bytes\b"), "N bytes"),
    (re.compile(r"\b\d+ network namespaces"), "N network namespaces"),
]
# Chores of the sources, which CI runs by themselves: here it counts that they are there.
CHORES = ("package", "quickstart", "test", "benchmark")


@dataclasses.dataclass
class Step:
    """One command, or the content of a file."""

    text: str
    line: int
    kind: str  # console, sh, prepare or file
    path: str = ""
    expected: list = dataclasses.field(default_factory=list)
    # Where the expected rows are in the document.
    rows: tuple = (0, 0)


@dataclasses.dataclass
class Result:
    status: int
    output: list


class Document:
    """A file in Markdown as the steps that it shows."""

    def __init__(self, path):
        self.path, self.needs, self.steps = path, set(), []
        with open(path, encoding="utf-8") as file:
            self.lines = file.read().splitlines()
        self.read()

    def read(self):
        index, file = 0, ""
        while index < len(self.lines):
            line = self.lines[index]
            comment, fence = COMMENT.match(line), FENCE.match(line)
            if comment and comment.group(1) == "sandbox":
                self.needs |= set(re.split(r"[ ,]+", comment.group(2)))
            elif comment:
                file = comment.group(2)
            elif line == "<!-- prepare":
                end = self.lines.index("-->", index)
                self.steps.append(Step("\n".join(self.lines[index + 1 : end]), index + 1, "prepare"))
                index = end
            elif fence:
                end = self.lines.index("```", index + 1)
                self.add(fence.group(1), index + 1, end, file)
                file, index = "", end
            elif line.strip():
                file = ""
            index += 1

    def add(self, language, first, end, file):
        body = self.lines[first:end]
        if file:
            self.steps.append(Step("\n".join(body) + "\n", first, "file", file))
        elif language == "sh":
            self.steps.append(Step("\n".join(body), first, "sh"))
        elif language == "console":
            self.add_console(first, end)

    def add_console(self, first, end):
        index = first
        while index < end:
            line = self.lines[index]
            if not line.startswith("$ "):
                raise ValueError("%s:%d: output before any command" % (self.path, index + 1))
            start, words = index, [line[2:]]
            while words[-1].endswith("\\"):
                index += 1
                words.append(self.lines[index])
            mark = HERE_DOCUMENT.search(words[-1])
            while mark and words[-1] != mark.group(1):
                index += 1
                words.append(self.lines[index])
            index += 1
            output = index
            while index < end and not self.lines[index].startswith("$ "):
                index += 1
            self.steps.append(
                Step("\n".join(words), start + 1, "console", "", self.lines[output:index], (output, index))
            )

    def record(self, results):
        """Puts what was printed in place of what is shown, where it differs, and writes the file."""
        for step, result in reversed(list(zip(self.steps, results))):
            if step.kind == "console" and not matches(step.expected, result.output):
                self.lines[step.rows[0] : step.rows[1]] = result.output
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("\n".join(self.lines) + "\n")


def documents():
    """README and the articles."""
    articles = sorted(name for name in os.listdir(CATALOGUE) if name.endswith(".md"))
    return [os.path.join(ROOT, "README.md"), *(os.path.join(CATALOGUE, name) for name in articles)]


def constant(line):
    """A row without what differs from run to run."""
    for pattern, placeholder in VARYING:
        line = pattern.sub(placeholder, line)
    # Columns are as wide as what is in them.
    return re.sub(r" +", " ", re.sub(r"-{3,}", "---", line)).rstrip()


def matches(expected, found):
    """Whether rows are as shown; `...` alone in a row stands for any rows."""
    expected, found = [constant(line) for line in expected], [constant(line) for line in found]
    if "..." not in expected:
        return expected == found
    at = expected.index("...")
    if expected[:at] != found[:at]:
        return False
    rest = expected[at + 1 :]
    return any(matches(rest, found[skip:]) for skip in range(at, len(found) + 1))


# MARK: The machine


def run(document, package):
    """Executes the steps of a document with the programs of a package, and returns a Result for each."""
    with tempfile.TemporaryDirectory(prefix="swift-ipam-document.") as place:
        request = {
            "needs": sorted(document.needs),
            "package": os.path.abspath(package),
            "steps": [[step.kind, step.text, step.path] for step in document.steps],
        }
        with open(os.path.join(place, "request"), "w", encoding="utf-8") as file:
            json.dump(request, file)
        words = ["unshare", "--mount", "--net", "--uts", "--ipc", "--propagation", "private"]
        done = subprocess.run(
            [*words, sys.executable, "-B", os.path.join(TESTS, "documentation.py"), "--inside", place],
            capture_output=True, text=True, timeout=TIMEOUT + 60,
        )
        if os.path.exists(os.path.join(place, "skip")):
            with open(os.path.join(place, "skip"), encoding="utf-8") as file:
                raise unittest.SkipTest(file.read())
        results = list(collected(place, len(document.steps)))
        if done.returncode and not results:
            raise AssertionError("no machine for %s: %s" % (document.path, done.stdout + done.stderr))
        return results


def collected(place, count):
    for number in range(count):
        base = os.path.join(place, str(number))
        if not os.path.exists(base + ".status"):
            return
        with open(base + ".status", encoding="ascii") as file:
            status = int(file.read() or 1)
        with open(base + ".out", encoding="utf-8", errors="replace") as file:
            yield Result(status, [line.rstrip() for line in file.read().rstrip("\n").splitlines()])


class Machine(contextlib.ExitStack):
    """The inside: mounts, addresses and servers, and one shell that executes everything."""

    home = "/home/operator"

    def __init__(self, place, request):
        super().__init__()
        self.place, self.request = place, request
        self.root = os.path.join(place, "machine", "root")

    # Servers register what ends them as tests do.
    def addCleanup(self, function, *arguments):
        self.callback(function, *arguments)

    def path(self, inside):
        return self.root + inside

    def sh(self, script, *words):
        subprocess.run(["sh", "-ec", script, "sh", *words], check=True)

    def build(self):
        layers = os.path.dirname(self.root)
        os.mkdir(layers)
        # The package is copied before it may be hidden by a mount of the machine's own.
        self.sh(
            """
            mount -t tmpfs tmpfs "$1"; cd "$1"; mkdir upper work root
            mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" root
            for name in proc sys dev; do mount --rbind "/$name" "root/$name"; done
            mount -t tmpfs tmpfs root/run
            mkdir -p "root$2"; mount --bind "$2" "root$2"
            cd root
            rm -rf etc/calico etc/cni etc/swift-ipam etc/etcd opt/cni usr/local/share/man/man1
            rm -rf var/lib/calico var/lib/cni var/lib/swift-ipam home/operator
            mkdir -p opt/cni/bin etc/cni/net.d home/operator usr/local/bin etc/systemd/system run/netns
            hostname node-1
            ip link set lo up
            """, layers, self.place)
        self.copy_sources()
        if "etcd" in self.request["needs"]:
            self.start_etcd()
        if "kubernetes" in self.request["needs"]:
            self.start_kubernetes()

    def copy_sources(self):
        """What a reader has who follows the text: the sources with the package made."""
        target = self.path(self.home + "/swift-ipam")
        os.makedirs(target + "/integration")
        shutil.copytree(self.request["package"], target + "/dist", symlinks=True)
        for name in CHORES:
            if not os.access(os.path.join(ROOT, "integration", name), os.X_OK):
                raise AssertionError("integration/%s is no program" % name)
            with open(os.path.join(target, "integration", name), "w", encoding="ascii") as file:
                file.write("#!/bin/sh\n")
            os.chmod(file.name, 0o755)
        shutil.copytree(os.path.join(ROOT, "integration", "kubernetes"), target + "/integration/kubernetes")
        self.write_systemctl()

    def write_systemctl(self):
        """Stands in for systemd, which is not there: starts what a unit says, and tells whether it runs."""
        with open(self.path("/usr/local/bin/systemctl"), "w", encoding="ascii") as file:
            file.write("""#!/bin/bash
set -e
unit=/etc/systemd/system/${!#}.service
case $1 in
  enable)
    words=$(sed -n 's/^ExecStart=//p' "$unit")
    [ -n "$words" ]
    setsid $words >/run/unit.log 2>&1 </dev/null &
    echo $! >/run/unit.pid ;;
  stop) kill "$(cat /run/unit.pid)" && rm /run/unit.pid ;;
  *) echo "systemctl $1 is not known here" >&2; exit 1 ;;
esac
""")
        os.chmod(file.name, 0o755)
        self.callback(self.stop_unit)

    def stop_unit(self):
        try:
            with open(self.path("/run/unit.pid"), encoding="ascii") as file:
                os.kill(int(file.read()), signal.SIGKILL)
        except FileNotFoundError:
            pass  # no document has started it, or it was stopped

    def start_etcd(self):
        import certificates
        import etcd

        address = "10.0.0.1"
        self.sh('ip address add "$1/32" dev lo', address)

        class Authority(certificates.Authority):
            def issue(self, name, hosts=certificates.LOOPBACK, **options):
                return super().issue(name, hosts=(*hosts, address), **options)

        class Etcd(etcd.Etcd):
            def url_at(self, port):
                return "https://%s:2379" % address

        authority = Authority.make(os.path.join(self.place, "certificates"))
        server = Etcd(self, authority=authority)
        os.makedirs(self.path("/etc/etcd"))
        files = {"ca.pem": authority.certificate, "client.pem": server.admin.certificate, "client-key.pem": server.admin.key}
        for name, source in files.items():
            shutil.copy(source, self.path("/etc/etcd/" + name))

    def start_kubernetes(self):
        import kubernetes

        if not shutil.which("kubectl"):
            raise unittest.SkipTest("kubectl is missing (package kubernetes-client)")
        server = kubernetes.Kubernetes(self, group=None)
        os.makedirs(self.path(self.home + "/.kube"))
        source = server.kubeconfig_for("operator", token=kubernetes.ADMIN)
        shutil.copy(source, self.path(self.home + "/.kube/config"))

    def execute(self):
        """Runs everything in one shell, which keeps its directory and variables from step to step."""
        script = ["cd %s/swift-ipam" % self.home]
        for number, (kind, text, path) in enumerate(self.request["steps"]):
            base = os.path.join(self.place, str(number))
            with open(base + ".text", "w", encoding="utf-8") as file:
                file.write(text)
            if kind == "file":
                command = 'mkdir -p "$(dirname %s)" && cp %s.text %s' % (path, base, path)
            else:
                options = "set -e; " if kind in ("sh", "prepare") else ""
                command = '%seval "$(cat %s.text)"' % (options, base)
            if kind in ("sh", "prepare"):
                # What fails ends the shell: what comes after it would only fail for another reason.
                script.append("trap 'echo $? >%s.status' EXIT" % base)
            script.append("{ %s; } >%s.out 2>&1 </dev/null" % (command, base))
            script.append("echo $? >%s.status; set +e; trap - EXIT" % base)
        with open(os.path.join(self.place, "script"), "w", encoding="utf-8") as file:
            file.write("\n".join(script) + "\n")
        environment = {
            "PATH": "/opt/cni/bin:/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin",
            "HOME": self.home, "LC_ALL": "C.UTF-8", "TERM": "dumb", "USER": "root", "COLUMNS": "100",
        }
        words = ["setpriv", "--pdeathsig", "KILL", "chroot", self.root, "/bin/bash", os.path.join(self.place, "script")]
        subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)


def inside(place):
    with open(os.path.join(place, "request"), encoding="utf-8") as file:
        request = json.load(file)
    sys.path.insert(0, TESTS)
    with Machine(place, request) as machine:
        try:
            machine.build()
        except unittest.SkipTest as reason:
            with open(os.path.join(place, "skip"), "w", encoding="utf-8") as file:
                file.write(str(reason))
            return
        machine.execute()


def record(package, paths):
    for path in paths:
        document = Document(path)
        results = run(document, package)
        for step, result in zip(document.steps, results):
            if result.status and step.kind != "console":
                print("%s:%d: status %d\n%s" % (path, step.line, result.status, "\n".join(result.output)))
        if len(results) < len(document.steps):
            print("%s: ended after %d of %d steps" % (path, len(results), len(document.steps)))
        document.record(results)


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(sys.argv[2])
    elif sys.argv[1] == "--record":
        record(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(__doc__)
