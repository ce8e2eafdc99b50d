#!/bin/sh
# The table of people that an experiment with folds and seeds ends in. Speaks TAP.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
awk=$STARLING_SOURCE/sim/experiments/people.awk

# run FOLD SEED ROW...: a run's nodes.csv, its rows as node,own_tested,own_alone,own_swarm,personal.
run() {
    mkdir "$folder/fold-$1_seed-$2"
    file=$folder/fold-$1_seed-$2/nodes.csv
    shift 2
    echo node,examples,own_tested,own_alone,own_swarm,accuracy_personal >"$file"
    for row in "$@"; do
        echo "$row" | awk -F, -v OFS=, '{print $1, 100, $2, $3, $4, $5}' >>"$file"
    done
}

# Node 0 loses 1 of 10 in one fold and wins 3 in the other; node 1 loses 2 in both, so no error
# excuses it; node 2 holds nothing out.
run 0 1 0,10,0.5,0.6,0.5 1,10,0.9,0.1,0.7 2,,,,
run 0 2 0,10,0.5,0.6,0.5 1,10,0.9,0.1,0.7 2,,,,
run 1 1 0,10,0.5,0.6,0.9 1,10,0.9,0.1,0.7 2,,,,
run 1 2 0,10,0.5,0.6,0.9 1,10,0.9,0.1,0.7 2,,,,
cat >"$folder/wanted" <<'TABLE'
| node | examples | tested | alone | swarm | personal | difference | two errors |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| 7 | 100 | 20 | 50.0 | 60.0 | 70.0 | +10.0 | 40.0 |
| 8 | 100 | 20 | 90.0 | 10.0 | 70.0 | -20.0 | 0.0 |
| mean | | | 70.0 | 35.0 | 70.0 | -5.0 | 30.0 |

1 of 2 lose no more than two standard errors.
TABLE

echo 1..2
if awk -f "$awk" -v first=7 "$folder"/*/nodes.csv >"$folder/seen" 2>&1 &&
    cmp -s "$folder/seen" "$folder/wanted"; then
    echo "ok 1 - folds are pooled, seeds averaged, nodes without a hold-out left out"
else
    echo "not ok 1 - folds are pooled, seeds averaged, nodes without a hold-out left out"
    diff "$folder/wanted" "$folder/seen" | sed 's/^/# /'
fi
mkdir "$folder/once"
cp "$folder/fold-0_seed-1/nodes.csv" "$folder/once"
if awk -f "$awk" "$folder/once/nodes.csv" >"$folder/seen" 2>&1; then
    echo "not ok 2 - a folder that names no fold is refused"
else
    grep -q "does not name a fold" "$folder/seen" && echo "ok 2 - a folder that names no fold is refused"
fi
