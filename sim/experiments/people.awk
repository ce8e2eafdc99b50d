# people.awk: alone, swarm and personal, a node a row, from the nodes.csv of a sweep over learn.fold
# and sim.seed with learn.personal and sim.baseline = local:
#
#   awk -f people.awk -v first=1 runs/wisdm/*/nodes.csv
#
# `first` is the number of the first node (0). Folder names hold the fold, as sweep makes them.
# Figures are means over seeds, pooled over folds; the difference is personal less the better of the
# others, its error that of a ratio over folds (Cochran 1977, Sampling Techniques, section 2.11).
BEGIN { FS = "," }

FNR == 1 {
    for (i = 1; i <= NF; i++)
        column[$i] = i
    if (!match(FILENAME, /fold-[0-9]+/)) {
        print "people.awk: " FILENAME ": its folder does not name a fold" > "/dev/stderr"
        failed = 1
        exit 1
    }
    fold = substr(FILENAME, RSTART + 5, RLENGTH - 5)
    folds[fold]++
    next
}

{
    node = $column["node"]
    tested = $column["own_tested"]
    if (node > last)
        last = node
    examples[node] = $column["examples"]
    n[node, fold] += tested
    alone[node, fold] += tested * $column["own_alone"]
    swarm[node, fold] += tested * $column["own_swarm"]
    personal[node, fold] += tested * $column["accuracy_personal"]
}

# Two standard errors of the mean difference of a node.
function errors(node, mean, count,    squares, kinds, e, f) {
    for (f in folds) {
        e = (personal[node, f] - better[node, f] - mean * n[node, f]) / folds[f]
        squares += e * e
        kinds++
    }
    return kinds > 1 ? 2 * sqrt(squares * kinds / (kinds - 1)) / count : 0
}

END {
    if (failed)
        exit 1
    print "| node | examples | tested | alone | swarm | personal | difference | two errors |"
    print "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for (node = 0; node <= last; node++) {
        t = a = s = p = count = 0
        for (f in folds) {
            t += n[node, f]
            count += n[node, f] / folds[f]
            a += alone[node, f]
            s += swarm[node, f]
            p += personal[node, f]
        }
        if (t == 0)
            continue
        for (f in folds)
            better[node, f] = a > s ? alone[node, f] : swarm[node, f]
        difference = (p - (a > s ? a : s)) / t
        if (difference < 1e-9 && difference > -1e-9)
            difference = 0 # a remainder of the additions
        twice = errors(node, difference, count)
        printf "| %d | %d | %d | %.1f | %.1f | %.1f | %+.1f | %.1f |\n", node + first,
            examples[node], count, 100 * a / t, 100 * s / t, 100 * p / t, 100 * difference,
            100 * twice
        nodes++
        sums["alone"] += a / t
        sums["swarm"] += s / t
        sums["personal"] += p / t
        sum += difference
        squared += difference * difference
        sound += difference + twice >= -1e-9
    }
    mean = sum / nodes
    twice = nodes > 1 ? 2 * sqrt((squared / nodes - mean * mean) / (nodes - 1)) : 0
    printf "| mean | | | %.1f | %.1f | %.1f | %+.1f | %.1f |\n", 100 * sums["alone"] / nodes,
        100 * sums["swarm"] / nodes, 100 * sums["personal"] / nodes, 100 * mean, 100 * twice
    printf "\n%d of %d lose no more than two standard errors.\n", sound, nodes
}
