# TensorFlow Serving with a model inside that reads words from the bytes of image files.
#
#     docker build --file=deploy/docker/serving.Dockerfile --tag=spin-serving .
#     docker run --rm --publish=8500:8500 --publish=8501:8501 spin-serving
#
# docs/docker.md has the rest.
ARG PYTHON=3.12
# The release of TensorFlow that exports, or a later one.
ARG TENSORFLOW_SERVING=latest

FROM python:${PYTHON}-slim AS export
WORKDIR /src
COPY pyproject.toml setup.cfg setup.py LICENSE NOTICE README.md ./
COPY configs configs
COPY exported exported
COPY spin_tf spin_tf
# What lies here, in the versions that setup.cfg names.
# hadolint ignore=DL3013
RUN python -m pip install --quiet --no-cache-dir ".[train]"
# Weights that travel with the package, by name.
ARG MODEL=spin_latin
RUN spin-tf export_saved_model --model="${MODEL}" --output=/models/spin

FROM tensorflow/serving:${TENSORFLOW_SERVING}
COPY --from=export /models/spin /models/spin
COPY deploy/tf_serving/models.config deploy/tf_serving/batching.config /config/
EXPOSE 8500 8501
# The image has no curl: bash speaks to the port itself.
HEALTHCHECK --interval=10s --start-period=60s CMD ["bash", "-c", "exec 3<>/dev/tcp/localhost/8501 && printf 'GET /v1/models/spin HTTP/1.0\r\n\r\n' >&3 && grep -q AVAILABLE <&3"]
# Handed on by the image's entry point; compose.yaml of deploy/tf_serving has the same.
CMD ["--model_config_file=/config/models.config", "--model_config_file_poll_wait_seconds=10", "--enable_batching=true", "--batching_parameters_file=/config/batching.config", "--enable_model_warmup=true"]
