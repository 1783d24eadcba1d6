# Two images from one lock:  nox -s image
#
#   sandbox   the libraries a probe may import, on a CPU; nothing of ours: probes and submissions are mounted
#   trainer   TensorFlow with CUDA and the trusted code that trains; it runs on a CPU as well
#
# Data, pins and jobs are mounted at run time. Both run as 1000:1000 and need no network and no writable root.

# The index digest published for this tag. Any image with Python 3.11 and venv will do: .ci/base-image makes one
# where no registry can be reached.
ARG BASE_IMAGE=docker.io/library/python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d


# --- what installs packages, and which; nothing of it reaches an image but /lock ---------------------------
FROM ${BASE_IMAGE} AS installer

# uv itself is pinned here, as it cannot come from its own lock. The secret is for networks that have a
# certificate authority of their own; it is gone after the step, and never mounted over the system's file.
RUN --mount=type=secret,id=ca_bundle \
    if [ -s /run/secrets/ca_bundle ]; then export PIP_CERT=/run/secrets/ca_bundle; fi; \
    printf '%s\n' 'uv==0.13.9 \' \
        '  --hash=sha256:d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19 \' \
        '  --hash=sha256:ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375' > /tmp/uv.txt \
    && python3 -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/uv.txt

COPY pyproject.toml uv.lock /lock/
# Settings of ruff, mypy and pytest must not cause packages to be installed anew.
RUN sed -i '/^\[tool\.ruff\]/,$d' /lock/pyproject.toml && touch -d @0 /lock /lock/*


# --- what both images have in common ----------------------------------------------------------------------
FROM ${BASE_IMAGE} AS runtime
# Nobody becomes another user in here.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +
# The cache is mounted, hence copies from it. A sandbox is read-only and could not compile anything.
ENV LANG=C.UTF-8 \
    KERAS_BACKEND=tensorflow \
    PYTHONUNBUFFERED=1 \
    UV_PROJECT_ENVIRONMENT=/opt/kit \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_NO_PROGRESS=1
COPY --from=installer /lock /lock


FROM runtime AS sandbox
# libclang and TensorFlow's headers are for building against it.
RUN --mount=type=bind,from=installer,source=/opt/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=secret,id=ca_bundle \
    if [ -s /run/secrets/ca_bundle ]; then export SSL_CERT_FILE=/run/secrets/ca_bundle; fi; \
    /opt/uv/bin/uv sync --project /lock --locked --python 3.11 --no-install-package libclang \
        --only-group sandbox --only-group cpu \
    && rm -rf /opt/kit/lib/python3.11/site-packages/tensorflow/include
USER 1000:1000
WORKDIR /tmp
ENTRYPOINT ["/opt/kit/bin/python", "-I", "-B"]
ARG BASE_IMAGE VERSION LOCK REVISION
LABEL org.opencontainers.image.title="cifar100-course-kit sandbox" \
      org.opencontainers.image.description="The libraries a probe of a submission may import, on a CPU" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}" \
      cifar100-course-kit.target="sandbox" \
      cifar100-course-kit.tensorflow="cpu" \
      cifar100-course-kit.lock="${LOCK}"


FROM runtime AS trainer
# `gpu`, or `cpu` where the CUDA wheels (several GB) would not fit, as in tests.
ARG TENSORFLOW=gpu
RUN --mount=type=bind,from=installer,source=/opt/uv,target=/opt/uv \
    --mount=type=cache,target=/root/.cache/uv \
    --mount=type=secret,id=ca_bundle \
    if [ -s /run/secrets/ca_bundle ]; then export SSL_CERT_FILE=/run/secrets/ca_bundle; fi; \
    /opt/uv/bin/uv sync --project /lock --locked --python 3.11 --no-install-package libclang \
        --only-group trainer --only-group "${TENSORFLOW}" \
    && rm -rf /opt/kit/lib/python3.11/site-packages/tensorflow/include
# Last, as it changes most. .dockerignore says which files these are.
COPY lab /kit/lab
COPY grader /kit/grader
ENV PYTHONPATH=/kit \
    PYTHONDONTWRITEBYTECODE=1 \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000:1000
WORKDIR /tmp
ENTRYPOINT ["/opt/kit/bin/python", "-P"]
CMD ["-m", "grader.training.child", "--help"]
ARG BASE_IMAGE VERSION LOCK REVISION
LABEL org.opencontainers.image.title="cifar100-course-kit trainer" \
      org.opencontainers.image.description="Trains networks that came as data, with trusted code" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}" \
      cifar100-course-kit.target="trainer" \
      cifar100-course-kit.tensorflow="${TENSORFLOW}" \
      cifar100-course-kit.lock="${LOCK}"
