#!/bin/sh
# What a browser makes of report.html and compare.html: every chart is there and has a size, the page
# is no wider than a phone, the switch switches without a script, and the dark is dark. Opened from
# files, with no network to be had. Skipped where there is no chromium.
set -u
browser=
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && browser=$name && break
done
sim=${STARLING_SIM:-}
if [ -z "$browser" ] || [ ! -x "$sim" ]; then
    echo "1..0 # SKIP no chromium, or STARLING_SIM names no program"
    exit 0
fi
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 99

# look WIDTH PAGE [OPTION]: what the page comes to at that width, told by a page around it that may
# look into it; a line a fact.
look() {
    cat >look.html <<END
<!doctype html><meta charset="utf-8"><iframe id="page" src="$2" style="width:$1px;height:900px;border:0">
</iframe><pre id="facts"></pre><script>
const frame = document.getElementById('page');
frame.onload = () => {
    const page = frame.contentDocument, view = frame.contentWindow, facts = [];
    facts.push('width ' + page.documentElement.scrollWidth);
    facts.push('paper ' + view.getComputedStyle(page.body).backgroundColor);
    const shown = id => view.getComputedStyle(page.getElementById(id)).display !== 'none';
    for (const figure of page.querySelectorAll('figure[id]')) {
        const box = figure.getBoundingClientRect();
        facts.push('chart ' + figure.id + (box.width > 250 && box.height > 100 ? ' drawn' : ' empty'));
    }
    for (const text of page.querySelectorAll('figure text')) {
        const size = text.getBoundingClientRect().height;
        if (size > 0 && size < 10)
            facts.push('tiny ' + text.textContent);
    }
    for (const id of ['by-round', 'by-time', 'by-traffic']) {
        page.getElementById('show-' + id).checked = true;
        facts.push('switch ' + id + ' ' + ['by-round', 'by-time', 'by-traffic'].filter(shown).join());
        const lines = page.querySelectorAll('#' + id + ' path.line');
        facts.push('lines ' + id + ' ' + [...lines].filter(line => line.getTotalLength() > 100).length);
    }
    page.getElementById('show-by-round').checked = true;
    let widest = 0;
    for (const place of page.querySelectorAll('#by-round .hits > div, #loss .hits > div')) {
        place.focus();
        widest = Math.max(widest, page.documentElement.scrollWidth);
    }
    facts.push('pointed ' + widest);
    facts.push('scripts ' + page.scripts.length);
    document.getElementById('facts').textContent = facts.join('\n');
};
</script>
END
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$folder/profile" \
        --host-resolver-rules='MAP * ~NOTFOUND' --allow-file-access-from-files \
        --virtual-time-budget=4000 ${3:+"$3"} --dump-dom "file://$folder/look.html" 2>/dev/null |
        sed -n '/<pre id="facts">/,/<\/pre>/p' | sed 's/<[^>]*>//g'
}

number=0
failed=0
# holds NAME FACTS LINE...: the facts have all of these lines.
holds() {
    name=$1 facts=$2
    shift 2
    number=$((number + 1))
    for line in "$@"; do
        if ! printf '%s\n' "$facts" | grep -qx "$line"; then
            printf 'not ok %d - %s\n# wanted: %s\n' "$number" "$name" "$line"
            printf '%s\n' "$facts" | sed 's/^/# /'
            failed=$((failed + 1))
            return
        fi
    done
    printf 'ok %d - %s\n' "$number" "$name"
}

for merge in limited average; do
    "$sim" run --quiet --nodes 12 --rounds 12 --model linear --samples 40 \
        --baseline local,central,fedavg --set learn.personal=10 --set sim.churn=exp:200s,50s \
        --set gossip.merge=$merge --out $merge >/dev/null || exit 99
done
"$sim" compare limited average --out compare.html >/dev/null || exit 99

desk=$(look 1200 limited/report.html)
if [ -z "$desk" ]; then
    echo "1..0 # SKIP $browser does not start here"
    exit 0
fi
report='accuracy loss consensus traffic online baselines spread personal overlay'
compare='accuracy loss consensus spread cost'
switch='switch by-round by-round|switch by-time by-time|switch by-traffic by-traffic|scripts 0'

facts_of() { # CHART...: the lines that say they are there
    for chart in "$@"; do
        printf 'chart %s drawn|' "$chart"
    done
}

check() { # NAME FACTS CHARTS MORE
    old=$IFS
    IFS='|'
    # shellcheck disable=SC2046,SC2086
    set -- "$1" "$2" $(IFS=' ' && facts_of $3) $4
    IFS=$old
    holds "$@"
}

check 'a report has every chart' "$desk" "$report" "width 1200|$switch|lines by-round [4-9]"
check 'a report fits a phone' "$(look 320 limited/report.html)" "$report" 'width 320|pointed 320'
check 'a comparison has every chart' "$(look 1200 compare.html)" "$compare" \
    "width 1200|$switch|lines by-time 2"
check 'a comparison fits a phone' "$(look 320 compare.html)" "$compare" 'width 320|pointed 320'
holds 'the paper is light' "$desk" 'paper rgb(24[0-9], .*'
holds 'the paper is dark at night' \
    "$(look 390 limited/report.html --blink-settings=preferredColorScheme=0)" 'paper rgb([12][0-9], .*'
number=$((number + 1))
if printf '%s\n' "$desk" | grep -q '^tiny'; then
    echo "not ok $number - every word is large enough to be read"
    failed=$((failed + 1))
else
    echo "ok $number - every word is large enough to be read"
fi
echo "1..$number"
exit "$failed"
