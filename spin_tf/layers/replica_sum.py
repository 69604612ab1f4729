from __future__ import annotations

from typing import Any


def replica_sum(values: list[Any]) -> list[Any]:
    """Sums tensors over the replicas of a tf.distribute strategy, all in one exchange and without a gradient.

    `ReplicaContext.all_reduce` does the same with a gradient, for the sake of which TensorFlow looks for variables in
    the graph behind the sum at every call. That graph is the other replicas' too, and the search takes the square of
    its size: minutes for a network with fifty sums in it. Who needs a gradient states it (see `BatchNorm`).

    Must be called in replica context, by all replicas in the same order.

    Args:
        values: tensors, each of the same shape and dtype in every replica.

    Returns:
        one tensor for each value; `values` themselves where there is one replica.
    """
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return list(values)

    def exchange(strategy: Any, *merged: Any) -> Any:
        # What goes in decides where the sum is wanted: on the devices where the parts are.
        return strategy.extended.batch_reduce_to(tf.distribute.ReduceOp.SUM, [(value, value) for value in merged])

    # Copied, since what is the same tensor for all replicas lies on no device to reduce to.
    return list(context.merge_call(exchange, args=tuple(tf.identity(value) for value in values)))
