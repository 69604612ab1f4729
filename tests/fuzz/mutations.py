"""Seeded damage to files, and a trial that fails for anything but the errors that are documented.

A mutation is a function of the seed alone, so that a failure is found again by its number:

    trials = Trials(allowed=(ValueError, OSError))
    for mutation in mutations({"png": png, "jpeg": jpeg}, count=300):
        with trials.trial(mutation):
            decode_image(mutation.data)

`trials.summary()` counts how they ended. A trial also fails by the time or the memory that it takes; one that waits for
ever is ended after a minute with the stacks of all threads.
"""

from __future__ import annotations

import collections
import contextlib
import faulthandler
import random
import struct
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from typing import NamedTuple

MAX_SECONDS = 2.0
MAX_BYTES = 256 * 2**20
_HANG_SECONDS = 60

# Lengths, counts and offsets at which arithmetic breaks.
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1)
_TOKENS = (b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n", b"\t", b'"', b"\\", b"..", b"/", b"{", b"[", b": ", b"${")


class Mutation(NamedTuple):
    """One damaged file: the name of its seed file, its number, which gives it again, and its bytes."""

    name: str
    number: int
    data: bytes


def mutate(data: bytes, seed: int) -> bytes:
    """Damages a file in one to four ways: flipped, overwritten, cut, doubled, moved, inserted, or cut-off bytes.

    Args:
        data: a whole file.
        seed: gives the same damage every time.
    """
    rng = random.Random(seed)
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        changed = _once(changed, rng)
    return bytes(changed)


def _once(data: bytearray, rng: random.Random) -> bytearray:
    size = len(data)
    if not size:
        return bytearray(rng.randbytes(rng.randrange(1, 64)))
    # Headers decide about lengths and types, so half of the damage falls near the start or the end.
    near = rng.randrange(min(size, 128))
    at = rng.choice((rng.randrange(size), rng.randrange(size), near, size - 1 - near))
    span = min(rng.choice((1, 2, 4, 8, 16, 64, 512, 4096)), size - at)
    kind = rng.randrange(10)
    if kind == 0:
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        data[at : at + span] = rng.randbytes(span)
    elif kind == 2:
        number = rng.choice(_NUMBERS)
        packed = struct.pack(rng.choice("<>") + "Q", number)
        width = rng.choice((1, 2, 4, 8))
        data[at : at + width] = packed[:width] if packed[0] else packed[-width:]
    elif kind == 3:
        del data[at:]
    elif kind == 4:
        del data[at : at + span]
    elif kind == 5:
        data[at:at] = data[at : at + span]
    elif kind == 6:
        data[at:at] = rng.randbytes(span)
    elif kind == 7:
        data[at:at] = rng.choice(_TOKENS) * rng.choice((1, 1, 2, 300))
    elif kind == 8:
        other = rng.randrange(size)
        data[at : at + span] = data[other : other + span]
    else:
        data[at : at + span] = bytes([rng.choice((0x00, 0xFF, 0x20, 0x41))]) * span
    return data


def mutations(seeds: Mapping[str, bytes], count: int, first: int = 0) -> Iterator[Mutation]:
    """Yields `count` damaged files, the seed files in turn; `first` is the number of the first of them."""
    names = sorted(seeds)
    for number in range(first, first + count):
        name = names[number % len(names)]
        yield Mutation(name, number, mutate(seeds[name], number))


class Trials:
    """Runs trials and counts how each ended.

    Args:
        allowed: the errors that are documented; any other ends the test.
        seconds: of processor time that a trial may take.
        max_bytes: of Python's memory (numpy's and bytes' among it) that a trial may take; 0 does not measure, which
            makes trials several times as fast.

    Attributes:
        endings: how many trials ended without an error (`"ok"`), and by each error's name.
    """

    def __init__(
        self, allowed: tuple[type[BaseException], ...], seconds: float = MAX_SECONDS, max_bytes: int = MAX_BYTES
    ) -> None:
        self.allowed = allowed
        self.seconds = seconds
        self.max_bytes = max_bytes
        self.endings: collections.Counter[str] = collections.Counter()
        self.slowest = 0.0

    @contextlib.contextmanager
    def trial(self, mutation: Mutation) -> Iterator[None]:
        """Around what reads one damaged file."""
        where = f"{mutation.name}, mutation {mutation.number} ({len(mutation.data)} bytes)"
        if self.max_bytes:
            tracemalloc.start()
        faulthandler.dump_traceback_later(_HANG_SECONDS, exit=True)
        start = time.process_time()
        ending = "ok"
        try:
            yield
        except self.allowed as error:
            ending = type(error).__name__
            if not str(error):
                raise AssertionError(f"{where}: {ending} without a word") from error
        except Exception as error:
            raise AssertionError(f"{where}: {type(error).__name__} is not documented: {error}") from error
        finally:
            faulthandler.cancel_dump_traceback_later()
            peak = 0
            if self.max_bytes:
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
        took = time.process_time() - start
        self.slowest = max(self.slowest, took)
        assert took < self.seconds, f"{where}: took {took:.1f} s"
        assert peak <= self.max_bytes, f"{where}: took {peak / 2**20:.0f} MiB"
        self.endings[ending] += 1

    def summary(self) -> str:
        """The counts in one line."""
        counts = ", ".join(f"{name} {count}" for name, count in self.endings.most_common())
        return f"{sum(self.endings.values())} trials: {counts}; slowest {self.slowest:.2f} s"
