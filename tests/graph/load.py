"""What a process costs: its memory and its processor time, read from /proc."""

import time
from pathlib import Path


def resident_mb(process):
    for line in Path(f"/proc/{process.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def cpu_ns(process):
    """Processor time of all threads so far."""
    total = 0
    for task in Path(f"/proc/{process.process.pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            pass  # It ended meanwhile.
    return total


def cpu_share(process, seconds):
    """Share of one core that the process takes over the next seconds."""
    before, start = cpu_ns(process), time.monotonic()
    time.sleep(seconds)
    return (cpu_ns(process) - before) / 1e9 / (time.monotonic() - start)
