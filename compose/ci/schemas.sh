#!/bin/sh
# Makes the JSON Schemas of all YAML kinds anew from the models: `schemas.sh PYTHON OUT`.
set -eu

exec "$1" -m compose.schemas "$2"
