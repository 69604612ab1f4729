from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

import tensorflow as tf

from spin_tf.training.rendezvous import addresses, bounded, wait_for_workers

NAMES = ("auto", "one", "mirrored", "multi_worker")


CLUSTER_TIMEOUT = 1800.0


def make_strategy(name: str, cluster_timeout: float = CLUSTER_TIMEOUT) -> Any:
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
    cluster = _cluster_of_environment()
    if name == "multi_worker" and not cluster:
        raise ValueError(
            "--strategy=multi_worker needs TF_CONFIG, for example "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}. '
            f"Received: TF_CONFIG={os.environ.get('TF_CONFIG', '')!r}"
        )
    if name == "multi_worker" or (name == "auto" and cluster):
        wait_for_workers(cluster, _task_of_environment(), cluster_timeout)
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


def _cluster_of_environment() -> dict[str, list[str]]:
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        cluster = config.get("cluster") or {}
        if not all(isinstance(jobs, list) for jobs in cluster.values()) or not isinstance(_task_of(config), dict):
            raise ValueError("cluster has lists of addresses, task a type and an index")
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"TF_CONFIG is not the JSON it should be ({error}). Received: {os.environ['TF_CONFIG']!r}"
        ) from error
    return cluster


def _task_of(config: dict[str, Any]) -> Any:
    return config.get("task") or {}


def _task_of_environment() -> dict[str, Any]:
    return _task_of(json.loads(os.environ["TF_CONFIG"]))


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
    def of(cls, strategy: Any) -> Place:
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


def require_same_step(strategy: Any, place: Place, step: int, model_dir: str) -> None:
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
