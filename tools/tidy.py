#!/usr/bin/env python3
"""House rules that a compiler doesn't know: banned calls, sizes of files and functions."""
import pathlib
import re
import sys

# What, where it is allowed, and why it is banned elsewhere.
BANNED = [
    (r"\b(system_clock|steady_clock|high_resolution_clock)\b", ("cli", "net"), "time is a value passed in"),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", (), "nothing waits"),
    (r"\bstd::(rand|srand|random_device|mt19937)\b", (), "use base/rng.h"),
    (r"\bstd::\w+_distribution\b", (), "its draws differ between libraries; use base/rng.h"),
    (r"\babsl::", (), "its order changes from run to run"),
    (r"\bstd::hash<[^>]*\*>", (), "a hash of a pointer differs from run to run"),
    (r"\bgetenv\b", ("cli",), "only cli reads the environment"),
    (r"\bstd::(cout|cerr)\b", ("cli", "report"), "only cli and report print"),
    (r"\b(TODO|FIXME|XXX)\b", (), "file an issue or do it"),
]
MAX_LINES = 600      # of a source file that is not a test
MAX_FUNCTION = 70
MAX_COLUMNS = 100


def functions(lines):
    """Start and length of every function body that begins at column 0 and ends with a lone brace."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None:
            opens = line.endswith("{") and not line.startswith((" ", "namespace", "}", "//", "#"))
            kind = re.match(r"(struct|class|enum|union|extern|inline constexpr|constexpr|const)\b", line)
            if opens and not kind:
                start = number
        elif line.startswith("}"):
            yield start, number - start + 1
            start = None


def faults(root):
    sources = sorted(p for d in ("src", "tests", "bench", "fuzz") for p in (root / d).rglob("*")
                     if p.suffix in {".h", ".cc", ".cpp"})
    for path in sources:
        name = path.relative_to(root)
        text = path.read_text()
        lines = text.splitlines()
        is_test = path.stem.endswith("_test") or name.parts[0] != "src"
        room = name.parts[1] if name.parts[0] == "src" else ""
        for number, line in enumerate(lines, 1):
            code = line.split("//")[0]
            if len(line) > MAX_COLUMNS and "http" not in line and 'R"' not in line and not is_test:
                yield f"{name}:{number}: {len(line)} columns"
            for pattern, allowed, why in BANNED:
                where = line if "TODO" in pattern else code
                if re.search(pattern, where) and room not in allowed and not is_test:
                    yield f"{name}:{number}: {re.search(pattern, where).group(0)}: {why}"
        if len(lines) > MAX_LINES and not is_test:
            yield f"{name}: {len(lines)} lines (at most {MAX_LINES})"
        if path.suffix == ".h" and "#pragma once" not in text:
            yield f"{name}: no #pragma once"
        if path.suffix == ".h" and not lines[0].startswith("//"):
            yield f"{name}: a header opens with what it is"
        if not is_test:
            for start, length in functions(lines):
                if length > MAX_FUNCTION:
                    yield f"{name}:{start}: a function of {length} lines (at most {MAX_FUNCTION})"


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    found = list(faults(root))
    for fault in found:
        print(fault)
    print(f"tidy: {len(found)} fault{'' if len(found) == 1 else 's'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
