#!/usr/bin/env python3
"""What `windlass install` prints is taken by an API server: validated by a server-side dry run, then
applied for real, twice; CRDs that are there are left out.

usage: apply.py WINDLASS"""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/embedded"))
from cluster import Cluster, peers_dir, skip  # noqa: E402


def main():
    windlass = pathlib.Path(sys.argv[1]).resolve()
    kubectl = next((p for p in [shutil.which("kubectl"), *peers_dir().glob("*/kubectl")] if p), None)
    if kubectl is None:
        skip("kubectl is not there (./dev peers)")
    failed = 0
    with Cluster(windlass) as cluster:
        def run(*command, text=None):
            done = subprocess.run([str(c) for c in command], input=text, capture_output=True, text=True, timeout=120)
            return done.returncode, done.stdout, done.stderr

        def expect(good, what):
            nonlocal failed
            failed += not good
            print(f"{'ok    ' if good else 'FAILED'}  {what}")

        def apply(text, *options):
            return run(kubectl, "--kubeconfig", cluster.kubeconfig, "apply", "-f", "-", *options, text=text)

        for options in (["--cloud", "aws"], ["--observe"], ["--take-over"]):
            code, text, error = run(windlass, "install", "--offline", *options)
            expect(code == 0 and ("EC2" in error) == ("aws" in options), f"install {options} prints: {error}")
            # A namespace that only a dry run made is not there for what lies in it.
            run(kubectl, "--kubeconfig", cluster.kubeconfig, "create", "namespace", "windlass")
            code, out, error = apply(text, "--dry-run=server", "--validate=strict")
            expect(code == 0 and out.count("(server dry run)") == text.count("\n---\n") + 1,
                   f"a dry run of it passes, every object: {'' if code == 0 else error[-600:]}")
        code, text, error = run(windlass, "install", "--kubeconfig", cluster.kubeconfig)
        expect(code == 0 and "CustomResourceDefinition" not in text and "ServiceMonitor" not in text,
               f"the cluster's own CRDs are left out {error}")
        code, out, error = apply(text)
        expect(code == 0, f"it applies {'' if code == 0 else error[-600:]}")
        code, out, error = apply(text)
        # kubectl always patches a PodDisruptionBudget: its selector is replaced as a whole.
        expect(code == 0 and all(line.endswith("unchanged") or line.startswith("poddisruptionbudget")
                                      for line in out.splitlines()),
               f"applied again it changes nothing {'' if code == 0 else error}")
        code, out, error = run(windlass, "install", "--kubeconfig", cluster.kubeconfig, "--context", "none")
        expect(code == 1 and not out and "none" in error, f"a context that is not there: {code} {error}")
    # Gone: never all CRDs because nobody answered.
    code, out, error = run(windlass, "install", "--kubeconfig", cluster.kubeconfig)
    expect(code == 1 and not out and "--offline" in error, f"a cluster that is away: {code} {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
