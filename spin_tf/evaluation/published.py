"""The seven benchmarks beside what was published on them."""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Sequence

from spin_tf.data.conversion.benchmarks import BENCHMARKS
from spin_tf.evaluation.word_set import SetResult

# The sets of the paper's table, in its order.
SEVEN = ("IIIT5K_3000", "SVT_647", "IC03_860", "IC13_857", "IC15_1811", "SVTP_645", "CUTE80_288")
# Word accuracies in %, lower case, 0-9a-z. Zhang and others, AAAI 2021 (arXiv 2005.13117), and the model zoo of
# DAVAR-Lab-OCR; PaddleOCR states only the mean of the seven for its rec_r32_gaspin_bilstm_att.
PUBLISHED = {
    "SPIN, paper": (94.7, 87.6, 93.4, 91.5, 79.1, 79.7, 85.1),
    "GA-SPIN, paper": (94.7, 90.3, 94.4, 92.8, 82.2, 82.8, 87.5),
    "GA-SPIN, DAVAR-Lab's re-run": (94.6, 89.0, 93.3, 94.2, 80.7, 83.0, 84.7),
}
PUBLISHED_MEANS = {"GA-SPIN, PaddleOCR": 90.00}


def find_sets(folder: str) -> tuple[dict[str, list[str]], list[str]]:
    """Finds the TFRecords that bin/create_benchmarks.py writes.

    Returns:
        the patterns of each set that is there, in the order of tables, and the names of those that are not.
    """
    patterns = {name: os.path.join(glob.escape(folder), f"{name}-*-of-*.tfrecord") for name in BENCHMARKS}
    there = {name: [pattern] for name, pattern in patterns.items() if glob.glob(pattern)}
    return there, [name for name, one in BENCHMARKS.items() if name not in there and not one.beyond]


def _mean(values: Sequence[float], weights: Sequence[int]) -> float:
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)


def _cells(values: Sequence[float], digits: int = 1) -> str:
    return " | ".join("-" if math.isnan(value) else f"{value:.{digits}f}" for value in values)


def make_table(results: Sequence[SetResult], name: str) -> str:
    """Returns a Markdown table of the seven sets: this model, then the published ones; word accuracies in %.

    The mean counts each set the same; the weighted mean counts each word the same, for published rows by the words that
    the sets have. A model without all seven has neither.

    Args:
        results: of sets with the names of `SEVEN`; others are left out.
        name: of this model.
    """
    own = {result.name: result.score for result in results}
    scores = [own.get(benchmark) for benchmark in SEVEN]
    values = [100 * score.word_accuracy if score and score.words else math.nan for score in scores]
    words = [score.words if score else 0 for score in scores]
    complete = not any(math.isnan(value) for value in values)
    means = (_mean(values, [1] * len(SEVEN)), _mean(values, words)) if complete else (math.nan, math.nan)
    own_name = name.replace("|", "\\|")
    rows = [
        f"| word accuracy | {' | '.join(SEVEN)} | mean | weighted mean |",
        f"|---|{'---:|' * (len(SEVEN) + 2)}",
        f"| {own_name} | {_cells(values)} | {_cells(means, 2)} |",
    ]
    sizes = [BENCHMARKS[benchmark].words for benchmark in SEVEN]
    for model, published in PUBLISHED.items():
        mean, weighted = _mean(published, [1] * len(SEVEN)), _mean(published, sizes)
        rows.append(f"| {model} | {_cells(published)} | {mean:.2f} | {weighted:.2f} |")
    for model, mean in PUBLISHED_MEANS.items():
        rows.append(f"| {model} | {_cells([math.nan] * len(SEVEN))} | {mean:.2f} | - |")
    return "\n".join(rows)


def make_notes(results: Sequence[SetResult]) -> str:
    """Returns words a second, and which sets have another number of words than the published ones."""
    words, seconds = sum(len(result.readings) for result in results), sum(result.seconds for result in results)
    lines = [f"{words / seconds:.1f} words a second." if seconds else ""]
    for result in results:
        if result.name in BENCHMARKS and len(result.readings) != BENCHMARKS[result.name].words:
            lines.append(
                f"{result.name} has {len(result.readings)} words, {BENCHMARKS[result.name].words} in published tables: "
                "its row does not compare."
            )
    return "\n".join(line for line in lines if line)
