#!/usr/bin/env python3
"""The install container's script on a made-up node: what it writes and in which order, killed at each of its steps."""

import base64
import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile

import isolation
import plugin
import servers
import waiting

PROGRAMS = ("host-local", "calico-ipam-etcdv3", "calico-ipam-kubernetes", "calico-ipam")
NAME, KUBECONFIG, TOKEN = "10-swift-ipam.conflist", "swift-ipam-kubeconfig", "swift-ipam-token"
ACCOUNT = "var/run/secrets/kubernetes.io/serviceaccount"
TEMPLATE = json.dumps(
    {
        "name": "pods",
        "cniVersion": "1.0.0",
        "plugins": [
            {
                "type": "ptp",
                "mtu": "__CNI_MTU__",
                "nodename": "__KUBERNETES_NODE_NAME__",
                "kubernetes": {"kubeconfig": "__KUBECONFIG_FILEPATH__"},
            }
        ],
    }
)
# Each of the script's own commands that changes something counts itself, and the chosen one is the last: halfway
# through its work where it writes, with all of the script's processes together, as the end of a container is.
STEP = """\
#!/bin/sh
number=$(($(/bin/cat "$STEPS_DONE") + 1))
echo $number >"$STEPS_DONE"
[ $number -eq $LAST_STEP ] || exec %(path)s "$@"
case %(name)s in
  cat) head -c 7 ;;
  cp) for file; do from=${to:-}; to=$file; done; head -c 7 "$from" >"$to" ;;
esac
kill -KILL 0
"""


class InstallTest(plugin.PluginTest):
    """A node, and a container whose image has the package of the script's programs."""

    shell, programs = (), PROGRAMS

    def setUp(self):
        super().setUp()
        # Every step is synced, which takes its time on a disk.
        self.root = tempfile.mkdtemp(prefix="swift-ipam-test.", dir=servers.in_memory())
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.bin, self.net = (os.path.join(self.root, "host", path) for path in ("opt/cni/bin", "etc/cni/net.d"))
        self.package = os.path.join(self.temporary, "package")
        for path in (self.bin, self.net, self.package, os.path.join(self.root, ACCOUNT)):
            os.makedirs(path)
        self.write(os.path.join(self.root, ACCOUNT, "token"), "first-token")
        self.write(os.path.join(self.root, ACCOUNT, "ca.crt"), "-----BEGIN CERTIFICATE-----\n")
        for script in ("kubernetes/install-cni", "install"):
            shutil.copy(os.path.join(servers.ROOT, "integration", script), self.package)
        self.release("new")
        self.environment = {
            "PATH": os.environ["PATH"],
            "INSTALL_ROOT": self.root,
            "CNI_NETWORK_CONFIG": TEMPLATE,
            "KUBERNETES_NODE_NAME": "node-a",
            "KUBERNETES_SERVICE_HOST": "10.96.0.1",
            "KUBERNETES_SERVICE_PORT": "443",
            "SLEEP": "false",
            "RENEW_SECONDS": "0.05",
        }

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    @staticmethod
    def read(*path):
        with open(os.path.join(*path), encoding="utf-8") as file:
            return file.read()

    def content(self, program, release):
        return "#!/bin/sh\n# %s of the %s release\n" % (program, release) + "#\n" * 40

    def release(self, name):
        """The package's programs and their checksums."""
        sums = ""
        for program in self.programs:
            text = self.content(program, name)
            self.write(os.path.join(self.package, program), text)
            sums += "%s  %s\n" % (hashlib.sha256(text.encode()).hexdigest(), program)
        self.write(os.path.join(self.package, "SHA256SUMS"), sums)

    def command(self):
        return [*self.shell, os.path.join(self.package, "install-cni")]

    def run_script(self, status=0, **more):
        done = subprocess.run(
            self.command(), env={**self.environment, **more}, capture_output=True, text=True, start_new_session=True
        )
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def names(self, directory):
        return sorted(name for name in os.listdir(directory) if not name.startswith("."))

    def rest(self):
        """Temporary files that lie about."""
        found = [name for path in (self.bin, self.net) for name in os.listdir(path) if name.startswith(".")]
        return [name for name in found if name != ".swift-ipam.sums"]

    def assertInstalled(self, release="new"):
        for program in self.programs:
            self.assertEqual(self.read(self.bin, program), self.content(program, release))
            self.assertTrue(os.access(os.path.join(self.bin, program), os.X_OK))
        self.assertEqual(self.names(self.net), [NAME, KUBECONFIG, TOKEN])
        self.assertEqual(self.rest(), [])


class Installing(InstallTest):
    def test_writes_programs_credentials_and_configuration(self):
        self.run_script()
        self.assertInstalled()
        network = json.loads(self.read(self.net, NAME))["plugins"][0]
        self.assertEqual(network["nodename"], "node-a")
        self.assertEqual(network["kubernetes"]["kubeconfig"], "/etc/cni/net.d/" + KUBECONFIG)
        self.assertEqual(network["mtu"], "1500")
        self.assertEqual(self.read(self.net, TOKEN), "first-token")
        config = self.read(self.net, KUBECONFIG)
        self.assertIn("server: https://10.96.0.1:443\n", config)
        self.assertIn("tokenFile: /etc/cni/net.d/%s\n" % TOKEN, config)
        self.assertIn(base64.b64encode(b"-----BEGIN CERTIFICATE-----\n").decode(), config)
        modes = {name: os.stat(os.path.join(self.net, name)).st_mode & 0o777 for name in self.names(self.net)}
        self.assertEqual(modes, {NAME: 0o644, KUBECONFIG: 0o600, TOKEN: 0o600})

    def test_upgrade_and_repetition(self):
        self.run_script()
        self.run_script()
        self.release("newer")
        self.run_script()
        self.assertInstalled("newer")

    def test_a_stranger_s_program_is_kept(self):
        self.write(os.path.join(self.bin, "host-local"), "the original")
        self.run_script()
        self.assertEqual(self.read(self.bin, "host-local.before-swift-ipam"), "the original")

    def test_what_is_not_wanted_is_left_alone(self):
        self.write(os.path.join(self.bin, "calico-ipam"), "old")
        self.run_script(SKIP_CNI_BINARIES="portmap,host-local", UPDATE_CNI_BINARIES="false")
        self.assertEqual(self.read(self.bin, "calico-ipam"), "old")
        self.assertEqual(self.names(self.bin), ["calico-ipam"])
        self.run_script(SKIP_CNI_BINARIES="host-local")
        self.assertEqual(self.names(self.bin), sorted([*PROGRAMS[1:], "calico-ipam.before-swift-ipam"]))

    def test_names_and_places(self):
        """Another name and directory, an address of the second family, a template in a file, values full of signs."""
        self.write(os.path.join(self.net, "10-old.conflist"), "{}")
        self.write(os.path.join(self.root, "template"), TEMPLATE)
        self.run_script(
            CNI_NETWORK_CONFIG="",
            CNI_NETWORK_CONFIG_FILE="/template",
            CNI_CONF_NAME="05-pods.conflist",
            CNI_OLD_CONF_NAME="10-old.conflist",
            CNI_NET_DIR="/etc/kubernetes/cni",
            KUBERNETES_SERVICE_HOST="fd00::1",
            KUBERNETES_NODE_NAME="a|b&c",
        )
        self.assertEqual(self.names(self.net), ["05-pods.conflist", KUBECONFIG, TOKEN])
        network = json.loads(self.read(self.net, "05-pods.conflist"))["plugins"][0]
        self.assertEqual(network["nodename"], "a|b&c")
        self.assertEqual(network["kubernetes"]["kubeconfig"], "/etc/kubernetes/cni/" + KUBECONFIG)
        self.assertIn("server: https://[fd00::1]:443\n", self.read(self.net, KUBECONFIG))
        self.assertIn("tokenFile: /etc/kubernetes/cni/%s\n" % TOKEN, self.read(self.net, KUBECONFIG))

    def test_refusals_change_nothing(self):
        """Each names what is wrong, before anything is written."""
        account = os.path.join(self.root, ACCOUNT, "token")
        cases = [
            ({"CNI_NETWORK_CONFIG": ""}, "neither CNI_NETWORK_CONFIG nor CNI_NETWORK_CONFIG_FILE"),
            ({"CNI_NETWORK_CONFIG_FILE": "/nowhere"}, "/nowhere cannot be read"),
            ({"CNI_NETWORK_CONFIG": '{"x": "__ETCD_KEYFILE__"}'}, "__ETCD_KEYFILE__"),
            ({"CNI_CONF_NAME": "../x.conflist"}, "CNI_CONF_NAME"),
            ({"KUBERNETES_SERVICE_HOST": ""}, "KUBERNETES_SERVICE_HOST"),
        ]
        for more, text in cases[:-1]:
            with self.subTest(text):
                self.assertIn(text, self.run_script(status=1, **more).stderr)
                self.assertEqual(self.names(self.bin) + self.names(self.net), [])
        more, text = cases[-1]
        self.assertIn(text, self.run_script(status=1, **more).stderr)
        self.assertNotIn(NAME, self.names(self.net))
        os.unlink(account)
        self.assertIn("token is missing", self.run_script(status=1).stderr)
        shutil.rmtree(self.bin)
        self.assertIn("is no directory", self.run_script(status=1).stderr)

    def test_damaged_package(self):
        """A program that is not what its checksum says is not installed, and no runtime hears of a network."""
        self.write(os.path.join(self.package, "calico-ipam"), "half")
        self.assertIn("checksum", self.run_script(status=1).stderr)
        self.assertNotIn("calico-ipam", self.names(self.bin))
        self.assertEqual(self.names(self.net), [])


class Killed(InstallTest):
    """The container ends at each step of the script, in the middle of a copy too, and is started again."""

    programs = PROGRAMS[2:]  # the others have the same steps

    def setUp(self):
        super().setUp()
        self.environment["SKIP_CNI_BINARIES"] = PROGRAMS[0]
        self.steps = os.path.join(self.temporary, "steps")
        os.makedirs(self.steps)
        self.done = os.path.join(self.temporary, "done")
        for name in ("cat", "chmod", "cp", "mv", "rm", "sync", "base64"):
            path = os.path.join(self.steps, name)
            self.write(path, STEP % {"name": name, "path": shutil.which(name)})
            os.chmod(path, 0o755)

    def run_to(self, last):
        """Whether the script was killed at a step."""
        self.write(self.done, "0")
        more = {"PATH": self.steps + ":" + os.environ["PATH"], "STEPS_DONE": self.done, "LAST_STEP": str(last)}
        done = subprocess.run(
            self.command(), env={**self.environment, **more}, capture_output=True, text=True, start_new_session=True
        )
        if done.returncode == -signal.SIGKILL:
            return True
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return False

    def assertWhole(self, said):
        """No program is half written, and a configuration stands on finished programs and credentials."""
        programs = {program: self.read(self.bin, program) for program in self.names(self.bin) if program in PROGRAMS}
        for program, text in programs.items():
            self.assertIn(text, [self.content(program, "new"), self.content(program, "old")], said)
        if NAME in self.names(self.net):
            self.assertEqual(programs, {program: self.content(program, "new") for program in self.programs}, said)
            self.assertEqual(json.loads(self.read(self.net, NAME))["name"], "pods", said)
            self.assertIn("current-context: swift-ipam\n", self.read(self.net, KUBECONFIG), said)
            self.assertEqual(self.read(self.net, TOKEN), "first-token", said)

    def reset(self):
        for path in (self.bin, self.net):
            shutil.rmtree(path)
            os.makedirs(path)

    def step_through(self, prepare):
        deaths = 0
        for last in itertools.count(1):
            self.reset()
            prepare()
            died = self.run_to(last)
            said = "killed at step %d" % last if died else "not killed"
            self.assertWhole(said)
            if not died:
                break
            deaths += 1
            if last % 5 == 0:
                self.run_script()
                self.assertInstalled()
        self.assertGreater(deaths, 25, "too few deaths: the kills do not work")
        print("install-cni died %d times" % deaths)

    def test_on_a_new_node(self):
        self.step_through(lambda: None)

    def test_over_programs_of_others(self):
        def prepare():
            for program in self.programs:
                self.write(os.path.join(self.bin, program), self.content(program, "old"))

        self.step_through(prepare)


class Renewing(InstallTest):
    """The container that goes on."""

    def start(self, **more):
        environment = {**self.environment, "SLEEP": "true", **more}
        process = subprocess.Popen(
            self.command(), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        waiting.until(lambda: NAME in os.listdir(self.net), "no configuration")
        return process

    def seen(self, name):
        return self.read(self.net, name)

    def test_a_new_token_is_copied(self):
        """kubelet exchanges the mounted token before the old one expires; nothing else on the node changes."""
        self.start()
        config = os.stat(os.path.join(self.net, NAME)).st_ino
        fresh = os.path.join(self.root, ACCOUNT, "token.new")
        self.write(fresh, "second-token")
        os.rename(fresh, os.path.join(self.root, ACCOUNT, "token"))
        waiting.until(lambda: self.seen(TOKEN) == "second-token", "the token is not renewed")
        self.assertEqual(os.stat(os.path.join(self.net, NAME)).st_ino, config)
        self.assertEqual(os.stat(os.path.join(self.net, TOKEN)).st_mode & 0o777, 0o600)

    def test_a_new_authority_is_taken_over(self):
        self.start()
        self.write(os.path.join(self.root, ACCOUNT, "ca.crt"), "another\n")
        text = base64.b64encode(b"another\n").decode()
        waiting.until(lambda: text in self.seen(KUBECONFIG), "the kubeconfig is not renewed")

    def test_an_empty_token_is_never_copied(self):
        process = self.start()
        self.write(os.path.join(self.root, ACCOUNT, "token"), "")
        waiting.while_true(lambda: self.seen(TOKEN) == "first-token", "an empty token was copied", 0.4)
        self.assertIsNone(process.poll())

    def test_everything_stays_when_it_ends(self):
        """Pods go on being started while the container is exchanged."""
        process = self.start()
        process.terminate()
        self.assertEqual(process.wait(10), 0)
        self.assertInstalled()

    def test_everything_goes_when_that_was_asked_for(self):
        process = self.start(REMOVE_ON_EXIT="true")
        process.terminate()
        self.assertEqual(process.wait(10), 0)
        self.assertEqual(self.names(self.net), [])
        self.assertEqual(self.names(self.bin), sorted(PROGRAMS))


class Busybox:
    """The same, with nothing but busybox."""

    def setUp(self):
        busybox = shutil.which("busybox")
        if busybox is None:
            self.skipTest("busybox is missing (package busybox-static)")
        super().setUp()
        place = os.path.join(self.temporary, "busybox")
        os.makedirs(place)
        for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
            os.symlink(busybox, os.path.join(place, applet))
        self.shell = (os.path.join(place, "sh"),)
        self.environment["PATH"] = place


class InstallingWithBusybox(Busybox, Installing):
    pass


class RenewingWithBusybox(Busybox, Renewing):
    pass


if __name__ == "__main__":
    isolation.main()
