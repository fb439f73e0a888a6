#!/usr/bin/env bash
# Fuzzes every target, or those that are named, for so many seconds each, the committed seeds first:
#     fuzz/run.sh SECONDS [TARGET]...
# A stable compiler will do: nothing here is unsafe, so that there is nothing for a sanitizer to find.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:?how many seconds for each target}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list)
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT

cargo fuzz build --sanitizer none
for target in "${targets[@]}"; do
  dictionary=()
  [ "$target" = path ] || dictionary=(-dict=fuzz/sql.dict)
  mkdir "$found/$target"
  echo "$target"
  cargo fuzz run --sanitizer none "$target" "$found/$target" "fuzz/corpus/$target" -- \
    -max_total_time="$seconds" -max_len=2000 -verbosity=0 -print_final_stats=1 "${dictionary[@]}"
done
