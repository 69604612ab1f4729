"""One model from several that were trained on from the same weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spin_tf.models import SPINRecognizer


def average_models(models: Sequence[SPINRecognizer], shares: Sequence[float] | None = None) -> SPINRecognizer:
    """Averages the weights of models, and their batch statistics, which `recalibrate` then takes anew.

    Models that were trained on from the same weights mostly lie in one valley of the loss, the middle of which is
    lower than where each has ended; those of different starts do not, and read nothing when they are averaged.

    Args:
        models: of the same architecture, charset and image size.
        shares: of each model, at least 0, in any unit; equal ones by default.

    Returns:
        a new model, of temperature 1: it has to be calibrated anew.

    Raises:
        ValueError: no model, models that differ in more than their weights, or shares that do not fit.

    Reference: Wortsman et al., "Model soups", ICML 2022.
    """
    if not models:
        raise ValueError("there is no model to average. Received: models=[]")
    shares = [1.0] * len(models) if shares is None else list(shares)
    if len(shares) != len(models) or min(shares) < 0 or not 0 < sum(shares) < float("inf"):
        raise ValueError(f"shares are numbers of at least 0, one for each of {len(models)}. Received: shares={shares}")
    first = models[0]
    for number, model in enumerate(models[1:], 2):
        for what, mine, other in (
            ("architecture", _architecture(first), _architecture(model)),
            ("charset", first.charset.to_dict(), model.charset.to_dict()),
        ):
            if mine != other:
                raise ValueError(f"model {number} has another {what} than the first. Received: {other} and {mine}")
    result = SPINRecognizer(first.config, charset=first.charset.to_dict(), name=first.name)
    weights = np.asarray(shares, "float64") / sum(shares)
    for target, *sources in zip(result.variables, *(model.variables for model in models), strict=True):
        values = (weight * np.asarray(source, "float64") for weight, source in zip(weights, sources, strict=True))
        target.assign(sum(values).astype(np.asarray(target).dtype))  # type: ignore[union-attr]
    return result


def _architecture(model: SPINRecognizer) -> dict[str, Any]:
    return {key: value for key, value in model.config.items() if key not in ("name", "charset")}
