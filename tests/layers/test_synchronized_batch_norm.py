"""Synchronised batch norm over two replicas is batch norm of the whole batch."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from spin_tf.layers import BatchNorm
from spin_tf.models import SPINRecognizer
from tests import forked
from tests.training import tiny

# Logical devices must be made before TensorFlow is used, so this is another process.
CODE = """
import json, sys
import numpy as np, tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from spin_tf.layers import BatchNorm
from spin_tf.training.strategies import make_strategy

def run(strategy, dtype, images, pull):
    with strategy.scope():
        layer = BatchNorm(synchronized=strategy.num_replicas_in_sync > 1, dtype=dtype)
        layer.build((None, *images.shape[1:]))
        layer.gamma.assign(np.linspace(0.5, 2, images.shape[-1]))
    size = len(images) // strategy.num_replicas_in_sync

    def step():
        context = tf.distribute.get_replica_context()
        place = context.replica_id_in_sync_group * size
        x, p = (tf.constant(a)[place : place + size] for a in (images, pull))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.cast(layer(x, training=True), "float32")
            loss = tf.reduce_sum(y * p)
        into_x, *weights = tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])
        return y, into_x, *(context.all_reduce("SUM", w) for w in weights)

    outputs = tf.function(lambda: strategy.run(step), autograph=False)()
    parts = [[p.numpy() for p in strategy.experimental_local_results(o)] for o in outputs]
    whole = [np.concatenate(p) for p in parts[:2]] + [p[0] for p in parts[2:]]
    return [*whole, layer.moving_mean.numpy(), layer.moving_variance.numpy()]

rng = np.random.default_rng(0)
results = {}
for dtype in ("float32", "mixed_bfloat16"):
    for shape in ((8, 5, 6, 3), (8, 4)):
        # A mean of 300 deviations: from sums of squares in float32 the variance would be wrong in its third digit.
        images = rng.normal(size=shape).astype("float32")
        # The halves differ, so that nobody's own statistics would do.
        images[: shape[0] // 2] *= 1.5
        images[..., 0] += 300
        pull = rng.normal(size=shape).astype("float32")
        results[f"{dtype} {len(shape)}"] = [
            [a.tolist() for a in run(make_strategy(name), dtype, images, pull)] for name in ("one", "mirrored")
        ]
json.dump(results, open(sys.argv[1], "w"))
"""
NAMES = ("outputs", "input gradient", "gamma gradient", "beta gradient", "moving mean", "moving variance")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("synchronized") / "results.json"
    result = forked.run(["-c", CODE, path])
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(path.read_text())


@pytest.mark.parametrize("case", ["float32 4", "float32 2", "mixed_bfloat16 4", "mixed_bfloat16 2"])
def test_two_replicas_do_what_one_device_does(results: Any, case: str) -> None:
    for name, one, two in zip(NAMES, *results[case], strict=True):
        a, b = np.asarray(one), np.asarray(two)
        # The output, and what comes back to it, are rounded to 8 bits of mantissa; the statistics are not.
        coarse = "bfloat16" in case and not name.startswith("moving")
        np.testing.assert_allclose(b, a, rtol=1e-2 if coarse else 1e-5, atol=(2e-2 if coarse else 2e-4), err_msg=name)


def test_no_norm_of_a_synchronized_model_is_left_out() -> None:
    model = SPINRecognizer(tiny.VALUES["model"], synchronized=True)
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, BatchNorm)]
    assert len(norms) > 20
    assert [norm.path for norm in norms if not norm.synchronized] == []
