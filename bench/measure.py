#!/usr/bin/env python3
"""Runs a command and prints its wall time, CPU time and peak memory, as the kernel accounts them."""
import resource
import subprocess
import sys
import time

began = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
wall = time.monotonic() - began
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"wall {wall:.2f} s, cpu {usage.ru_utime + usage.ru_stime:.2f} s, peak {usage.ru_maxrss / 1024:.0f} MB, "
      f"exit {done.returncode}")
sys.exit(done.returncode)
