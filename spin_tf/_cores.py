"""How many cores this process may use: what every default of threads and processes is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

# Where Linux, which alone has control groups, describes a process.
_PROC = "/proc/self" if hasattr(os, "sched_getaffinity") else ""


def num_cores(proc: str = _PROC) -> int:
    """The least of the machine's cores, the affinity of the process and the quotas of its control groups, rounded up.

    A container may lend a process fewer cores than the machine has, in two ways: by affinity (`--cpuset-cpus`,
    `taskset`), or by a quota of processor time (`docker --cpus=2`, a limit of Kubernetes), under which all cores stay
    in sight. The quotas of version 1 and 2 of control groups count, and those of all groups around this one.

    Args:
        proc: the folder in which Linux describes the process.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *_quotas(proc)]))


def _quotas(proc: str) -> Iterator[int]:
    """Cores that quotas leave; none where there is no quota, or a system without control groups."""
    paths: dict[str, str] = {}
    for line in _lines(f"{proc}/cgroup"):
        # Number, controllers of version 1 (none for version 2), path.
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        paths |= dict.fromkeys(controllers.split(","), path)
    for line in _lines(f"{proc}/mountinfo"):
        mount, _, kind = line.partition(" - ")
        fields, kinds = mount.split(" "), kind.split(" ")
        if len(fields) < 5 or len(kinds) < 3:
            continue
        is_second = kinds[0] == "cgroup2"
        controller = "" if is_second else "cpu"
        if controller not in paths or not (is_second or (kinds[0] == "cgroup" and "cpu" in kinds[2].split(","))):
            continue
        root, top = _unescaped(fields[3]), _unescaped(fields[4])
        # A container may see the tree from its own group on, while its path is told from the machine's root.
        inside = paths[controller].removeprefix(root.rstrip("/")) if _lies_in(paths[controller], root) else ""
        parts = [part for part in inside.split("/") if part not in ("", ".", "..")]
        for depth in range(len(parts) + 1):
            yield from _quota("/".join([top, *parts[:depth]]), is_second)


def _quota(group: str, is_second: bool) -> Iterator[int]:
    """Cores of one group, none where it has no quota: microseconds in each period."""
    if is_second:
        text = " ".join(_lines(f"{group}/cpu.max"))
    else:
        text = " ".join([*_lines(f"{group}/cpu.cfs_quota_us"), *_lines(f"{group}/cpu.cfs_period_us")])
    # "max" or -1 is no limit.
    if match := re.fullmatch(r"(\d+) (\d+)", text.strip()):
        quota, period = int(match[1]), int(match[2])
        if quota > 0 and period > 0:
            yield -(-quota // period)


def _lies_in(path: str, root: str) -> bool:
    return f"{path}/".startswith(f"{root.rstrip('/')}/")


def _unescaped(field: str) -> str:
    r"""Spaces, tabs, line ends and backslashes stand as \040 and the like."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()
    except OSError:
        return []
