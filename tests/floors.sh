#!/bin/sh
# A floor uses only the floors below it: model < gossip < node < sim. Speaks TAP.
set -u
cd "$STARLING_SOURCE" || exit 99

number=0
# no_include FLOOR HIGHER: no file of FLOOR includes one of a HIGHER floor.
no_include() {
    number=$((number + 1))
    found=$(grep -nE "^#include \"($2)/" "$1"/*.c "$1"/*.h)
    if [ -z "$found" ]; then
        echo "ok $number - $1 includes nothing of $(echo "$2" | tr '|' ' ')"
    else
        echo "not ok $number - $1 includes what lies above it"
        echo "$found" | sed 's/^/# /'
    fi
}

echo 1..3
no_include model 'gossip|node|sim'
no_include gossip 'node|sim'
no_include node 'sim'
