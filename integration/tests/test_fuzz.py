#!/usr/bin/env python3
"""Random and mutated input: whatever comes in, an answer in the protocol's form goes out."""

import json
import os
import subprocess
import sys

import isolation
import plugin
import seeds

HERE = os.path.dirname(os.path.abspath(__file__))


class Fuzz(plugin.PluginTest):
    def test_every_input_gets_a_proper_answer(self):
        """COUNT inputs: success with a result or nothing, or status 1 with an error object, and no stray file."""
        isolation.require()
        count, seed = seeds.count("COUNT", 3000), seeds.source("the fuzzer").getrandbits(64)
        vectors = os.environ.get("VECTORS") or os.path.join(HERE, "..", "vectors", "host-local")
        worker = [sys.executable, "-B", os.path.join(HERE, "fuzzing.py"), str(seed), str(count)]
        worker.append(vectors if os.path.isdir(vectors) else "")
        done = subprocess.run(["unshare", "--mount", *worker], stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, "the fuzzer itself failed")
        *findings, summary = [json.loads(line) for line in done.stdout.splitlines()]
        print("fuzzer: %s" % summary)
        self.assertEqual(summary["calls"], count)
        faults = ["%s\n  %s" % (one.pop("fault"), json.dumps(one)) for one in findings]
        self.assertEqual(len(faults), 0, "\n".join(faults[:20]))
        # Inputs that are all refused would test the parser only.
        self.assertGreater(summary["outcomes"].get("ADD done", 0), count // 100)


if __name__ == "__main__":
    isolation.main()
