"""The published network in plain numpy, straight from a state dict: what an imported model is checked against.

It shares no code with `spin_tf.layers`: loops and formulas as `spin.md`'s sources write them (channels first, two LSTM
biases, the spline's linear system solved for each image), about a second an image at full width.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from spin_tf.importers.naming import PADDLE, naming_of


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _softmax(x: np.ndarray) -> np.ndarray:
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def _conv(x: np.ndarray, kernel: np.ndarray, stride: tuple[int, int], padding: tuple[int, int]) -> np.ndarray:
    x = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2:], axis=(2, 3))
    windows = windows[:, :, :: stride[0], :: stride[1]]
    return np.tensordot(windows, kernel, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)


def _pool(x: np.ndarray, stride: tuple[int, int] = (2, 2), padding: int = 0) -> np.ndarray:
    x = np.pad(x, ((0, 0), (0, 0), (0, 0), (padding, padding)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(2, 3))
    return windows[:, :, :: stride[0], :: stride[1]].max((4, 5))


def _upsample(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear, half-pixel centres, edges repeated; one axis after the other."""
    for axis, length in zip((2, 3), size, strict=True):
        source = np.clip((np.arange(length) + 0.5) * x.shape[axis] / length - 0.5, 0, x.shape[axis] - 1)
        lower = np.floor(source).astype(int)
        upper = np.minimum(lower + 1, x.shape[axis] - 1)
        share = (source - lower).reshape([-1 if i == axis else 1 for i in range(4)])
        x = x.take(lower, axis) * (1 - share) + x.take(upper, axis) * share
    return x


def _spline_grid(points: np.ndarray, extra: np.ndarray, height: int, width: int) -> np.ndarray:
    """Control points (F, 2) and three more rows to a grid (height, width, 2)."""
    half = len(points) // 2
    base = np.array([(x, y) for y in (-1.0, 1.0) for x in np.linspace(-1, 1, half)])
    system = np.zeros((len(base) + 3, len(base) + 3))
    for i, p in enumerate(base):
        system[i, :3] = 1, *p
        system[len(base) : len(base) + 2, 3 + i] = p
        system[-1, 3 + i] = 1
        for j, q in enumerate(base):
            r = math.dist(p, q)
            system[i, 3 + j] = r * r * math.log(r) if r else 0.0
    solution = np.linalg.solve(system, np.concatenate([points, extra]))
    y, x = np.meshgrid((2 * np.arange(height) + 1) / height - 1, (2 * np.arange(width) + 1) / width - 1, indexing="ij")
    grid = solution[0] + x[..., None] * solution[1] + y[..., None] * solution[2]
    for p, weight in zip(base, solution[3:], strict=True):
        r = np.hypot(x - p[0], y - p[1])
        grid = grid + (r * r * np.log(r + 1e-6))[..., None] * weight
    return grid


def _sample(image: np.ndarray, grid: np.ndarray, align_corners: bool) -> np.ndarray:
    """Bilinear sampling of (height, width) at (height, width, 2), border repeated."""
    size = np.array(image.shape[::-1])
    pixel = (grid + 1) / 2 * (size - 1) if align_corners else ((grid + 1) * size - 1) / 2
    pixel = np.clip(pixel, 0, size - 1)
    first = np.floor(pixel).astype(int)
    last = np.minimum(first + 1, size - 1)
    dx, dy = np.moveaxis(pixel - first, -1, 0)
    upper = image[first[..., 1], first[..., 0]] * (1 - dx) + image[first[..., 1], last[..., 0]] * dx
    lower = image[last[..., 1], first[..., 0]] * (1 - dx) + image[last[..., 1], last[..., 0]] * dx
    return upper * (1 - dy) + lower * dy


class ReferenceNetwork:
    """A published checkpoint as a network in numpy.

    Args:
        arrays: the state dict, PaddleOCR's or DAVAR-Lab-OCR's.
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self._arrays = arrays
        self._naming = naming_of(arrays)

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        n = self._naming
        scale, bias, mean, variance = (self._arrays[f"{name}.{s}"] for s in ("weight", "bias", n.mean, n.variance))
        shape = [1, -1] + [1] * (x.ndim - 2)
        factor = scale / np.sqrt(variance + 1e-5)
        return x * factor.reshape(shape) + (bias - mean * factor).reshape(shape)

    def _conv_norm(
        self, x: np.ndarray, conv: str, norm: str, stride: Any = (1, 1), padding: Any = (1, 1), relu: bool = True
    ) -> np.ndarray:
        x = self._norm(_conv(x, self._arrays[f"{conv}.weight"], stride, padding), norm)
        return np.maximum(x, 0) if relu else x

    def _dense(self, x: np.ndarray, name: str) -> np.ndarray:
        weight = self._arrays[f"{name}.weight"]
        bias = self._arrays.get(f"{name}.bias", np.zeros(1, np.float32))
        return x @ (weight.T if self._naming.transposed_dense else weight) + bias

    def transform(self, images: np.ndarray) -> np.ndarray:
        """(batch, 1, height, width) -> the same."""
        prefix, align_corners = self._naming.transformation, self._naming is PADDLE
        if f"{prefix}stucture_fc2.bias" not in self._arrays:
            return images
        has_offset = f"{prefix}offset_fc2.bias" in self._arrays
        has_grid = any(name.startswith(f"{prefix}GridGenerator.") for name in self._arrays)
        features = images
        for i in (0, 4, 8):
            features = _pool(self._conv_norm(features, f"{prefix}spt_convnet.{i}", f"{prefix}spt_convnet.{i + 1}"))
        x = features
        for i in (0, 4, 8):
            x = self._conv_norm(x, f"{prefix}stucture_fc1.{i}", f"{prefix}stucture_fc1.{i + 1}")
            x = _pool(x) if i < 8 else x.mean((2, 3))
        x = np.maximum(self._norm(self._dense(x, f"{prefix}stucture_fc1.13"), f"{prefix}stucture_fc1.14"), 0)
        out = self._dense(x, f"{prefix}stucture_fc2").astype(np.float64)
        count = out.shape[1] - has_offset - 40 * has_grid

        pixels = (images.astype(np.float64) + 1) / 2
        if has_offset:
            offset = self._conv_norm(features, f"{prefix}offset_fc1.0", f"{prefix}offset_fc1.1")
            offset = _conv(offset, self._arrays[f"{prefix}offset_fc2.weight"], (1, 1), (1, 1))
            offset = _sigmoid(_pool(offset + self._arrays[f"{prefix}offset_fc2.bias"]))
            gate = _sigmoid(out[:, count])[:, None, None, None]
            pixels = (1 - gate) * pixels + gate * _upsample(offset, images.shape[2:])
        exponents = []
        for i in range(1, (count + 1) // 2):
            t = 0.5 * i / ((count - 1) // 2 + 1)
            lower = round(math.log(1 - t) / math.log(t), 2)
            exponents += [lower, round(1 / lower, 2)]
        powers = np.stack([pixels**b for b in [*exponents, 1.0]], 1)
        y = (powers * out[:, :count, None, None, None]).sum(1)
        y = (y - y.mean((2, 3), keepdims=True)) / np.sqrt(y.var((2, 3), keepdims=True) + 1e-5)
        if f"{prefix}sp_net.bn.scale" in self._arrays:
            y = y * self._arrays[f"{prefix}sp_net.bn.scale"] + self._arrays[f"{prefix}sp_net.bn.bias"]
        result = 2 * _sigmoid(y) - 1
        if has_grid:
            extra = np.zeros((len(images), 6))
            if f"{prefix}GridGenerator.fc.weight" in self._arrays:
                extra = self._dense(out[:, -40:], f"{prefix}GridGenerator.fc")
            grids = [
                _spline_grid(p.reshape(-1, 2), e.reshape(3, 2), *images.shape[2:])
                for p, e in zip(out[:, -40:], extra, strict=True)
            ]
            result = np.stack([_sample(i[0], g, align_corners)[None] for i, g in zip(result, grids, strict=True)])
        return result.astype(np.float32)

    def backbone(self, images: np.ndarray) -> np.ndarray:
        """(batch, 1, 32, width) -> (batch, channels, 1, time)."""
        p = self._naming.backbone

        def conv(x: np.ndarray, name: str, **options: Any) -> np.ndarray:
            return self._conv_norm(x, f"{p}conv{name}", f"{p}bn{name}", **options)

        def blocks(x: np.ndarray, layer: int) -> np.ndarray:
            index = 0
            while f"{p}layer{layer}.{index}.conv1.weight" in self._arrays:
                name = f"{p}layer{layer}.{index}."
                shortcut = x
                if f"{name}downsample.0.weight" in self._arrays:
                    shortcut = self._conv_norm(
                        x, f"{name}downsample.0", f"{name}downsample.1", padding=(0, 0), relu=False
                    )
                y = self._conv_norm(x, f"{name}conv1", f"{name}bn1")
                x = np.maximum(self._conv_norm(y, f"{name}conv2", f"{name}bn2", relu=False) + shortcut, 0)
                index += 1
            return x

        x = _pool(conv(conv(images, "0_1"), "0_2"))
        x = _pool(conv(blocks(x, 1), "1"))
        x = _pool(conv(blocks(x, 2), "2"), stride=(2, 1), padding=1)
        x = blocks(conv(blocks(x, 3), "3"), 4)
        x = conv(x, "4_1", stride=(2, 1), padding=(0, 1))
        return conv(x, "4_2", padding=(0, 0))

    def _cell(self, name: str, suffix: str, x: np.ndarray, state: tuple[np.ndarray, np.ndarray]) -> Any:
        a = self._arrays
        z = x @ a[f"{name}weight_ih{suffix}"].T + a[f"{name}bias_ih{suffix}"]
        z = z + state[0] @ a[f"{name}weight_hh{suffix}"].T + a[f"{name}bias_hh{suffix}"]
        i, f, g, o = np.split(z, 4, axis=-1)
        memory = _sigmoid(f) * state[1] + _sigmoid(i) * np.tanh(g)
        return _sigmoid(o) * np.tanh(memory), memory

    def encode(self, features: np.ndarray) -> np.ndarray:
        """(batch, channels, 1, time) -> (batch, time, features)."""
        x, layer = features[:, :, 0].transpose(0, 2, 1), 0
        while f"{self._naming.encoder.format(layer)}rnn.weight_hh_l0" in self._arrays:
            name = self._naming.encoder.format(layer)
            units = self._arrays[f"{name}rnn.weight_hh_l0"].shape[1]
            both = []
            for suffix, order in (("_l0", range(x.shape[1])), ("_l0_reverse", reversed(range(x.shape[1])))):
                state = (np.zeros((len(x), units)), np.zeros((len(x), units)))
                outputs = np.zeros((*x.shape[:2], units))
                for t in order:
                    state = self._cell(f"{name}rnn.", suffix, x[:, t], state)
                    outputs[:, t] = state[0]
                both.append(outputs)
            x = self._dense(np.concatenate(both, -1), f"{name}linear")
            layer += 1
        return x

    def decode(self, states: np.ndarray, previous: np.ndarray | None = None, num_steps: int = 26) -> np.ndarray:
        """Logits (batch, steps, classes): with `previous` (batch, steps) token ids forced, without them greedy."""
        head = self._naming.head
        cell, units = f"{head}attention_cell.", self._arrays[f"{head}attention_cell.rnn.weight_hh"].shape[1]
        classes = len(self._arrays[f"{head}generator.bias"])
        state = (np.zeros((len(states), units)), np.zeros((len(states), units)))
        token, steps = np.zeros(len(states), int), []
        for step in range(num_steps if previous is None else previous.shape[1]):
            token = token if previous is None else previous[:, step]
            energy = np.tanh(self._dense(states, f"{cell}i2h") + self._dense(state[0], f"{cell}h2h")[:, None])
            attention = _softmax(self._dense(energy, f"{cell}score")[..., 0])
            context = (attention[..., None] * states).sum(1)
            state = self._cell(f"{cell}rnn.", "", np.concatenate([context, np.eye(classes)[token]], 1), state)
            steps.append(self._dense(state[0], f"{head}generator"))
            token = steps[-1].argmax(-1)
        return np.stack(steps, 1)

    def read(self, images: np.ndarray) -> np.ndarray:
        """(batch, 1, 32, width) images in [-1, 1] -> probabilities (batch, 26, classes), greedy."""
        return _softmax(self.decode(self.encode(self.backbone(self.transform(images)))))
