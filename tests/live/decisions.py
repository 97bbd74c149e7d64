"""Two runs' decisions compared. What is compared: the whole sequence, each decision with its controller,
object, word, inputs, result and reasons. Names that differ by nature are put in one form: claims,
nodes, instances and pods are numbered in the order in which a run first decides about them, so a claim
that one run deletes second must be the one that it made second. Left out: bindings (the simulation's
scheduler is part of it and says them), and the words of a source that failed. Nodes that are asked for,
launched or ended within a second are one set. Times may differ by one round of who decides, and two
seconds that the machine may take: the HPA's sync of 15 s, disruption's 10 s between two looks and 15 s
until it looks again.

With `equal_nodes` it does not matter which of several nodes of one type goes first, nor how many
go in one command: the ReplicaSet controller chooses pods by times in whole seconds."""
import datetime
import difflib
import json
import re

CLAIM = re.compile(r"\bgpu-nodepool-[a-z0-9-]*[a-z0-9]\b")
POD = re.compile(r"\bvllm-inference-[a-z0-9]+(?:-[a-z0-9]{5,8})?\b")
NODE = re.compile(r"\bip-\d+-\d+-\d+-\d+\.ec2\.internal\b")
INSTANCE = re.compile(r"\bi-[0-9a-f]{17}\b")
TOGETHER = 1.0


class Names:
    def __init__(self):
        self.known = {}

    def put(self, text):
        for kind, pattern in (("claim", CLAIM), ("node", NODE), ("instance", INSTANCE), ("pod", POD)):
            text = pattern.sub(lambda found, kind=kind: self.number(kind, found.group()), text)
        return text

    def number(self, kind, name):
        if (kind, name) not in self.known:
            self.known[kind, name] = f"{kind}{sum(k == kind for k, _ in self.known) + 1}"
        return self.known[kind, name]


def seconds(time):
    whole, _, fraction = time.rstrip("Z").partition(".")
    at = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return at.timestamp() + float("0." + (fraction or "0"))


def read(path, equal_nodes=False):
    """[(seconds since 1970, words)]"""
    out, names, bought = [], Names(), {}
    for line in open(path):
        one = json.loads(line)
        who, what, at = one["controller"], one["decision"], seconds(one["time"])
        if who == "kube_scheduler":
            continue
        words = [who, what, one["object"], json.dumps(one["inputs"]), one["result"], *one["reasons"]]
        if what == "launch":
            bought[one["object"].split("/")[1]] = one["result"]
        if what == "fail":
            words = words[:3]
        if who == "disruption" and equal_nodes:
            for claim in one["object"].split("/")[1].split(","):
                out.append((at, " | ".join([who, what, bought.get(claim, claim)])))
            continue
        out.append((at, names.put(" | ".join(words))))
    return in_sets(out)


def in_sets(decisions):
    """Those that come together, in the order of their words."""
    out, group = [], []
    for at, words in decisions:
        kind = words.split(" | ")[:2]
        alone = kind[0] in ("joint", "scaled_object")
        if group and (alone or kind != group[0][1].split(" | ")[:2] or at - group[-1][0] > TOGETHER):
            out += sorted(group, key=lambda one: one[1])
            group = []
        group.append((at, words))
    return out + sorted(group, key=lambda one: one[1])


def compare(one, other, within=17.0, disruption_within=27.0):
    """What is different, in words ("" if nothing); and the largest difference in time."""
    a, b = [words for _, words in one], [words for _, words in other]
    if a != b:
        return "\n".join(difflib.unified_diff(a, b, lineterm="", n=1)), None
    apart = [abs(x - y) for (x, _), (y, _) in zip(one, other)]
    late = [f"{gap:.1f} s apart: {words}" for gap, (_, words) in zip(apart, one)
            if gap > (disruption_within if words.startswith("disruption") else within)]
    return "\n".join(late), max(apart, default=0.0)
