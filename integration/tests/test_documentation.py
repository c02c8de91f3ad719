#!/usr/bin/env python3
"""What README and the articles show is what happens: every command in them, executed with the packaged programs (DIST)."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import documentation
import isolation


class Excerpts(unittest.TestCase):
    """How documents are read, and shown output is compared."""

    def test_what_varies_may_differ_and_nothing_else(self):
        for shown, printed in (
            ("web  2026-11-22T00:18:28Z", "web  2027-01-02T03:04:05Z"),
            ("  timestamp: 2026-11-22 00:19:13.452313792 +0000 UTC", "  timestamp: 2026-11-23 00:19:13.4 +0000 UTC"),
            ("+------+", "+--------+"),
        ):
            self.assertTrue(documentation.matches([shown], [printed]), shown)
        for shown, printed in (("10.65.6.64", "10.65.6.65"), ("a", "a b"), ("one row", "")):
            self.assertFalse(documentation.matches([shown], [printed]), shown)
        self.assertFalse(documentation.matches([], ["unexpected"]))

    def test_a_row_of_dots_stands_for_any_rows(self):
        self.assertTrue(documentation.matches(["a", "...", "d"], ["a", "b", "c", "d"]))
        self.assertTrue(documentation.matches(["..."], ["a"]))
        self.assertFalse(documentation.matches(["a", "...", "d"], ["a", "b", "c"]))
        self.assertFalse(documentation.matches(["b", "..."], ["a", "b"]))


class DocumentationTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        isolation.require()
        self.package = os.environ.get("DIST", "")
        if not os.path.isfile(os.path.join(self.package, "SHA256SUMS")):
            self.skipTest("DIST names no package: integration/package makes one")

    def verify(self, name):
        path = next(path for path in documentation.documents() if os.path.basename(path) == name)
        document = documentation.Document(path)
        results = documentation.run(document, self.package)
        for step, result in zip(document.steps, results):
            place = "%s:%d: %s" % (name, step.line, step.text)
            with self.subTest(place):
                if step.kind == "console":
                    if not documentation.matches(step.expected, result.output):
                        self.assertEqual(step.expected, result.output, place)
                    # A failure has to be seen by the reader.
                    self.assertTrue(result.status == 0 or step.expected, "%s: status %d" % (place, result.status))
                else:
                    self.assertEqual(result.status, 0, "%s:\n%s" % (place, "\n".join(result.output)))
        self.assertEqual(len(results), len(document.steps), "the machine ended too early")


def method(name):
    return lambda self: self.verify(name)


# One test for each document, so that each is reported by itself.
for document_path in documentation.documents():
    document_name = os.path.basename(document_path)
    test = method(document_name)
    test.__doc__ = "every command of %s does what is shown" % document_name
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", document_name.removesuffix(".md")).lower()
    setattr(DocumentationTest, "test_every_command_of_%s_does_what_is_shown" % words, test)


class CatalogueTest(unittest.TestCase):
    def documents(self):
        return {os.path.basename(path): documentation.Document(path) for path in documentation.documents()}

    def test_links_between_articles_lead_somewhere(self):
        documents = self.documents()
        for name, document in documents.items():
            for target in re.findall(r"<doc:([\w-]+)>", "\n".join(document.lines)):
                self.assertIn(target + ".md", documents, name)

    def test_every_article_is_in_the_list_of_topics(self):
        documents = self.documents()
        listed = set(re.findall(r"<doc:([\w-]+)>", "\n".join(documents["ipamctl.md"].lines)))
        self.assertEqual(listed, {name.removesuffix(".md") for name in documents} - {"README", "ipamctl"})

    def test_links_of_readme_to_files_lead_somewhere(self):
        text = "\n".join(self.documents()["README.md"].lines)
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            self.assertTrue(os.path.exists(os.path.join(documentation.ROOT, target)), target)

    def test_every_block_is_executed_or_shows_data(self):
        for name, document in self.documents().items():
            for line in document.lines:
                if line.startswith("```"):
                    self.assertIn(line, ("```", "```sh", "```console", "```json", "```yaml"), name)

    def test_docc_makes_pages_of_the_catalogue(self):
        if not shutil.which("docc"):
            self.skipTest("docc is missing (it comes with the Swift toolchain)")
        with tempfile.TemporaryDirectory() as place:
            told = os.path.join(place, "diagnostics.json")
            words = ["docc", "convert", documentation.CATALOGUE, "--fallback-display-name", "ipamctl"]
            words += ["--fallback-bundle-identifier", "swift-ipam.ipamctl", "--diagnostics-file", told]
            done = subprocess.run([*words, "--output-path", place + "/archive"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(told, encoding="utf-8") as file:
                found = [one["summary"] for one in json.load(file)["diagnostics"]]
            # The module's own page is a symbol, which is known only where the module is compiled as well.
            self.assertEqual([one for one in found if "No symbol matched 'ipamctl'" not in one], [])
            pages = os.listdir(place + "/archive/data/documentation/ipamctl")
            articles = [os.path.basename(path) for path in documentation.documents()[1:]]
            wanted = {name.lower().replace(".md", ".json") for name in articles} - {"ipamctl.json"}
            self.assertEqual(set(pages), wanted)

    def test_shown_documents_are_well_formed(self):
        for name, document in self.documents().items():
            for step in document.steps:
                if step.kind == "file" and step.path.endswith(".json"):
                    json.loads(step.text)


if __name__ == "__main__":
    isolation.main()
