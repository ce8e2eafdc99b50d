#!/bin/sh
# A short run under valgrind: no invalid read or write, no use of what was never set, no leak.
# Speaks TAP; skips where valgrind is missing or the build has sanitizers of its own.
set -u

echo 1..1
if ! command -v valgrind >/dev/null; then
    echo 'ok 1 # SKIP valgrind is not installed'
    exit 0
fi
if nm "$STARLING_SIM" | grep -qE '__(asan|tsan)_init'; then
    echo 'ok 1 # SKIP built with sanitizers'
    exit 0
fi
out=$(mktemp -d) || exit 99
trap 'rm -rf "$out"' EXIT
if valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
    "$STARLING_SIM" run --nodes 3 --rounds 2 --threads 2 --wire --quiet --model mlp:4 \
    --data 'synth:writers?writers=3' --set sim.samples=40 --set sim.eval_examples=100 \
    --baseline local,central --out "$out/run" >"$out/log" 2>&1; then
    echo 'ok 1 - a run is clean under valgrind'
else
    echo 'not ok 1 - a run is clean under valgrind'
    sed 's/^/# /' "$out/log"
fi
