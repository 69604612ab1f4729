"""State dicts with the names and shapes of the published checkpoints, filled by a rule, at any width."""

from __future__ import annotations

import importlib.util
import pathlib
import zlib

import numpy as np

from spin_tf.importers.naming import DAVAR, PADDLE, Naming


def _shapes(naming: Naming, width: int, classes: int, offset: bool, grid: bool, duplicates: bool) -> dict[str, tuple]:
    shapes: dict[str, tuple] = {}
    is_paddle, t, b, h = naming is PADDLE, naming.transformation, naming.backbone, naming.head

    def norm(name: str, size: int) -> None:
        shapes.update({f"{name}.{s}": (size,) for s in ("weight", "bias", naming.mean, naming.variance)})
        if not is_paddle:
            shapes[f"{name}.num_batches_tracked"] = ()

    def conv(name: str, norm_name: str, inputs: int, outputs: int, size: int = 3) -> None:
        shapes[f"{name}.weight"] = (outputs, inputs, size, size)
        norm(norm_name, outputs)

    def dense(name: str, inputs: int, outputs: int, bias: bool = True) -> None:
        shapes[f"{name}.weight"] = (inputs, outputs) if is_paddle else (outputs, inputs)
        if bias:
            shapes[f"{name}.bias"] = (outputs,)

    if is_paddle:
        shapes.update({f"{t}sp_net.bn.scale": (1,), f"{t}sp_net.bn.bias": (1,)})
    for i, (inputs, outputs) in enumerate([(1, 32), (32, 64), (64, 128)]):
        conv(f"{t}spt_convnet.{4 * i}", f"{t}spt_convnet.{4 * i + 1}", inputs, outputs)
    for i, (inputs, outputs) in enumerate([(128, 256), (256, 256), (256, 512)]):
        conv(f"{t}stucture_fc1.{4 * i}", f"{t}stucture_fc1.{4 * i + 1}", inputs, outputs)
    dense(f"{t}stucture_fc1.13", 512, 256)
    norm(f"{t}stucture_fc1.14", 256)
    dense(f"{t}stucture_fc2", 256, 13 + offset + 40 * grid)
    if grid and is_paddle:
        dense(f"{t}GridGenerator.fc", 40, 6)
    if offset:
        conv(f"{t}offset_fc1.0", f"{t}offset_fc1.1", 128, 16)
        shapes.update({f"{t}offset_fc2.weight": (1, 16, 3, 3), f"{t}offset_fc2.bias": (1,)})

    conv(f"{b}conv0_1", f"{b}bn0_1", 1, width // 16)
    conv(f"{b}conv0_2", f"{b}bn0_2", width // 16, width // 8)
    inputs = width // 8
    for layer, (outputs, count) in enumerate([(width // 4, 1), (width // 2, 2), (width, 5), (width, 3)], 1):
        for i in range(count):
            name = f"{b}layer{layer}.{i}."
            conv(f"{name}conv1", f"{name}bn1", inputs, outputs)
            conv(f"{name}conv2", f"{name}bn2", outputs, outputs)
            if inputs != outputs:
                conv(f"{name}downsample.0", f"{name}downsample.1", inputs, outputs, 1)
            inputs = outputs
        if layer < 4:
            conv(f"{b}conv{layer}", f"{b}bn{layer}", outputs, outputs)
    for name in ("4_1", "4_2"):
        conv(f"{b}conv{name}", f"{b}bn{name}", width, width, 2)

    def cell(prefix: str, suffix: str, inputs: int) -> None:
        for name, shape in (
            ("weight_ih", (2 * width, inputs)),
            ("weight_hh", (2 * width, width // 2)),
            ("bias_ih", (2 * width,)),
            ("bias_hh", (2 * width,)),
        ):
            shapes[f"{prefix}{name}{suffix}"] = shape

    for i, (inputs, outputs) in enumerate([(width, width // 2), (width // 2, width)]):
        name = naming.encoder.format(i)
        cell(f"{name}rnn.", "_l0", inputs)
        cell(f"{name}rnn.", "_l0_reverse", inputs)
        if duplicates:
            cell(f"{name}rnn.0.cell_fw.", "", inputs)
            cell(f"{name}rnn.0.cell_bw.", "", inputs)
        dense(f"{name}linear", width, outputs)
    dense(f"{h}attention_cell.i2h", width, width // 2, bias=False)
    dense(f"{h}attention_cell.h2h", width // 2, width // 2)
    dense(f"{h}attention_cell.score", width // 2, 1, bias=False)
    cell(f"{h}attention_cell.rnn.", "", width + classes)
    dense(f"{h}generator", width // 2, classes)
    return shapes


def _canonical(name: str) -> str:
    """Both names of an LSTM weight draw the same numbers."""
    for cell, suffix in ((".rnn.0.cell_fw.", "_l0"), (".rnn.0.cell_bw.", "_l0_reverse")):
        if cell in name:
            head, tail = name.split(cell)
            return f"{head}.rnn.{tail}{suffix}"
    return name


def published_state_dict(
    naming: Naming = PADDLE, width: int = 64, classes: int = 70, offset: bool = True, grid: bool = True
) -> dict[str, np.ndarray]:
    """A state dict as the published code would save it, for a network of `width`, each array drawn from its name."""
    arrays = {}
    for name, shape in _shapes(naming, width, classes, offset, grid, duplicates=naming is PADDLE).items():
        z = np.random.default_rng(zlib.crc32(_canonical(name).encode())).standard_normal(shape)
        if name.endswith("num_batches_tracked"):
            arrays[name] = np.array(7, np.int64)
            continue
        if name.endswith(naming.variance):
            value = np.exp(0.2 * z)
        elif len(shape) == 4:
            value = z * np.sqrt(1.6 / np.prod(shape[1:]))
        elif "stucture_fc2.weight" in name:
            value = 0.003 * z
        elif name.endswith("generator.weight"):
            value = 0.5 * z
        elif len(shape) == 2:
            value = z * (3 if "attention_cell" in name else 1.5) / np.sqrt(max(shape))
        elif name.endswith((".weight", ".scale")):
            value = 1 + 0.1 * z
        else:
            value = 0.1 * z
        if name.endswith("stucture_fc2.bias"):
            x = np.linspace(-1, 1, 10)
            corners = np.stack([np.tile(x, 2), np.concatenate([np.linspace(0, -1, 10), np.linspace(1, 0, 10)])], 1)
            start = [0.0] * 12 + [5.0] + [-2.0] * offset + list(corners.ravel()) * grid
            value = np.array(start) + 0.05 * z
        arrays[name] = value.astype(np.float32)
    if grid and naming is DAVAR:
        arrays.update(_spline_constants())
    return arrays


def _spline_constants() -> dict[str, np.ndarray]:
    """The two buffers that DAVAR-Lab-OCR saves: inverse of the spline's system, and radial basis of the target grid."""
    x = np.linspace(-1, 1, 10)
    base = np.concatenate([np.stack([x, np.full(10, y)], 1) for y in (-1.0, 1.0)])
    r = np.linalg.norm(base[:, None] - base, axis=-1)
    system = np.zeros((23, 23))
    system[:20, 0], system[:20, 1:3] = 1, base
    system[:20, 3:] = r**2 * np.log(np.where(r, r, 1))
    system[20:22, 3:], system[22, 3:] = base.T, 1
    y, x = np.mgrid[0:32, 0:100]
    target = np.stack([(2 * x + 1) / 100 - 1, (2 * y + 1) / 32 - 1], -1).reshape(-1, 2)
    r = np.linalg.norm(target[:, None] - base, axis=-1)
    basis = np.concatenate([np.ones((len(target), 1)), target, r**2 * np.log(r + 1e-6)], 1)
    prefix = f"{DAVAR.transformation}GridGenerator."
    return {f"{prefix}inv_delta_C": np.linalg.inv(system).astype("f4"), f"{prefix}P_hat": basis.astype("f4")}


def word_images(count: int = 2) -> np.ndarray:
    """(count, 1, 32, 100) smooth bright strokes on a dark slope, in [-1, 1]."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:32, 0:100]
    images = []
    for _ in range(count):
        image = -0.5 + 0.002 * x + 0.01 * rng.standard_normal((32, 100))
        for centre in rng.uniform(8, 92, 9):
            image += 0.9 * np.exp(-(((x - centre) / 2.5) ** 2)) * (abs(y - 16) < rng.uniform(6, 13))
        images.append(np.clip(image, -0.9, 0.9)[None])
    return np.stack(images).astype(np.float32)


def stored_goldens(shared: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]] | None:
    """(state dict, numbers) of the stored goldens, or None where the folder is not there."""
    folder = shared / "goldens"
    if not (folder / "paddle_ga_spin.npz").exists():
        return None
    spec = importlib.util.spec_from_file_location("paddle_state_dict", folder / "paddle_state_dict.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with np.load(folder / "paddle_ga_spin.npz") as numbers:
        return module.state_dict(), dict(numbers)
