#!/usr/bin/env bash
# Make the published evaluations again, with the present code, and the pictures that the documentation takes from them.
# Needs FACEAUDIT_DATA (the London Set, mobilefacenet.onnx, faceplugin_feature.onnx) and an installation with .[test].
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-.venv/bin/python}"

find results -mindepth 1 -maxdepth 1 -type d -exec rm -r {} +
"$python" -m audit run --out results --quiet
"$python" -m audit run --benchmark london --model dlib --model onnx:mobilefacenet.onnx \
  --model onnx:faceplugin_feature.onnx --by gender,ethnicity --out results --quiet
find results -name record.json -exec dirname {} \; | while read -r folder; do
  "$python" -m audit seal "$folder" # digests alone: whoever publishes them elsewhere signs with a key of her own
  "$python" -m audit verify "$folder" --quiet
done
"$python" docs/pictures/make.py
"$python" -m audit publish results --out "${SITE:-artifacts/site}"
