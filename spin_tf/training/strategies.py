"""How work is spread over devices and machines, and what all machines of a run must have in common."""

from __future__ import annotations

import ctypes
import dataclasses
import hashlib
import json
import os

import numpy as np
import tensorflow as tf

from spin_tf._types import JsonObject, Strategy, Tensor
from spin_tf._version import __version__
from spin_tf.config import Config
from spin_tf.data.feeding.pipeline import TrainingWords
from spin_tf.training.folder import differences
from spin_tf.training.rendezvous import addresses, bounded, wait_for_workers

NAMES = ("auto", "one", "mirrored", "multi_worker")


CLUSTER_TIMEOUT = 1800.0


def make_strategy(name: str, cluster_timeout: float = CLUSTER_TIMEOUT) -> Strategy:
    """A tf.distribute strategy by name.

    Args:
        name: "one" device; "mirrored" over the GPUs (logical CPUs without) of this machine; "multi_worker" over the
            machines of TF_CONFIG; "auto": multi_worker where TF_CONFIG names a cluster, mirrored where there are
            several GPUs, else one.
        cluster_timeout: seconds to wait for the other machines, twice: until they are there, and until TensorFlow has
            joined them.

    Raises:
        ValueError: another name, or "multi_worker" without a TF_CONFIG that names this machine.
        TimeoutError: other machines did not come; names them.
    """
    if name not in NAMES:
        raise ValueError(f"--strategy must be one of {', '.join(NAMES)}. Received: {name!r}")
    cluster, task = _environment()
    if name == "multi_worker" and not cluster:
        raise ValueError(
            "--strategy=multi_worker needs TF_CONFIG, for example "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}. '
            f"Received: TF_CONFIG={os.environ.get('TF_CONFIG', '')!r}"
        )
    if name == "multi_worker" or (name == "auto" and cluster):
        wait_for_workers(cluster, task, cluster_timeout)
        joining = f"joining the cluster of {', '.join(addresses(cluster).values())}"
        # It tells of every gradient that is summed.
        tf.get_logger().setLevel("WARNING")
        try:
            with bounded(cluster_timeout, joining):
                return tf.distribute.MultiWorkerMirroredStrategy()
        except (tf.errors.OpError, RuntimeError) as error:
            raise OSError(f"{joining} failed: {' '.join(str(error).split())[:300]}") from error
    devices = tf.config.list_logical_devices("GPU")
    if name == "one" or (name == "auto" and len(devices) < 2):
        return tf.distribute.get_strategy()
    if devices:
        return tf.distribute.MirroredStrategy()
    cpus = [device.name for device in tf.config.list_logical_devices("CPU")]
    return tf.distribute.MirroredStrategy(cpus, cross_device_ops=tf.distribute.ReductionToOneDevice())


def split_processor(devices: int) -> None:
    """Makes several logical processors of one thread each, for a mirrored strategy without GPUs.

    Threads that share an operation wait for each other at its end; replicas that each have a core wait once a step.
    Figures are in docs/training.md.

    Args:
        devices: how many; 1 changes nothing.

    Raises:
        ValueError: TensorFlow has done something already.
    """
    if devices == 1:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(devices)
        (processor,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * devices)
    except RuntimeError as error:
        raise ValueError(f"The processor is split before anything runs. Received: {error}") from error


def _environment() -> tuple[dict[str, list[str]], JsonObject]:
    """The cluster and the task of TF_CONFIG, empty without it."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        cluster, task = config.get("cluster") or {}, config.get("task") or {}
        if not all(isinstance(jobs, list) for jobs in cluster.values()) or not isinstance(task, dict):
            raise ValueError("cluster has lists of addresses, task a type and an index")
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"TF_CONFIG is not the JSON it should be ({error}). Received: {os.environ['TF_CONFIG']!r}"
        ) from error
    return cluster, task


@dataclasses.dataclass(frozen=True)
class Place:
    """Where this process stands among those that train together.

    Args:
        worker: number of this process, 0 is the chief, which writes files.
        num_workers: processes.
        replicas: devices of all processes.
        machines: addresses of the processes of several machines by name, such as "worker 0".
        name: of this process among them.
    """

    worker: int = 0
    num_workers: int = 1
    replicas: int = 1
    machines: dict[str, str] = dataclasses.field(default_factory=dict)
    name: str = ""

    @classmethod
    def of(cls, strategy: Strategy) -> Place:
        """Reads it off a strategy."""
        replicas = strategy.num_replicas_in_sync
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return cls(replicas=replicas)
        resolver = strategy.cluster_resolver
        # A cluster may call its first worker "chief"; the workers then count from 0 again.
        jobs = resolver.cluster_spec().as_dict()
        chiefs, workers = len(jobs.get("chief", [])), len(jobs.get("worker", []))
        worker = int(resolver.task_id or 0) + (chiefs if resolver.task_type == "worker" else 0)
        name = f"{resolver.task_type} {resolver.task_id}"
        return cls(worker, max(chiefs + workers, 1), replicas, addresses(jobs), name)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes checkpoints and logs."""
        return self.worker == 0


def require_same_step(strategy: Strategy, place: Place, step: int, model_dir: str) -> None:
    """Several machines go on from one checkpoint, or not at all.

    Raises:
        ValueError: another machine is at another step.
    """
    if place.num_workers == 1:
        return
    steps = strategy.run(lambda: tf.distribute.get_replica_context().all_reduce("SUM", tf.constant(float(step))))
    if float(strategy.experimental_local_results(steps)[0]) != step * place.replicas:
        raise ValueError(
            "the machines found different checkpoints: model_dir must be one shared folder. "
            f"Received: step {step} in {model_dir} of worker {place.worker}"
        )


_FIRST_WORDS = "words of the first step"


def exchange(strategy: Strategy, place: Place, text: str) -> list[str]:
    """The texts of all processes, in their order; every process calls this at the same time with its own.

    Collectives know numbers only: each process fills its row of zeros with its bytes, and the rows are summed.
    """
    data = np.frombuffer(text.encode(), np.uint8)
    own = np.zeros((place.num_workers, 2), np.float32)
    own[place.worker] = len(data), 1
    # A process with several devices sends its row once for each.
    sums = _sum(strategy, own)
    lengths, devices = np.rint(sums[:, 0] / sums[:, 1]).astype(int), sums[:, 1:]
    rows = np.zeros((place.num_workers, lengths.max()), np.float32)
    rows[place.worker, : len(data)] = data
    rows = np.rint(_sum(strategy, rows) / devices).astype(np.uint8)
    return [row[:length].tobytes().decode() for row, length in zip(rows, lengths, strict=True)]


def _sum(strategy: Strategy, values: np.ndarray) -> np.ndarray:
    def add() -> Tensor:
        return tf.distribute.get_replica_context().all_reduce("SUM", tf.constant(values))

    return np.asarray(strategy.experimental_local_results(strategy.run(add))[0])


def settings_of(config: Config, words: TrainingWords) -> JsonObject:
    """What must be the same on all machines, by configuration keys: not where files lie, but what is in them."""
    values = dataclasses.asdict(config)
    # Each machine may have its copy in another place; of validation and of the start only one machine's counts.
    for source in values["data"]["train"].values():
        del source["files"]
    del values["data"]["validation"], values["training"]["init_from"]
    try:
        first = words.source_ids(0)
    except (ValueError, OSError):
        # What a word does that cannot be read is `data.on_corrupt`'s choice, later.
        first = []
    return {
        **values,
        "version of spin_tf": __version__,
        "usable words": dict(zip(words.names, words.sizes, strict=True)),
        _FIRST_WORDS: first,
    }


def require_same_settings(strategy: Strategy, place: Place, config: Config, words: TrainingWords) -> None:
    """Compares `settings_of` in all processes, by a digest and, where that differs, by keys.

    Raises:
        ValueError: they differ, in all processes; names the first key, and the process that has it.
    """
    if place.num_workers == 1:
        return
    own = json.dumps(settings_of(config, words), sort_keys=True)
    if len(set(exchange(strategy, place, hashlib.sha256(own.encode()).hexdigest()))) == 1:
        return
    first, *others = (json.loads(text) for text in exchange(strategy, place, own))
    for worker, other in enumerate(others, 1):
        found = differences(first, other)
        if not found:
            continue
        # Another seed, say, draws other words: the cause is enough.
        found = [difference for difference in found if difference[0] != _FIRST_WORDS] or found
        shown = "; ".join(
            f"{key} is {_cut(theirs)} there and {_cut(ours)} in process 0" for key, ours, theirs in found[:3]
        )
        more = f", and {len(found) - 3} more keys" if len(found) > 3 else ""
        raise ValueError(
            f"process {worker} of this run has other settings or words than process 0: {shown}{more}. Every machine "
            f"has the same command, configuration and words. Received: {found[0][0]} in process {worker}"
        )


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tells glibc's malloc to keep freed blocks instead of handing them back to the kernel.

    A training step on the CPU allocates and frees the same large activations again and again; giving each back means
    that the kernel has to zero its pages anew, which cost about a sixth of the step.

    Returns:
        whether the C library knows these settings (glibc does).
    """
    try:
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    # Windows has no library of the program itself.
    except (OSError, TypeError):
        return False
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _NEVER) and mallopt(_M_TRIM_THRESHOLD, _NEVER))
