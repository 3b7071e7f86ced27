# Two images: `docker build --target train .` can train too, the default one only serves. The
# project's checks do not build them: they have no container engine.
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/diamond
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
RUN /opt/diamond/bin/pip install --no-cache-dir --constraint constraints.txt '.[s3]'

FROM build AS build-train
RUN /opt/diamond/bin/pip install --no-cache-dir --constraint constraints.txt '.[train,s3]'

FROM python:3.11-slim AS base
RUN useradd --system --create-home --home-dir /var/lib/diamond-core --uid 10001 diamond
# ORT_DISABLE_TELEMETRY: since 1.29, onnxruntime reports its use to its maker, unless told not to
ENV PATH=/opt/diamond/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DIAMOND_HOME=/var/lib/diamond-core/home \
    DIAMOND_LOG_FORMAT=json \
    ORT_DISABLE_TELEMETRY=1
USER diamond
WORKDIR /var/lib/diamond-core
VOLUME /var/lib/diamond-core
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["diamond", "serve", "--bind", "0.0.0.0:8000"]

FROM base AS train
COPY --from=build-train /opt/diamond /opt/diamond

FROM base AS serve
COPY --from=build /opt/diamond /opt/diamond
