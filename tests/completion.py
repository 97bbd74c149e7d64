#!/usr/bin/env python3
"""The completion scripts load in the shells that are installed, and bash completes with them.

usage: completion.py WINDLASS"""
import shutil
import subprocess
import sys

# What was typed, the last word being completed, and what bash must offer.
CASES = [
    (["windlass", "sim"], {"simulate"}),
    (["windlass", "simulate", "-o", ""], {"table", "json"}),
    (["windlass", "simulate", "x.yaml", "--rep"], {"--report"}),
    (["windlass", "simulate", "--report", ""], set()),  # a file: left to bash
    (["windlass", "u"], {"up"}),
    (["windlass", "up", "x.yaml", "--dash"], {"--dashboard-port"}),
    (["windlass", "up", "x.yaml", "--policy", "st"], {"static", "stock"}),
    (["windlass", "plan", "rep"], {"replicas"}),
    (["windlass", "plan", "nodes", "--objective", "c"], {"cost"}),
]


def main():
    program = sys.argv[1]
    failed = 0
    for shell in ("bash", "zsh", "fish"):
        script = subprocess.run([program, "completion", shell], capture_output=True, text=True, check=True).stdout
        if not shutil.which(shell):
            print(f"skip: {shell} is not installed")
            continue
        loaded = subprocess.run([shell, "-c", script], capture_output=True, text=True)
        good = loaded.returncode == 0 and not loaded.stderr
        failed += not good
        print(f"{'ok' if good else 'FAIL'}: {shell} loads its script {loaded.stderr[:200]}")
    for words, wanted in CASES:
        typed = " ".join(f"'{w}'" for w in words)
        run = subprocess.run(
            ["bash", "-c", f"source <('{program}' completion bash); COMP_WORDS=({typed}); "
             f"COMP_CWORD={len(words) - 1}; _windlass; echo \"${{COMPREPLY[@]}}\""],
            capture_output=True, text=True, check=True)
        good = set(run.stdout.split()) == wanted
        failed += not good
        print(f"{'ok' if good else 'FAIL'}: {typed} -> {run.stdout.strip()}")
    bad = subprocess.run([program, "completion", "csh"], capture_output=True, text=True)
    good = bad.returncode == 2 and "bash, zsh, fish" in bad.stderr
    failed += not good
    print(f"{'ok' if good else 'FAIL'}: another shell is refused")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
