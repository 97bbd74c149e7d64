#!/usr/bin/env python3
"""What is wrong with a scenario, manifest or trace is named with its file, line or field, and exits 2;
several errors are listed together; Ctrl-C prints the table so far.

usage: bad_input.py WINDLASS"""
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOOD = (ROOT / "tests/scenarios/short.yaml").read_text().replace("../../examples", str(ROOT / "examples"))
NODEPOOL = (ROOT / "examples/blog/manifests/account.yaml").read_text()


def simulate(program, folder, text, *arguments):
    path = folder / "scenario.yaml"
    path.write_text(text)
    return subprocess.run([program, "simulate", path, "-q", *arguments], capture_output=True, text=True,
                          timeout=300)


def replaced(old, new):
    assert old in GOOD, old
    return GOOD.replace(old, new, 1)


def manifest(text):
    """A scenario whose first manifest is `text`, put beside it as bad.yaml."""
    return replaced(str(ROOT / "examples/blog/manifests/account.yaml"), "bad.yaml"), text


# name, scenario (or a pair with a manifest), what standard error must say (regular expressions)
CASES = [
    ("not YAML", "a: [1, 2", [r"scenario\.yaml"]),
    ("empty file", "", [r"scenario\.yaml"]),
    ("another kind", replaced("kind: Scenario", "kind: Pod"), [r"found kind Pod", r"accepted is kind Scenario"]),
    ("unknown field", replaced("  duration:", "  durration: 1h\n  duration:"),
     [r"durration", r"did you mean.*duration"]),
    ("bad duration", replaced("duration: 90m", "duration: 90 minutes"),
     [r"scenario\.yaml:\d+: spec\.duration", r"90 minutes", r"accepted"]),
    ("several errors together",
     replaced("duration: 90m", "duration: soon").replace("maxSequences: 4", "maxSequences: many"),
     [r"spec\.duration", r"spec\.models\[0\]\.maxSequences", r"2 errors; nothing was run"]),
    ("unknown policy", replaced("policies: [static,", "policies: [statik,"),
     [r"spec\.policies\[0\]", r"static, stock, windlass"]),
    ("missing manifest", replaced("manifests/account.yaml", "manifests/nowhere.yaml"), [r"can't read .*nowhere\.yaml"]),
    ("unknown instance type", replaced("instanceType: g4dn.xlarge, count", "instanceType: g4dn.huge, count"),
     [r"unknown instance type g4dn\.huge"]),
    ("no such deployment", replaced("deployment: inference/vllm-inference", "deployment: inference/nope"),
     [r"Deployment inference/nope is in no manifest", r"inference/vllm-inference"]),
    ("wrong GPU count", replaced("kvBytesPerToken: 28672", "kvBytesPerToken: 28672\n        tensorParallel: 2"),
     [r"tensorParallel is 2.*ask for 1"]),
    ("a query outside the subset", manifest(NODEPOOL.replace("sum(inference_queue_depth)", "sort(inference_queue_depth)")),
     [r"ScaledObject/inference/gpu-inference-scaler", r"sort"]),
    ("bad limit in a manifest", manifest(NODEPOOL.replace("nvidia.com/gpu: 32", "nvidia.com/gpu: 4x")),
     [r"bad\.yaml:\d+: NodePool/gpu-nodepool spec\.limits", r"4x"]),
    ("bad operator in a manifest", manifest(NODEPOOL.replace("operator: Gt", "operator: GreaterThan")),
     [r"bad\.yaml:\d+", r"GreaterThan", r"Gt"]),
    ("bad threshold", manifest(NODEPOOL.replace('threshold: "5"', 'threshold: "five"')), [r"triggers\[1\].*threshold.*five"]),
    ("no trace", replaced("generator:\n          requestsPerSecond: 18", "trace:\n          path: none.csv\n        x-was:\n          requestsPerSecond: 18"),
     [r"none\.csv|unknown"]),
]

TRACES = [
    ("trace without rows", "time_s,input_tokens,output_tokens\n", r"trace\.csv"),
    ("trace with another header", "a,b,c\n1,2,3\n", r"trace\.csv.*time_s,input_tokens,output_tokens"),
    ("trace with a word", "time_s,input_tokens,output_tokens\n0,10,10\n1,x,10\n", r"trace\.csv:3.*input_tokens.*x"),
    ("trace going back in time", "time_s,input_tokens,output_tokens\n5,10,10\n1,10,10\n", r"trace\.csv:3"),
]


def check_interrupt(program, folder):
    path = folder / "scenario.yaml"
    path.write_text(replaced("duration: 90m", "duration: 900h"))
    process = subprocess.Popen([program, "simulate", path, "-q"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    time.sleep(6)  # a sanitized build takes seconds to read its input
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    return process.returncode == 130 and "partial" in out and "Cost" in out, out


def with_trace(text, folder):
    (folder / "trace.csv").write_text(text)
    generator = GOOD[GOOD.index("        generator:\n          requestsPerSecond"):GOOD.index("        shape:")]
    return GOOD.replace(generator, "        trace:\n          path: trace.csv\n")


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    failed = 0
    passed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def verdict(case, good, detail):
            nonlocal failed, passed
            passed += good
            failed += not good
            print(f"{'ok' if good else 'FAIL'}: {case}")
            if not good:
                print("   ", detail)

        for case, text, wanted in CASES:
            if isinstance(text, tuple):
                (folder / "bad.yaml").write_text(text[1])
                text = text[0]
            run = simulate(program, folder, text)
            missing = [w for w in wanted if not re.search(w, run.stderr, re.S)]
            verdict(case, run.returncode == 2 and not missing and not run.stdout,
                    f"exit {run.returncode}, not said: {missing}, said: {run.stderr[:600]}")
        for case, trace, wanted in TRACES:
            run = simulate(program, folder, with_trace(trace, folder), "--policy", "static")
            good = run.returncode in (1, 2) and re.search(wanted, run.stderr, re.S)
            verdict(case, bool(good), f"exit {run.returncode}: {run.stderr[:600]}")
        for case, arguments in [("unknown option", ["--nope"]), ("unknown output", ["-o", "xml"]),
                                ("unknown --policy", ["--policy", "nope"]),
                                ("report in no folder", ["--report", "/nonexistent/x.html"])]:
            run = simulate(program, folder, GOOD, *arguments)
            verdict(case, run.returncode == 2 and run.stderr != "", f"exit {run.returncode}: {run.stderr[:400]}")
        good, out = check_interrupt(program, folder)
        verdict("Ctrl-C prints the table so far", good, out[:400])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
