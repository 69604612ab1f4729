"""IIIT 5K-word: traindata.mat and testdata.mat, a struct array of ImgName, GroundTruth and two lexicons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from spin_tf._extras import require
from spin_tf.data.conversion.entry import Entry, bad_line, image_entry


def load_mat(path: str, feature: str, names: list[str] | None = None) -> dict[str, Any]:
    """Reads variables of a MATLAB file.

    Raises:
        ValueError: when this is no MATLAB file that scipy reads.
    """
    io = require("scipy.io", feature, "data")
    try:
        return io.loadmat(path, squeeze_me=True, variable_names=names)
    except (OSError, MemoryError):
        raise
    # scipy raises its own errors, zlib's and nearly any other on broken files.
    except Exception as error:
        raise ValueError(f"This is no MATLAB file that can be read: {error}. Received: input={path!r}") from error


def entries(path: str, root: str) -> Iterator[Entry]:
    """Yields the words of traindata.mat or testdata.mat; the official labels are upper case."""
    variables = load_mat(path, "Reading IIIT5K")
    for value in variables.values():
        rows = np.atleast_1d(value) if isinstance(value, np.ndarray) else np.empty(0)
        if rows.dtype.names and {"ImgName", "GroundTruth"} <= set(rows.dtype.names):
            for number, row in enumerate(rows, start=1):
                name, text = row["ImgName"], row["GroundTruth"]
                if not isinstance(name, str) or not isinstance(text, (str, int, float)):
                    yield bad_line(path, number, ascii((name, text)))
                else:
                    yield image_entry(root, name, str(text))
            return
    found = ", ".join(name for name in variables if not name.startswith("__"))
    raise ValueError(
        f"No struct array with ImgName and GroundTruth in this file. Received: input={path!r}, found={found}"
    )
