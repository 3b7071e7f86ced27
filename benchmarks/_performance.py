"""Runs benchmarks and writes what they print into docs/performance.md.

    python benchmarks/_performance.py [NAME...]

With names, such as ``start_up``, only those are run again; the other parts of the page stay.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
TITLE = """# Performance

What `make bench` measured; each part says on which machine, and with which command. A figure with two others in
brackets is the median of its rounds, then the least and the greatest. Figures of one table are from one run, side by side:
compare them with each other, not with those of another machine.
"""
COMMANDS = {
    "service": "service.py",
    "service of the linear family": "service.py --family linear",
    "servers that one would use instead": "peers/servers.py",
    "workers": "workers.py",
    "request path": "request_path.py",
    "start up": "start_up.py",
    "batches": "batches.py",
    "accuracy": "inversions.py --trials 0",
    "similarity": "similarity.py",
    "connections": "connections.py",
    "request log": "request_log.py",
    "training size": "training_size.py",
    "scale": "scale.py",
    "soak": "soak.py",
}


def machine() -> str:
    """Describe the machine in a line."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores"
        f" ({model[1] if model else platform.machine()}), {memory:.0f} GiB,"
        f" Python {platform.python_version()}"
    )


def main() -> None:
    """Run what the command line names, or everything."""
    chosen = sys.argv[1:] or list(COMMANDS)
    unknown = [name for name in chosen if name not in COMMANDS]
    if unknown:
        raise SystemExit(f"unknown: {', '.join(unknown)}; there are {', '.join(COMMANDS)}")
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else TITLE
    found = re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", text, re.MULTILINE)
    parts = {name.lower(): body for name, body in found}
    for name in chosen:
        program, *arguments = COMMANDS[name].split()
        print(f"== {COMMANDS[name]}", flush=True)
        done = subprocess.run(
            [sys.executable, ROOT / "benchmarks" / program, *arguments],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        print(done.stdout, flush=True)
        output = done.stdout.strip("\n")
        if "|---" not in output:  # not written as tables
            output = f"```text\n{output}\n```"
        parts[name] = f"\n`python benchmarks/{COMMANDS[name]}` on {machine()}\n\n{output}\n\n"
        shown = [f"## {key.capitalize()}\n{parts[key]}" for key in COMMANDS if key in parts]
        PAGE.write_text(f"{TITLE}\n{''.join(shown).rstrip()}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
