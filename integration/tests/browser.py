"""A page in headless Chromium: asked by its debugging protocol over a pipe, so that neither a port nor a library is
needed.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def chromium():
    """The browser; the test is skipped where there is none."""
    for name in CHROMIUM:
        path = shutil.which(name)
        if path:
            return path
    raise unittest.SkipTest("there is no Chromium (package chromium)")


class Page:
    """A file in a browser that ends with its test."""

    def __init__(self, test, path, width=1440, height=1000):
        self.number = 0
        self.problems = []  # what the page logged as an error, exceptions and violations of its policy included
        profile = tempfile.mkdtemp(prefix="swift-ipam-browser.")
        test.addCleanup(shutil.rmtree, profile, True)
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        # The browser reads its descriptor 3 and writes to its descriptor 4.
        shell = 'exec 3<&%d 4>&%d; exec "$@"' % (commands, answers)
        arguments = [
            chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
            "--disable-breakpad", "--disable-crash-reporter",
            "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir=" + profile,
            "--window-size=%d,%d" % (width, height), "about:blank",
        ]
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", shell, "bash", *arguments],
            pass_fds=(commands, answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )
        test.addCleanup(self.end)
        os.close(commands)
        os.close(answers)
        self.buffer = b""
        self.session = None
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(target["targetId"] for target in targets if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(domain + ".enable")
        self.size(width, height)
        self.requests = []
        self.open(path)

    def end(self):
        os.close(self.commands)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.answers)

    def message(self):
        while b"\0" not in self.buffer:
            data = os.read(self.answers, 1 << 20)
            if not data:
                raise AssertionError("the browser ended")
            self.buffer += data
        text, _, self.buffer = self.buffer.partition(b"\0")
        message = json.loads(text)
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(parameters["exceptionDetails"])[:500])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.problems.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        return message

    def call(self, method, **parameters):
        self.number += 1
        number = self.number
        request = {"id": number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.commands, json.dumps(request).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == number:
                if "error" in message:
                    raise AssertionError("%s: %s" % (method, message["error"]))
                return message["result"]

    def open(self, path):
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        while self.message().get("method") != "Page.loadEventFired":
            pass

    def size(self, width, height):
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def prefer(self, scheme):
        """As if the system had these colours."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        # The page is told with its next frame.
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def value(self, expression):
        """What JavaScript makes of an expression, a promise awaited."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError("%s: %s" % (expression, result["exceptionDetails"]))
        return result["result"].get("value")

    def press(self, key, **modifiers):
        """A key down and up; a printable character is typed."""
        codes = {"Enter": 13, "Escape": 27, "Tab": 9, " ": 32, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36,
                 "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        flags = 2 * bool(modifiers.get("control")) + 8 * bool(modifiers.get("shift"))
        text = {"Enter": "\r", "Tab": ""}.get(key, key if len(key) == 1 else "")
        same = {"key": key, "code": key, "windowsVirtualKeyCode": codes.get(key, 0), "modifiers": flags}
        self.call("Input.dispatchKeyEvent", type="keyDown", **same, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **same)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def point(self, x, y, clicks=False):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        if clicks:
            for kind in ("mousePressed", "mouseReleased"):
                self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def tree(self):
        """The accessibility tree, as assistive technology gets it: nodes that are not ignored."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [node for node in nodes if not node.get("ignored")]

    def picture(self, path):
        """Takes a screenshot of the whole page."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
