"""What a conversion kept and rejected, counted so that parts can be added up in a fixed order."""

from __future__ import annotations

import collections
from collections.abc import Mapping

from spin_tf._types import JsonObject

MAX_EXAMPLES = 20
_PERCENTILES = (0, 1, 5, 25, 50, 75, 95, 99, 100)


class Statistics:
    """Counts of one conversion, or of one shard of it.

    The size does not grow with the data: 20 examples a reason, and histograms over lengths, characters and sizes.
    Examples are dictionaries with source_id, text, detail, and for the page of pictures path, box and key.
    """

    def __init__(self) -> None:
        self.read = 0
        self.kept = 0
        self.excluded = 0
        self.kept_examples: list[JsonObject] = []
        self.rejected: dict[str, JsonObject] = {}
        self.unknown_characters: collections.Counter[str] = collections.Counter()
        self.characters: collections.Counter[str] = collections.Counter()
        self.label_lengths: collections.Counter[int] = collections.Counter()
        self.heights: collections.Counter[int] = collections.Counter()
        self.widths: collections.Counter[int] = collections.Counter()
        self.formats: collections.Counter[str] = collections.Counter()

    def keep(self, text: str, height: int, width: int, format: str, example: JsonObject) -> None:
        """Counts a word that was written."""
        self.read += 1
        self.kept += 1
        self.characters.update(text)
        self.label_lengths[len(text)] += 1
        self.heights[height] += 1
        self.widths[width] += 1
        self.formats[format] += 1
        if len(self.kept_examples) < MAX_EXAMPLES:
            self.kept_examples.append(example)

    def reject(self, reason: str, example: JsonObject) -> None:
        """Counts a word that was not written."""
        self.read += 1
        found = self.rejected.setdefault(reason, {"count": 0, "examples": []})
        found["count"] += 1
        if len(found["examples"]) < MAX_EXAMPLES:
            found["examples"].append(example)

    def exclude(self) -> None:
        """Counts a word left out because the user said so."""
        self.read += 1
        self.excluded += 1

    @property
    def num_rejected(self) -> int:
        return sum(found["count"] for found in self.rejected.values())

    @property
    def reject_share(self) -> float:
        """The rejected among the words that were not excluded."""
        return self.num_rejected / max(self.read - self.excluded, 1)

    def summary(self) -> str:
        """Returns the counts in one line."""
        reasons = ", ".join(f"{reason} {found['count']}" for reason, found in sorted(self.rejected.items()))
        rejected = f"rejected {self.num_rejected}{f' ({reasons})' if reasons else ''}"
        return f"read {self.read}, kept {self.kept}, excluded {self.excluded}, {rejected}"

    def add(self, other: Statistics) -> None:
        """Adds the counts of the next part."""
        self.read += other.read
        self.kept += other.kept
        self.excluded += other.excluded
        self.kept_examples = (self.kept_examples + other.kept_examples)[:MAX_EXAMPLES]
        for reason, found in other.rejected.items():
            own = self.rejected.setdefault(reason, {"count": 0, "examples": []})
            own["count"] += found["count"]
            own["examples"] = (own["examples"] + found["examples"])[:MAX_EXAMPLES]
        for name in ("unknown_characters", "characters", "label_lengths", "heights", "widths", "formats"):
            getattr(self, name).update(getattr(other, name))

    def to_state(self) -> JsonObject:
        """Returns everything, for JSON; `from_state` takes it back."""
        state = dict(vars(self))
        for name in ("label_lengths", "heights", "widths"):
            state[name] = sorted(state[name].items())
        return state

    @classmethod
    def from_state(cls, state: JsonObject) -> Statistics:
        """Inverse of `to_state`."""
        result = cls()
        for name, value in state.items():
            if isinstance(getattr(result, name), collections.Counter):
                value = collections.Counter(dict(value))
            setattr(result, name, value)
        return result

    @classmethod
    def from_report(cls, report: JsonObject) -> Statistics:
        """Takes the counts of words from a report; not the histograms."""
        result = cls()
        result.read, result.kept, result.excluded = report["read"], report["kept"], report["excluded"]
        result.rejected = {reason: dict(found) for reason, found in report["rejected"].items()}
        return result

    def to_report(self) -> JsonObject:
        """Returns the counts as the report shows them."""
        return {
            "read": self.read,
            "kept": self.kept,
            "excluded": self.excluded,
            "rejected": {
                reason: {
                    "count": found["count"],
                    "examples": [
                        {name: example[name] for name in ("source_id", "text", "detail")}
                        for example in found["examples"]
                    ],
                }
                for reason, found in sorted(self.rejected.items())
            },
            "characters_outside_charset": _by_count(self.unknown_characters),
            "label_lengths": {str(length): count for length, count in sorted(self.label_lengths.items())},
            "characters": _by_count(self.characters),
            "image_formats": _by_count(self.formats),
            "image_height": _percentiles(self.heights),
            "image_width": _percentiles(self.widths),
        }


def _by_count(counter: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def _percentiles(histogram: Mapping[int, int]) -> dict[str, int]:
    """Values below which that percentage lies (nearest rank); empty for no values."""
    total = sum(histogram.values())
    if not total:
        return {}
    result = {}
    for percentile in _PERCENTILES:
        rank = max(-(-percentile * total // 100), 1)
        seen = 0
        for value in sorted(histogram):
            seen += histogram[value]
            if seen >= rank:
                result[f"p{percentile}"] = value
                break
    return result
