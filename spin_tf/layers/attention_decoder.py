from __future__ import annotations

from typing import Any

import keras
from keras import ops

from spin_tf._types import Shape, Tensor
from spin_tf.contract.constants import END_ID, START_ID
from spin_tf.layers.base import ConfiguredLayer
from spin_tf.layers.bidirectional_lstm import forget_gate_bias, lstm_step


@keras.saving.register_keras_serializable("spin_tf")
class AttentionDecoder(ConfiguredLayer):
    """Additive attention and an LSTM cell that spell the word, one character a step.

    With the encoder's states h_t and the cell's output s: `e_t = v . tanh(W h_t + U s + b)`, `alpha = softmax(e)`,
    `context = sum_t alpha_t h_t`, then an LSTM step on [context, one-hot of the previous token] and
    `logits = G s + g`. `W h_t` does not depend on the step and is computed once; the one-hot's product is a row of the
    kernel. Softmaxes are float32 whatever the policy.

    Args:
        vocabulary_size: characters + 2 (token 0 starts and pads, token 1 ends).
        units: of the LSTM cell and of the attention's hidden layer.
        num_steps: the longest word + 1.
        temperature: divides the logits before the softmax of `decode`: above 1 the probabilities are more modest, the
            readings are the same. Training does not see it.

    Call arguments:
        states: (batch, time, features).
        previous: (batch, steps) int token ids, the target row without its last token (teacher forcing).

    Returns:
        logits (batch, steps, vocabulary_size) float32.

    `decode(states)` reads greedily: probabilities (batch, num_steps, vocabulary_size), float32, and attention
    (batch, num_steps, time), float32. With `stop_at_end` the loop stops when every word of the batch has ended, and the
    remaining steps hold the end token with certainty and no attention.

    `start(states)` and `step(...)` are the parts of the same loop, for decoding outside of the graph.

    Reference: Bahdanau et al., ICLR 2015; in text recognition, Shi et al., ASTER, PAMI 2018.
    """

    def __init__(
        self, vocabulary_size: int, units: int = 256, num_steps: int = 26, temperature: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if vocabulary_size < 3:
            raise ValueError(f"vocabulary_size must be at least 3. Received: vocabulary_size={vocabulary_size}")
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0. Received: temperature={temperature}")
        self.vocabulary_size = vocabulary_size
        self.temperature = float(temperature)
        self.units = units
        self.num_steps = num_steps

    def build(self, states_shape: Shape, *_: object, **__: object) -> None:
        features, units, gates = states_shape[-1], self.units, 4 * self.units
        for name, shape, initializer in (
            ("state_projection", (features, units), "glorot_uniform"),
            ("query_projection", (units, units), "glorot_uniform"),
            ("query_bias", (units,), "zeros"),
            ("score", (units, 1), "glorot_uniform"),
            ("context_kernel", (features, gates), "glorot_uniform"),
            ("token_kernel", (self.vocabulary_size, gates), "glorot_uniform"),
            ("recurrent_kernel", (units, gates), "orthogonal"),
            ("bias", (gates,), forget_gate_bias),
            ("generator", (units, self.vocabulary_size), "glorot_uniform"),
            ("generator_bias", (self.vocabulary_size,), "zeros"),
        ):
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer=initializer))
        self.built = True

    def _step(
        self, states: Tensor, projected: Tensor, token_z: Tensor, output: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        dtype = self.compute_dtype
        query = ops.matmul(output, ops.cast(self.query_projection, dtype)) + ops.cast(self.query_bias, dtype)
        energy = ops.matmul(ops.tanh(projected + query[:, None]), ops.cast(self.score, dtype))
        attention = ops.softmax(ops.cast(energy, "float32"), axis=1)
        context = ops.sum(ops.cast(attention, dtype) * states, axis=1)
        z = ops.matmul(context, ops.cast(self.context_kernel, dtype)) + token_z
        z = z + ops.matmul(output, ops.cast(self.recurrent_kernel, dtype))
        output, cell = lstm_step(z, cell, dtype)
        return output, cell, attention[..., 0]

    def _token_z(self, tokens: Tensor) -> Tensor:
        kernel = ops.cast(self.token_kernel, self.compute_dtype)
        return ops.take(kernel, tokens, axis=0) + ops.cast(self.bias, self.compute_dtype)

    def _logits(self, outputs: Tensor) -> Tensor:
        dtype = self.compute_dtype
        logits = ops.matmul(outputs, ops.cast(self.generator, dtype)) + ops.cast(self.generator_bias, dtype)
        return ops.cast(logits, "float32")

    def _probabilities(self, outputs: Tensor) -> Tensor:
        # Inside the graph, so that whatever is exported from it is calibrated without a line of code of its own.
        return ops.softmax(self._logits(outputs) / self.temperature, axis=-1)

    def _start(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        states = ops.cast(states, self.compute_dtype)
        projected = ops.matmul(states, ops.cast(self.state_projection, self.compute_dtype))
        zeros = ops.zeros((ops.shape(states)[0], self.units), dtype="float32")
        return states, projected, zeros

    def start(self, states: Tensor) -> dict[str, Tensor]:
        """What every `step` needs of the encoder's states: float32 states and projected (batch, time, units)."""
        states, projected, _ = self._start(states)
        return {"states": ops.cast(states, "float32"), "projected": ops.cast(projected, "float32")}

    def step(
        self, states: Tensor, projected: Tensor, previous: Tensor, output: Tensor, cell: Tensor
    ) -> dict[str, Tensor]:
        """One step of `decode`, its state handed in and out; a word starts with `START_ID` and zeros.

        Args:
            states: rows of what `start` returns.
            projected: the same.
            previous: int32 (batch,), the tokens of the step before.
            output: float32 (batch, units), of the step before.
            cell: the same.

        Returns:
            dict of probabilities (batch, vocabulary_size), attention (batch, time), output and cell, float32.
        """
        states, projected, output = (ops.cast(value, self.compute_dtype) for value in (states, projected, output))
        output, cell, attention = self._step(states, projected, self._token_z(previous), output, cell)
        probabilities = self._probabilities(output)
        return {
            "probabilities": probabilities,
            "attention": attention,
            "output": ops.cast(output, "float32"),
            "cell": cell,
        }

    def call(self, states: Tensor, previous: Tensor) -> Tensor:
        states, projected, cell = self._start(states)
        output = ops.cast(cell, self.compute_dtype)
        steps = previous.shape[1]
        if steps is None:
            raise ValueError(f"previous needs a known number of steps. Received: previous.shape={previous.shape}")
        token_z = ops.unstack(self._token_z(previous), steps, axis=1)
        outputs = []
        for step in range(steps):
            output, cell, _ = self._step(states, projected, token_z[step], output, cell)
            outputs.append(output)
        return self._logits(ops.stack(outputs, axis=1))

    def decode(self, states: Tensor, stop_at_end: bool = False) -> tuple[Tensor, Tensor]:
        states, projected, cell = self._start(states)
        batch, time = ops.shape(states)[0], states.shape[1]
        output = ops.cast(cell, self.compute_dtype)
        token = ops.zeros((batch,), dtype="int32") + START_ID
        ended = ops.cast(token, "float32")
        # Of the states, and broadcast: as constants the two would be a tenth of an exported file.
        blank = ops.cast(states[:, :1, :1], "float32") * 0.0 + ops.zeros((1, self.num_steps, 1), dtype="float32")
        ends = ops.one_hot(END_ID, self.vocabulary_size, dtype="float32") * float(stop_at_end)
        probabilities = blank + ends
        attentions = blank + ops.zeros((1, 1, time), dtype="float32")
        steps = ops.arange(self.num_steps, dtype="int32")

        def goes_on(step: Tensor, token: Tensor, ended: Tensor, *_: object) -> Tensor:
            return (
                ops.logical_and(step < self.num_steps, ops.min(ended) < 0.5) if stop_at_end else step < self.num_steps
            )

        def body(
            step: Tensor,
            token: Tensor,
            ended: Tensor,
            output: Tensor,
            cell: Tensor,
            probabilities: Tensor,
            attentions: Tensor,
        ) -> tuple[Tensor, ...]:
            output, cell, attention = self._step(states, projected, self._token_z(token), output, cell)
            probability = self._probabilities(output)
            # top_k, not argmax: LiteRT has no builtin for what argmax becomes.
            token = ops.cast(ops.top_k(probability, 1)[1][:, 0], "int32")
            ended = ops.maximum(ended, ops.cast(ops.equal(token, END_ID), "float32"))
            # A masked write into a dense buffer converts to LiteRT builtins; a tensor array does not.
            here = ops.equal(steps, step)[None, :, None]
            probabilities = ops.where(here, probability[:, None], probabilities)
            attentions = ops.where(here, attention[:, None], attentions)
            return step + 1, token, ended, output, cell, probabilities, attentions

        state = (ops.cast(0, "int32"), token, ended, output, cell, probabilities, attentions)
        state = ops.while_loop(goes_on, body, state)
        return state[5], state[6]

    def compute_output_shape(self, states_shape: Shape, previous_shape: Shape) -> Shape:
        return (*previous_shape, self.vocabulary_size)
