# One image for each party, holding its own room and the two floors beneath, and nothing of the others:
#
#   docker build --target node        -t rondgang/node .          a region's node: attends and answers
#   docker build --target node-import -t rondgang/node-import .   the same, with what reads CSV, SPSS, Excel and Parquet
#   docker build --target coordinator -t rondgang/coordinator .   the national desk
#   docker build --target auditor     -t rondgang/auditor .       an independent witness, and the auditor's own verbs
#
# Any Debian with Python 3.11 to 3.14 and its venv module will do as a base: --build-arg BASE_IMAGE=...
# Behind a proxy that signs with a certificate of its own: --secret id=ca,src=FILE
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS base
RUN groupadd --gid 10001 rondgang \
    && useradd --uid 10001 --gid 10001 --home-dir /srv/rondgang --no-create-home --shell /usr/sbin/nologin rondgang \
    && install -d -o 10001 -g 10001 -m 0700 /srv/rondgang
ENV PATH=/opt/rondgang/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    HOME=/srv/rondgang \
    RONDGANG_HOME=/srv/rondgang \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv/rondgang

# What builds: never part of an image that runs. Packages come as wheels with the hashes of the lock, or not at all.
FROM base AS tools
USER root
ENV HOME=/root \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_REQUIRE_HASHES=1 \
    PIP_ONLY_BINARY=:all:
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends binutils >/dev/null \
    && rm -rf /var/lib/apt/lists/*
COPY requirements/build.lock /locks/
RUN --mount=type=secret,id=ca,target=/run/ca.crt --mount=type=cache,target=/root/.cache/pip \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi; \
    python3 -m venv /tools \
    && /tools/bin/pip install --quiet -r /locks/build.lock \
    && python3 -m venv --without-pip /opt/rondgang

FROM tools AS node-packages
COPY requirements/node-serving.lock /locks/
# The sampler's library comes with the names of its functions for debugging: a hundred megabytes that nothing reads.
RUN --mount=type=secret,id=ca,target=/run/ca.crt --mount=type=cache,target=/root/.cache/pip \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi; \
    /tools/bin/pip --python /opt/rondgang/bin/python install --quiet -r /locks/node-serving.lock \
    && find /opt/rondgang -path '*/opendp/*' -name '*.so' -exec strip --strip-unneeded {} +

FROM node-packages AS node-import-packages
COPY requirements/node.lock /locks/
RUN --mount=type=secret,id=ca,target=/run/ca.crt --mount=type=cache,target=/root/.cache/pip \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi; \
    /tools/bin/pip --python /opt/rondgang/bin/python install --quiet -r /locks/node.lock

FROM tools AS coordinator-packages
COPY requirements/coordinator.lock /locks/
RUN --mount=type=secret,id=ca,target=/run/ca.crt --mount=type=cache,target=/root/.cache/pip \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi; \
    /tools/bin/pip --python /opt/rondgang/bin/python install --quiet -r /locks/coordinator.lock

FROM tools AS auditor-packages
COPY requirements/audit.lock /locks/
RUN --mount=type=secret,id=ca,target=/run/ca.crt --mount=type=cache,target=/root/.cache/pip \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi; \
    /tools/bin/pip --python /opt/rondgang/bin/python install --quiet -r /locks/audit.lock

# A wheel of this checkout cannot have a hash in a lock: it is made here, of one room, and needs nothing more.
FROM tools AS sources
COPY pyproject.toml README.md LICENSE compose/containers/one_room.py /src/
COPY protos/rondgang /src/protos/rondgang
COPY policies /src/policies

FROM sources AS node-wheel
COPY node /src/node
RUN /tools/bin/python /src/one_room.py /src node \
    && PIP_REQUIRE_HASHES=0 /tools/bin/pip wheel --quiet --no-index --no-deps --no-build-isolation -w /wheel /src

FROM sources AS coordinator-wheel
COPY coordinator /src/coordinator
RUN /tools/bin/python /src/one_room.py /src coordinator \
    && PIP_REQUIRE_HASHES=0 /tools/bin/pip wheel --quiet --no-index --no-deps --no-build-isolation -w /wheel /src

FROM sources AS audit-wheel
COPY audit /src/audit
RUN /tools/bin/python /src/one_room.py /src audit \
    && PIP_REQUIRE_HASHES=0 /tools/bin/pip wheel --quiet --no-index --no-deps --no-build-isolation -w /wheel /src

FROM node-packages AS node-installed
RUN --mount=type=bind,from=node-wheel,source=/wheel,target=/wheel \
    PIP_REQUIRE_HASHES=0 /tools/bin/pip --python /opt/rondgang/bin/python install --quiet --no-index --no-deps /wheel/*.whl

FROM node-import-packages AS node-import-installed
RUN --mount=type=bind,from=node-wheel,source=/wheel,target=/wheel \
    PIP_REQUIRE_HASHES=0 /tools/bin/pip --python /opt/rondgang/bin/python install --quiet --no-index --no-deps /wheel/*.whl

FROM coordinator-packages AS coordinator-installed
RUN --mount=type=bind,from=coordinator-wheel,source=/wheel,target=/wheel \
    PIP_REQUIRE_HASHES=0 /tools/bin/pip --python /opt/rondgang/bin/python install --quiet --no-index --no-deps /wheel/*.whl

FROM auditor-packages AS auditor-installed
RUN --mount=type=bind,from=audit-wheel,source=/wheel,target=/wheel \
    PIP_REQUIRE_HASHES=0 /tools/bin/pip --python /opt/rondgang/bin/python install --quiet --no-index --no-deps /wheel/*.whl

FROM base AS node-import
LABEL org.opencontainers.image.title="Rondgang node, import" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=node-import-installed /opt/rondgang /opt/rondgang
USER 10001:10001
ENTRYPOINT ["rondgang", "node"]
CMD ["import", "--help"]

FROM base AS coordinator
LABEL org.opencontainers.image.title="Rondgang coordinator" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=coordinator-installed /opt/rondgang /opt/rondgang
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["rondgang", "coordinator", "health"]
ENTRYPOINT ["rondgang", "coordinator"]
CMD ["serve"]

FROM base AS auditor
LABEL org.opencontainers.image.title="Rondgang auditor" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=auditor-installed /opt/rondgang /opt/rondgang
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["rondgang", "audit", "health"]
ENTRYPOINT ["rondgang", "audit"]
CMD ["witness"]

FROM base AS node
LABEL org.opencontainers.image.title="Rondgang node" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=node-installed /opt/rondgang /opt/rondgang
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["rondgang", "node", "health"]
ENTRYPOINT ["rondgang", "node"]
CMD ["serve"]
