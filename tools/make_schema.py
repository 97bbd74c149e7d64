#!/usr/bin/env python3
"""Writes the tables of the API's types from Kubernetes' published facts.

    tools/make_schema.py types > src/server/schema/built_in_types.inc
    tools/make_schema.py crds > src/server/kinds/built_in_crds.inc

The modules named in MODULES are fetched with the ordinary `go mod download`. Taken are facts only:
names, types, which fields are required, list and merge keys (OpenAPI v3 documents), field numbers
(generated.proto), which Go fields leave their zero value out (struct tags), and CRDs' schemas without
their sentences. No descriptions. Needs Go and PyYAML.
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import yaml

MODULES = {
    "kubernetes": "k8s.io/kubernetes@v1.34.1",
    "api": "k8s.io/api@v0.34.1",
    "apimachinery": "k8s.io/apimachinery@v0.34.1",
    "apiextensions": "k8s.io/apiextensions-apiserver@v0.34.1",
}
CRD_MODULES = {
    "karpenter": "github.com/aws/karpenter-provider-aws@v1.14.1",
    "keda": "github.com/kedacore/keda/v2@v2.20.2",
}
CRD_FILES = [
    ("karpenter", "pkg/apis/crds/karpenter.k8s.aws_ec2nodeclasses.yaml"),
    ("karpenter", "pkg/apis/crds/karpenter.sh_nodeclaims.yaml"),
    ("karpenter", "pkg/apis/crds/karpenter.sh_nodeoverlays.yaml"),
    ("karpenter", "pkg/apis/crds/karpenter.sh_nodepools.yaml"),
    ("keda", "config/crd/bases/keda.sh_clustertriggerauthentications.yaml"),
    ("keda", "config/crd/bases/keda.sh_scaledjobs.yaml"),
    ("keda", "config/crd/bases/keda.sh_scaledobjects.yaml"),
    ("keda", "config/crd/bases/keda.sh_triggerauthentications.yaml"),
]
# Kinds that older manifests still write as v1beta1: kept as they come, converted by nobody.
BETA_KINDS = {"NodePool", "NodeClaim", "EC2NodeClass"}
PRESERVE = "x-kubernetes-preserve-unknown-fields"
MAX_LITERAL = 16000  # compilers' limit for one string literal, with room
# The OpenAPI documents of what the embedded cluster serves.
DOCUMENTS = ["api__v1"] + [
    "apis__" + name
    for name in """apps__v1 batch__v1 policy__v1 autoscaling__v1 autoscaling__v2
    coordination.k8s.io__v1 events.k8s.io__v1 scheduling.k8s.io__v1 storage.k8s.io__v1
    rbac.authorization.k8s.io__v1 networking.k8s.io__v1 apiextensions.k8s.io__v1
    authorization.k8s.io__v1 authentication.k8s.io__v1 discovery.k8s.io__v1
    admissionregistration.k8s.io__v1 node.k8s.io__v1""".split()
]
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
# Named types that are no objects, by the letter the table has for them.
LETTERS = {
    META + "Time": "t",
    META + "MicroTime": "u",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "x",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "a",
    META + "FieldsV1": "f",
    META + "Patch": "p",
    APIEXTENSIONS + "JSON": "j",
    APIEXTENSIONS + "JSONSchemaPropsOrArray": "A",
    APIEXTENSIONS + "JSONSchemaPropsOrBool": "B",
    APIEXTENSIONS + "JSONSchemaPropsOrStringArray": "S",
}
PROTO_SCALARS = {"string", "int32", "int64", "bool", "double", "bytes"}


def fetch(modules):
    """Directories of the modules, downloaded where the go client keeps them."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        with open(os.path.join(scratch, "go.mod"), "w") as file:
            file.write("module scratch\n")
        for key, module in modules.items():
            out = subprocess.run(
                ["go", "mod", "download", "-json", module],
                cwd=scratch,
                env=dict(os.environ, GOFLAGS="-mod=mod"),
                check=True,
                capture_output=True,
            ).stdout
            found[key] = json.loads(out)["Dir"]
    return found


def without_descriptions(value):
    """A schema without its sentences; a property that is called description stays."""
    if isinstance(value, dict):
        return {
            k: without_descriptions(v)
            for k, v in value.items()
            if not (k == "description" and isinstance(v, str))
        }
    if isinstance(value, list):
        return [without_descriptions(v) for v in value]
    return value


def read_schemas(directory):
    schemas = {}
    for name in DOCUMENTS:
        path = f"{directory}/api/openapi-spec/v3/{name}_openapi.json"
        document = json.load(open(path))
        schemas.update(without_descriptions(document["components"]["schemas"]))
    return schemas


def open_api_package(proto_package):
    """The OpenAPI name of a protobuf package: k8s.io.api.core.v1 is io.k8s.api.core.v1 there."""
    tail = proto_package[len("k8s.io.") :]
    return "io.k8s." + tail.replace("apiextensions_apiserver", "apiextensions-apiserver")


def read_messages(directories):
    """{OpenAPI type name: [(repeated, type, name, number)]} of every generated.proto."""
    messages = {}
    for directory in directories:
        for path in sorted(glob.glob(directory + "/**/generated.proto", recursive=True)):
            text = open(path).read()
            package = open_api_package(re.search(r"^package (.*);", text, re.M).group(1))
            for match in re.finditer(r"^message (\w+) \{(.*?)^\}", text, re.M | re.S):
                fields = re.findall(
                    r"^\s*(optional |repeated |)(map<string, [\w.]+>|[\w.]+) (\w+) = (\d+)",
                    match.group(2),
                    re.M,
                )
                messages[f"{package}.{match.group(1)}"] = [
                    (bool(r.strip() == "repeated"), t, n, int(i)) for r, t, n, i in fields
                ]
    return messages


def read_zero_dropping(directories):
    """{(OpenAPI package, struct, JSON name)} of Go fields that are left out when they are zero."""
    drops = set()
    for root, prefix in directories:
        for path in glob.glob(root + "/**/v*/*.go", recursive=True):
            if path.endswith("_test.go") or "generated" in path:
                continue
            folder = os.path.relpath(os.path.dirname(path), root).replace(os.sep, ".")
            for match in re.finditer(r"^type (\w+) struct \{(.*?)^\}", open(path).read(), re.M | re.S):
                for go_type, tag in re.findall(r'^\s+\w+\s+(\S+)\s+`json:"([^"]+)"', match.group(2), re.M):
                    name, *options = tag.split(",")
                    if "omitempty" in options and not go_type.startswith("*"):
                        drops.add((prefix + folder, match.group(1), name))
    return drops


def json_name(proto_name, properties):
    """The JSON property a protobuf field stands for, or None for an inlined message."""
    if proto_name in properties:
        return proto_name
    kebab = re.sub(r"(?<!^)([A-Z])", r"-\1", proto_name).lower()
    for candidate in properties:
        if candidate.lower() == proto_name.lower() or candidate in ("$" + proto_name, kebab):
            return candidate
    return None


class Types:
    """Everything known of the types, and the lines made of it."""

    def __init__(self, schemas, messages, drops):
        self.schemas, self.messages, self.drops = schemas, messages, drops

    def proto_fields(self, name, properties, path=()):
        """Yields (JSON name, number path, protobuf type, left out when zero) of a message."""
        package, struct = name.rsplit(".", 1)
        for _, kind, proto_name, number in self.messages.get(name, []):
            target = json_name(proto_name, properties)
            here = path + (number,)
            if target is None:
                inner = self.resolve(kind, package)
                assert inner in self.messages, (name, proto_name)
                yield from self.proto_fields(inner, properties, here)
            else:
                yield target, here, kind, (package, struct, target) in self.drops

    def resolve(self, kind, package):
        return open_api_package(kind[1:]) if kind.startswith(".") else f"{package}.{kind}"

    def is_wrapped_list(self, kind, package):
        """ExtraValue and Verbs: a list in JSON, a message with the items in protobuf."""
        match = re.match(r"map<string, (.*)>", kind)
        kind = match.group(1) if match else kind
        if kind in PROTO_SCALARS:
            return False
        fields = self.messages.get(self.resolve(kind, package), [])
        return [(f[0], f[2]) for f in fields] == [(True, "items")] and fields[0][1] == "string"

    def shape(self, schema, package, wrapped):
        """The table's word for a schema's type."""
        if "allOf" in schema:
            assert len(schema["allOf"]) == 1
            schema = schema["allOf"][0]
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return LETTERS.get(name) or short(name, package)
        kind, form = schema.get("type"), schema.get("format")
        if kind == "array":
            return ("]" if wrapped else "[") + self.shape(schema["items"], package, False)
        if kind == "object" and "additionalProperties" in schema:
            return "{" + self.shape(schema["additionalProperties"], package, wrapped)
        letters = {
            ("string", None): "s",
            ("string", "byte"): "y",
            ("integer", "int32"): "i",
            ("integer", "int64"): "l",
            ("number", "double"): "d",
            ("boolean", None): "b",
        }
        return letters[kind, form]

    def field(self, name, schema, required, proto, package):
        path, kind, drop = proto
        wrapped = bool(kind) and self.is_wrapped_list(kind, package)
        word = name + ("!" if required else "") + ("?" if drop else "")
        word += ":" + ".".join(map(str, path)) + ":" + self.shape(schema, package, wrapped)
        strategy = schema.get("x-kubernetes-patch-strategy", "").split(",")
        for part, letter in (("retainKeys", "r"), ("replace", "p"), ("merge", "m")):
            if part in strategy:
                key = schema.get("x-kubernetes-patch-merge-key") if letter == "m" else None
                word += ";" + letter + (f"={key}" if key else "")
        list_type = schema.get("x-kubernetes-list-type")
        if list_type == "map":
            word += ";k=" + ",".join(schema["x-kubernetes-list-map-keys"])
        elif list_type == "set":
            word += ";s"
        if schema.get("x-kubernetes-map-type") == "atomic":
            word += ";a"
        return word

    def line(self, name):
        schema = self.schemas[name]
        package, struct = name.rsplit(".", 1)
        properties = schema.get("properties", {})
        protos = {f[0]: f[1:] for f in self.proto_fields(name, properties)}
        words = [short(name, "")]
        words += ["@" + group for group in groups(name, schema)]
        if schema.get("x-kubernetes-map-type") == "atomic":
            words.append("!atomic")
        for key in sorted(properties, key=lambda k: k.encode()):
            required = key in schema.get("required", [])
            proto = protos.get(key, ((0,), None, False))
            assert proto[0] != (0,) or key in ("kind", "apiVersion"), (name, key)
            words.append(self.field(key, properties[key], required, proto, package))
        return " ".join(words)


def short(name, package):
    """A type's name in the table: core.v1.Pod, or .Pod seen from core.v1."""
    if name.startswith(package + "."):
        return name[len(package) :]
    if name.startswith(META):
        return "meta.v1." + name[len(META) :]
    if name.startswith(APIEXTENSIONS):
        return "apiextensions.v1." + name[len(APIEXTENSIONS) :]
    assert name.startswith("io.k8s.api."), name
    return name[len("io.k8s.api.") :]


def groups(name, schema):
    """The group of a kind. Options that every group has are meta.k8s.io's alone."""
    kinds = schema.get("x-kubernetes-group-version-kind", [])
    if len(kinds) > 1:
        return ["meta.k8s.io"]
    for kind in kinds:
        assert name.endswith("." + kind["version"] + "." + kind["kind"]), name
    return [kind["group"] for kind in kinds]


def print_types():
    found = fetch(MODULES)
    schemas = read_schemas(found["kubernetes"])
    messages = read_messages([found["api"], found["apimachinery"], found["apiextensions"]])
    drops = read_zero_dropping(
        [
            (found["api"], "io.k8s.api."),
            (found["apimachinery"] + "/pkg/apis", "io.k8s.apimachinery.pkg.apis."),
            (found["apiextensions"] + "/pkg/apis", "io.k8s.apiextensions-apiserver.pkg.apis."),
        ]
    )
    types = Types(schemas, messages, drops)
    print("// Made by tools/make_schema.py types; don't edit. Facts of the Kubernetes API (Apache-2.0):")
    for module in MODULES.values():
        print(f"//   {module}")
    print("// One line a type; built_in.cc explains the words.")
    for name in sorted(schemas):
        if name not in LETTERS:
            print(f'R"~({types.line(name)})~",')


# What was written as v1beta1 has no group in its reference, and must be writable all the same: the
# rule that it never changes would fail at every write, of status and annotations, too.
RULES = {"self.group == oldSelf.group": "!has(oldSelf.group) || self.group == oldSelf.group"}


def without_messages(schema):
    """A schema whose rules have no sentences: the rule itself says what it wants."""
    if isinstance(schema, list):
        return [without_messages(element) for element in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: without_messages(value) for key, value in schema.items()}
    rules = out.get("x-kubernetes-validations")
    if isinstance(rules, list):
        out["x-kubernetes-validations"] = [
            {key: RULES.get(value, value) for key, value in rule.items() if not key.startswith("message")}
            for rule in rules
        ]
    return out


def crd(path):
    written = without_messages(without_descriptions(yaml.safe_load(open(path))))
    spec = written["spec"]
    for version in spec["versions"]:
        if spec["names"]["kind"] == "ScaledJob":
            # A pod template is two thirds of a megabyte, and the Job's own checks will see it.
            target = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["jobTargetRef"]
            target["properties"]["template"] = {"type": "object", PRESERVE: True}
    if spec["names"]["kind"] in BETA_KINDS:
        beta = dict(spec["versions"][0], name="v1beta1", served=True, storage=False)
        beta["schema"] = {"openAPIV3Schema": {"type": "object", PRESERVE: True}}
        spec["versions"].append(beta)
    return {
        "apiVersion": written["apiVersion"],
        "kind": written["kind"],
        "metadata": {"name": written["metadata"]["name"]},
        "spec": spec,
    }


def print_crds():
    found = fetch(CRD_MODULES)
    print("// Made by tools/make_schema.py crds; don't edit. Facts of these APIs (both Apache-2.0):")
    for module in CRD_MODULES.values():
        print(f"//   {module}")
    for module, path in CRD_FILES:
        text = json.dumps(crd(f"{found[module]}/{path}"), separators=(",", ":"), sort_keys=True)
        assert ')~"' not in text
        pieces = [text[i : i + MAX_LITERAL] for i in range(0, len(text), MAX_LITERAL)]
        print("{" + "\n".join(f'R"~({piece})~"' for piece in pieces) + "},")


def main():
    if sys.argv[1:] == ["types"]:
        print_types()
    elif sys.argv[1:] == ["crds"]:
        print_crds()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
