#!/usr/bin/env python3
"""Makes the files here from the full recordings: compact.py <folder of recordings> <folder to write to>"""
import json
import pathlib
import sys

STEP = ("operation", "inputs", "exit_code", "stdout", "stderr")


def compacted(step):
    """A step without request counts and times, and of its writes the values that stay."""
    last = {write["key"]: index for index, write in enumerate(step["writes"])}
    writes = []
    for index, write in enumerate(step["writes"]):
        kept = {"type": write["type"], "key": write["key"]}
        if last[write["key"]] == index:
            if write["type"] != "delete":
                kept["value"] = write["value"]
        if write["type"] == "create" and "/assignment/" in write["key"]:
            kept["sequenceNumber"] = json.loads(write["value"])["sequenceNumber"]
        writes.append(kept)
    return {name: step[name] for name in STEP if name in step} | {"writes": writes}


def check(steps, name):
    """The writes must make the recorded datastore, which is left out."""
    datastore = {}
    for index, step in enumerate(steps):
        for write in step["writes"]:
            if write["type"] == "delete":
                datastore.pop(write["key"], None)
            else:
                datastore[write["key"]] = write["value"]
        if datastore != step["datastore"]:
            sys.exit(f"{name}, step {index}: the writes do not make the recorded datastore")


def text(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def main(source, target):
    for path in sorted(pathlib.Path(source).glob("*/[0-9]*.json")):
        recording = json.loads(path.read_text())
        check(recording["steps"], path)
        lines = ",\n".join(text(compacted(step)) for step in recording["steps"])
        head = ",".join(f"{text(key)}:{text(recording[key])}" for key in ("scenario", "title", "recorded_from"))
        output = pathlib.Path(target, path.parent.name, path.name)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text("{" + head + ',"steps":[\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
