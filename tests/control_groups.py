"""Trees of control groups as Linux shows them to a process, with the cores that they leave of a machine of 64."""

from __future__ import annotations

import pathlib

MACHINE = 64
_SECOND = "0::{}"
_FIRST = "12:pids:/x\n3:cpu,cpuacct:{}\n1:name=systemd:/x\n0::/x"
_MOUNT_2 = "31 23 0:28 {root} {top} rw,nosuid shared:4 - cgroup2 cgroup rw,nsdelegate"
_MOUNT_1 = (
    "30 23 0:27 / {top}/../pids rw - cgroup cgroup rw,pids\n"
    "31 23 0:28 {root} {top} rw,nosuid shared:4 master:1 - cgroup cgroup rw,cpu,cpuacct"
)

# By name: what /proc/self/cgroup says, what mountinfo says, files below the mount, the cores.
CASES: dict[str, tuple[str, str, dict[str, str], int]] = {
    "no quota": (_SECOND.format("/"), _MOUNT_2, {"cpu.max": "max 100000"}, MACHINE),
    "no files": (_SECOND.format("/a"), _MOUNT_2, {}, MACHINE),
    "docker --cpus=2": (_SECOND.format("/"), _MOUNT_2, {"cpu.max": "200000 100000"}, 2),
    "a part of a core": (_SECOND.format("/"), _MOUNT_2, {"cpu.max": "50000 100000"}, 1),
    "rounded up": (_SECOND.format("/"), _MOUNT_2, {"cpu.max": "250000 100000"}, 3),
    "another period": (_SECOND.format("/"), _MOUNT_2, {"cpu.max": "40000 10000"}, 4),
    "more than there are": (_SECOND.format("/"), _MOUNT_2, {"cpu.max": "99999999 100000"}, MACHINE),
    "the group of a service": (_SECOND.format("/a.slice/b"), _MOUNT_2, {"a.slice/b/cpu.max": "300000 100000"}, 3),
    "a group above": (
        _SECOND.format("/pods/one/c"),
        _MOUNT_2,
        {"pods/cpu.max": "900000 100000", "pods/one/cpu.max": "500000 100000", "pods/one/c/cpu.max": "max 100000"},
        5,
    ),
    "a quota of another group": (_SECOND.format("/a"), _MOUNT_2, {"b/cpu.max": "200000 100000"}, MACHINE),
    "a part of the tree": (
        _SECOND.format("/docker/id/inner"),
        _MOUNT_2.replace("{root}", "/docker/id"),
        {"inner/cpu.max": "600000 100000"},
        6,
    ),
    "another part of the tree": (
        _SECOND.format("/docker/identical"),
        _MOUNT_2.replace("{root}", "/docker/id"),
        {"cpu.max": "600000 100000", "entical/cpu.max": "200000 100000"},
        6,
    ),
    "version 1": (
        _FIRST.format("/"),
        _MOUNT_1,
        {"cpu.cfs_quota_us": "150000", "cpu.cfs_period_us": "100000"},
        2,
    ),
    "version 1 without a quota": (
        _FIRST.format("/"),
        _MOUNT_1,
        {"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"},
        MACHINE,
    ),
    "version 1, the machine's path": (
        _FIRST.format("/kubepods/pod7/id"),
        _MOUNT_1.replace("{root}", "/kubepods/pod7/id"),
        {"cpu.cfs_quota_us": "700000", "cpu.cfs_period_us": "100000"},
        7,
    ),
    "version 1, a path that is not in sight": (
        _FIRST.format("/docker/id"),
        _MOUNT_1,
        {"cpu.cfs_quota_us": "200000", "cpu.cfs_period_us": "100000"},
        2,
    ),
    "both versions": (
        "3:cpu:/\n0::/",
        f"{_MOUNT_1}\n{_MOUNT_2}",
        {"cpu.max": "400000 100000", "cpu.cfs_quota_us": "300000", "cpu.cfs_period_us": "100000"},
        3,
    ),
    "nonsense": ("x\n::\n0::/", f"\n -  - \n{_MOUNT_2}\n1 2", {"cpu.max": "many 0"}, MACHINE),
    "no time": (_SECOND.format("/"), _MOUNT_2, {"cpu.max": "0 0"}, MACHINE),
    "no system that has them": ("", "", {}, MACHINE),
}


def write(name: str, folder: pathlib.Path) -> tuple[str, int]:
    """Writes a tree; returns the folder that stands for /proc/self, and the cores of a machine of 64."""
    cgroup, mountinfo, files, cores = CASES[name]
    top = folder / "sys fs" / "cgroup"
    for path, content in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(f"{content}\n")
    proc = folder / "self"
    proc.mkdir()
    if cgroup:
        (proc / "cgroup").write_text(f"{cgroup}\n")
        escaped = str(top).replace(" ", r"\040")
        (proc / "mountinfo").write_text(mountinfo.replace("{root}", "/").replace("{top}", escaped) + "\n")
    return str(proc), cores
