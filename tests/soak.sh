#!/bin/sh
# ./dev soak keeps a tally, goes on where it ended, and says what broke. Speaks TAP.
set -u

echo 1..3
if ! command -v python3 >/dev/null; then
    for number in 1 2 3; do echo "ok $number # SKIP python3 is not installed"; done
    exit 0
fi
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/build/tests/world"

# One that is quick: every world holds but those whose seed ends in 7, while there is a file broken.
cat >"$folder/build/tests/world/world" <<WORLD
#!/bin/sh
seed=\${2%-*}
while [ "\$seed" -le "\${2#*-}" ]; do
    broken=
    case \$seed in *7) [ ! -e "$folder/broken" ] || broken="at 1.000 s: a law" ;; esac
    printf '{"seed": %d, "trace": "0", "devices": 3, "events": 1, "rounds": 1, "crashes": 0,' "\$seed"
    printf ' "bytes": 1, "connected": 1.5, "faults": ["loss"], "broken": "%s"}\n' "\$broken"
    seed=\$((seed + 1))
done
WORLD
chmod +x "$folder/build/tests/world/world"

soak() {
    python3 "$STARLING_SOURCE/tests/world/soak.py" "$folder/build" 10 --worlds "$1" --tally "$folder/soak.json" \
        --jobs 2 2>"$folder/said"
}

# told EXPRESSION: whether it holds of the tally.
told() {
    python3 -c "import json; t = json.load(open('$folder/soak.json')); raise SystemExit(not ($1))"
}

# verdict NUMBER NAME STATUS
verdict() {
    if [ "$3" = 0 ]; then
        echo "ok $1 - $2"
    else
        echo "not ok $1 - $2"
        sed 's/^/# /' "$folder/said" "$folder/soak.json"
    fi
}

touch "$folder/broken"
soak 30
status=$?
[ "$status" = 1 ] && grep -q -- '--seed 7 --verbose' "$folder/said" &&
    told 'sorted(f["seed"] for f in t["failures"]) == [7, 17, 27] and t["done"] == 30'
verdict 1 'a broken law is told with the command that replays it' $?

rm "$folder/broken"
soak 25
status=$?
[ "$status" = 0 ] && told 't["failures"] == [] and sorted(f["seed"] for f in t["mended"]) == [7, 17, 27]'
verdict 2 'what was mended is run again, and no failure any more' $?

told 't["done"] == 52 == t["by_fault"]["loss"] and t["left"] == [] and t["next"] == 53'
verdict 3 'a tally goes on where it ended, and misses no world' $?
