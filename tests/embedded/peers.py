#!/usr/bin/env python3
"""Foreign clients that are no Debian packages, where `./dev peers` has put them: client-node, helm.

usage: peers.py WINDLASS node|helm
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from cluster import Cluster, ROOT, peers_dir, skip


def run(*command, **kw):
    print("$ " + " ".join(str(c) for c in command))
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120, **kw)
    print(done.stdout + done.stderr)
    return done


def node(cluster):
    folder = peers_dir() / "client-node"
    script = pathlib.Path(__file__).with_name("node_client.mjs")
    return run("node", script, folder, cluster.kubeconfig).returncode


def helm(cluster):
    program = next(peers_dir().glob("*/helm"), None) or shutil.which("helm")
    with tempfile.TemporaryDirectory() as scratch:
        chart = pathlib.Path(scratch) / "chart"
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 0.1.0\n")
        (chart / "values.yaml").write_text("replicas: 1\n")
        (chart / "templates/all.yaml").write_text(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ .Release.Name }}}\n"
            "spec:\n  replicas: {{ .Values.replicas }}\n  selector: {matchLabels: {app: small}}\n"
            "  template:\n    metadata: {labels: {app: small}}\n"
            "    spec: {containers: [{name: app, image: nginx}]}\n---\n"
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-settings}\ndata: {a: b}\n")
        env = {**os.environ, "KUBECONFIG": cluster.kubeconfig, "HOME": scratch,
               "HELM_CACHE_HOME": scratch + "/c", "HELM_CONFIG_HOME": scratch + "/f", "HELM_DATA_HOME": scratch + "/d"}
        wanted = [(["install", "small", chart, "--namespace", "charts", "--create-namespace", "--wait",
                    "--timeout", "90s"], "deployed"),
                  (["upgrade", "small", chart, "--namespace", "charts", "--set", "replicas=2", "--wait",
                    "--timeout", "90s"], "deployed"),
                  (["list", "--namespace", "charts"], "small"),
                  (["history", "small", "--namespace", "charts"], "superseded"),
                  (["rollback", "small", "1", "--namespace", "charts"], "success"),
                  (["uninstall", "small", "--namespace", "charts"], "uninstalled")]
        for words, text in wanted:
            done = run(program, *words, env=env)
            if done.returncode != 0 or text not in (done.stdout + done.stderr):
                print(f"FAILED  helm {words[0]}: exit code {done.returncode}, no \"{text}\"")
                return 1
        left = cluster.get("/apis/apps/v1/namespaces/charts/deployments")["items"]
        if left:
            print("FAILED  the Deployment outlived its release")
            return 1
    return 0


def main():
    which = sys.argv[2]
    if which == "node" and not (shutil.which("node") and (peers_dir() / "client-node/node_modules").exists()):
        skip("@kubernetes/client-node is not there (./dev peers)")
    if which == "helm" and not (next(peers_dir().glob("*/helm"), None) or shutil.which("helm")):
        skip("helm is not there (./dev peers)")
    with Cluster(pathlib.Path(sys.argv[1]).resolve(), ROOT / "tests/scenarios/kubectl.yaml", "--speed", "20") as cluster:
        return {"node": node, "helm": helm}[which](cluster)


if __name__ == "__main__":
    sys.exit(main())
