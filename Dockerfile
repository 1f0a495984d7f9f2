# syntax=docker/dockerfile:1
# Two stages: one builds the environment from the locked, hashed dependencies, the other only runs it.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /app
COPY requirements.lock ./
RUN /app/bin/pip install --no-deps --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY gateway ./gateway
COPY plugins ./plugins
RUN /app/bin/pip install --no-deps --no-index --no-build-isolation .

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Calendar gateway" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"
RUN groupadd --system --gid 10001 gateway \
    && useradd --system --uid 10001 --gid gateway --home-dir /data --no-create-home --shell /usr/sbin/nologin gateway \
    && install --directory --owner=gateway --group=gateway --mode=0750 /data
COPY --from=build /app /app
COPY config /etc/gateway
COPY radicale.conf /etc/gateway/radicale.conf
ENV PATH=/app/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GATEWAY_SERVER__HOST=0.0.0.0 \
    GATEWAY_SERVER__PORT=8080 \
    GATEWAY_DATABASE__URL=sqlite:////data/gateway.sqlite
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
USER gateway
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import sys, urllib.request as u; sys.exit(u.urlopen('http://127.0.0.1:8080/healthz', timeout=4).status != 200)"]
ENTRYPOINT ["gateway"]
CMD ["serve", "--config", "/etc/gateway/gateway.toml"]
