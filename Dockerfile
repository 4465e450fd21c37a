# syntax=docker/dockerfile:1
ARG PYTHON_VERSION=3.12

FROM python:${PYTHON_VERSION}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/scoreline
WORKDIR /build
COPY requirements.lock ./
RUN /opt/scoreline/bin/pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /opt/scoreline/bin/pip install --no-deps .

FROM python:${PYTHON_VERSION}-slim
# lightgbm and xgboost need the OpenMP runtime, which the slim image lacks.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 scoreline
COPY --from=build /opt/scoreline /opt/scoreline
ENV PATH=/opt/scoreline/bin:$PATH PYTHONUNBUFFERED=1 ARROW_DEFAULT_MEMORY_POOL=jemalloc \
    MALLOC_TRIM_THRESHOLD_=16777216 MALLOC_MMAP_THRESHOLD_=4194304
USER scoreline
WORKDIR /home/scoreline
ENTRYPOINT ["scoreline"]
CMD ["--help"]
