# PostgreSQL from Debian's packages, for the test federation: a store of our own where no image registry is at hand.
ARG BASE_IMAGE=python:3.11-slim
FROM ${BASE_IMAGE}
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /usr/lib/postgresql/*/bin /usr/lib/postgresql/bin \
    && groupadd --gid 10001 rondgang \
    && useradd --uid 10001 --gid 10001 --home-dir /srv/postgres --no-create-home --shell /usr/sbin/nologin rondgang \
    && install -d -o 10001 -g 10001 -m 0700 /srv/postgres
COPY compose/containers/postgres.sh /usr/local/bin/postgres.sh
ENV PATH=/usr/lib/postgresql/bin:/usr/bin:/bin PGDATA=/srv/postgres/data
USER 10001:10001
HEALTHCHECK --interval=2s --timeout=5s --start-period=60s CMD ["pg_isready", "--quiet", "--host=127.0.0.1", "--dbname=rondgang"]
ENTRYPOINT ["sh", "/usr/local/bin/postgres.sh"]
