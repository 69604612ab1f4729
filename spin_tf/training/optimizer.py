from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from spin_tf._types import JsonObject, Tensor, Variable
from spin_tf.config import STAGES, OptimizerConfig


@keras.saving.register_keras_serializable("spin_tf")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, then a cosine, the paper's steps, or a constant that falls at the end; see `OptimizerConfig`.

    Call arguments:
        step: scalar integer, 0 first.

    Returns:
        the learning rate, float32.
    """

    def __init__(self, config: OptimizerConfig, steps: int) -> None:
        self.config = config
        self.steps = steps

    def __call__(self, step: Tensor) -> Tensor:
        c = self.config
        step = ops.cast(step, "float32")
        if c.schedule == "cosine":
            done = ops.clip((step - c.warmup_steps) / max(self.steps - c.warmup_steps, 1), 0.0, 1.0)
            factor = c.final_factor + (1.0 - c.final_factor) * 0.5 * (1.0 + ops.cos(math.pi * done))
        elif c.schedule == "constant":
            start = self.steps if c.decay_from is None else c.decay_from
            done = ops.clip((step - start) / max(self.steps - start, 1), 0.0, 1.0)
            factor = 1.0 - (1.0 - c.final_factor) * done
        else:
            passed = sum(ops.cast(step >= boundary * self.steps, "float32") for boundary in c.boundaries)
            factor = ops.power(ops.convert_to_tensor(c.factor, dtype="float32"), passed)
        if c.warmup_steps:
            factor = factor * ops.minimum(1.0, (step + 1.0) / c.warmup_steps)
        return c.learning_rate * factor

    def get_config(self) -> JsonObject:
        return {"config": vars(self.config), "steps": self.steps}


MUON_MOMENTUM = 0.95

# Of the Newton-Schulz iteration: they pull every singular value into [0.7, 1.2] in five steps.
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)
_STEPS = 5


def orthogonalize(matrix: Tensor) -> Tensor:
    """The nearest matrix of orthonormal rows or columns, whichever are fewer, roughly: singular values in [0.7, 1.2].

    Every step of the iteration multiplies from the shorter side, by a polynomial of the matrix's Gram matrix. Where one
    side is much shorter, the steps are done on the small matrices alone: their product multiplies once, at the end.

    Args:
        matrix: (rows, columns), any float type, not all zero.

    Returns:
        float32 of the same shape; products of the whole matrix are in bfloat16, but for its Gram matrix, in which the
        smallest singular values would be lost.

    Reference: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = ops.cast(matrix, "float32")
    x = x / (ops.norm(x) + 1e-12)
    x = ops.transpose(x) if tall else x
    product = _iterate_on_gram(x) if x.shape[1] >= 4 * x.shape[0] else _iterate(ops.cast(x, "bfloat16"))
    return ops.cast(ops.transpose(product) if tall else product, "float32")


def _iterate(x: Tensor) -> Tensor:
    a, b, c = _POLYNOMIAL
    for _ in range(_STEPS):
        gram = ops.matmul(x, ops.transpose(x))
        x = a * x + ops.matmul(b * gram + c * ops.matmul(gram, gram), x)
    return x


def _iterate_on_gram(x: Tensor) -> Tensor:
    a, b, c = _POLYNOMIAL
    gram = ops.matmul(x, ops.transpose(x))
    total = identity = ops.eye(x.shape[0], dtype="float32")
    for step in range(_STEPS):
        factor = a * identity + b * gram + c * ops.matmul(gram, gram)
        total = ops.matmul(factor, total) if step else factor
        if step < _STEPS - 1:
            gram = ops.matmul(ops.matmul(factor, gram), factor)
    return ops.matmul(ops.cast(total, "bfloat16"), ops.cast(x, "bfloat16"))


class AdamWOrMuon(keras.optimizers.AdamW):
    """Keras's AdamW, for hidden kernels Muon where it is asked for, fed with gradients that are summed already.

    The localisation output has a slower rate.

    Clipping has to see the gradient of the whole batch, so the training loop sums over the replicas first.

    Keras spells the update out in a dozen passes over the weights. With TensorFlow one kernel does it, and another
    takes the norm without storing the squares; weights, slots and their names stay the same. With JAX, where the
    compiler fuses the passes, Keras's own code runs.

    With `optimizer.name: muon` the kernels between the first layer and the last get orthogonalised momentum instead,
    scaled to the size that AdamW's steps have, so that rates and decay mean the same. Keras's own Muon leaves every
    convolution to Adam, and multiplies whole matrices where a short side would do (see `orthogonalize`).

    Args:
        config: see `OptimizerConfig`.
        steps: of the whole run.
        follows_schedule: False leaves the learning rate to whoever sets the variable of that name.
    """

    def __init__(self, config: OptimizerConfig, steps: int, follows_schedule: bool = True) -> None:
        super().__init__(
            learning_rate=Schedule(config, steps) if follows_schedule else config.learning_rate,
            weight_decay=config.weight_decay,
            beta_1=config.beta_1,
            beta_2=config.beta_2,
            epsilon=1e-8,
            global_clipnorm=config.clip_norm,
            # Keras counts optimizers otherwise, and checkpoints hold the names of their variables.
            name="adam_w",
        )
        self._loc_lr = config.loc_lr
        self._stage_rates = dict(config.stage_rates)
        self._is_muon = config.name == "muon"
        self._by_muon: list[bool] = []
        self._factors: list[float] = []

    def build(self, variables: list[Variable]) -> None:
        super().build(variables)
        slow = [is_localization_output(variable) for variable in variables]
        rates = [self._stage_rates.get(stage_of(variable), 1.0) for variable in variables]
        self._factors = [rate * (self._loc_lr if is_slow else 1.0) for rate, is_slow in zip(rates, slow, strict=True)]
        self._by_muon = [self._is_muon and is_hidden_kernel(variable) for variable in variables]
        self.exclude_from_weight_decay(
            var_list=[v for v, is_slow in zip(variables, slow, strict=True) if is_slow or len(v.shape) < 2]
        )

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        index = self._get_variable_index(variable)
        rate = learning_rate * self._factors[index]
        if self._by_muon[index]:
            self._muon_step(gradient, variable, rate, self._momentums[index])
            return
        if keras.backend.backend() != "tensorflow":
            super().update_step(gradient, variable, rate)
            return
        import tensorflow as tf

        dtype = variable.dtype
        beta_1, beta_2 = tf.constant(self.beta_1, dtype), tf.constant(self.beta_2, dtype)
        step = tf.cast(self.iterations.value + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            # This runs once for each device, with its copy of the variable; a slot's handle is that device's, too.
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )

    def _muon_step(self, gradient: Tensor, variable: Variable, rate: Tensor, momentum: Tensor) -> None:
        """Nesterov momentum, orthogonalised; 0.2 sqrt(longer side) gives its entries the size of AdamW's.

        Reference: Liu et al., "Muon is scalable for LLM training", arXiv 2502.16982, section 2.2.
        """
        gradient = ops.cast(gradient, momentum.dtype)
        self.assign(momentum, momentum * MUON_MOMENTUM + gradient)
        direction = ops.reshape(gradient + momentum * MUON_MOMENTUM, (-1, variable.shape[-1]))
        scale = 0.2 * math.sqrt(max(direction.shape))
        step = ops.reshape(orthogonalize(direction), variable.shape) * scale
        self.assign_sub(variable, ops.cast(rate * step, variable.dtype))

    def _clip_gradients(self, gradients: list[Variable]) -> list[Tensor]:
        if keras.backend.backend() != "tensorflow":
            return super()._clip_gradients(gradients)
        import tensorflow as tf

        return tf.clip_by_global_norm(gradients, self.global_clipnorm)[0]

    def _apply_weight_decay(self, variables: list[Variable]) -> None:
        # Keras takes 0 for a decay like any other and passes over the weights twice to change nothing.
        if self.weight_decay:
            super()._apply_weight_decay(variables)

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        return grads_and_vars


def stage_of(variable: Variable) -> str:
    """The stage that a variable belongs to; "" for one outside of all, as the CTC head's."""
    return next((name for name in variable.path.split("/") if name in STAGES), "")


def is_localization_output(variable: Variable) -> bool:
    """Whether a variable belongs to the layer that learns at `loc_lr`."""
    return "localization_output" in variable.path


def is_hidden_kernel(variable: Variable) -> bool:
    """Whether a variable is a matrix or a convolution between features: no embedding, no output, no first layer."""
    outer = ("localization_output", "token_kernel", "generator", "ctc_head")
    is_kernel = len(variable.shape) in (2, 4) and min(variable.shape[-2:]) > 1
    return is_kernel and not any(name in variable.path for name in outer)
