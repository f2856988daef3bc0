#!/usr/bin/env bash
# Tests that need a CUDA device, and one audit on it; run in the repository's root with the environment's python.
set -euo pipefail
python="${PYTHON:-python}"
"$python" -m pytest -q -m gpu -p no:cacheprovider tests/gpu
"$python" -m audit run --device cuda --profile --fresh --quiet --json --limit 40 --out "${OUT:-results}" >/dev/null
