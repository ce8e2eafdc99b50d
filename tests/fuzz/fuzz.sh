#!/bin/sh
# Coverage-guided fuzzing of everything that reads bytes from outside.
#
#   tests/fuzz/fuzz.sh [TARGET] [SECONDS]   one target, or all in turn; 60 seconds each
#
# A target is fuzz_TARGET.c beside this script; its seeds lie in corpus/TARGET. What is built and
# found goes to build/fuzz; the corpus that grows there is kept for the next time. Prints a line a
# target; exit 1 when there was a finding, 2 when it could not be built.
set -eu
cd "$(dirname "$0")/../.."

wanted=${1:-}
seconds=${2:-60}
out=build/fuzz
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
sanitize=address,undefined

die() {
    echo "fuzz: $*" >&2
    exit 2
}

case $seconds in
'' | *[!0-9]* | 0) die "$seconds: no number of seconds: say how long each target may run, such as 60" ;;
esac

all=
for source in tests/fuzz/fuzz_*.c; do
    target=${source##*/fuzz_}
    all="$all ${target%.c}"
done
targets=$all
if [ -n "$wanted" ]; then
    [ -e "tests/fuzz/fuzz_$wanted.c" ] || die "$wanted: no such target: choose one of$all"
    targets=$wanted
fi
command -v clang >/dev/null || die "clang is missing: install clang and its compiler-rt"

# The longest input worth trying: a few times what the reader takes, so that its bounds are met.
longest() {
    case $1 in
    message) echo 20000 ;;
    control) echo 10000 ;;
    csv | idx | config | libsvm | leaf) echo 4096 ;;
    *) echo 2100 ;;
    esac
}

newer() {
    [ -n "$(find "$1" -newer "$2")" ]
}

# The project's own libraries, instrumented, by its own makefile; then each target on top of them.
build() {
    mkdir -p "$out"
    if [ ! -e configure ] || newer configure.ac configure; then
        autoreconf -i >"$out/build.log" 2>&1 || die "autoreconf failed: see $out/build.log"
    fi
    if [ ! -e "$out/Makefile" ] || newer configure "$out/Makefile"; then
        (cd "$out" && ../../configure --quiet CC=clang \
            CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,$sanitize \
                -fno-sanitize-recover=undefined") \
            >"$out/build.log" 2>&1 || die "configure failed: see $out/build.log"
    fi
    libraries='libsim.a libnode.a libgossip.a libmodel.a libkernels.a'
    # shellcheck disable=SC2086 # the words are files
    make -s -C "$out" -j "$jobs" $libraries >"$out/build.log" 2>&1 ||
        die "the libraries do not build: see $out/build.log"
    needs=$(pkg-config --libs libzmq libsodium msgpack openblas sqlite3 jansson inih zlib) ||
        die "a library is missing: ./dev build installs all of them"
    for target in $targets; do
        # shellcheck disable=SC2046,SC2086 # the words are options and files
        clang -std=c17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -I. \
            -fsanitize=fuzzer,$sanitize -fno-sanitize-recover=undefined \
            $(pkg-config --cflags libsodium msgpack jansson) \
            "tests/fuzz/fuzz_$target.c" -o "$out/fuzz_$target" \
            $(printf "$out/%s " $libraries) "$out/libmodel.a" $needs -lm -pthread \
            >"$out/build.log" 2>&1 || die "fuzz_$target does not build: see $out/build.log"
    done
}

# The last number behind WORD in a log.
number() {
    sed -n "s/.*$1 *\([0-9][0-9]*\).*/\1/p" "$2" | tail -n 1
}

run() {
    target=$1
    corpus=$out/corpus-$target
    findings=$out/findings-$target
    log=$out/$target.log
    mkdir -p "$corpus" "$findings"
    [ ! -d "tests/fuzz/corpus/$target" ] || cp -R "tests/fuzz/corpus/$target/." "$corpus"
    before=$(find "$findings" -type f | wc -l)
    status=0
    "$out/fuzz_$target" "$corpus" -max_total_time="$seconds" -max_len="$(longest "$target")" \
        -timeout=10 -rss_limit_mb=1024 -artifact_prefix="$findings/" -print_final_stats=1 \
        >"$log" 2>&1 || status=$?
    found=$(($(find "$findings" -type f | wc -l) - before))
    if [ $status != 0 ] && [ $found = 0 ]; then
        found=1
    fi
    executions=$(number 'number_of_executed_units:' "$log")
    covered=$(number 'cov:' "$log")
    printf '%-12s %12s %9s %9s\n' "$target" "${executions:-0}" "${covered:-0}" "$found"
    [ $status != 0 ] || return 0
    failed=1
    grep -hE 'ERROR: |runtime error: |SUMMARY: |Assertion' "$log" | head -n 3 | sed 's/^/    /'
    # shellcheck disable=SC2012 # names are libFuzzer's own
    last=$(ls -t "$findings" | head -n 1)
    if [ -n "$last" ]; then
        echo "    replay: $out/fuzz_$target $findings/$last"
    else
        echo "    it failed without an input: see $log"
    fi
}

# Targets that read files have them here: in memory, where that can be had.
base=${TMPDIR:-/dev/shm}
[ -w "$base" ] || base=/tmp
TMPDIR=$(mktemp -d "$base/starling-fuzz-XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT TERM
UBSAN_OPTIONS=print_stacktrace=1
OPENBLAS_NUM_THREADS=1
export UBSAN_OPTIONS OPENBLAS_NUM_THREADS

failed=0
build
printf '%-12s %12s %9s %9s\n' target executions coverage findings
for target in $targets; do
    run "$target"
done
exit $failed
