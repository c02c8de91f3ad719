#!/usr/bin/env python3
"""Names, documents and streams that no decent runtime would hand to a plugin."""

import json
import os
import resource
import shutil
import signal
import subprocess

import isolation
import plugin

LIMIT = 10000  # levels of nesting that are allowed, the document's own object included


class Hostile(plugin.PluginTest):
    def assertStillWorks(self, network=None):
        """The network gives out an address and takes it back, and nobody else's is missing."""
        network = network or self.network()
        before = network.reservations()
        self.assertSucceeds(network.add("afterwards"))
        self.assertSucceeds(network.delete("afterwards"))
        self.assertEqual(network.reservations(), before)


class Names(Hostile):
    def test_network_name_cannot_leave_the_data_directory(self):
        """A name with path parts is refused by every verb, and nothing is created anywhere."""
        for name in ("..", ".", "../pods", "a/../../b", "a/b", "/etc", "..\\", ".hidden", "pods/", "pods\u0000", "-a"):
            for verb in ("ADD", "CHECK", "DEL", "GC", "STATUS"):
                with self.subTest(name=name, verb=verb):
                    answer = self.network(name=name, version="1.1.0").call(verb)
                    self.assertFails(answer, 7, "invalid characters found in network name")
                    self.assertEqual(os.listdir(self.temporary), [])

    def test_dots_inside_a_name_are_plain_letters(self):
        """`a..b` is a name like any other."""
        network = self.network(name="a..b")
        self.assertSucceeds(network.add())
        self.assertEqual(os.listdir(os.path.join(self.data, "a..b")).count("10.1.2.2"), 1)
        self.assertStillWorks(network)

    def test_container_id_cannot_carry_content(self):
        """Ids with line breaks, blanks or path parts never reach the disk."""
        for container in ("c1\r\neth0", "c1\n", "a b", "../x", "", "\u00e9", "c" * 20000 + "/"):
            with self.subTest(container=container[:10]):
                self.assertFails(self.network().add(container), 4)
                self.assertFails(self.network().delete(container), 4)
        self.assertEqual(os.listdir(self.temporary), [])

    def test_interface_name_cannot_carry_a_path(self):
        """Interface names with separators or blanks, or longer than the kernel's limit, never reach the disk."""
        for interface in ("../x", "eth 0", "eth0\r\n", "a:b", "..", "sixteen-letters-", "\u00e9" * 8):
            with self.subTest(interface=interface):
                self.assertFails(self.network().add(interface=interface), 4)
        self.assertEqual(os.listdir(self.temporary), [])

    def test_very_long_names(self):
        """A container id of 100,000 letters is kept whole; a network name of that length is an error of the disk."""
        container = "c" * 100000
        self.assertSucceeds(self.network().add(container))
        self.assertReservations(self.network(), {"10.1.2.2": container})
        self.assertSucceeds(self.network().delete(container))
        self.assertReservations(self.network(), {})
        self.assertFails(self.network(name="n" * 100000).add(), 999, "file name too long")


class Documents(Hostile):
    def stdin(self, text):
        """ADD with this text as configuration; %s in it stands for the data directory."""
        document = text.replace("%s", json.dumps(self.data)).encode("utf-8", "surrogatepass")
        return plugin.call(plugin.host_local(), "ADD", document)

    def with_member(self, member):
        """ADD with a valid configuration and one more member in front of the others."""
        return self.stdin("{%s," % member + json.dumps(self.network().config())[1:])

    def test_large_documents_are_read_to_the_end(self):
        """1 MiB and 16 MiB in a member that nobody needs, as text, as list and as members, do not matter."""
        for size in (1 << 20, 16 << 20):
            members = {
                "text": '"ignored":"%s"' % ("x" * size),
                "list": '"ignored":[%s0]' % ("0," * (size // 2)),
                "members": ",".join('"ignored-%07d":1' % number for number in range(size // 20)),
            }
            for kind, member in members.items():
                with self.subTest(size=size, kind=kind):
                    self.assertSucceeds(self.with_member(member))
                    self.assertSucceeds(self.network().delete())

    def test_large_documents_that_end_early_are_refused(self):
        """16 MiB of a list that is never closed is an error, not a crash."""
        self.assertFails(self.stdin('{"ignored":[' + "1," * (8 << 20)), 6, "error unmarshall network config")
        self.assertEqual(os.listdir(self.temporary), [])

    def test_nesting_up_to_the_limit_is_read(self):
        """Lists and objects may be nested 10,000 deep."""
        inner = LIMIT - 1
        for member in ("[" * inner + "]" * inner, '{"a":' * inner + "1" + "}" * inner):
            self.assertSucceeds(self.with_member('"ignored":' + member))
            self.assertSucceeds(self.network().delete())

    def test_nesting_beyond_the_limit_is_refused(self):
        """One level more, 100,000 and a million levels, closed or not, are a syntax error, not a stack overflow."""
        for levels in (LIMIT, 100000, 1000000):
            for opening, closing in (("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")):
                for document in (opening * levels + "1" + closing * levels, opening * levels):
                    with self.subTest(levels=levels, opening=opening):
                        answer = self.with_member('"ignored":' + document)
                        self.assertFails(answer, 6, "error unmarshall network config")
        self.assertEqual(os.listdir(self.temporary), [])

    def test_nesting_under_a_small_stack(self):
        """With 256 KiB of stack the deepest documents are still answered."""
        document = ('{"ignored":' + "[" * 100000).encode()
        done = subprocess.run(
            [plugin.host_local()],
            input=document,
            env=plugin.environment("ADD"),
            capture_output=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (256 << 10, 256 << 10)),
        )
        self.assertFails(plugin.Answer(done.returncode, done.stdout, done.stderr), 6)

    def test_empty_and_blank_documents_are_refused(self):
        """No input, blanks, a lone byte order mark and other values than an object are decoding errors."""
        for text in ("", " ", "\n", "\ufeff", "\ufeff{}", "[]", '"x"', "1", "{", "{}{}", "{} x", "\u0000"):
            with self.subTest(text=text):
                self.assertFails(self.stdin(text), 6, "error unmarshall network config")
        self.assertFails(self.stdin("null"), 7, "missing network name")
        self.assertFails(self.stdin("{}"), 7, "missing network name")

    def test_last_of_duplicate_keys_counts(self):
        """A repeated scalar replaces, a repeated object merges, also when the keys differ in case."""
        answer = self.stdin(
            '{"cniVersion":"9.9.9","cniVersion":"1.0.0","name":"other","NAME":"pods",'
            '"ipam":{"type":"host-local","dataDir":"/nowhere","subnet":"10.9.9.0/24"},'
            '"ipam":{"dataDir":%s,"SUBNET":"10.1.2.0/24"}}'
        )
        self.assertEqual(self.assertSucceeds(answer).addresses, ["10.1.2.2"])
        self.assertReservations(self.network(), {"10.1.2.2": "c1"})

    def test_numbers_out_of_range_are_refused(self):
        """Route metrics that no 64 bit integer holds, fractions and exponents are errors; limits are not."""
        text = '{"cniVersion":"0.4.0","name":"pods","ipam":{"dataDir":%%s,"subnet":"10.1.2.0/24","routes":[%s]}}'
        for number in ("9223372036854775808", "-9223372036854775809", "1" * 400, "1.5", "1e3", "1e400", "0.0"):
            with self.subTest(number=number[:30]):
                answer = self.stdin(text % ('{"dst":"::/0","mtu":%s}' % number))
                self.assertFails(answer, 999, "cannot unmarshal number")
        for number in ("01", "+1", "-", ".5", "1.", "1e", "0x10", "NaN", "Infinity"):
            with self.subTest(number=number):
                self.assertFails(self.stdin(text % ('{"dst":"::/0","mtu":%s}' % number)), 6)
        self.assertEqual(os.listdir(self.temporary), [])
        answer = self.stdin(text % '{"dst":"::/0","mtu":9223372036854775807}')
        self.assertEqual(self.assertSucceeds(answer).document["routes"][0]["mtu"], 2**63 - 1)

    def test_numbers_nobody_reads_may_be_huge(self):
        """A number of 100,000 digits or a vast exponent in an ignored member is fine."""
        for number in ("1" * 100000, "1e99999", "-0.%s1" % ("0" * 50000)):
            self.assertSucceeds(self.with_member('"ignored":' + number))
            self.assertSucceeds(self.network().delete())


class Streams(Hostile):
    def start(self, verb="ADD", closed=(), **streams):
        """Starts the plugin; `closed` are descriptors that are closed for it."""
        pipes = {name: streams.get(name, subprocess.PIPE) for name in ("stdin", "stdout", "stderr")}

        def close():
            for descriptor in closed:
                os.close(descriptor)

        # preexec_fn runs behind the redirections, so a closed descriptor stays closed.
        return subprocess.Popen([plugin.host_local()], env=plugin.environment(verb), preexec_fn=close, **pipes)

    def finish(self, process):
        """(status, stdout, stderr) after the configuration was written."""
        out, error = process.communicate(plugin.encode(self.network().config()))
        return process.returncode, out, error

    def assertSound(self):
        """Whatever was written is whole, the lock is empty, and DEL gives everything back; then all is cleared away."""
        network = self.network()
        held = network.reservations()
        self.assertIn(held, ({}, {"10.1.2.2": plugin.content("c1")}))
        files = plugin.read_directory(network.directory)
        self.assertEqual(files.get("lock", b""), b"")
        self.assertIn(files.get(plugin.CURSOR + "0", b"10.1.2.2"), (b"10.1.2.2",))
        self.assertSucceeds(network.delete())
        self.assertReservations(network, {})
        self.assertStillWorks()
        shutil.rmtree(self.data)

    def test_closed_stdin_is_an_error(self):
        """Without standard input ADD reports an I/O or decoding error and creates nothing."""
        process = self.start(closed=(0,))
        process.stdin.close()
        process.stdin = None
        out, error = process.communicate()
        answer = self.assertFails(plugin.Answer(process.returncode, out, error))
        self.assertIn(answer.document["code"], (5, 6))
        self.assertFalse(os.path.exists(self.data))

    def test_directory_as_stdin_is_an_error(self):
        """A stdin that cannot be read is an I/O error."""
        descriptor = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, descriptor)
        process = self.start(stdin=descriptor)
        out, error = process.communicate()
        self.assertFails(plugin.Answer(process.returncode, out, error), 5, "error reading from stdin")

    def test_closed_output_ends_in_no_file(self):
        """With stdout or stderr closed, no result or message is written into the files opened in their place."""
        for closed in ((1,), (2,), (1, 2), (0, 1, 2)):
            with self.subTest(closed=closed):
                process = self.start(closed=closed)
                try:
                    status, _, _ = self.finish(process)
                except BrokenPipeError:
                    status = process.wait()
                self.assertIn(status, (0, 1))
                self.assertSound()

    def test_damage_report_ends_in_no_file(self):
        """A warning has nowhere to go when stderr is closed, and goes nowhere."""
        network = self.network()
        os.makedirs(network.directory)
        for address in ("10.1.2.2", "10.1.2.3"):
            with open(os.path.join(network.directory, address), "wb"):
                pass
        status, out, _ = self.finish(self.start(closed=(2,)))
        self.assertSucceeds(plugin.Answer(status, out, b""))
        files = plugin.read_directory(network.directory)
        self.assertEqual(files["lock"], b"")
        self.assertLessEqual({held for name, held in files.items() if name[0] == "1"}, {b"", plugin.content("c1")})

    def test_full_output_is_not_success(self):
        """A result that cannot be written makes ADD fail, on a full device."""
        with open("/dev/full", "wb") as full:
            status, _, error = self.finish(self.start(stdout=full))
        self.assertEqual(status, 1, error)
        self.assertTrue(error, "nothing on stderr says why")
        self.assertSound()

    def test_reader_that_has_gone_is_not_success(self):
        """When nobody reads the result, ADD does not claim success, whether SIGPIPE kills it or is ignored."""
        for disposition in (signal.SIG_DFL, signal.SIG_IGN):
            with self.subTest(disposition=disposition):
                reader, writer = os.pipe()
                os.close(reader)
                pipes = {"stdin": subprocess.PIPE, "stdout": writer, "stderr": subprocess.PIPE}
                process = subprocess.Popen(
                    [plugin.host_local()],
                    env=plugin.environment("ADD"),
                    restore_signals=False,
                    preexec_fn=lambda how=disposition: signal.signal(signal.SIGPIPE, how),
                    **pipes,
                )
                os.close(writer)
                status, _, _ = self.finish(process)
                self.assertIn(status, (1, -signal.SIGPIPE))
                self.assertSound()

    def test_input_in_small_pieces_is_read_whole(self):
        """A configuration that arrives byte by byte is one configuration."""
        process = self.start()
        for byte in plugin.encode(self.network().config()):
            os.write(process.stdin.fileno(), bytes([byte]))
        out, error = process.communicate()
        self.assertSucceeds(plugin.Answer(process.returncode, out, error))

    def test_few_descriptors_suffice(self):
        """With a limit of eight open files ADD either works or fails and leaves nothing."""
        network = self.network()
        for number in range(20):
            self.assertSucceeds(network.add("living-%d" % number))
        before = network.reservations()
        done = subprocess.run(
            [plugin.host_local()],
            input=plugin.encode(network.config()),
            env=plugin.environment("ADD"),
            capture_output=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8)),
        )
        answer, given = plugin.Answer(done.returncode, done.stdout, done.stderr), []
        if answer.status:
            self.assertFails(answer)
        else:
            given = self.assertSucceeds(answer).addresses
        self.assertEqual(network.reservations(), {**before, **dict.fromkeys(given, plugin.content("c1"))})


if __name__ == "__main__":
    isolation.main()
