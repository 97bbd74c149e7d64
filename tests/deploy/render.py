#!/usr/bin/env python3
"""The three ways to install give the same objects: `windlass install`, kustomize, Helm. And what the
docs say of rights is what the roles grant.

usage: render.py WINDLASS"""
import atexit
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/embedded"))
from cluster import peers_dir, skip  # noqa: E402

try:
    import yaml
except ImportError:
    skip("python3-yaml is not installed")

LABELS = {"app.kubernetes.io/name", "app.kubernetes.io/part-of"}
failed = 0


def expect(good, what):
    global failed
    failed += not good
    if not good:
        print(f"FAILED  {what}")


def output(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise SystemExit(f"{command}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def documents(text):
    return [d for d in yaml.safe_load_all(text) if d]


def by_identity(objects):
    out = {}
    for o in objects:
        key = (o["apiVersion"], o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"])
        expect(key not in out, f"{key} stands there twice")
        out[key] = o
    return out


def own_labels(value):
    """Helm labels what it makes by its own custom; those labels aside, objects are equal."""
    if isinstance(value, dict):
        return {k: {n: v for n, v in own.items() if n in LABELS} if k == "labels" else own_labels(own)
                for k, own in value.items()}
    return [own_labels(v) for v in value] if isinstance(value, list) else value


def unordered(value):
    """Variables of a container are a map by name to Kubernetes, and kustomize puts its own first."""
    if isinstance(value, dict):
        own = {k: unordered(v) for k, v in value.items()}
        if "config.yaml" in own:  # the same value, however it is written
            own["config.yaml"] = yaml.safe_load(own["config.yaml"])
        if "image" in own and "env" in own:
            own["env"] = sorted(own["env"], key=lambda variable: variable["name"])
        return own
    return [unordered(v) for v in value] if isinstance(value, list) else value


def differences(left, right, path=""):
    if type(left) is type(right) and isinstance(left, dict):
        for key in sorted(left.keys() | right.keys()):
            yield from differences(left.get(key), right.get(key), f"{path}.{key}")
    elif type(left) is type(right) and isinstance(left, list) and len(left) == len(right):
        for i, pair in enumerate(zip(left, right)):
            yield from differences(*pair, f"{path}[{i}]")
    elif left != right:
        yield f"{path}: {json.dumps(left)} and {json.dumps(right)}"


def compare(what, left, right):
    left, right = by_identity(unordered(left)), by_identity(unordered(right))
    for key in sorted(left.keys() | right.keys()):
        expect(key in left and key in right, f"{what}: {key} is only on one side")
        for difference in differences(left.get(key), right.get(key)) if key in left and key in right else ():
            expect(False, f"{what}: {key} {difference}")
    print(f"{what}: {len(left)} objects compared")


def rights_of(objects):
    for o in objects:
        if o["kind"] in ("ClusterRole", "Role"):
            for rule in o["rules"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        yield (o["metadata"]["name"], o["metadata"].get("namespace", "cluster"),
                               rule["apiGroups"][0] or "core", resource, tuple(rule.get("resourceNames", [])), verb)


def rights_in_docs():
    for line in (ROOT / "docs/reference/install.md").read_text().split("## Rights")[1].splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) != 6 or not cells[0].startswith("`"):
            continue
        role, where, group, resources, verbs, why = cells
        expect(len(why) > 10, f"docs give no reason: {line}")
        names = tuple(re.findall(r"`([^`]+)`", resources))
        for resource in re.sub(r"`[^`]+`,?", "", resources).split(","):
            for verb in verbs.split(", "):
                yield role.strip("`"), where, group, resource.strip(), names, verb


def main():
    windlass = pathlib.Path(sys.argv[1]).resolve()
    kubectl = next((p for p in [shutil.which("kubectl"), *peers_dir().glob("*/kubectl")] if p), None)
    helm = next((p for p in [shutil.which("helm"), *peers_dir().glob("*/helm")] if p), None)

    scratch = tempfile.mkdtemp(prefix="windlass-render-")
    atexit.register(shutil.rmtree, scratch)

    def install(*options):
        return documents(output(windlass, "install", "--offline", *options))

    def kustomize(folder):
        return documents(output(kubectl, "kustomize", ROOT / "deploy/kustomize" / folder))

    def chart(*settings, namespace="windlass"):
        sets = [word for s in settings for word in ("--set", s)]
        return documents(output(helm, "template", "windlass", ROOT / "deploy/chart/windlass", "--namespace",
                                namespace, "--include-crds", *sets))

    # The text means the same to another reader of YAML as the JSON.
    as_json = json.loads(output(windlass, "install", "--offline", "-o", "json"))
    compare("install: YAML and JSON", install(), as_json["items"])
    crds = output(windlass, "install", "--only-crds", "--offline")
    expect(crds == (ROOT / "deploy/kustomize/crds/all/crds.yaml").read_text(),
           "deploy/kustomize/crds/all/crds.yaml is not what `windlass install --only-crds` prints")
    version = output(windlass, "--version").split()[-1]
    images = [o["spec"]["template"]["spec"]["containers"][0]["image"] for o in install() if o["kind"] == "Deployment"]
    expect(images == [f"windlass:{version}"], f"the image is {images}, the program {version}")
    meta = documents((ROOT / "deploy/chart/windlass/Chart.yaml").read_text())[0]
    expect(meta["version"] == meta["appVersion"] == version, f"the chart is of {meta}, the program {version}")

    everything = install("--take-over")
    expect(sorted(set(rights_of(everything))) == sorted(set(rights_in_docs())),
           "docs/reference/install.md and the roles differ: "
           f"{sorted(set(rights_of(everything)) ^ set(rights_in_docs()))}")
    expect(len(list(rights_of(everything))) == len(set(rights_of(everything))), "a right is granted twice")

    if kubectl is None:
        print("skipped: kustomize (no kubectl: ./dev peers)")
    else:
        for folder, options in [("base", ["--cloud", "aws"]), ("overlays/observe", ["--observe"]),
                                ("overlays/simulated", [])]:
            compare(f"kustomize {folder}", install("--without-crds", *options), kustomize(folder))
        compare("kustomize crds", install("--only-crds"), kustomize("crds"))
    if helm is None:
        print("skipped: Helm (no helm: ./dev peers)")
    else:
        config = pathlib.Path(scratch) / "config.yaml"
        config.write_text("apiVersion: windlass.dev/v1alpha1\nkind: Config\npolicy: stock\n"
                          "simulated: {boot: 5s, withoutCapacity: ['p5*']}\n")
        for options, settings in [
                ([], []), (["--observe"], ["observe=true"]), (["--cloud", "aws"], ["cloud=aws"]),
                (["--take-over"], ["takeOver=true"]), (["--cloud", "aws", "--observe"], ["cloud=aws", "observe=true"]),
                (["--config", config], ["config.policy=stock", "config.simulated.boot=5s",
                                        "config.simulated.withoutCapacity={p5*}"]),
                (["--service-monitor", "--replicas", "3", "--image", "r/w:v1"],
                 ["serviceMonitor=true", "replicas=3", "image.repository=r/w", "image.tag=v1"])]:
            ours = [o for o in install(*options) if o["kind"] != "Namespace"]
            compare(f"helm {settings}", own_labels(ours), own_labels(chart(*settings)))
        ours = [o for o in install("--namespace", "other") if o["kind"] != "Namespace"]
        compare("helm in another namespace", own_labels(ours), own_labels(chart(namespace="other")))

    # Another namespace: nothing is left behind in the first.
    moved = json.dumps([o for o in install("--namespace", "other", "--take-over")
                        if o["kind"] != "CustomResourceDefinition"])
    expect('"namespace": "windlass"' not in moved, "--namespace other leaves something in windlass")
    expect(moved.count('"kind": "ServiceAccount", "name": "windlass", "namespace": "other"') == 7,
           "--namespace other: not every binding is of the account there")
    for words in (["--namespace", "Foo"], ["--observe", "--take-over"], ["--replicas", "-1"], ["--image", "a b"],
                  ["--only-crds", "--without-crds"], ["--config", "/nowhere"]):
        done = subprocess.run([windlass, "install", "--offline", *words], capture_output=True, text=True)
        expect(done.returncode == 2 and done.stderr.startswith("error: --") and not done.stdout,
               f"install {words}: exit code {done.returncode}, {done.stderr}")
    print("FAILED" if failed else "ok")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
