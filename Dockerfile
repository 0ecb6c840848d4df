# mmbot in a container. For a release, pin BASE by digest:
#   docker build --build-arg BASE=python:3.13-slim@sha256:... -t mmbot .
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /build
RUN python3 -m venv /opt/mmbot
# The locked packages first: this layer is built again only when the lock changes.
COPY requirements.lock ./
RUN /opt/mmbot/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY mmbot ./mmbot
COPY strategies ./strategies
COPY config ./config
RUN /opt/mmbot/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM ${BASE}
LABEL org.opencontainers.image.title="mmbot" \
      org.opencontainers.image.description="A market-maker daemon for ProphetX" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/mmbot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
COPY --from=build /opt/mmbot /opt/mmbot
# A number, so that Kubernetes can prove that it is not root.
RUN mkdir -p /var/lib/mmbot /etc/mmbot && chown 10001:10001 /var/lib/mmbot
USER 10001:10001
WORKDIR /var/lib/mmbot
VOLUME /var/lib/mmbot
STOPSIGNAL SIGTERM
# 127.0.0.1: the admin port stays on loopback inside the container too.
HEALTHCHECK --interval=10s --timeout=3s --start-period=180s --retries=3 \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/healthz', timeout=2)"]
ENTRYPOINT ["mmbot"]
CMD ["run", "--config", "/etc/mmbot/mmbot.toml"]
