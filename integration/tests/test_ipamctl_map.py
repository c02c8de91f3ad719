#!/usr/bin/env python3
"""ipamctl ipam map: what it prints and writes, and the page in a browser, with a pointer, with the keyboard alone, and
as assistive technology gets it.

IPAMCTL names the tool. Tests of the page need Chromium, and are skipped where there is none.
"""

import os
import pty
import re
import subprocess
import time
import unittest
import xml.etree.ElementTree

import browser
import calico
import hosts
import maps
import plugin

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")

# Contrast as WCAG 2.2 defines it, of every text that is shown, and of every sign against what lies behind it.
CONTRAST = """
(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parts = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const ratio = (one, other) => {
    const [low, high] = [luminance(parts(one)), luminance(parts(other))].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (parts(colour)[3] === 255) return colour;
    }
    return 'white';
  };
  const texts = [], signs = [], controls = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest('script,noscript')) continue;
    texts.push([ratio(getComputedStyle(element).color, ground(element)), walker.currentNode.data.trim().slice(0, 40)]);
  }
  for (const element of document.querySelectorAll('.c')) {
    const image = getComputedStyle(element).backgroundImage;
    const colours = [...image.matchAll(/%23([0-9a-f]{6})/g)].map((match) => '#' + match[1]);
    const best = Math.max(0, ...colours.map((colour) => ratio(colour, ground(element))));
    signs.push([best, element.className]);
  }
  for (const element of document.querySelectorAll('input, button'))
    controls.push([ratio(getComputedStyle(element).borderTopColor, ground(element.parentElement)), element.id]);
  const least = (list) => list.reduce((one, other) => one[0] <= other[0] ? one : other);
  return { counts: [texts.length, signs.length], text: least(texts), sign: least(signs), control: least(controls) };
})()
"""


class MapTest(plugin.PluginTest):
    def setUp(self):
        super().setUp()
        self.program = hosts.ipamctl()
        self.database = os.path.join(self.temporary, "ipam.db")

    def fill(self, entries, pools=(maps.POOL,)):
        store = calico.Store.make(self.database, pools=pools)
        store.put_all(entries)
        return store

    def every_use(self):
        return self.fill(maps.every_use(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())))

    def run_map(self, *words, **variables):
        environment = {"PATH": os.environ["PATH"], "HOME": self.temporary, **variables}
        return subprocess.run(
            [self.program, "ipam", "map", "--database", self.database, *words],
            env=environment, capture_output=True, text=True, timeout=60,
        )

    def map(self, *words):
        done = self.run_map(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout


class OutputTest(MapTest):
    """What is printed, and what is written to files."""

    def test_blocks_are_drawn_by_use_and_counted(self):
        self.every_use()
        text = self.map()
        lines = text.splitlines()
        self.assertEqual(lines[4], "  10.65.0.0    + b ~ o b " + ". " * 26 + ".")
        self.assertEqual(lines[35], "  10.65.248.0  " + ". " * 28 + "x . . .")
        self.assertRegex(text, r"\n  \+ #  used +26  <0\.1 % +1\n  b    borrowed +2  <0\.1 % +2\n")
        self.assertRegex(text, r"\n  ~    cooling down +3  <0\.1 % +1\n  x    reserved +64   0\.1 % +1\n")

    def test_addresses_of_a_block_are_drawn_for_a_network_or_an_address_of_it(self):
        self.every_use()
        text = self.map("10.65.0.64/26")
        self.assertIn("10.65.0.64/26, node-a: 2 of 64 in use, 1 of them borrowed, 1 cooling down", text)
        self.assertIn("  10.65.0.64   # b ~ . .", text)
        self.assertEqual(self.map("10.65.0.99"), text)
        self.assertIn("10.65.1.64 – 10.65.255.255, no block".replace("–", "-"), self.map("--addresses"))

    def test_what_has_cooled_down_is_free(self):
        self.fill(maps.every_use("2020-01-01T00:00:00Z"))
        self.assertIn("10.65.0.64/26, node-a: 2 of 64 in use, 1 of them borrowed\n", self.map("10.65.0.64"))

    def test_a_claim_without_a_block_and_a_block_that_cannot_be_read(self):
        store = self.every_use()
        store.put(calico.affinity_path("node-z", "10.65.2.0/26"), {"state": "pending", "deleted": False})
        store.put(calico.block_path("10.65.3.0/26"), b"nonsense")
        done = self.run_map("10.65.2.0")
        self.assertIn("10.65.2.0/26, claimed by node-z, not made yet: empty, 64 free", done.stdout)
        done = self.run_map()
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: block 10.65.3.0/26 cannot be read", done.stderr)
        self.assertRegex(done.stdout, r"\?    unreadable +64")

    def test_a_terminal_gets_colours_unless_the_environment_says_no(self):
        self.every_use()
        for more, has_colours in ({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False):
            with self.subTest(more):
                text = self.on_terminal({"TERM": "xterm-256color", "LANG": "C.UTF-8", **more})
                self.assertEqual(ESCAPE.search(text) is not None, has_colours)
                plain = ESCAPE.sub("", text)
                self.assertIn("▄ ◆ ≈ ○ ◆ ·" if more.get("TERM") != "dumb" else "+ b ~ o b .", plain)
        self.assertIsNone(ESCAPE.search(self.map()))
        self.assertIsNotNone(ESCAPE.search(self.map("--color", "always")))

    def on_terminal(self, variables):
        """What the program prints when its output is a terminal."""
        outside, inside = pty.openpty()
        environment = {"PATH": os.environ["PATH"], "HOME": self.temporary, **variables}
        process = subprocess.Popen(
            [self.program, "ipam", "map", "--database", self.database],
            env=environment, stdin=subprocess.DEVNULL, stdout=inside, stderr=subprocess.DEVNULL,
        )
        os.close(inside)
        data = b""
        try:
            while True:
                data += os.read(outside, 65536)
        except OSError:  # the end of a terminal that nobody has open any more
            pass
        finally:
            os.close(outside)
        self.assertEqual(process.wait(60), 0)
        return data.decode()

    def test_a_pool_of_ipv6_says_what_it_does_not_draw(self):
        entries = maps.entries_of("2001:db8:5::40/122", "node-a", [maps.owner(0, 0, "node-a")])
        self.fill(entries, pools=("2001:db8::/32",))
        text = self.map()
        self.assertIn("The pool has room for 2^90 blocks, more than can be drawn: only those that exist", text)
        self.assertIn("  2001:db8:5::40  +\n", text)

    def test_files(self):
        self.every_use()
        page, picture = (os.path.join(self.temporary, name) for name in ("map.html", "map.svg"))
        said = self.map("--html", page, "--svg", picture)
        self.assertRegex(said, r"\Awrote .*map\.html, \d+ bytes\nwrote .*map\.svg, \d+ bytes\n\Z")
        root = xml.etree.ElementTree.parse(picture).getroot()
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
        self.assertIn("10.65.0.64/26, node-a: 2 of 64 in use, 1 of them borrowed, 1 cooling down", titles)
        self.assertEqual(self.map("--svg", "-"), open(picture, encoding="utf-8").read())

    def test_refusals(self):
        self.every_use()
        for words, text in (
            (["nope"], "there is no IP pool named 'nope'; the pools are: 10-65-0-0-16 (10.65.0.0/16)"),
            (["10.66.0.0/24"], "there is no IP pool that contains 10.66.0.0/24"),
            (["--html", "/nonexistent/map.html"], "cannot write /nonexistent/map.html: No such file or directory"),
            (["--html", "x", "--svg", "x"], "--html and --svg name the same file"),
        ):
            done = self.run_map(*words)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(text, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_on_shared_stores(self):
        for make in (hosts.EtcdCluster, hosts.KubernetesCluster):
            cluster = make(self)
            with self.subTest(cluster.name):
                entries = dict([calico.pool_entry(maps.POOL)])
                entries.update(maps.every_use(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())))
                cluster.store.put_all(entries)
                environment = {"PATH": os.environ["PATH"], "HOME": self.temporary, **cluster.variables()}
                done = subprocess.run(
                    [self.program, "ipam", "map"], env=environment, capture_output=True, text=True, timeout=60
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("  10.65.0.0    + b ~ o b . .", done.stdout)


class PageTest(MapTest):
    """The page in a browser."""

    def page(self, entries=None, **size):
        if entries is None:
            self.every_use()
        else:
            self.fill(entries)
        path = os.path.join(self.temporary, "map.html")
        self.map("--html", path)
        return browser.Page(self, path, **size)

    def focus(self, page):
        """What has the focus: its label, or else its name."""
        return page.value("document.activeElement.getAttribute('aria-label') ?? document.activeElement.id")

    def test_it_needs_nothing_but_itself_and_breaks_no_rule_of_its_policy(self):
        page = self.page()
        self.assertEqual(page.problems, [])
        self.assertEqual([url for url in page.requests if not url.startswith(("file:", "data:"))], [])

    def test_a_pointer_learns_what_it_is_at(self):
        page = self.page()
        place = page.value(
            "(({x, y, width, height}) => [x + width / 2, y + height / 2])"
            "(document.querySelectorAll('.map [role=gridcell]')[1].getBoundingClientRect())"
        )
        page.point(*place, clicks=True)
        self.assertTrue(page.value("inspector.textContent").startswith("10.65.0.64/26, node-a: 2 of 64 in use"))
        self.assertEqual(page.value("document.querySelectorAll('#blocks [role=gridcell]').length"), 64)
        place = page.value(
            "(({x, y, width, height}) => [x + width / 2, y + height / 2])"
            "(document.querySelectorAll('#blocks [role=gridcell]')[1].getBoundingClientRect())"
        )
        page.point(*place)
        said = page.value("inspector.textContent")
        self.assertRegex(said, r"^10\.65\.0\.65, borrowed: default/[a-z0-9]+-[a-z0-9]+-[0-9a-f]{5} on node-b$")

    def test_the_keyboard_reaches_everything(self):
        page = self.page()
        met = []
        for _ in range(4):
            page.press("Tab")
            met.append(self.focus(page))
        self.assertEqual(met[:2], ["query", "dark"])
        self.assertTrue(met[2].startswith("10.65.0.0/26, node-a: 25 of 64 in use"), met)
        self.assertTrue(met[3].startswith("10.65.0.0, used: default/"), met)
        page.press("Tab", shift=True)
        walk = (
            ("ArrowRight", "10.65.0.64/26"), ("ArrowDown", "10.65.8.64/26"), ("End", "10.65.15.192/26"),
            ("ArrowRight", "10.65.16.0/26"), ("ArrowUp", "10.65.8.0/26"), ("ArrowLeft", "10.65.7.192/26"),
            ("Home", "10.65.0.0/26"), ("ArrowLeft", "10.65.0.0/26"), ("PageDown", "10.65.64.0/26"),
        )
        self.assertTrue(self.focus(page).startswith("10.65.0.0/26"), self.focus(page))
        for key, cell in walk:
            page.press(key)
            self.assertTrue(self.focus(page).startswith(cell + ","), "%s: %s" % (key, self.focus(page)))
            self.assertEqual(page.value("document.querySelectorAll('.map [tabindex=\"0\"]').length"), 1)
        page.press("End", control=True)
        self.assertTrue(self.focus(page).startswith("10.65.255.192/26"))
        page.press("Home", control=True)
        page.press("ArrowRight")
        page.press("Enter")
        self.assertEqual(page.value("document.querySelector('[aria-selected]').getAttribute('aria-label')"), self.focus(page))
        page.press("Tab")
        self.assertTrue(self.focus(page).startswith("10.65.0.64, used: "), self.focus(page))
        page.press("ArrowRight")
        self.assertTrue(self.focus(page).startswith("10.65.0.65, borrowed: "))
        self.assertEqual(page.value("inspector.textContent"), self.focus(page))
        page.press("Escape")
        self.assertTrue(self.focus(page).startswith("10.65.0.64/26, node-a"))
        outline = "getComputedStyle(document.activeElement).outlineWidth"
        self.assertEqual(page.value(outline), "3px")

    def search(self, page, text):
        page.value("query.value = ''; query.focus()")
        page.type(text)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            page.value("new Promise((done) => setTimeout(done, 50))")
            found = page.value("found.textContent")
            if found != getattr(self, "found", ""):
                break
        self.found = found
        return found

    def test_search_by_address_node_and_pod(self):
        page = self.page()
        self.assertIn("1 address", self.search(page, "10.65.0.65"))
        page.press("Tab")
        page.press("Tab")
        page.press("Enter")
        self.assertTrue(self.focus(page).startswith("10.65.0.65, borrowed: "))
        pod = re.search(r"default/(\S+)", self.focus(page)).group(1)
        self.assertIn("1 block", self.search(page, "node-c"))
        self.assertIn("1 address;", self.search(page, pod.upper()))
        self.assertEqual(page.value("document.querySelectorAll('.map .hit').length"), 1)
        self.assertEqual(self.search(page, "nobody"), "Nothing that is in a block fits.")
        self.assertEqual(page.value("document.querySelectorAll('.hit').length"), 0)

    def test_everything_that_can_be_operated_has_a_name_and_a_role(self):
        page = self.page()
        nodes = page.tree()
        roles = {}
        for node in nodes:
            role = node["role"]["value"]
            roles[role] = roles.get(role, 0) + 1
            if role in ("gridcell", "grid", "searchbox", "switch", "button", "region", "complementary", "rowheader"):
                self.assertTrue(node.get("name", {}).get("value"), node)
        for role, count in {"gridcell": 1088, "grid": 2, "searchbox": 1, "switch": 1, "main": 1, "search": 1}.items():
            self.assertEqual(roles.get(role), count, (role, roles))
        self.assertEqual(page.value("document.documentElement.lang"), "en")
        self.assertTrue(page.value("document.title"))
        duplicates = "[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) < i)"
        self.assertEqual(page.value(duplicates), [])
        levels = page.value("[...document.querySelectorAll('h1,h2,h3')].map((e) => Number(e.localName[1]))")
        self.assertEqual(levels[0], 1)
        self.assertTrue(all(later - earlier <= 1 for earlier, later in zip(levels, levels[1:])), levels)

    def test_contrast_in_both_colours_and_the_switch(self):
        page = self.page()
        grounds = []
        for scheme in ("light", "dark"):
            page.prefer(scheme)
            self.assertEqual(page.value("dark.getAttribute('aria-checked')"), str(scheme == "dark").lower())
            self.contrast(page)
            grounds.append(page.value("getComputedStyle(document.body).backgroundColor"))
        page.value("dark.focus()")
        page.press(" ")
        self.assertEqual(page.value("dark.getAttribute('aria-checked')"), "false")
        self.assertEqual(page.value("getComputedStyle(document.body).backgroundColor"), grounds[0])
        self.assertNotEqual(*grounds)
        self.contrast(page)

    def contrast(self, page):
        found = page.value(CONTRAST)
        self.assertGreater(found["counts"][1], 1000)
        self.assertGreaterEqual(found["text"][0], 4.5, found)
        self.assertGreaterEqual(found["sign"][0], 3, found)
        self.assertGreaterEqual(found["control"][0], 3, found)

    def test_it_fits_every_width(self):
        page = self.page()
        for width in (320, 480, 700, 1000, 1280, 1920):
            page.size(width, 900)
            self.assertLessEqual(page.value("document.documentElement.scrollWidth"), width)
            self.assertEqual(
                page.value(
                    "[...document.querySelectorAll('.c')].filter((cell) => {"
                    " const {left, right, width} = cell.getBoundingClientRect();"
                    " return left < 0 || right > innerWidth || width < 5; }).length"
                ), 0, width)

    def test_names_of_the_store_stay_text(self):
        evil = '</script><img src=x onerror="window.evil=1"><!--'
        owners = [{"handle_id": "h", "secondary": {"node": evil, "pod": evil + "-" + evil, "namespace": evil}}]
        page = self.page(maps.entries_of("10.65.0.0/26", evil, owners))
        self.assertEqual(page.problems, [])
        self.assertEqual(page.value("typeof window.evil"), "undefined")
        self.assertEqual(page.value("document.querySelectorAll('img').length"), 0)
        cell = page.value("document.querySelector('#blocks [role=gridcell]').getAttribute('aria-label')")
        self.assertEqual(cell, "10.65.0.0, used: %s/%s-%s on %s" % (evil, evil, evil, evil))

    def test_a_full_pool_of_1024_blocks_has_every_name_in_two_megabytes(self):
        page = self.page(maps.full())
        path = os.path.join(self.temporary, "map.html")
        self.assertLessEqual(os.path.getsize(path), 2_000_000)
        self.assertEqual(page.problems, [])
        last = maps.owner(1023, 63, "node-63")["secondary"]["pod"]
        self.assertIn("1 address;", self.search(page, last))
        page.value("document.querySelector('#results button').click()")
        self.assertTrue(self.focus(page).startswith("10.65.255.255, used: default/%s on node-" % last), self.focus(page))


if __name__ == "__main__":
    unittest.main()
