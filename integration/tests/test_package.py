#!/usr/bin/env python3
"""What users install: the package that integration/package made (DIST), and its install script."""

import hashlib
import os
import re
import shutil
import subprocess
import threading
import unittest

import calico
import isolation
import plugin
import test_linkage

BUSYBOX = "/bin/busybox"


def read(path):
    with open(path, "rb") as file:
        return file.read()


class PackageTest(plugin.PluginTest):
    """Works on a copy of the package, with a plugin of another origin in the destination."""

    def setUp(self):
        super().setUp()
        built = os.environ.get("DIST", "")
        if not os.path.isfile(os.path.join(built, "SHA256SUMS")):
            raise unittest.SkipTest("DIST names no package: integration/package makes one")
        self.package = os.path.join(self.temporary, "package")
        shutil.copytree(built, self.package, symlinks=True)
        self.destination = os.path.join(self.temporary, "cni bin")
        os.mkdir(self.destination)
        self.target = os.path.join(self.destination, "host-local")
        self.backup = self.target + ".before-swift-ipam"
        # A program that works and is not in the package: bytes behind its end do not change what an ELF file does.
        self.original = self.packaged("host-local") + b"another origin"

    def packaged(self, name):
        return read(os.path.join(self.package, name))

    def place_original(self):
        with open(self.target, "wb") as file:
            file.write(self.original)
        os.chmod(self.target, 0o750)

    def make_release(self, suffix):
        """Turns the package into another release, with other bytes in host-local and the right sum for them."""
        path = os.path.join(self.package, "host-local")
        before = hashlib.sha256(read(path)).hexdigest()
        with open(path, "ab") as file:
            file.write(suffix)
        sums = os.path.join(self.package, "SHA256SUMS")
        text = read(sums).decode().replace(before, hashlib.sha256(read(path)).hexdigest())
        with open(sums, "w", encoding="ascii") as file:
            file.write(text)

    def install(self, *arguments, status=0, shell=(), **options):
        command = [*shell, os.path.join(self.package, "install"), "--destination", self.destination, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, **options)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        leftovers = [name for name in os.listdir(self.destination) if re.match(r"\.swift-ipam\.\d", name)]
        self.assertEqual(leftovers, [])
        return done.stdout + done.stderr


class ContentTest(PackageTest):
    def test_every_file_has_the_checksum_that_the_package_states(self):
        stated = dict(line.split(" *")[::-1] for line in self.packaged("SHA256SUMS").decode().splitlines())
        found = {}
        for folder, _, names in os.walk(self.package):
            for name in names:
                path = os.path.join(folder, name)
                found[os.path.relpath(path, self.package)] = hashlib.sha256(read(path)).hexdigest()
        del found["SHA256SUMS"]
        self.assertEqual(stated, found)

    def test_the_notice_names_each_licence_and_each_one_is_there(self):
        named = set(re.findall(r"licences/([\w.+-]+\.txt)", self.packaged("NOTICE").decode()))
        there = set(os.listdir(os.path.join(self.package, "licences")))
        self.assertLessEqual({
            "swift.txt", "swift-argument-parser.txt", "hummingbird.txt", "swift-nio.txt", "swift-nio-ssl.txt",
            "swift-nio-http2.txt", "swift-protobuf.txt", "async-http-client.txt",
        }, named)
        for library in ("libc6", "libsqlite3", "libnl-3"):
            self.assertTrue([name for name in named if name.startswith(library)], named)
        self.assertEqual(there - named, {"GPL-3.txt", "LGPL-2.1.txt"})
        self.assertEqual(named - there, set())

    def test_no_program_needs_a_loader(self):
        names = ("host-local", "calico-ipam", "calico-ipam-etcdv3", "calico-ipam-kubernetes", "ipamctl", "ipam-node")
        for name in names:
            self.assertNotIn(test_linkage.PT_INTERP, test_linkage.segment_types(self.packaged(name)), name)

    def test_the_packaged_plugins_are_the_tested_ones(self):
        self.assertEqual(self.packaged("host-local"), read(plugin.host_local()))
        self.assertEqual(self.packaged("calico-ipam"), read(calico.calico_ipam()))

    def in_empty_root(self, name, *arguments, **variables):
        """Runs a packaged program where there is nothing but itself and /proc."""
        isolation.require()
        place = os.path.join(self.temporary, "root")
        os.makedirs(os.path.join(place, "proc"), exist_ok=True)
        shutil.copy(os.path.join(self.package, name), place)
        script = 'mount --rbind /proc "$1/proc" && exec chroot "$@"'
        command = ["unshare", "--mount", "sh", "-c", script, "sh", place, "/" + name, *arguments]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **variables}
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def test_the_plugins_run_in_an_empty_root_with_proc(self):
        for name in ("host-local", "calico-ipam", "calico-ipam-etcdv3", "calico-ipam-kubernetes"):
            done = self.in_empty_root(name, CNI_COMMAND="VERSION")
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            self.assertIn('"supportedVersions"', done.stdout)

    def test_the_tools_run_in_an_empty_root_with_proc(self):
        for name in ("ipamctl", "ipam-node"):
            done = self.in_empty_root(name, "--version")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, name + r" \d+\.\d+")


    def test_the_plugin_of_kubectl_is_ipamctl_by_another_name(self):
        self.assertEqual(os.readlink(os.path.join(self.package, "kubectl-ipam")), "ipamctl")
        done = subprocess.run([os.path.join(self.package, "kubectl-ipam"), "show", "--help"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("USAGE: kubectl ipam show", done.stdout)
        self.assertNotIn("ipamctl", done.stdout)


class InstallTest(PackageTest):
    def test_a_first_installation_makes_an_executable_and_no_backup(self):
        self.install()
        self.assertEqual(read(self.target), self.packaged("host-local"))
        self.assertEqual(os.stat(self.target).st_mode & 0o7777, 0o755)
        self.assertFalse(os.path.exists(self.backup))

    def test_the_original_is_kept_and_restored_as_it_was(self):
        self.place_original()
        self.assertIn(self.backup, self.install())
        self.assertEqual(read(self.target), self.packaged("host-local"))
        self.assertEqual(read(self.backup), self.original)
        self.install("--restore")
        self.assertEqual(read(self.target), self.original)
        self.assertEqual(os.stat(self.target).st_mode & 0o7777, 0o750)
        self.assertFalse(os.path.exists(self.backup))

    def test_a_later_release_never_takes_the_place_of_the_original(self):
        self.place_original()
        for suffix in (b"", b"second", b"third"):
            self.make_release(suffix)
            self.install()
        self.assertEqual(read(self.target), self.packaged("host-local"))
        self.assertEqual(read(self.backup), self.original)

    def test_an_earlier_release_of_ours_is_no_original(self):
        self.install()
        self.make_release(b"second")
        self.install()
        self.assertFalse(os.path.exists(self.backup))

    def test_an_original_that_was_updated_over_ours_is_kept_as_well(self):
        self.place_original()
        self.install()
        self.original += b" updated"
        self.place_original()
        self.install()
        self.assertEqual(read(self.backup), self.original)

    def test_a_link_is_replaced_and_not_what_it_points_to(self):
        elsewhere = os.path.join(self.temporary, "elsewhere")
        shutil.copy(BUSYBOX if os.path.exists(BUSYBOX) else "/bin/sh", elsewhere)
        before = read(elsewhere)
        os.symlink(elsewhere, self.target)
        self.install()
        self.assertFalse(os.path.islink(self.target))
        self.assertEqual(read(elsewhere), before)
        self.install("--restore")
        self.assertEqual(os.readlink(self.target), elsewhere)

    def test_several_programs_are_installed_by_name(self):
        names = ("host-local", "calico-ipam", "ipamctl")
        self.install(*names)
        for name in names:
            self.assertEqual(read(os.path.join(self.destination, name)), self.packaged(name))

    def test_calico_ipam_is_installed_with_what_it_becomes(self):
        self.install("calico-ipam")
        for name in ("calico-ipam-etcdv3", "calico-ipam-kubernetes"):
            self.assertEqual(read(os.path.join(self.destination, name)), self.packaged(name))

    def test_the_unit_is_a_file_that_nobody_executes(self):
        self.install("ipam-node", "ipam-node.service")
        unit = os.path.join(self.destination, "ipam-node.service")
        self.assertEqual(read(unit), self.packaged("ipam-node.service"))
        self.assertEqual(os.stat(unit).st_mode & 0o7777, 0o644)
        self.assertEqual(os.stat(os.path.join(self.destination, "ipam-node")).st_mode & 0o7777, 0o755)

    def shared(self, prefix):
        """What lies below share, as paths."""
        place = os.path.join(prefix, "share")
        return sorted(
            os.path.relpath(os.path.join(folder, name), place) for folder, _, names in os.walk(place) for name in names
        )

    def test_a_tool_in_a_bin_brings_its_completions_and_manual_pages(self):
        prefix = os.path.join(self.temporary, "usr local")
        self.destination = os.path.join(prefix, "bin")
        os.makedirs(self.destination)
        self.install("host-local")
        self.assertEqual(self.shared(prefix), [])
        said = self.install("ipamctl")
        found = self.shared(prefix)
        for name in (
            "bash-completion/completions/ipamctl", "zsh/site-functions/_ipamctl", "fish/vendor_completions.d/ipamctl.fish",
            "man/man1/ipamctl.1", "man/man1/ipamctl-ipam-show.1",
        ):
            self.assertIn(name, found)
            place = os.path.join(prefix, "share", name)
            self.assertEqual(read(place), self.packaged(os.path.join("share", name)))
            self.assertEqual(os.stat(place).st_mode & 0o7777, 0o644)
        self.assertFalse([name for name in found if "ipam-node" in name or "kubectl" in name or ".swift-ipam" in name])
        self.assertIn("(%d files)" % len(found), said)
        self.install("ipam-node")
        self.assertIn("man/man1/ipam-node-run.1", self.shared(prefix))

    def test_completions_and_manual_pages_go_where_they_are_told_to(self):
        place = os.path.join(self.temporary, "elsewhere")
        self.install("--share", os.path.join(place, "share"), "ipamctl")
        self.assertIn("man/man1/ipamctl.1", self.shared(place))
        self.assertEqual(sorted(os.listdir(self.destination)), [".swift-ipam.sums", "ipamctl"])

    def test_a_damaged_manual_page_is_refused(self):
        with open(os.path.join(self.package, "share/man/man1/ipamctl.1"), "ab") as file:
            file.write(b"damaged in transit")
        place = os.path.join(self.temporary, "elsewhere")
        said = self.install("--share", os.path.join(place, "share"), "ipamctl", status=1)
        self.assertIn("share/man/man1/ipamctl.1 does not have the checksum", said)
        self.assertNotIn("man/man1/ipamctl.1", self.shared(place))

    def test_the_plugin_of_kubectl_is_installed_as_a_link_with_its_completion(self):
        for _ in range(2):
            self.install("kubectl-ipam")
            self.assertEqual(os.readlink(os.path.join(self.destination, "kubectl-ipam")), "ipamctl")
        for name in ("ipamctl", "kubectl_complete-ipam"):
            self.assertEqual(read(os.path.join(self.destination, name)), self.packaged(name))
        self.assertEqual([name for name in os.listdir(self.destination) if "before-swift-ipam" in name], [])
        done = subprocess.run(
            [os.path.join(self.destination, "kubectl-ipam"), "--version"], capture_output=True, text=True
        )
        self.assertRegex(done.stdout, r"^kubectl ipam \d+\.\d+")

    def test_a_wrong_checksum_is_refused_and_nothing_changes(self):
        self.place_original()
        with open(os.path.join(self.package, "host-local"), "r+b") as file:
            file.seek(4096)
            file.write(b"damaged in transit")
        self.assertIn("checksum", self.install(status=1))
        self.assertEqual(read(self.target), self.original)
        self.assertEqual(os.listdir(self.destination), ["host-local"])

    def test_what_cannot_be_done_is_refused(self):
        self.assertIn("nothing to restore", self.install("--restore", status=1))
        self.assertIn("not in this package", self.install("bridge", status=1))
        self.assertIn("is a path", self.install("../host-local", status=1))
        self.assertIn("usage:", self.install("--force", status=2))
        os.rmdir(self.destination)
        with open(self.destination, "w", encoding="ascii"):
            pass
        command = [os.path.join(self.package, "install"), "--destination", self.destination]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((done.returncode, read(self.destination)), (1, b""))
        self.assertIn("is no directory", done.stderr)

    def test_the_script_needs_no_more_than_busybox(self):
        if not os.access(BUSYBOX, os.X_OK):
            raise unittest.SkipTest("%s is missing (package busybox-static)" % BUSYBOX)
        tools = os.path.join(self.temporary, "tools")
        os.mkdir(tools)
        subprocess.run([BUSYBOX, "--install", "-s", tools], check=True)
        options = {"shell": [BUSYBOX, "sh"], "env": {"PATH": tools}}
        self.place_original()
        self.install(**options)
        self.assertEqual(read(self.target), self.packaged("host-local"))
        self.install("--restore", **options)
        self.assertEqual(read(self.target), self.original)

    def test_whoever_executes_the_plugin_meanwhile_notices_nothing(self):
        self.place_original()
        self.install()
        stop, calls, failures = threading.Event(), [0, 0], []

        def execute(number):
            environment = {"CNI_COMMAND": "VERSION"}
            while not stop.is_set():
                try:
                    done = subprocess.run([self.target], env=environment, stdin=subprocess.DEVNULL, capture_output=True)
                    if done.returncode or b"supportedVersions" not in done.stdout:
                        failures.append(done)
                except OSError as error:
                    failures.append(error)
                calls[number] += 1

        runners = [threading.Thread(target=execute, args=(number,)) for number in range(len(calls))]
        for runner in runners:
            runner.start()
        try:
            for _ in range(15):
                self.install("--restore")
                self.install()
        finally:
            stop.set()
            for runner in runners:
                runner.join()
        self.assertEqual(failures[:3], [])
        self.assertGreater(min(calls), 15)


if __name__ == "__main__":
    isolation.main()
