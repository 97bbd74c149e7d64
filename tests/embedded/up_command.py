#!/usr/bin/env python3
"""Odd command lines and scenarios of `windlass up`: every one is answered by an error that names what
is wrong and what is accepted, with exit code 2, and spoils nothing. Signals end it with the results
and exit code 0; started again, and again, it goes on.

usage: up_command.py WINDLASS"""
import concurrent.futures
import datetime
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

from cluster import Cluster, ROOT

SHORT = ROOT / "tests/scenarios/short.yaml"
FREE = ["--listen", "127.0.0.1:0", "--dashboard-port", "0"]
GOOD = SHORT.read_text().replace("../../examples", str(ROOT / "examples"))
FAULTS = []


def check(name, condition, detail=""):
    if not condition:
        FAULTS.append(f"{name}: {detail}")
        print(f"FAIL: {name} {detail}")
    return condition


def up(windlass, *arguments, timeout=120):
    """The ended run; one that serves where it should have refused is ended and seen as code None."""
    with subprocess.Popen([windlass, "up", *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            out, err = process.communicate(timeout=timeout)
            return process.returncode, out, err
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            return None, out, err


def refused(windlass, name, arguments, *patterns):
    """Refused with code 2 and one message that says all of the patterns."""
    code, out, err = up(windlass, *arguments, "--until", "1s") if "--until" not in arguments \
        else up(windlass, *arguments)
    said = "\n".join(line for line in err.splitlines() if not line.startswith("note:"))
    check(name, code == 2, f"code {code}: {said[:300]}")
    for pattern in patterns:
        check(name, re.search(pattern, said), f"{pattern!r} is not in {said[:300]!r}")
    check(name, len(said.splitlines()) <= 4 and len(said) < 1000, f"too much said: {said[:2000]}")
    check(name, "Traceback" not in said and "Sanitizer" not in said, said)
    check(name, "Ctrl-C" not in out, "it was started")


def scenario(folder, name, text):
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def option_cases(folder):
    new = ["--data-dir", folder / "never"]
    yield "no scenario", [], "scenario is required"
    yield "missing file", [folder / "absent.yaml", *new], r"absent\.yaml"
    yield "a directory", [folder, *new], re.escape(str(folder))
    for text in ("0", "-1", "nan", "inf", "1e9"):
        yield f"speed {text!r}", [SHORT, *new, f"--speed={text}"], "--speed", r"0\.1 to 100000"
    yield "speed abc", [SHORT, *new, "--speed", "abc"], "--speed", "abc"
    yield "policy", [SHORT, *new, "--policy", "best"], "--policy", "static,stock,windlass"
    for text in ("127.0.0.1:99999", "127.0.0.1:x", "127.0.0.1:", "127.0.0.1:-1", "[::1]:1e3"):
        yield f"listen {text}", [SHORT, *new, "--listen", text], "--listen", "port", "65535"
    for text in ("[]:0", "[::1", "999.1.1.1:0", "no host at all"):
        yield f"listen {text}", [SHORT, "--data-dir", folder / text.strip("[]:"), "--dashboard-port", "0",
                                 "--listen", text], "--listen|address"
    yield "plain HTTP for all", [SHORT, "--data-dir", folder / "plain", "--plain-http", "--dashboard-port",
                                 "0", "--listen", "0.0.0.0:0"], "TLS", r"127\.0\.0\.1"
    for text in ("65536", "-1", "x"):
        yield f"dashboard port {text}", [SHORT, *new, "--dashboard-port", text], "--dashboard-port"
    yield "until nothing", [SHORT, *new, "--until", "soon"], "--until", "soon", "4h"
    for text in ("0s", "-4h"):
        yield f"until {text}", [SHORT, *new, "--until", text], "--until", "a duration from the cluster's start"
    yield "until what has been", [SHORT, *new, "--until", "2020-01-01T00:00:00Z"], "--until", "is not after"
    yield "unknown option", [SHORT, *new, "--sped", "3"], "--sped"


def scenario_cases(folder):
    new = ["--data-dir", folder / "never", *FREE]
    account = str(ROOT / "examples/blog/manifests/account.yaml")
    yield "not YAML", [scenario(folder, "a", "a: [1"), *new], r"a\.yaml"
    yield "another kind", [scenario(folder, "b", GOOD.replace("kind: Scenario", "kind: Pod", 1)), *new], \
        "found kind Pod", "accepted is kind Scenario"
    yield "absent manifest", [scenario(folder, "c", GOOD.replace(account, "none.yaml")), *new], r"none\.yaml"
    (folder / "bad.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n"
                                     "spec: {replicas: many, template: {}}\n")
    yield "bad manifest", [scenario(folder, "d", GOOD.replace(account, "bad.yaml")), *new], \
        r"bad\.yaml", r"spec\.replicas", "nothing was started"
    yield "name that is a path", [scenario(folder, "e", GOOD.replace("name: short", "name: ../../x", 1)),
                                  *FREE], r"\.\./\.\./x", "--data-dir"


def refuse_all(windlass, folder):
    cases = [*option_cases(folder), *scenario_cases(folder)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda case: refused(windlass, *case), cases))
    check("nothing was made", not (folder / "never").exists(), "a refused run made its directory")
    print(f"{len(cases)} odd command lines and scenarios")


def digest(folder):
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def damaged(windlass, good, folder, name, spoil, *patterns):
    """A copy of a good directory, spoilt: refused, and left as it is."""
    copy = folder / ("copy " + name)
    shutil.copytree(good, copy)
    spoil(copy)
    before = digest(copy)
    refused(windlass, name, [SHORT, *FREE, "--data-dir", copy, "--until", "3h"], *patterns)
    after = {path: text for path, text in digest(copy).items() if path.suffix not in (".db-wal", ".db-shm")}
    check(name, before == after, f"changed: {[str(p) for p in {*before, *after} if before.get(p) != after.get(p)]}")


def overwrite(path, place, data):
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(data)


def replace_by_directory(path):
    path.unlink()
    path.mkdir()


def foreign_database(path):
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t(x)")
    db.close()


def change_a_row(path):
    with sqlite3.connect(path) as db:
        db.execute("UPDATE objects SET json = replace(json, 'a', 'b') WHERE resource = 'nodes'")
    db.close()


def directory_cases(windlass, folder):
    good = folder / "good"
    code, out, err = up(windlass, SHORT, *FREE, "--data-dir", good, "--until", "30s", "--speed", "600")
    check("a first run", code == 0 and "begins at" in out, f"{code} {err[-500:]}")
    size = (good / "cluster.db").stat().st_size
    cases = [
        ("noise for a database", lambda d: (d / "cluster.db").write_bytes(os.urandom(8192)),
         r"cluster\.db", "damaged|not a database"),
        ("a truncated database", lambda d: os.truncate(d / "cluster.db", size // 2 // 4096 * 4096),
         r"cluster\.db", "damaged|malformed"),
        ("spoilt pages", lambda d: overwrite(d / "cluster.db", size // 3, os.urandom(size // 3)),
         r"cluster\.db", "damaged|malformed"),
        ("a changed row", lambda d: change_a_row(d / "cluster.db"), r"cluster\.db", "damaged", "nodes"),
        ("another program's database", lambda d: foreign_database(d / "cluster.db"), r"cluster\.db",
         "another program"),
        ("a directory for the database", lambda d: replace_by_directory(d / "cluster.db"), r"cluster\.db"),
        ("noise for a key", lambda d: (d / "pki/ca.key").write_bytes(os.urandom(200)), r"pki/ca\.key"),
        ("noise for a certificate", lambda d: (d / "pki/server.crt").write_text("?"), r"pki/server\.crt"),
        ("a directory for a key", lambda d: replace_by_directory(d / "pki/server.key"), r"pki/server\.key"),
        ("a token that is none", lambda d: (d / "pki/token").write_text("hello\n"), "pki/token",
         "64 hex digits"),
        ("a file for the pki", lambda d: (shutil.rmtree(d / "pki"), (d / "pki").write_text("")), "pki",
         "not a directory"),
    ]
    if os.geteuid() != 0:  # to root, every file is readable
        cases.append(("unreadable key", lambda d: (d / "pki/ca.key").chmod(0), r"pki/ca\.key", "ermission"))
        cases.append(("a directory that can't be written", lambda d: d.chmod(0o500), "ermission|readonly"))
    for case in cases:
        damaged(windlass, good, folder, *case)
    (folder / "file").write_text("mine")
    shutil.copytree(good, folder / "no kubeconfig")
    replace_by_directory(folder / "no kubeconfig/kubeconfig")
    refused(windlass, "a directory for the kubeconfig",
            [SHORT, *FREE, "--data-dir", folder / "no kubeconfig", "--until", "3h"], "kubeconfig")
    for name, path in (("a file in its place", folder / "file"), ("below a file", folder / "file/x"),
                       ("below /proc", pathlib.Path("/proc/none/x"))):
        refused(windlass, name, [SHORT, *FREE, "--data-dir", path], re.escape(str(path)))
    check("a file in its place", (folder / "file").read_text() == "mine", "it was changed")
    refused(windlass, "another scenario's", [ROOT / "tests/scenarios/kubectl.yaml", *FREE, "--data-dir", good],
            re.escape(str(good)), '"short"', "--data-dir")
    refused(windlass, "another policy's", [SHORT, *FREE, "--policy", "stock", "--data-dir", good],
            "policy windlass", "--data-dir")
    print(f"{len(cases) + 6} directories that won't do")


def goes_on(windlass, folder):
    """A restart goes on from where the last one stopped, also the second and the third time."""
    for number in range(1, 5):
        code, out, err = up(windlass, SHORT, *FREE, "--data-dir", folder / "on", "--until", f"{number}m",
                            "--speed", "600")
        said = re.search(r"(begins|goes on) at (\S+);", out)
        fine = code == 0 and said and said[1] == ("begins" if number == 1 else "goes on")
        check(f"restart {number}", fine, f"{code} {out[:300]} {err[-300:]}")
        if not fine:
            continue
        at = datetime.datetime.fromisoformat(said[2].split(".")[0].rstrip("Z"))
        start = at if number == 1 else start
        check(f"restart {number}", at - start == datetime.timedelta(minutes=number - 1), said[0])
    refused(windlass, "until what has been", [SHORT, *FREE, "--data-dir", folder / "on", "--until", "2m"],
            "--until", "is not after")


def ends(windlass, folder):
    """Signals, and what can't be shared with a running process."""
    shared = folder / "shared"
    shared.mkdir()
    (shared / "mine.txt").write_text("mine")
    shared.chmod(0o755)
    with Cluster(windlass, SHORT, "--speed", "600", data_dir=shared) as running:
        refused(windlass, "a directory in use", [SHORT, *FREE, "--data-dir", shared], "in use",
                re.escape(str(shared)))
        port = running.api.rsplit(":", 1)[1]
        refused(windlass, "a port in use", [SHORT, "--dashboard-port", "0", "--data-dir", folder / "other",
                                            "--listen", f"127.0.0.1:{port}"], port, "in use")
        refused(windlass, "a dashboard port in use",
                [SHORT, "--listen", "127.0.0.1:0", "--data-dir", folder / "third", "--dashboard-port",
                 running.dashboard.rsplit(":", 1)[1]], "in use")
        check("a directory in use", running.get("/api/v1/namespaces")["items"], "the running one has suffered")
    check("an existing directory", shared.stat().st_mode & 0o777 == 0o755 and
          (shared / "mine.txt").read_text() == "mine", "its rights or files were changed")
    for number in (signal.SIGINT, signal.SIGTERM):
        cluster = Cluster(windlass, SHORT, "--speed", "600", data_dir=folder / f"signal-{number}")
        cluster.data_dir.mkdir()
        cluster.start()
        began = time.time()
        cluster.process.send_signal(number)
        code = cluster.process.wait(timeout=60)
        took = time.time() - began
        text = cluster.output().split("it goes on from there.")[-1]
        check(f"{number.name}", code == 0, f"exit code {code}")
        check(f"{number.name}", all(p in text for p in ("static", "stock", "windlass")), f"no results: {text}")
        check(f"{number.name}", took < 20, f"it took {took:.1f} s")
        cluster.log.close()


def usual_ports(windlass, folder):
    """Without --listen: loopback, and another port where the usual one is taken."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 6443))
            taken.listen()
        except OSError:
            pass  # it is taken by somebody else: all the better
        code, out, err = up(windlass, SHORT, "--data-dir", folder / "usual", "--until", "1s")
    check("usual ports", code == 0, f"{code} {err[-300:]}")
    check("usual ports", re.search(r"API +https://127\.0\.0\.1:(?!6443\b)\d+", out), out)
    check("usual ports", re.search(r"dashboard +http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{64}\n", out), out)


def main():
    windlass = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="windlass-up-command-") as name:
        folder = pathlib.Path(name)
        for part in (refuse_all, directory_cases, goes_on, ends, usual_ports):
            began = time.time()
            part(windlass, folder)
            print(f"{part.__name__}: {time.time() - began:.1f} s")
    print(f"{len(FAULTS)} faults")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main())
