#!/bin/sh
# Generates the Python of protos/rondgang/v1 into a folder: `protos.sh PYTHON OUT`. The same sources give the same bytes.
set -eu

python=$1
out=$2
plugins=$(dirname "$python")

"$python" -m grpc_tools.protoc -Iprotos \
    --plugin="protoc-gen-mypy_grpc=$plugins/protoc-gen-mypy_grpc" \
    --python_out="$out" --pyi_out="$out" --grpc_python_out="$out" \
    --mypy_grpc_out="quiet,only_async:$out" \
    protos/rondgang/v1/*.proto

# A file without a service still gets a stub module that holds nothing: leave those out.
for source in protos/rondgang/v1/*.proto; do
    if ! grep -q '^service ' "$source"; then
        stem="$out/rondgang/v1/$(basename "$source" .proto)"
        rm -f "${stem}_pb2_grpc.py" "${stem}_pb2_grpc.pyi"
    fi
done
