"""GA-SPIN with ResNet32 from PyTorch's own layers, for comparing speed; started by benchmarks/training.py."""

from __future__ import annotations

import io
import math
import pathlib
import sys
import time
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F


def conv(inputs: int, outputs: int, kernel: int = 3, stride: Any = 1, padding: Any = 1) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(inputs, outputs), nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        )
        self.skip: nn.Module = nn.Identity()
        if inputs != outputs:
            self.skip = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.body(x) + self.skip(x))


def backbone(c: int, blocks: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = [conv(1, c // 16), conv(c // 16, c // 8), nn.MaxPool2d(2)]
    channels = c // 8
    for stage, width in enumerate((c // 4, c // 2, c)):
        for _ in range(blocks[stage]):
            layers.append(Block(channels, width))
            channels = width
        layers.append(conv(width, width))
        layers += [[nn.MaxPool2d(2)], [nn.MaxPool2d(2, (2, 1), (0, 1))], []][stage]
    layers += [Block(c, c) for _ in range(blocks[3])]
    return nn.Sequential(*layers, conv(c, c, 2, (2, 1), (0, 1)), conv(c, c, 2, 1, 0))


class Transformation(nn.Module):
    """SPN + AIN + TPS; the spline is one constant matrix, as in spin_tf."""

    def __init__(self, matrix: np.ndarray, width: int = 32, pairs: int = 6) -> None:
        super().__init__()
        w, self.points, self.weights = width, matrix.shape[1], 2 * pairs + 1
        pool = nn.MaxPool2d(2)
        self.trunk = nn.Sequential(conv(1, w), pool, conv(w, 2 * w), pool, conv(2 * w, 4 * w), pool)
        self.head = nn.Sequential(conv(4 * w, 8 * w), pool, conv(8 * w, 8 * w), pool, conv(8 * w, 16 * w))
        self.hidden = nn.Sequential(nn.Linear(16 * w, 8 * w), nn.BatchNorm1d(8 * w), nn.ReLU())
        self.out = nn.Linear(8 * w, self.weights + 1 + 2 * self.points)
        self.offset = nn.Sequential(conv(4 * w, 16), nn.Conv2d(16, 1, 3, 1, 1), pool, nn.Sigmoid())
        self.norm = nn.InstanceNorm2d(1, affine=True)
        exponents: list[float] = []
        for i in range(1, pairs + 1):
            t = 0.5 * i / (pairs + 1)
            lower = round(math.log(1 - t) / math.log(t), 2)
            exponents += [lower, round(1 / lower, 2)]
        self.register_buffer("exponents", torch.tensor([*exponents, 1.0]).view(1, -1, 1, 1))
        self.register_buffer("matrix", torch.tensor(matrix, dtype=torch.float32))
        nn.init.zeros_(self.out.weight)
        x, edge = np.linspace(-1, 1, self.points // 2), np.ones(self.points // 2)
        points = np.stack([np.tile(x, 2), np.concatenate([-edge, edge])], 1).ravel()
        with torch.no_grad():
            self.out.bias.copy_(torch.tensor([*[0.0] * (self.weights - 1), 5.0, -5.0, *points]))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        f = self.trunk(image)
        parameters = self.out(self.hidden(self.head(f).mean((2, 3))))
        weights, gate, points = parameters.split([self.weights, 1, 2 * self.points], 1)
        offset = F.interpolate(self.offset(f), image.shape[2:], mode="bilinear", align_corners=False)
        gate = torch.sigmoid(gate)[:, :, None, None]
        x = ((1 - gate) * (image + 1) / 2 + gate * offset).clamp_min(1e-6)
        y = (weights[:, :, None, None] * x**self.exponents).sum(1, keepdim=True)
        chromatic = 2 * torch.sigmoid(self.norm(y)) - 1
        grid = (self.matrix @ points.view(-1, self.points, 2)).view(-1, *image.shape[2:], 2)
        return F.grid_sample(chromatic, grid, padding_mode="border", align_corners=False)


class Decoder(nn.Module):
    def __init__(self, features: int, units: int, classes: int) -> None:
        super().__init__()
        self.units, self.classes = units, classes
        self.state = nn.Linear(features, units, bias=False)
        self.query = nn.Linear(units, units)
        self.score = nn.Linear(units, 1, bias=False)
        self.cell = nn.LSTMCell(features + classes, units)
        self.generator = nn.Linear(units, classes)

    def forward(self, states: torch.Tensor, previous: torch.Tensor) -> torch.Tensor:
        projected = self.state(states)
        h = c = states.new_zeros(len(states), self.units)
        one_hot = F.one_hot(previous, self.classes).to(states.dtype)
        outputs = []
        for step in range(previous.shape[1]):
            energy = self.score(torch.tanh(projected + self.query(h)[:, None]))
            context = (torch.softmax(energy, 1) * states).sum(1)
            h, c = self.cell(torch.cat([context, one_hot[:, step]], 1), (h, c))
            outputs.append(h)
        return self.generator(torch.stack(outputs, 1))


class Recognizer(nn.Module):
    def __init__(self, width: int, blocks: tuple[int, ...], classes: int, matrix: np.ndarray) -> None:
        super().__init__()
        half = width // 2
        self.transformation = Transformation(matrix)
        self.backbone = backbone(width, blocks)
        self.lstms = nn.ModuleList(nn.LSTM(size, half, batch_first=True, bidirectional=True) for size in (width, half))
        self.dense = nn.ModuleList(nn.Linear(width, size) for size in (half, width))
        self.decoder = Decoder(width, half, classes)

    def forward(self, image: torch.Tensor, previous: torch.Tensor) -> torch.Tensor:
        x = self.backbone(self.transformation(image)).squeeze(2).transpose(1, 2)
        for lstm, dense in zip(self.lstms, self.dense, strict=True):
            x = dense(lstm(x)[0])
        return self.decoder(x, previous)


class Words(torch.utils.data.Dataset):
    """The same files, read, decoded and resized the usual way."""

    def __init__(self, encoded: np.ndarray, tokens: np.ndarray) -> None:
        self.encoded, self.tokens = encoded, tokens

    def __len__(self) -> int:
        return 1 << 30

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        i %= len(self.tokens)
        image = (
            Image.open(io.BytesIO(self.encoded[i].tobytes())).convert("L").resize((100, 32), Image.Resampling.BILINEAR)
        )
        pixels = torch.from_numpy(np.asarray(image, np.float32)[None])
        return (pixels - 127.5) / 127.5, torch.from_numpy(self.tokens[i].astype(np.int64))


def main(path: str, width: int, batch: int, steps: int, threads: int) -> None:
    """Waits for lines on stdin; for each does `steps` training steps and prints their seconds, wall and processor.

    The processor seconds are those of this process: what reads the words is another one.
    """
    torch.set_num_threads(threads)
    with np.load(path, allow_pickle=True) as data:
        words = Words(data["encoded"], data["tokens"])
        model = Recognizer(width, (1, 2, 5, 3), int(data["classes"]), data["matrix"])
    fast = [p for name, p in model.named_parameters() if not name.startswith("transformation.out")]
    groups = [{"params": fast}, {"params": model.transformation.out.parameters(), "lr": 1e-4}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, weight_decay=0.0, fused=True)
    batches = iter(torch.utils.data.DataLoader(words, batch, num_workers=1, prefetch_factor=4))
    print(sum(p.numel() for p in model.parameters()), flush=True)
    for _ in sys.stdin:
        start, processor = time.perf_counter(), time.process_time()
        for _ in range(steps):
            image, tokens = next(batches)
            logits = model(image, tokens[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), ignore_index=0)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            loss.item()
        print(time.perf_counter() - start, time.process_time() - processor, flush=True)


if __name__ == "__main__":
    main(str(pathlib.Path(sys.argv[1])), *map(int, sys.argv[2:]))
