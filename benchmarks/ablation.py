#!/usr/bin/env python3
"""What each group of effects of the synthesis is worth to a recogniser that real words then test.

    benchmarks/ablation.py --fonts=DIR --backgrounds=DIR --lexicon=WORDS.txt[,MORE.txt] [--records=DIR] [--work=DIR]

A small recogniser learns to read plain generated words. From there it goes on, for the same number of words, on words
with all effects, with all but one group, and on plain words; the words of a seed have the same labels and come in the
same order whatever is left out. It never sees a real word in training, so the training sets of real words test it as
fairly as the validation words. What is finished is kept in --work, and not done again; --report only prints the table.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
import time
from typing import Any

import numpy as np
from absl import app, flags, logging

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.word_losses import losses_and_counts
from spin_tf import config as c
from spin_tf.charset import Charset, LabelError, Tokenizer
from spin_tf.contract.preprocessing import preprocess
from spin_tf.data.images import decode_image
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.evaluation.metrics import normalize, similarity
from spin_tf.synthesis import SynthesisConfig, WordSynthesizer
from spin_tf.synthesis.alphabet import DrawableWords
from spin_tf.synthesis.fonts import find_fonts
from spin_tf.synthesis.probabilities import Streams
from spin_tf.synthesis.textures import find_photographs

_FONTS = flags.DEFINE_string("fonts", None, "Folder of fonts.")
_BACKGROUNDS = flags.DEFINE_string("backgrounds", None, "Folder of photographs.")
_LEXICON = flags.DEFINE_list("lexicon", None, "Word lists, comma separated.")
_RECORDS = flags.DEFINE_string("records", "data/tfrecords", "Folder of the TFRecords of real words.")
_WORK = flags.DEFINE_string("work", "data/ablation", "Where models, words and scores go.")
_BASE_WORDS = flags.DEFINE_integer("base_words", 160_000, "Plain words that the base is made from.", 1000)
_WORDS = flags.DEFINE_integer("words", 16_000, "Words of each run after that.", 1000)
_ALL_SEEDS = flags.DEFINE_integer("all_seeds", 3, "Runs with all effects.", 1)
_SEEDS = flags.DEFINE_integer("seeds", 1, "Runs of everything else.", 1)
_REPORT = flags.DEFINE_bool("report", False, "Print the table of what is finished, and nothing else.")

GROUPS = {
    "line": "letter_spacing condense weight curve wave jitter small_capitals monospace seven_segment typographic",
    "neighbours": "neighbours lines",
    "geometry": "rotation vertical shear perspective",
    "crop": "loose_crop wide_ground tight_crop",
    "ink": "outline shadow glow emboss gradient_fill textured_fill two_tone dot_matrix colour_only",
    "behind": "gradient noise_texture photograph board low_contrast",
    "light": "illumination occlusion exposure gamma",
    "blur": "low_resolution blur motion_blur",
    "noise": "noise sharpen jpeg",
}
# No effects but shares: of words that are spared effects, and of ink darker than its ground.
SHARES = ("clean", "dark_text")
SETS = {"validation": "icdar2015_val iiit5k_val svt_val", "ICDAR 2015": "icdar2015", "IIIT5K, SVT": "iiit5k svt"}
SETS |= {"born-digital": "born_digital", "MJSynth": "mjsynth mjsynth_test"}
BASE_SEED = 101
# Channels of the backbone, words a step, and the highest rate of the base; the runs after it take half.
WIDTH, BATCH, RATE = 32, 64, 2e-3
# Longer words are few, and each step of the decoder takes time; attention is found sooner in short words.
LONGEST, SHORT, SHORT_SHARE = 12, 5, 0.4


def runs() -> list[tuple[str, int]]:
    """What is trained from the base, with which seed, in this order."""
    planned = [(what, seed) for seed in range(1, _SEEDS.value + 1) for what in ("all", "plain", *GROUPS)]
    return planned + [("all", seed) for seed in range(_SEEDS.value + 1, _ALL_SEEDS.value + 1)]


def configuration(what: str) -> SynthesisConfig:
    """All effects, all but a group, or none."""
    return SynthesisConfig().without(*GROUPS.get(what, "").split()).scaled(0 if what == "plain" else 1)


class GeneratedWords:
    """Words of any configuration, from fonts and photographs that are read once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        lexicon = DrawableWords.read(_LEXICON.value, Charset.from_spec("94")).words if _LEXICON.value else None
        fonts = find_fonts(_FONTS.value) if _FONTS.value else None
        photographs = find_photographs(_BACKGROUNDS.value) if _BACKGROUNDS.value else None
        self.synthesizer = WordSynthesizer(fonts, lexicon, photographs)

    def make(self, what: str, count: int, seed: int, path: pathlib.Path) -> list[np.ndarray]:
        """`count` words whose label the tokenizer takes, kept in `path`: images uint8, rows of tokens, numbers."""
        if not path.exists():
            self.synthesizer.config = configuration(what)
            words: list[tuple[Any, ...]] = []
            number = seed << 40
            while len(words) < count:
                image, label = self.synthesizer.word(number)
                with contextlib.suppress(LabelError):
                    words.append((image, self.tokenizer.encode(label), number))
                number += 1
            save(path, *map(np.asarray, zip(*words, strict=True)))
        return list(np.load(path).values())

    def vary(self, what: str, images: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """What words with all effects are otherwise; those that none of the effects in question touch are kept."""
        self.synthesizer.config = configuration(what)
        families = GROUPS.get(what, " ".join(GROUPS.values()) if what == "plain" else "").split()
        images = images.copy()
        for place, number in enumerate(numbers.tolist()):
            if any(map(Streams(number, SynthesisConfig()).active, families)):
                images[place] = self.synthesizer.word(number)[0]
        return images


class RealWords:
    """The real words under the lower-case alphanumeric protocol: images, labels, and rows of tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.texts: list[str] = []
        images, rows, sets = [], [], []
        for title, name in [(title, name) for title, names in SETS.items() for name in names.split()]:
            index = RecordIndex([f"{_RECORDS.value}/{name}-*.tfrecord"])
            for i in range(len(index)):
                example = index.read_example(i)
                # The protocol leaves out words without a letter or digit.
                if not (text := normalize(example.text)):
                    continue
                self.texts.append(text)
                images.append(preprocess(decode_image(example.encoded), (32, 100)).astype("float16"))
                rows.append(tokenizer.encode(text[: tokenizer.max_length]))
                sets.append(title)
        self.images, self.rows, self.sets = map(np.asarray, (images, rows, sets))

    def score(self, student: Student, batch: int = 256) -> dict[str, np.ndarray]:
        """Word by word: whether it was read right, 1 - NED, and nats a token of its label, all with its start known."""
        right, similar, nats = [], [], []
        student.shipped.update()
        for start in range(0, len(self.texts), batch):
            part = slice(start, start + batch)
            texts = self.texts[part]
            fill = batch - len(texts)
            images = np.pad(self.images[part].astype("float32"), ((0, fill), (0, 0), (0, 0), (0, 0)))
            tokens, losses = student.read(images, np.pad(self.rows[part], ((0, fill), (0, 0))))
            read = [normalize(self.tokenizer.decode(row)) for row in tokens.numpy()[: len(texts)]]
            right += [a == b for a, b in zip(texts, read, strict=True)]
            similar += [similarity(a, b) for a, b in zip(texts, read, strict=True)]
            nats += losses.numpy()[: len(texts)].tolist()
        values = map(np.asarray, (right, similar, nats, self.sets))
        return dict(zip(("right", "similar", "nats", "sets"), values, strict=True))


class Student:
    """One model for all runs; each begins with the base's weights and a fresh optimizer."""

    def __init__(self) -> None:
        import keras
        import tensorflow as tf

        from spin_tf.models import SPINRecognizer
        from spin_tf.training.averaging import ShippedModel
        from spin_tf.training.strategies import keep_freed_memory

        keep_freed_memory()
        keras.utils.set_random_seed(0)
        model = c.ModelConfig(charset="36", max_length=LONGEST, transformation=c.TransformationConfig("none"))
        model.backbone = c.BackboneConfig(WIDTH, [1, 1, 1, 1])
        model.encoder, model.decoder = c.EncoderConfig(64, [64]), c.DecoderConfig(64)
        self.model = SPINRecognizer(model, name="spin_recognizer")
        self.averages = [keras.Variable(np.asarray(v), trainable=False) for v in self.model.trainable_variables]
        self.shipped = ShippedModel(self.model, self.averages)
        self.read = tf.function(self._read, autograph=False)

    def prepare(self, steps: int, rate: float) -> None:
        """A fresh optimizer for runs of `steps` from the present weights."""
        import tensorflow as tf

        from spin_tf.training.optimizer import AdamWOrMuon
        from spin_tf.training.step import TrainingStep

        config = c.OptimizerConfig(learning_rate=rate, warmup_steps=min(steps // 10, 200), ema=0.99)
        optimizer = AdamWOrMuon(config, steps)
        optimizer.build(self.model.trainable_variables)
        strategy = tf.distribute.get_strategy()
        self._take_step = TrainingStep(strategy, self.model, optimizer, self.averages, config.ema, 0.0)
        for average, variable in zip(self.averages, self.model.trainable_variables, strict=True):
            average.assign(variable)
        self._variables = [*self.model.variables, *optimizer.variables, *self.averages]
        self._start = [np.copy(variable) for variable in self._variables]

    def train(self, images: np.ndarray, rows: np.ndarray, order: np.ndarray) -> None:
        """From where `prepare` was called, a step for each batch of `order`."""
        for variable, value in zip(self._variables, self._start, strict=True):
            variable.assign(value)
        start = time.perf_counter()
        for step in range(1, len(order) // BATCH + 1):
            batch = order[(step - 1) * BATCH : step * BATCH]
            pixels = (images[batch].astype("float32")[..., None] - 127.5) / 127.5
            loss = float(self._take_step(pixels, rows[batch], False)[0])
            if step % 250 == 0:
                rate = step * BATCH / (time.perf_counter() - start)
                logging.info("step %d: loss %.3f, %.0f words a second", step, loss, rate)

    def _read(self, images: Any, rows: Any) -> tuple[Any, Any]:
        import tensorflow as tf

        model, targets = self.shipped.model, rows[:, 1:]
        states = model.encode(images)
        tokens = tf.argmax(model.decoder.decode(states, True)[0], -1)
        losses, counts = losses_and_counts(model.decoder(states, rows[:, :-1]), targets)
        return tokens, losses / counts


def make_base(work: pathlib.Path, student: Student, generated: GeneratedWords) -> None:
    """Teaches the student to read plain words, short ones first, unless that was done before."""
    path = work / "base-weights.npz"
    if not path.exists():
        images, rows, _ = generated.make("plain", _BASE_WORDS.value, BASE_SEED, work / "base-words.npz")
        random = np.random.default_rng(0)
        short = random.permutation(np.flatnonzero((rows > 0).sum(1) <= SHORT + 1))
        order = np.concatenate([short[: int(SHORT_SHARE * len(rows))], random.permutation(len(rows))])[: len(rows)]
        student.prepare(len(order) // BATCH, RATE)
        student.train(images, rows, order)
        student.shipped.update()
        save(path, *map(np.asarray, student.shipped.model.variables))
    for variable, value in zip(student.model.variables, np.load(path).values(), strict=True):
        variable.assign(value)


def save(path: pathlib.Path, *arrays: Any, **named: Any) -> None:
    """Writes a file that is there as a whole or not at all."""
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, *arrays, **named)
    partial.replace(path)


def table(work: pathlib.Path) -> str:
    """The scores of all finished runs, and what each group gives: all effects minus all but the group."""
    scores: dict[str, list[Any]] = {}
    for path in sorted(work.glob("*-[0-9].npz")):
        scores.setdefault(path.stem[:-2], []).append(dict(np.load(path)))
    validation = (sets := scores["all"][0]["sets"]) == "validation"
    columns = [(validation, "right", 100), (~validation, "right", 100), (~validation, "similar", 100)]
    columns += [(rows, "nats", -1) for rows in [~validation, *(sets == name for name in list(SETS)[1:])]]
    titles = ["effects", "runs", "validation", "gain", "real words", "gain", "1 - NED gain", "nats saved"]
    titles += list(SETS)[1:]
    lines = [f"| {' | '.join(titles)} |", f"| --- | {' | '.join(['---:'] * (len(titles) - 1))} |"]
    freedom = max(sum(len(several) - 1 for several in scores.values()), 1)
    spreads = []
    for rows, measure, unit in columns:
        means = [[unit * s[measure][rows].mean() for s in several] for several in scores.values()]
        spreads.append(np.sqrt(sum(np.var(values) * len(values) for values in means) / freedom))
    for what in [name for name in ("all", "base", "plain", *GROUPS) if name in scores]:
        cells = [what if what in ("all", "base", "plain") else f"without {what}", str(len(scores[what]))]
        for (rows, measure, unit), spread in zip(columns, spreads, strict=True):
            whole, other = (np.mean([s[measure][rows] for s in scores[name]], 0, dtype=float) for name in ("all", what))
            gain = unit * (whole - other)
            runs_part = spread**2 * (1 / len(scores["all"]) + 1 / len(scores[what]))
            half = 1.96 * np.sqrt(np.var(gain) / len(gain) + runs_part)
            digits = 3 if measure == "nats" else 2
            cells += [f"{unit * other.mean():.2f}"] if measure == "right" else []
            cells.append("" if what == "all" else f"{gain.mean():+.{digits}f} ± {half:.{digits}f}")
        lines.append(f"| {' | '.join(cells)} |")
    lines.append(
        f"\n{validation.sum():,} validation words, {(~validation).sum():,} other real words. Deviation of runs"
    )
    lines.append(f"that differ in the seed alone, {freedom} degrees of freedom: {np.round(spreads, 3)}")
    return "\n".join(lines)


def main(_: list[str]) -> None:
    """Does what is not done yet and prints the table."""
    logging.set_verbosity(logging.INFO)
    work = pathlib.Path(_WORK.value)
    work.mkdir(parents=True, exist_ok=True)
    open_runs = [(what, seed) for what, seed in runs() if not (work / f"{what}-{seed}.npz").exists()]
    if open_runs and not _REPORT.value:
        tokenizer = Tokenizer(Charset.from_spec("36"), LONGEST)
        student, generated, real = Student(), GeneratedWords(tokenizer), RealWords(tokenizer)
        make_base(work, student, generated)
        student.prepare(_WORDS.value // BATCH, RATE / 2)
        if not (work / "base-0.npz").exists():
            save(work / "base-0.npz", **real.score(student))
        for what, seed in open_runs:
            images, rows, numbers = generated.make("all", _WORDS.value, seed, work / f"all-{seed}-words.npz")
            images = generated.vary(what, images, numbers)
            # The same order whatever is left out.
            student.train(images, rows, np.random.default_rng(seed).permutation(len(rows)))
            scores = real.score(student)
            save(work / f"{what}-{seed}.npz", **scores)
            logging.info("%s-%d: %.2f %% of the real words", what, seed, 100 * scores["right"].mean())
    print(table(work))


if __name__ == "__main__":
    app.run(main)
