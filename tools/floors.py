#!/usr/bin/env python3
"""A room includes only rooms below it. The floors are those of ARCHITECTURE.md."""
import pathlib
import re
import sys

FLOORS = {
    "base": 0,
    "api": 1, "catalog": 1, "net": 1,
    "scaling": 2, "scheduling": 2,
    "disruption": 3, "cluster": 3,
    "controllers": 4, "lint": 4,
    "sim": 5, "live": 5,
    "server": 6, "report": 6,
    "cli": 7,
}
# Rooms of one floor that may be seen by a neighbour: catalogue entries are made of api values, and
# the report draws what a simulation came to.
NEIGHBOURS = {("catalog", "api")}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def faults(root: pathlib.Path):
    included = set()
    files = sorted(p for p in (root / "src").rglob("*") if p.suffix in {".h", ".cc", ".cpp", ".inc"})
    for path in files:
        room = path.relative_to(root / "src").parts[0]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1)
            place = f"{path.relative_to(root)}:{number}"
            included.add(target)
            other = target.split("/")[0]
            if not (root / "src" / target).exists():
                yield f'{place}: "{target}" is not a file under src/'
            elif other not in FLOORS or room not in FLOORS:
                yield f"{place}: {room} or {other} has no floor"
            elif other != room and FLOORS[other] >= FLOORS[room] and (room, other) not in NEIGHBOURS:
                yield f"{place}: {room} (floor {FLOORS[room]}) includes {other} (floor {FLOORS[other]})"
    for path in files:
        name = str(path.relative_to(root / "src"))
        if path.suffix in {".h", ".inc"} and name not in included:
            yield f"src/{name}: nothing includes it"


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    found = list(faults(root))
    for fault in found:
        print(fault)
    print(f"floors: {len(found)} fault{'' if len(found) == 1 else 's'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
