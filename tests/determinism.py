#!/usr/bin/env python3
"""Same scenario and seed, same result: two runs agree byte for byte in -o json apart from wall_s, and
so do two builds of different optimisation when a second program is given; another seed differs.

usage: determinism.py WINDLASS [OTHER_WINDLASS]"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "tests/scenarios/short.yaml"


def run(program, seed):
    out = subprocess.run([program, "simulate", SCENARIO, "-o", "json", "-q", "--seed", str(seed)],
                         check=True, capture_output=True, text=True).stdout
    result = json.loads(out)
    for policy in result["policies"]:
        policy.pop("wall_s")
    return json.dumps(result, sort_keys=True)


def main():
    programs = sys.argv[1:]
    first = run(programs[0], 1)
    checks = [("two runs", first == run(programs[0], 1)),
              ("another seed differs", first != run(programs[0], 2))]
    for other in programs[1:]:
        checks.append((f"another build ({pathlib.Path(other).parent.name})", first == run(other, 1)))
    for name, good in checks:
        print(f"{'ok' if good else 'FAIL'}: {name}")
    failed = sum(not good for _, good in checks)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
