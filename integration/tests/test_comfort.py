#!/usr/bin/env python3
"""What makes the tools pleasant: help with examples, completions in three shells, manual pages, kubectl's plugin, and a
line of progress where a terminal looks on.

IPAMCTL and IPAM_NODE name the tools.
"""

import json
import os
import pty
import re
import shutil
import subprocess
import tempfile

import calico
import hosts
import isolation
import kubernetes
import plugin
import proxy
import servers

MANUAL = os.path.join(servers.ROOT, "integration", "manual")


def output(*words, **options):
    return subprocess.run(words, check=True, capture_output=True, text=True, **options).stdout


def commands(program):
    """Every command of a program as words, with its description."""

    def walk(one, parents):
        words = (*parents, one["commandName"])
        yield words, one
        for below in one.get("subcommands", []):
            if below["commandName"] != "help":
                yield from walk(below, words)

    return list(walk(json.loads(output(program, "--experimental-dump-help"))["command"], ()))


class ToolTest(plugin.PluginTest):
    def setUp(self):
        super().setUp()
        self.ipamctl, self.ipam_node = hosts.ipamctl(), os.path.abspath(os.environ.get("IPAM_NODE", ""))
        if not os.access(self.ipam_node, os.X_OK) or os.path.isdir(self.ipam_node):
            self.skipTest("IPAM_NODE names no program: build the product ipam-node")
        self.tools = os.path.join(self.temporary, "bin")
        os.mkdir(self.tools)
        os.symlink(self.ipamctl, os.path.join(self.tools, "ipamctl"))
        os.symlink(self.ipam_node, os.path.join(self.tools, "ipam-node"))
        os.symlink("ipamctl", os.path.join(self.tools, "kubectl-ipam"))

    def tool(self, name):
        return os.path.join(self.tools, name)


class HelpTest(ToolTest):
    def test_every_command_has_an_abstract_and_an_example_of_itself(self):
        for program in ("ipamctl", "ipam-node"):
            for words, one in commands(self.tool(program)):
                with self.subTest(" ".join(words)):
                    self.assertTrue(one.get("abstract"))
                    discussion = one.get("discussion", "")
                    self.assertRegex(discussion + "\n", r"(?m)^ +%s\b" % " ".join(words), "no example")

    def test_every_command_prints_its_help_within_a_hundred_columns(self):
        for words, _ in commands(self.tool("ipamctl")):
            done = subprocess.run(
                [self.tool("ipamctl"), *words[1:], "--help"], capture_output=True, text=True, env={"COLUMNS": "100"}
            )
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertIn("USAGE: " + " ".join(words), done.stdout)


class CompletionTest(ToolTest):
    def script(self, shell, program="ipamctl"):
        path = os.path.join(self.temporary, "%s.%s" % (program, shell))
        with open(path, "w", encoding="utf-8") as file:
            file.write(output(self.tool(program), "--generate-completion-script", shell))
        return path

    def environment(self):
        return {"PATH": self.tools + ":" + os.environ["PATH"], "HOME": self.temporary, "TERM": "dumb"}

    def bash(self, line):
        """What bash offers at the end of a line."""
        script = """
            . "$1"; line=$2; read -r -a COMP_WORDS <<<"$line"; [[ $line != *' ' ]] || COMP_WORDS+=('')
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
            _ipamctl ipamctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        words = ["bash", "-c", script, "bash", self.script("bash"), line]
        return output(*words, env=self.environment(), cwd=self.temporary).split()

    def fish(self, line):
        if not shutil.which("fish"):
            self.skipTest("fish is missing (package fish)")
        script = 'source $argv[1]; complete --do-complete $argv[2]'
        text = output("fish", "-c", script, self.script("fish"), line, env=self.environment(), cwd=self.temporary)
        return [row.split("\t")[0] for row in text.splitlines()]

    def zsh(self, line):
        """What zsh offers: its completion needs a terminal, in which a tab is pressed twice."""
        if not shutil.which("zsh"):
            self.skipTest("zsh is missing (package zsh)")
        functions = os.path.join(self.temporary, "functions")
        os.makedirs(functions, exist_ok=True)
        shutil.copy(self.script("zsh"), os.path.join(functions, "_ipamctl"))
        script = """
            zmodload zsh/zpty; zpty shell zsh -f -i
            zpty -w shell "PS1=; fpath=($1 \\$fpath); autoload -Uz compinit; compinit -u -D; setopt no_list_beep"
            zpty -w shell "zstyle ':completion:*' list-prompt ''; bindkey '^I' list-choices; print READY"
            while zpty -r shell row; do [[ $row != *READY* || $row == *print* ]] || break; done
            zpty -n -w shell "$2"$'\\t'; sleep 1
            zpty -n -w shell $'\\C-u'"print FINISHED"$'\\n'
            while zpty -r shell row; do print -r -- "$row"; [[ $row != *FINISHED* ]] || break; done
        """
        text = output(
            "timeout", "30", "zsh", "-f", "-c", script, "zsh", functions, line, env=self.environment(),
            cwd=self.temporary)
        return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", " ", text).split()

    def test_scripts_are_sound_in_their_shells(self):
        for shell in ("bash", "zsh", "fish"):
            if shutil.which(shell):
                for program in ("ipamctl", "ipam-node", "kubectl-ipam"):
                    subprocess.run([shell, "-n", self.script(shell, program)], check=True)

    def test_bash_completes_commands_flags_values_kinds_and_files(self):
        for name in ("pools.yaml", "notes.txt"):
            with open(os.path.join(self.temporary, name), "w", encoding="ascii"):
                pass
        self.assertLessEqual({"get", "apply", "ipam", "host-local", "datastore"}, set(self.bash("ipamctl ")))
        self.assertLessEqual({"show", "check", "gc", "release"}, set(self.bash("ipamctl ipam ")))
        self.assertEqual(self.bash("ipamctl ipam show --show-bl"), ["--show-blocks"])
        self.assertEqual(self.bash("ipamctl ipam show --datastore "), ["sqlite", "etcdv3", "kubernetes"])
        self.assertEqual(self.bash("ipamctl get ipp"), ["ippool"])
        self.assertEqual(self.bash("ipamctl get ippool -o y"), ["yaml"])
        self.assertEqual(self.bash("ipamctl apply -f p"), ["pools.yaml"])
        self.assertEqual(self.bash("ipamctl apply -f n"), [])
        self.assertEqual(self.bash("ipamctl ipam configure --strictaffinity "), ["true", "false"])

    def test_bash_completes_networks_of_the_directory_that_is_named(self):
        os.makedirs(os.path.join(self.data, "pods"))
        line = "ipamctl host-local show --data-dir %s --network " % self.data
        self.assertEqual(self.bash(line), ["pods"])

    def test_bash_completes_names_that_the_datastore_has(self):
        database = os.path.join(self.temporary, "ipam.db")
        store = calico.Store.make(database, ("10.1.0.0/16", "10.2.0.0/16"), ("node-1", "node-2"), None)
        pools = sorted(path.rsplit("/", 1)[1] for path in store.entries(calico.RESOURCES + "ippools/"))
        self.assertEqual(sorted(self.bash("ipamctl get --database %s ippool " % database)), pools)
        self.assertEqual(self.bash("ipamctl delete ippool --database %s %s" % (database, pools[1])), [pools[1]])
        self.assertEqual(self.bash("ipamctl route show --database=%s --node " % database), ["node-1", "node-2"])
        self.assertEqual(self.bash("ipamctl get --database %s ippool " % (database + ".missing")), [])

    def test_fish_completes_commands_flags_and_values(self):
        self.assertLessEqual({"get", "apply", "ipam", "host-local"}, set(self.fish("ipamctl ")))
        self.assertIn("--show-blocks", self.fish("ipamctl ipam show --show"))
        self.assertLessEqual({"sqlite", "etcdv3", "kubernetes"}, set(self.fish("ipamctl ipam show --datastore ")))

    def test_zsh_completes_commands(self):
        self.assertLessEqual({"show", "check", "gc", "release"}, set(self.zsh("ipamctl ipam ")))

    def test_kubectl_completes_the_words_of_its_plugin(self):
        program = os.path.join(os.environ.get("DIST", ""), "kubectl_complete-ipam")
        if not os.access(program, os.X_OK):
            self.skipTest("DIST names no package: integration/package makes one")
        found = output(program, "show", "--datastore", "", env=self.environment()).split()
        self.assertEqual(found, ["sqlite", "etcdv3", "kubernetes", ":4"])
        found = output(program, "", env=self.environment()).split()
        self.assertLessEqual({"show", "check", "get", ":4"}, set(found))
        self.assertFalse({"ipam", "host-local"} & set(found))


class ManualTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.pages = os.path.join(self.temporary, "man1")
        for program in ("ipamctl", "ipam-node", "kubectl-ipam"):
            output(MANUAL, self.tool(program), self.pages, "2026-01-01")

    def rendered(self, name):
        if not shutil.which("man"):
            self.skipTest("man is missing (package man-db)")
        environment = {**os.environ, "MANWIDTH": "200", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"}
        path = os.path.join(self.pages, name)
        done = subprocess.run(
            ["man", "--warnings", "--local-file", path], env=environment, capture_output=True, text=True, check=True
        )
        self.assertEqual(done.stderr, "", name)
        return re.sub(r".\x08|\x1b\[[\d;]*m", "", done.stdout)

    def test_there_is_a_page_for_every_command(self):
        wanted = {"-".join(words) + ".1" for name in ("ipamctl", "ipam-node") for words, _ in commands(self.tool(name))}
        self.assertEqual(set(os.listdir(self.pages)), wanted | {"kubectl-ipam.1"})

    def test_every_page_is_sound_and_has_the_sections_of_a_manual(self):
        for name in sorted(os.listdir(self.pages)):
            text = self.rendered(name)
            for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "SEE ALSO"):
                self.assertRegex(text, r"(?m)^%s$" % section, name)

    def test_mandoc_has_no_complaint(self):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is missing (package mandoc)")
        for name in sorted(os.listdir(self.pages)):
            done = subprocess.run(
                ["mandoc", "-T", "lint", "-W", "warning", os.path.join(self.pages, name)], capture_output=True, text=True
            )
            self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_examples_stand_as_they_are_typed(self):
        text = self.rendered("ipamctl-ipam-gc.1")
        self.assertIn("ipamctl ipam gc --apply\n", text)
        self.assertRegex(self.rendered("ipamctl-create.1"), r"printf '%s' '\{\"apiVersion\":")

    def test_pages_refer_to_pages_that_are_there(self):
        for name in sorted(os.listdir(self.pages)):
            for page in re.findall(r"([\w-]+)\(1\)", self.rendered(name).split("SEE ALSO")[-1].rsplit("\n\n", 1)[0]):
                self.assertIn(page + ".1", os.listdir(self.pages), name)


class KubectlTest(ToolTest):
    def run_plugin(self, *words, **variables):
        environment = {"PATH": self.tools + ":" + os.environ["PATH"], "HOME": self.temporary, **variables}
        return subprocess.run([self.tool("kubectl-ipam"), *words], env=environment, capture_output=True, text=True)

    def test_help_speaks_of_kubectl(self):
        for words in (("--help",), ("show", "--help"), ("help", "gc"), ("get", "--help"), ("datastore", "migrate", "-h")):
            done = self.run_plugin(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertIn("USAGE: kubectl ipam", done.stdout)
            self.assertNotIn("ipamctl ipam", done.stdout)
            self.assertNotIn("kubectl-ipam", done.stdout)

    def test_files_of_one_host_are_none_of_its_business(self):
        done = self.run_plugin("host-local", "show")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")

    def test_errors_speak_of_kubectl(self):
        done = self.run_plugin("show", "--nonsense")
        self.assertEqual((done.returncode, done.stderr), (1, "unknown flag: --nonsense\n"))
        done = self.run_plugin("nonsense")
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("ipamctl", done.stderr)

    def test_a_file_is_named_as_for_ipamctl(self):
        done = self.run_plugin("show", "--database", self.temporary + "/ipam.db")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("create it with 'kubectl ipam apply'", done.stderr)

    def test_it_works_on_the_cluster_that_kubectl_works_on(self):
        isolation.require()
        server = kubernetes.Kubernetes(self)
        pool = {"apiVersion": kubernetes.V1, "kind": "IPPool", "metadata": {"name": "pods"}, "spec": {"cidr": "10.65.0.0/16"}}
        server.apply(pool)
        mine = server.kubeconfig_for("operator", token=kubernetes.ADMIN)
        # Variables of calicoctl are not kubectl's.
        for variables in ({"KUBECONFIG": mine}, {"KUBECONFIG": mine, "DATASTORE_TYPE": "etcdv3"}):
            done = self.run_plugin("get", "ippools", **variables)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("10.65.0.0/16", done.stdout)
        os.makedirs(os.path.join(self.temporary, ".kube"))
        shutil.copy(mine, os.path.join(self.temporary, ".kube", "config"))
        for words in (("show",), ("show", "--context", "test"), ("show", "--kubeconfig", mine)):
            done = self.run_plugin(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("10.65.0.0/16", done.stdout)
        done = self.run_plugin("show", "--context", "nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nowhere", done.stderr)
        if shutil.which("kubectl"):
            environment = {"PATH": self.tools + ":" + os.environ["PATH"], "HOME": self.temporary}
            self.assertIn("10.65.0.0/16", output("kubectl", "ipam", "show", env=environment))


class ProgressTest(ToolTest):
    """A look at many blocks through a terminal, which is 80 columns wide."""

    BLOCKS = 600

    def setUp(self):
        super().setUp()
        self.database = os.path.join(self.temporary, "ipam.db")
        entries = dict([calico.pool_entry("10.0.0.0/8")])
        entries.update(self.blocks(self.BLOCKS))
        calico.Store.make(self.database, (), ("node-1",), None).put_all(entries)

    @staticmethod
    def blocks(count):
        entries = {}
        for number in range(count):
            block = "10.%d.%d.%d/26" % (number // 1024, number // 4 % 256, number % 4 * 64)
            entries.update(calico.filled(block, "node-1", ["c%d-%d" % (number, pod) for pod in range(20)]))
        return entries

    def look(self, *words, terminal=True, term="xterm", variables=None):
        """(what goes to stdout, what goes to stderr), where stderr is a terminal or a pipe. Variables name another store
        than the test's own."""
        command = [self.tool("ipamctl"), *words]
        if variables is None:
            command += ["--database", self.database]
        environment = {"PATH": os.environ["PATH"], "TERM": term, **(variables or {})}
        if not terminal:
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            return done.stdout, done.stderr
        leader, follower = pty.openpty()
        with tempfile.TemporaryFile() as stdout:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=follower, env=environment)
            os.close(follower)
            said = b""
            try:
                while piece := os.read(leader, 65536):
                    said += piece
            except OSError:
                pass  # the other end is closed, which for a terminal is an error
            os.close(leader)
            process.wait()
            stdout.seek(0)
            return stdout.read().decode(), said.decode()

    def assertErased(self, said):
        """What a terminal shows in the end of what was written there is nothing."""
        self.assertEqual(re.split(r"\r\x1b\[K", said)[-1], "", said[-300:])

    def test_a_terminal_is_told_how_far_gc_is_and_keeps_nothing_of_it(self):
        plain, _ = self.look("ipam", "gc", terminal=False)
        shown, said = self.look("ipam", "gc")
        self.assertEqual(plain, shown)
        if said:
            self.assertRegex(said, r"reading .*: [\d,]+ blocks")
            self.assertErased(said)

    def far_away(self, blocks):
        """(the variables, the network) of a store that can be put so far away that nothing of it is read in a moment."""
        cluster = hosts.EtcdCluster(self)
        cluster.reset().put_all(self.blocks(blocks))
        wire = proxy.Proxy(self, cluster.server.port)
        return cluster.variables(wire.port), wire

    def test_a_terminal_is_told_how_far_a_check_is_and_keeps_nothing_of_it(self):
        variables, wire = self.far_away(self.BLOCKS)
        plain, note = self.look("ipam", "check", terminal=False, variables=variables)
        self.assertIn("IPAM blocks record %d allocations." % (20 * self.BLOCKS), plain)
        wire.latency = 0.25
        shown, said = self.look("ipam", "check", variables=variables)
        self.assertEqual(shown, plain)
        progress, _, rest = said.rpartition("\r\x1b[K")
        self.assertRegex(progress, r"reading etcd at \S+: [\d,]+ entries")
        self.assertEqual(rest.replace("\r", ""), note)

    def test_a_terminal_is_told_how_far_an_export_is(self):
        variables, wire = self.far_away(100)
        self.look("datastore", "migrate", "lock", terminal=False, variables=variables)
        wire.latency = 0.05
        shown, said = self.look("datastore", "migrate", "export", variables=variables)
        self.assertIn("IPPool", shown)
        progress, _, rest = said.rpartition("\r\x1b[K")
        self.assertRegex(progress, r"(reading|comparing): [\d,]+")
        self.assertRegex(rest, r"^etcd at \S+: 1 pools, 100 blocks")

    def test_who_is_no_terminal_is_told_nothing(self):
        self.look("datastore", "migrate", "lock", terminal=False)
        for options in ({"terminal": False}, {"term": "dumb"}, {"term": ""}):
            _, said = self.look("datastore", "migrate", "export", **options)
            self.assertNotIn("\x1b", said)
            self.assertNotIn("reading", said)


if __name__ == "__main__":
    isolation.main()
