#!/usr/bin/env python3
"""`plan`, `lint` and `explain` as a user meets them: the examples in the documents work, JSON is JSON,
what is wrong is named and exits with the code the help texts say.

usage: plan_commands.py WINDLASS"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLAN = "examples/plan"
NOW = ["--now", "2026-03-01T12:00:00Z"]
NODES = ["plan", "nodes", "-f"]
REPLICAS = ["plan", "replicas", "-f", f"{PLAN}/scaledobject.yaml"]

# name, arguments, standard input, exit code, what the output must say (a regular expression)
CASES = [
    ("nodes", NODES + [f"{PLAN}/nodes.yaml"], "", 0, r"USD/h"),
    ("nodes at the least cost", NODES + [f"{PLAN}/nodes.yaml", "--objective", "cost"], "", 0, r"lower bound"),
    ("nodes from standard input", NODES + ["-"], (ROOT / PLAN / "nodes.yaml").read_text(), 0, r"USD/h"),
    ("pods without a place", NODES + [f"{PLAN}/nodes_no_place.yaml"], "", 1, r"without a place: [1-9]"),
    ("nodes without files", ["plan", "nodes"], "", 2, r"--file"),
    ("a file that is not there", NODES + ["nowhere.yaml"], "", 2, r"nowhere\.yaml: no such file"),
    ("not YAML", NODES + ["-"], "a: [1, 2", 2, r"standard input:1"),
    ("not a manifest", NODES + ["-"], "just words", 2, r"standard input"),
    ("a bad field", NODES + ["-"], "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
     "spec: {containers: [{name: c, resources: {requests: {cpu: 4x}}}]}\n", 2, r"standard input:\d+.*4x"),
    ("nothing at all", NODES + ["-"], "", 0, r"0 USD/h|0\.0000 USD/h|no pods|nothing"),
    ("another objective", NODES + [f"{PLAN}/nodes.yaml", "--objective", "speed"], "", 2, r"stock.*cost"),
    ("a catalogue that is none", NODES + [f"{PLAN}/nodes.yaml", "--catalog", f"{PLAN}/nodes.yaml"], "", 2,
     r"array of instance types"),
    ("a deep document", NODES + ["-"], "[" * 5000, 2, r"standard input"),
    ("replicas", REPLICAS + ["--readings", f"{PLAN}/readings.yaml"], "", 0, r"ScaleUpLimit"),
    ("replicas without readings", REPLICAS, "", 2, r"readings"),
    ("readings that are none", REPLICAS + ["--readings", f"{PLAN}/scaledobject.yaml"], "", 2, r"scaledobject\.yaml"),
    ("vectors that are none", ["plan", "replicas", "--vectors", f"{PLAN}/readings.yaml"], "", 2, r"readings\.yaml"),
    ("disruption", ["plan", "disruption", "-f", f"{PLAN}/disruption.yaml"] + NOW, "", 0, r"emptiness"),
    ("disruption at the least cost",
     ["plan", "disruption", "-f", f"{PLAN}/disruption.yaml", "--objective", "cost"] + NOW, "", 0, r"saves"),
    ("a time that is none", ["plan", "disruption", "-f", f"{PLAN}/disruption.yaml", "--now", "noon"], "", 2,
     r"--now.*noon"),
    ("lint finds errors", ["lint", "examples/blog/manifests"], "", 1, r"average-capped"),
    ("lint of nothing wrong", ["lint", "-"], "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", 0, r"0 errors"),
    ("lint of a file that is not there", ["lint", "nowhere.yaml"], "", 2, r"nowhere\.yaml"),
    ("explain of a file that is not there", ["explain", "nowhere.jsonl"], "", 2, r"nowhere\.jsonl"),
    ("report of a file that is not there", ["report", "nowhere.jsonl"], "", 2, r"nowhere\.jsonl"),
    ("plan alone", ["plan"], "", 2, r"subcommand"),
]
JSON = [
    NODES + [f"{PLAN}/nodes.yaml"],
    NODES + [f"{PLAN}/nodes.yaml", "--objective", "cost"],
    REPLICAS + ["--readings", f"{PLAN}/readings.yaml"],
    ["plan", "disruption", "-f", f"{PLAN}/disruption.yaml"] + NOW,
    ["lint", "examples/blog/manifests"],
]


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    failed = 0

    def run(arguments, text=""):
        return subprocess.run([program, *arguments], input=text, capture_output=True, text=True, cwd=ROOT,
                              timeout=120)

    def verdict(case, good, detail):
        nonlocal failed
        failed += not good
        print(f"{'ok' if good else 'FAIL'}: {case}")
        if not good:
            print("   ", detail)

    for case, arguments, text, code, wanted in CASES:
        done = run(arguments, text)
        said = done.stdout + done.stderr
        verdict(case, done.returncode == code and re.search(wanted, said, re.S | re.I),
                f"exit {done.returncode}, wanted {code} and {wanted!r}: {said[:500]}")
    for arguments in JSON:
        done = run(arguments + ["-o", "json"])
        try:
            good = bool(json.loads(done.stdout))
        except ValueError as error:
            good = False
            done.stderr += str(error)
        verdict(f"json of {' '.join(arguments[:2])}", good, done.stderr[:300])

    stock = json.loads(run(JSON[0] + ["-o", "json"]).stdout)
    cost = json.loads(run(JSON[1] + ["-o", "json"]).stdout)
    verdict("the bound is under both plans, cost under stock",
            cost["lower_bound_usd_per_hour"] <= cost["usd_per_hour"] + 1e-9 <= stock["usd_per_hour"] + 2e-9,
            f"{cost['lower_bound_usd_per_hour']} {cost['usd_per_hour']} {stock['usd_per_hour']}")

    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "decisions.jsonl"
        run(["simulate", "tests/scenarios/short.yaml", "-q", "--policy", "stock", "--decisions", log])
        done = run(["explain", log, "--object", "gpu-inference-scaler"])
        verdict("explain of an object", done.returncode == 0 and "scaled" in done.stdout, done.stderr[:300])
        done = run(["explain", log, "--pod", "nobody"])
        verdict("explain of nobody", done.returncode == 1 and "nobody" in done.stderr, done.stderr[:300])
        with log.open("a") as file:
            file.write("{\n")
        done = run(["explain", log, "--object", "gpu-inference-scaler"])
        verdict("explain goes on after a bad line", done.returncode == 0 and "decisions.jsonl:" in done.stderr,
                f"exit {done.returncode}: {done.stderr[:300]}")
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
