#!/bin/sh
# Everything a node decides is pure code: the objects of floors 1 and 2 and, of node/, participant,
# work and tuning may ask the system for memory, arithmetic and verification, and for nothing else:
# no time, socket, thread, file or random number. Checked by what the linker would have to find for
# them. Speaks TAP.
set -u
cd "$STARLING_BUILD" || exit 99

# What reads data sets: the one door to files that floor 1 has.
readers='source|memory|read_idx|read_leaf'

allowed='^(_?_?stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__?assert_fail|abort
|malloc|calloc|realloc|free|aligned_alloc|posix_memalign|qsort|bsearch
|mem(cpy|set|move|cmp|chr)|str(n?len|n?cmp|n?cat|chr|rchr|cspn|spn|pbrk|str|ncpy|cpy|n?dup|casecmp|ncasecmp|tok_r)
|rawmemchr|stpcpy|strto(d|f|l|ul|ull|ll)|__isoc23_strto(d|l|ul|ull|ll)|__isoc99_sscanf
|(v|)snprintf|__(v|)snprintf_chk|__(mem(cpy|set|move)|str(cpy|ncpy|cat|ncat))_chk|__ctype_(b|tolower|toupper)_loc|to(lower|upper)
|__errno_location|strerror(_r)?|__xpg_strerror_r
|(exp|expm1|log|log1p|log2|sqrt|sin|cos|sincos|tan|tanh|pow|fabs|fmin|fmax|floor|ceil|round|lround|erf|erfc|hypot|atan2|ldexp|frexp|fmod|trunc|rint|lrint|nearbyint)f?
|_ZGV.*|__cpu_(model|indicator_init|features2)|__memcpy_chk
|cblas_s(gemm|gemv|ger|axpy|dot|copy|scal)|openblas_(get_corename|get_parallel|[gs]et_num_threads)
|crypto_(sign|generichash|shorthash|verify|scalarmult|hash).*|sodium_(mem(cmp|zero)|is_zero|bin2hex|hex2bin|compare|increment|init|bin2base64|base642bin)
|msgpack_.*|__asan_.*|__ubsan_.*|__sanitizer.*|__tsan_.*|__odr_asan.*|__gcov_.*)$'
allowed=$(echo "$allowed" | tr -d '\n')

echo 1..3

# check NUMBER NAME OBJECT...: nothing undefined but the whitelist and what these floors define.
check() {
    number=$1 name=$2
    shift 2
    wanted=$(nm -u "$@" | awk 'NF == 2 && $1 == "U" {print $2}' | sort -u |
        sed 's/@.*//' | grep -vE "$allowed" | grep -vxFf "$defined")
    if [ -z "$wanted" ]; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        echo "$wanted" | sed 's/^/# asks for /'
    fi
}

defined=$(mktemp)
trap 'rm -f "$defined"' EXIT
nm --defined-only model/*.o gossip/*.o node/*participant.o node/*work.o node/*tuning.o |
    awk 'NF == 3 && $2 != "t" {print $3}' | sort -u >"$defined"

# shellcheck disable=SC2046 # object names have no blanks
check 1 'floor 1 asks for no time, socket, thread, file or random number' \
    $(find model -name '*.o' | grep -vE "($readers)\.o$")
# shellcheck disable=SC2046
check 2 'floor 2 asks for no time, socket, thread, file or random number' \
    $(find gossip -name '*.o')
# shellcheck disable=SC2046
check 3 'the participant and its arithmetic ask for no time, socket, thread, file or random number' \
    $(find node -name '*participant.o' -o -name '*work.o' -o -name '*tuning.o')
