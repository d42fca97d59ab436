#!/usr/bin/env bash
# Fuzzes each target for so many seconds (20): bash fuzz/run.sh [SECONDS] [TARGET…]
# As `cargo fuzz` does it, with stable Rust and without installing anything; what it finds is in fuzz/artifacts/. A find is
# run again with `bash fuzz/run.sh 0 TARGET FILE`; 0 seconds without a file run the seeds alone. The inputs are the same ones in every
# run, as far as the time and RUNS (1000000) allow; FUZZ_SEED=7 tries others.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-20}
targets=(inbox internal v8)
if (($# > 1)); then targets=("$2"); fi
files=("${@:3}")

# Where the code goes is what guides the fuzzer; cargo-fuzz has the same list.
coverage=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
)
# A target of its own, lest the flags reach build scripts and macros.
host=$(rustc -vV | sed -n 's/^host: //p')
directory=${CARGO_TARGET_DIR:-target}
RUSTFLAGS="${coverage[*]} --cfg fuzzing" CARGO_TARGET_DIR=$directory \
  cargo build --quiet --locked --release --target "$host" --bins

# What the fuzzer adds to the corpus is thrown away: the seeds stay few.
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
  # `-runs=0` takes the seeds alone.
  if ((seconds > 0)); then bounds=(-max_total_time="$seconds" -runs="${RUNS:-1000000}"); else bounds=(-runs=0); fi
  # Generous, lest a busy machine looks like a find.
  "$program" "${bounds[@]}" -seed="${FUZZ_SEED:-1}" -timeout=300 -rss_limit_mb=4096 -verbosity=0 -print_final_stats=1 -artifact_prefix="artifacts/$target/" \
    "$found/$target" "corpus/$target" 2>"$found/log" || { status=$?; cat "$found/log"; }
  printf '%s: %s inputs\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/log")"
done
exit "$status"
