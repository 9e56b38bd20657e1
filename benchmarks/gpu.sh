#!/usr/bin/env bash
# All that needs a GPU, in one call of under 25 minutes: bash benchmarks/gpu.sh DATA OUT
# DATA: the folder with Tiny ImageNet's zips. Everything is written under OUT, as it comes: what a
# time limit cuts off stays. Training continues from OUT if it is called again.
set -uo pipefail
cd "$(dirname "$0")/.."
data=${1:?the folder with the zips of Tiny ImageNet} out=${2:?a folder for the results}
mkdir -p "$out"
python=${PYTHON:-"uv run --group bench python"}

part() {  # name, seconds at most, command
  local name=$1 limit=$2; shift 2
  echo "== $name ($(date -u +%H:%M:%S))"
  timeout --signal=INT "$limit" "$@" > "$out/$name.log" 2>&1
  echo "   status $?, last line: $(tail -n 1 "$out/$name.log")"
}

part tests 120 $python -m pytest -n 0 tests/test_gpu.py
part timings 180 $python -m benchmarks.gpu
part standard 700 $python -m dreamkit.training.train "$data" --run "$out/standard" \
  --cache "$out/cache" --epochs 100 --batch 512 --rate 1.0 --small-epochs 20
last=$(ls -t "$out"/standard/*.safetensors 2>/dev/null | head -n 1)
[ -n "$last" ] && part robust 400 $python -m dreamkit.training.train "$data" --run "$out/robust" \
  --cache "$out/cache" --init "$last" --robust 0.75 --attack-steps 3 \
  --epochs 40 --batch 512 --rate 0.08 --smoothing 0 --small-epochs 0
for run in standard robust; do
  last=$(ls -t "$out/$run"/*.safetensors 2>/dev/null | head -n 1)
  [ -n "$last" ] && part "accuracy-$run" 60 $python -m dreamkit.training.train "$data" \
    --cache "$out/cache" --evaluate "$last" --attack 500
done
rm -rf "$out/cache"
