#!/usr/bin/env bash
# Fuzzes each target for SECONDS (default 20): bash fuzz/run.sh [SECONDS] [TARGET [FILE…]]
# Works like `cargo fuzz`, but with stable Rust and without installing anything. Failing inputs are saved in fuzz/artifacts/;
# `bash fuzz/run.sh 0 TARGET FILE` runs one again. With 0 seconds and no file, only the seeds run. Every run uses the same
# inputs, as far as the time and RUNS (default 1000000) allow; FUZZ_SEED=7 tries others.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-20}
targets=(inbox internal v8)
if (($# > 1)); then targets=("$2"); fi
files=("${@:3}")

# Coverage guides the fuzzer; cargo-fuzz uses the same flags.
coverage=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
)
# An explicit target, so that the flags do not apply to build scripts and macros.
host=$(rustc -vV | sed -n 's/^host: //p')
directory=${CARGO_TARGET_DIR:-target}
RUSTFLAGS="${coverage[*]} --cfg fuzzing" CARGO_TARGET_DIR=$directory \
  cargo build --quiet --locked --release --target "$host" --bins

# Inputs that the fuzzer adds to the corpus are discarded, so that the seeds stay few.
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
status=0
for target in "${targets[@]}"; do
  program=$directory/$host/release/$target
  mkdir -p "artifacts/$target" "$found/$target"
  if ((${#files[@]} > 0)); then
    "$program" "${files[@]}" || status=$?
    continue
  fi
  # `-runs=0` runs the seeds only.
  if ((seconds > 0)); then bounds=(-max_total_time="$seconds" -runs="${RUNS:-1000000}"); else bounds=(-runs=0); fi
  # A generous timeout, so that a busy machine does not look like a failure.
  "$program" "${bounds[@]}" -seed="${FUZZ_SEED:-1}" -timeout=300 -rss_limit_mb=4096 -verbosity=0 -print_final_stats=1 -artifact_prefix="artifacts/$target/" \
    "$found/$target" "corpus/$target" 2>"$found/log" || { status=$?; cat "$found/log"; }
  printf '%s: %s inputs\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/log")"
done
exit "$status"
