"""Certificates from an authority of the test's own, made with openssl."""

import collections
import os
import subprocess

Pair = collections.namedtuple("Pair", "certificate key")

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def openssl(*words):
    done = subprocess.run(["openssl", *words], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError("openssl %s: %s" % (" ".join(words), done.stderr))


class Authority:
    """Signs certificates, which it puts into a directory as NAME.crt and NAME.key."""

    def __init__(self, directory, pair):
        self.directory, self.pair = directory, pair

    @classmethod
    def make(cls, directory, name="authority"):
        """A new authority, which nobody else trusts."""
        os.makedirs(directory, exist_ok=True)
        pair = Pair(*(os.path.join(directory, name + end) for end in (".crt", ".key")))
        files = ["-keyout", pair.key, "-out", pair.certificate]
        openssl("req", "-x509", *NEW_KEY, "-subj", "/CN=" + name, "-days", "30", *files)
        return cls(directory, pair)

    @property
    def certificate(self):
        return self.pair.certificate

    def issue(self, name, organizations=(), hosts=LOOPBACK, days=30, named=True):
        """A certificate for servers and clients whose common name is the given one, unless it has none.

        -1 days make it an expired one.
        """
        path = os.path.join(self.directory, name.replace("/", "-").replace(":", "-"))
        pair, request = Pair(path + ".crt", path + ".key"), path + ".csr"
        subject = "".join("/O=" + one for one in organizations) + ("/CN=" + name if named else "")
        names = ",".join(("IP:" if host[0].isdigit() or ":" in host else "DNS:") + host for host in hosts)
        extensions = ["-addext", "subjectAltName=" + names, "-addext", "extendedKeyUsage=serverAuth,clientAuth"]
        openssl("req", "-new", *NEW_KEY, "-subj", subject, *extensions, "-keyout", pair.key, "-out", request)
        signer = [
            "-CA",
            self.pair.certificate,
            "-CAkey",
            self.pair.key,
            "-set_serial",
            str(int.from_bytes(os.urandom(8), "big")),
        ]
        about = ["-days", str(days), "-copy_extensions", "copy"]
        openssl("x509", "-req", "-in", request, *signer, *about, "-out", pair.certificate)
        os.unlink(request)
        return pair
