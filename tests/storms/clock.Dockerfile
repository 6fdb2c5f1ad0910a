# The library that tells a process another time: compiled here, taken out, and laid into containers that storms hit.
ARG BASE_IMAGE=python:3.11-slim
FROM ${BASE_IMAGE} AS compiled
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev >/dev/null \
    && rm -rf /var/lib/apt/lists/*
COPY clock.c /
RUN gcc -std=c11 -O2 -Wall -Wextra -Werror -shared -fPIC -o /clock.so /clock.c

FROM ${BASE_IMAGE}
COPY --from=compiled /clock.so /clock.so
