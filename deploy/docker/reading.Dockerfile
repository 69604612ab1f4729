# Reads the words of image files with the bundled model: the core install, no TensorFlow.
#
#     docker build --file=deploy/docker/reading.Dockerfile --tag=spin-tf .
#     docker run --rm --volume="$PWD:/images:ro" spin-tf --format=jsonl photos
#
# docs/docker.md has the rest.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS wheels
WORKDIR /src
COPY pyproject.toml setup.cfg setup.py LICENSE NOTICE README.md ./
COPY configs configs
COPY exported exported
COPY spin_tf spin_tf
RUN python -m pip wheel --quiet --no-cache-dir --wheel-dir=/wheels .

FROM python:${PYTHON}-slim
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    python -m pip install --quiet --no-cache-dir --no-index /wheels/*.whl
# Reading needs no rights, and no home.
USER 65534:65534
WORKDIR /images
ENTRYPOINT ["spin-tf", "recognize"]
CMD ["--help"]
