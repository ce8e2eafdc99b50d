#!/bin/sh
# Runs a cmocka program and makes its output proper TAP: a skipped test is "ok # SKIP", and an exit
# status that the failed tests do not explain (a crash, a sanitizer's report) is a failure of its own.
output=$(mktemp) || exit 99
trap 'rm -f "$output"' EXIT
"$@" >"$output"
status=$?
sed 's/^not ok \([0-9]* *-\{0,1\} *# SKIP\)/ok \1/' "$output"
failed=$(grep '^not ok ' "$output" | grep -vc '# SKIP')
[ "$status" -eq "$failed" ] || echo "Bail out! $1 ended with status $status"
