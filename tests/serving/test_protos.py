"""TensorFlow Serving's official protos and stubs, and a client of others: warm-up records, requests, configuration."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_log_pb2, prediction_service_pb2_grpc
from tensorflow_serving.config import model_server_config_pb2

from spin_tf.export.warmup import BATCH_SIZES, warmup_images
from spin_tf.reading import saved_model
from tests.export import image_files
from tests.serving.conftest import REPOSITORY

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module")
def address(models: pathlib.Path) -> Iterator[str]:
    command = [sys.executable, str(pathlib.Path(__file__).with_name("grpc_server.py")), f"--folder={models}"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"127.0.0.1:{int(process.stdout.readline().removeprefix('port '))}"
    finally:
        process.communicate("", timeout=60)


def test_warmup_records_are_what_tensorflow_serving_parses(models: pathlib.Path) -> None:
    images = warmup_images()
    signatures = tf.saved_model.load(str(models / "1")).signatures
    sizes = []
    for record in tf.data.TFRecordDataset(str(models / "1" / "assets.extra" / "tf_serving_warmup_requests")):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        assert (request.model_spec.name, request.model_spec.signature_name) == ("spin", "serving_default")
        # Nothing but what the proto knows: written here, and by protobuf, the bytes are the same.
        assert log.SerializeToString(deterministic=True) == record.numpy()
        inputs = {name: tf.constant(tf.make_ndarray(proto)) for name, proto in request.inputs.items()}
        answer = signatures["serving_default"](**inputs)
        size = len(answer["words"])
        sizes.append(size)
        for i, reason in enumerate(answer["reason"].numpy()):
            assert reason == (b"broken_image" if i % len(images) == len(images) - 1 else b"")
    assert sizes == list(BATCH_SIZES) and sum(sizes) <= 1000


def test_a_client_of_others_is_answered(address: str, models: pathlib.Path) -> None:
    import ovmsclient  # type: ignore[import-not-found, unused-ignore]

    client = ovmsclient.make_grpc_client(address)
    assert client.get_model_status("spin")[1]["state"] == "AVAILABLE"
    metadata = client.get_model_metadata("spin")
    assert metadata["inputs"]["image_bytes"]["dtype"] == "DT_STRING"
    assert {"words", "valid", "reason"} <= set(metadata["outputs"])
    files = [image_files.save(image_files.picture(seed=seed), "JPEG") for seed in range(3)] + [b"broken", b""]
    answer = client.predict({"image_bytes": files}, "spin", timeout=180)
    expected = saved_model.load(models / "1").read_files(files)
    assert list(answer["words"]) == list(expected["words"]) and list(answer["valid"]) == [True] * 3 + [False] * 2
    np.testing.assert_allclose(answer["confidence"], expected["confidence"], atol=1e-4)


def test_the_official_stubs_are_answered(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = predict_pb2.PredictRequest(output_filter=["valid"])
        request.model_spec.name = "spin"
        request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(warmup_images()))
        response = stub.Predict(request, timeout=180)
        assert set(response.outputs) == {"valid"} and response.model_spec.version.value == 1
        assert tf.make_ndarray(response.outputs["valid"]).tolist() == [True] * 5 + [False]
        asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        asked.model_spec.name = "spin"
        packed = stub.GetModelMetadata(asked, timeout=180).metadata["signature_def"]
        signatures = get_model_metadata_pb2.SignatureDefMap()
        assert packed.Unpack(signatures)
        assert {"serving_default", "images"} <= set(signatures.signature_def)
        request.model_spec.name = "other"
        with pytest.raises(grpc.RpcError) as raised:
            stub.Predict(request, timeout=180)
        assert raised.value.code() == grpc.StatusCode.NOT_FOUND


def test_configuration_is_what_tensorflow_serving_parses() -> None:
    from google.protobuf import text_format  # type: ignore[import-untyped]

    folder = REPOSITORY / "deploy" / "tf_serving"
    config = text_format.Parse((folder / "models.config").read_text(), model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path, model.model_version_policy.latest.num_versions) == ("spin", "/models/spin", 1)
    # Back, as the page has it.
    back = "model_config_list { config { model_version_policy { specific { versions: 1 } } } }"
    text_format.Parse(back, model_server_config_pb2.ModelServerConfig())
    # The proto of batching parameters is not in the package; its fields are wrapped numbers.
    lines = (folder / "batching.config").read_text().splitlines()
    fields = [line for line in lines if line and not line.startswith("#")]
    assert {re.fullmatch(r"(\w+) \{ value: \d+ \}", line)[1] for line in fields} == {  # type: ignore[index]
        "max_batch_size",
        "batch_timeout_micros",
        "num_batch_threads",
        "max_enqueued_batches",
    }
