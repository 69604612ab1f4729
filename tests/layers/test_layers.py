from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from spin_tf import layers
from tests.layers.cases import CASES

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
ALWAYS_FLOAT32 = {"AttentionDecoder", "ThinPlateSpline"}


def test_every_public_layer_has_a_case() -> None:
    assert sorted(layers.__all__) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name: str) -> None:
    case = CASES[name]
    inputs = case.inputs(np.random.default_rng(0))
    layer = case.make()
    expected = np.asarray(layer(*inputs))
    assert expected.shape == case.output_shape
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == layer.get_config()
    again(*inputs)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(np.asarray(again(*inputs)), expected, atol=1e-6)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", CASES)
def test_dtype_policies(name: str, policy: str) -> None:
    case = CASES[name]
    inputs = case.inputs(np.random.default_rng(1))
    layer = case.make(dtype=policy)
    output = layer(*inputs)
    assert all(variable.dtype == "float32" for variable in layer.variables)
    compute = keras.DTypePolicy(policy).compute_dtype
    assert keras.backend.standardize_dtype(output.dtype) == ("float32" if name in ALWAYS_FLOAT32 else compute)
    exact = case.make()
    exact(*inputs)
    exact.set_weights(layer.get_weights())
    # bfloat16 has 8 bits of mantissa; a layer is a few roundings deep.
    np.testing.assert_allclose(
        np.asarray(tf.cast(output, "float32")), np.asarray(exact(*inputs)), atol=0.06 if policy != "float32" else 1e-6
    )


@pytest.mark.parametrize("name", CASES)
def test_gradients_reach_every_weight(name: str) -> None:
    case = CASES[name]
    rng = np.random.default_rng(2)
    inputs = [tf.constant(value) for value in case.inputs(rng)]
    layer = case.make()
    layer(*inputs)
    for variable in layer.variables:
        if not variable.path.endswith("moving_variance"):
            variable.assign(variable + rng.normal(0, 0.1, variable.shape))
    floats = [value for value in inputs if value.dtype.is_floating]
    with tf.GradientTape() as tape:
        for value in floats:
            tape.watch(value)
        options = (
            {"training": True}
            if name in ("BatchNorm", "ConvNorm", "InnerOffset", "ResidualBlock", "SeparableBlock")
            else {}
        )
        output = tf.cast(layer(*inputs, **options), tf.float32)
        loss = tf.reduce_sum(output * tf.constant(rng.normal(size=output.shape), tf.float32))
    variables = layer.trainable_variables
    gradients = tape.gradient(loss, [*(v.value for v in variables), *floats])
    names = [*(v.path for v in variables), *(f"input {i}" for i in range(len(floats)))]
    for path, gradient in zip(names, gradients, strict=True):
        assert gradient is not None, path
        gradient = tf.convert_to_tensor(gradient).numpy()
        assert np.isfinite(gradient).all(), path
        assert np.abs(gradient).max() > 0, path


def test_exponents_are_the_published_ones() -> None:
    from spin_tf.layers.structure_preserving_transform import exponents

    # ln(1 - t) / ln(t) with t = i / 14, rounded to two digits, and its rounded inverse.
    assert exponents(6) == [0.03, 33.33, 0.08, 12.5, 0.16, 6.25, 0.27, 3.7, 0.43, 2.33, 0.66, 1.52, 1.0]


def test_black_pixels_stay_black_before_the_norm() -> None:
    layer = layers.StructurePreservingTransform(1, affine=False, epsilon=0.0)
    image = np.full((1, 2, 2, 1), 1.0, "float32")
    image[0, 0, 0] = -1.0
    # y is 0 at the black pixel and w elsewhere: normalised, -sqrt(3) and 1 / sqrt(3).
    output = np.asarray(layer(image, np.array([[2.0, 0.0, 0.0]], "float32")))
    expected = 2 / (1 + np.exp(-np.array([-np.sqrt(3), 1 / np.sqrt(3)]))) - 1
    np.testing.assert_allclose([output[0, 0, 0, 0], output[0, 1, 1, 0]], expected, atol=1e-4)


def test_spline_through_its_own_base_points_is_the_identity() -> None:
    from spin_tf.layers.thin_plate_spline import base_points

    grid = np.asarray(layers.ThinPlateSpline((32, 100))(base_points(20)[None].astype("float32")))[0]
    x, y = (np.arange(-100, 100, 2) + 1) / 100, (np.arange(-32, 32, 2) + 1) / 32
    np.testing.assert_allclose(grid[..., 0], np.broadcast_to(x, (32, 100)), atol=1e-4)
    np.testing.assert_allclose(grid[..., 1], np.broadcast_to(y[:, None], (32, 100)), atol=1e-4)


@pytest.mark.parametrize("size", [(8, 12), (16, 50), (4, 6)])
def test_offsets_are_resized_as_images_are(size: tuple[int, int]) -> None:
    layer = layers.InnerOffset((32, 100), filters=3)
    features = np.random.default_rng(7).normal(0, 2, (2, *size, 5)).astype("float32")
    offsets = np.asarray(layer(features))
    small = tf.sigmoid(layer.pool(layer.conv2(layer.conv1(features))))
    assert small.shape[1:3] == (size[0] // 2, size[1] // 2)
    np.testing.assert_allclose(offsets, tf.image.resize(small, (32, 100), "bilinear").numpy(), atol=1e-6)


@pytest.mark.parametrize("align_corners", [False, True])
def test_sampling_at_pixel_centres_returns_the_image(align_corners: bool) -> None:
    image = np.random.default_rng(3).uniform(-1, 1, (2, 5, 8, 1)).astype("float32")

    def centres(size: int) -> np.ndarray:
        return np.linspace(-1, 1, size) if align_corners else (2 * np.arange(size) + 1) / size - 1

    grid = np.stack(np.meshgrid(centres(8), centres(5)), axis=-1)[None].repeat(2, 0).astype("float32")
    np.testing.assert_allclose(np.asarray(layers.GridSample(align_corners)(image, grid)), image, atol=1e-6)
    outside = np.asarray(layers.GridSample(align_corners)(image, grid * 0 + [9.0, -9.0]))
    np.testing.assert_allclose(outside, np.broadcast_to(image[:, :1, -1:], image.shape), atol=1e-6)


@pytest.mark.parametrize("channels", [3, 8, 16])
def test_batch_norm_equals_keras(channels: int) -> None:
    """Through the fused kernel (16 channels) and over rows of the image: results, gradients and running statistics."""
    rng = np.random.default_rng(4)
    images = rng.normal(2, 3, (4, 5, 6, channels)).astype("float32")
    upstream = rng.normal(size=images.shape).astype("float32")
    ours = layers.BatchNorm()
    theirs = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    for layer in (ours, theirs):
        layer.build(images.shape)
        layer.gamma.assign(np.linspace(0.5, 2, channels))
        layer.beta.assign(np.linspace(-1, 1, channels))

    def results(layer: keras.layers.Layer) -> list[tf.Tensor]:
        inputs = tf.constant(images)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
        return [outputs, *tape.gradient(outputs, [inputs, layer.gamma.value, layer.beta.value], upstream)]

    for _ in range(3):
        for a, b in zip(results(ours), results(theirs), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_bidirectional_lstm_equals_keras() -> None:
    inputs = np.random.default_rng(5).normal(size=(3, 6, 4)).astype("float32")
    ours = layers.BidirectionalLSTM(5)
    theirs = keras.layers.Bidirectional(keras.layers.LSTM(5, return_sequences=True))
    theirs(inputs)
    ours(inputs)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(np.asarray(ours(inputs)), np.asarray(theirs(inputs)), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.BidirectionalLSTM(0), "Received: units=0"),
        (lambda: layers.AttentionDecoder(2), "Received: vocabulary_size=2"),
        (lambda: layers.ThinPlateSpline((8, 8), 5), "Received: num_control_points=5"),
        (lambda: layers.StructurePreservingTransform(0), "Received: num_power_pairs=0"),
        (
            lambda: layers.GridSample()(np.zeros((1, 4, 4, 3), "float32"), np.zeros((1, 4, 4, 2), "float32")),
            "one channel",
        ),
    ],
)
def test_bad_arguments_are_named(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]
