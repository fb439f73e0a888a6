#!/usr/bin/env bash
# Writes the seeds that come from the project's own lists: of each rule of tests/corpus/rules.txt a statement that runs,
# and its first mutant; of each row of the catalogue a path. Those of `envelope` and `external` are written by hand.
set -euo pipefail
cd "$(dirname "$0")/.."

statements() { # FILE...: writes NAME, a line feed and the statement, each ended by NUL
  awk '
    function out() { if (name != "" && !(name in seen)) { seen[name] = 1; printf "%s\n%s%c", name, text, 0 } }
    /^---$/ { out(); name = ""; text = ""; head = 1; next }
    head && /^rule: / { name = $2; next }
    head && /^mutant: / { name = $2 ".mutant"; next }
    head && /^(27|33|parameter): ?/ { next }
    { head = 0; text = text (text == "" ? "" : "\n") $0 }
    END { out() }
  ' "$@" | sed -z 's/␍/\r/g; s/␌/\x0c/g; s/␉/\t/g'
}

seeds() { # TARGET
  mkdir -p "fuzz/corpus/$1"
  while IFS= read -r -d '' seed; do
    printf '%s' "${seed#*$'\n'}" >"fuzz/corpus/$1/${seed%%$'\n'*}"
  done
}

statements tests/corpus/hand/lexical.txt | seeds lexer
statements tests/corpus/hand/[!l]*.txt | seeds reading

mkdir -p fuzz/corpus/path
cargo run --quiet --package msq-gate -- routes | tail -n +2 | while read -r method path _; do
  path=${path//\{id\}/a%20b}
  path=${path//\{file\*\}/x/y.js}
  printf '%s %s' "$method" "$path" >"fuzz/corpus/path/$(tr -c 'A-Za-z0-9\n' _ <<<"$method$path")"
done
printf 'GET /proxy/overlord/druid/indexer/v1/tasks?datasource=wi+ki%%2f&max=5&capabilities' >fuzz/corpus/path/query
