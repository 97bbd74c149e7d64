#!/usr/bin/env python3
"""Writes src/catalog/ec2_types.inc: one line of facts for each EC2 instance type.

    tools/make_catalog.py TYPES.csv GPU_INSTANCES.json > src/catalog/ec2_types.inc

TYPES.csv has a row a type (labels, extended resources, on-demand price; empty = unknown or none),
GPU_INSTANCES.json the recorded spot medians. What a kubelet leaves allocatable is not copied: the
program computes it, and its tests compare the outcome with the same CSV.
"""

import csv
import json
import sys

# Of the type's inference accelerators the CSV has no maker; all but this one are AWS' own.
ACCELERATOR_MAKERS = {"qualcomm-ai100": "qualcomm"}


def number(text):
    """The CSV's number, or 0 for unknown."""
    return text or "0"


def device(row):
    """The trailing fields: what accelerates, or nothing."""
    if row["gpu_name"]:
        return [
            f'"{row["gpu_name"]}"',
            f'"{row["gpu_manufacturer"]}"',
            row["gpu_count"],
            row["gpu_memory_mib"],
        ]
    if row["accelerator_name"]:
        maker = ACCELERATOR_MAKERS.get(row["accelerator_name"], "aws")
        fields = [f'"{row["accelerator_name"]}"', f'"{maker}"', row["accelerator_count"], "0"]
        return fields + ([row["neuroncore"]] if row["neuroncore"] else [])
    return []


def check(row):
    """What the program derives instead of reading must be derivable."""
    family, size = row["name"].split(".")
    assert (family, size) == (row["family"], row["size"]), row["name"]
    if row["gpu_name"]:
        maker = {"nvidia": "nvidia_gpu", "amd": "amd_gpu", "habana": "gaudi"}
        assert number(row[maker[row["gpu_manufacturer"]]]) == row["gpu_count"], row["name"]
    if row["neuron"]:
        assert row["neuron"] == row["accelerator_count"], row["name"]


def line(row, spot):
    fields = [
        f'"{row["name"]}"',
        f'"{row["arch"]}"',
        row["vcpu"],
        row["memory_mib"],
        f'"{row["cpu_manufacturer"]}"',
        f'"{row["hypervisor"]}"',
        number(row["network_mbps"]),
        number(row["ebs_mbps"]),
        number(row["local_nvme_gib"]),
        row["pods"],
        number(row["pod_eni"]),
        number(row["efa"]),
        number(row["ondemand_usd_per_hour"]),
        repr(spot) if spot else "0",
    ]
    return "{" + ", ".join(fields + device(row)) + "},"


def main():
    types_path, gpus_path = sys.argv[1:]
    with open(types_path, newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["name"])
    with open(gpus_path, encoding="utf-8") as file:
        spot = {item["name"]: item["spot_usd_per_hour_median"] for item in json.load(file)}
    print("// Made by tools/make_catalog.py; the fields are those of Ec2Facts, in order.")
    print("// Facts of EC2 types as Karpenter's v1.14 (dl1, f1, p3: v1.12) page lists them, its")
    print("// us-east-1 Linux on-demand prices of 2026-07-20, and SkyPilot's us-east-1 spot prices")
    print("// (median over zones with a market), in the order of the names' bytes.")
    print("// clang-format off")
    for row in rows:
        check(row)
        print(line(row, spot.get(row["name"])))
    print("// clang-format on")


if __name__ == "__main__":
    main()
