from __future__ import annotations

from typing import Any

import tensorflow as tf

NAMES = ("auto", "one", "mirrored", "multi_worker")


def make_strategy(name: str) -> Any:
    """A tf.distribute strategy by name.

    Args:
        name: "one" device; "mirrored" over the GPUs (logical CPUs without) of this machine; "multi_worker" over the
            machines of TF_CONFIG; "auto": mirrored where there are several GPUs, else one.

    Raises:
        ValueError: another name.
    """
    if name not in NAMES:
        raise ValueError(f"--strategy must be one of {', '.join(NAMES)}. Received: {name!r}")
    if name == "multi_worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    devices = tf.config.list_logical_devices("GPU")
    if name == "one" or (name == "auto" and len(devices) < 2):
        return tf.distribute.get_strategy()
    if devices:
        return tf.distribute.MirroredStrategy()
    cpus = [device.name for device in tf.config.list_logical_devices("CPU")]
    return tf.distribute.MirroredStrategy(cpus, cross_device_ops=tf.distribute.ReductionToOneDevice())
