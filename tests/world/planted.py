#!/usr/bin/env python3
"""Whether the net holds: planted.py BUILD_DIR [SEEDS] [NAME...].

Plants one bug after another in a copy of the sources, builds the worlds with it, and runs seeds
from 1 on until a law is broken. Prints a table of how many worlds that took and which law it was;
ends with 1 when a bug that should be found is not. The sources themselves are left alone. A bug
whose place is no longer there is an error: it has to be planted anew.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = 300

# name: file, text, what takes its place
BUGS = {
    "a merge forgets the age clamp": (
        "gossip/inbox.c", "fmin(verdict.age, 2 * mine + AGE_LEAP)", "verdict.age + 0 * mine"),
    "a merge makes fragments younger": (
        "gossip/inbox.c", "settings->order == ORDER_WALK && !verdict.ignore", "!verdict.ignore"),
    "parameters are not looked at for NaN": (
        "gossip/encoding.c", "plain && !vector_finite(to, count)", "false"),
    "absurd models are merged": (
        "node/work.c", "        work->heard[i].absurd = true;\n", "        continue;\n"),
    "an older model takes a newer one's place": (
        "gossip/inbox.c", "known && message->sequence <= gossip->inbox[place].sequence",
        "known && message->sequence == gossip->inbox[place].sequence"),
    "a reference is leaked where an inbox is full": (
        "gossip/inbox.c", "    version_release(&gossip->inbox[place].model);\n"
        "    gossip->counters.pushed_out++;", "    gossip->counters.pushed_out++;"),
    "a reference is leaked with a stale model": (
        "gossip/inbox.c", "version_release(&stale);", "(void)stale;"),
    "an inbox holds one more than it may": (
        "gossip/inbox.c", "uint32_t most = gossip->settings->inbox,",
        "uint32_t most = gossip->settings->inbox + 1,"),
    "a peer may be twice in a view": (
        "gossip/view.c", "size_t place = find(view, peer);\n        if (place < view->count) {",
        "size_t place = view->count;\n        if (place < view->count) {"),
    "pulls are answered without end": (
        "gossip/protocol.c", "gossip->answered >= PULLS_VIEWS * gossip->view.capacity",
        "gossip->answered == UINT32_MAX"),
    "tokens pile up": (
        "gossip/flow.c", "if (a >= most)\n        return 1;", "if (a >= most)\n        return 0;"),
    "a sleep is made up for, tick by tick": (
        "gossip/protocol.c", "if (gossip->next_tick_us <= now.monotonic_us)", "if (false)"),
    "parts of a swarm stay apart": (
        "node/node_seek.c", "begun && node_learns(node) && !meet_seed(node)", "false"),
    "a node is due and does nothing": (
        "node/node.c", "    node_seek_apart(node);\n", ""),
    "who is alone looks for nobody": (
        "node/node_seek.c", "    if (now_us < node->seek_us)\n        return;",
        "    if (now_us > 0)\n        return;"),
    "a membership counts over any key": (
        "gossip/hello.c", "memcmp(membership->curve, curve, KEY_BYTES) != 0 ||", ""),
    "a membership counts for ever": (
        "gossip/membership.c", "wall_s > membership->not_after + CLOCK_TOLERANCE_S", "false"),
    "nobody's connection ends with its membership": (
        "node/node.c", "    membership_expire_peers(node);\n", ""),
    "anybody signs memberships": (
        "gossip/membership.c", "return crypto_sign_verify_detached(envelope->signature, covered,"
        " covered_size, key) == 0;", "return covered_size > 0 && key != NULL;"),
    "a descriptor may be somebody else's": (
        "gossip/hello.c", "memcmp(descriptor->identity, membership->identity, KEY_BYTES) == 0",
        "true"),
    "another task's models are merged": (
        "node/node_messages.c", "memcmp(model->task, settings->task, TASK_ID_BYTES) != 0", "false"),
    "who breaks the rules goes on": (
        "node/node_messages.c", "++record->offences < OFFENCES_MAX", "++record->offences < 99"),
    "bytes that are sent are not counted": (
        "node/node_messages.c", "    node->totals.bytes_out += wire_bytes;\n",
        "    node->totals.bytes_out += mark ? wire_bytes : 0;\n"),
    "the older slot is read": (
        "node/slots.c", "numbers[1] > numbers[0] ? 1 : 0", "numbers[1] < numbers[0] ? 1 : 0"),
    "the newest slot is written over": (
        "node/slots.c", "numbers[0] <= numbers[1] ? 0 : 1", "numbers[0] <= numbers[1] ? 1 : 0"),
    "a corrupt slot is taken": (
        "node/slots.c", "memcmp(check, stored, CHECK_BYTES)", "check[0] == stored[0] && false"),
    "a restart forgets its sequence": (
        "node/participant.c", "participant->gossip.sequence = memory->sequence;", ""),
    "a restart forgets its round": (
        "node/participant.c", "participant->gossip.round = (uint32_t)memory->round;", ""),
    "a descriptor's sequence is not kept": (
        "node/node_membership.c", "    note_number(node, SEQUENCE, sequence);\n", ""),
    "momentum is followed where there is none": (
        "model/personal.c", "settings->optimizer = OPTIMIZER_SGD;", "(void)0;"),
    "the read-out stays where it was": (
        "node/work.c", "        follow(work, values, readout, count);\n",
        "        memcpy(readout, work->readout_from->values, count * sizeof *readout);\n"),
    "what is merged is not released": (
        "node/work.c", "    for (uint32_t i = 0; i < work->heard_count; i++)\n"
        "        version_release(&work->received[i]);\n    version_release(&work->from);",
        "    for (uint32_t i = 1; i < work->heard_count; i++)\n"
        "        version_release(&work->received[i]);\n    version_release(&work->from);"),
}


def plant(sources, bug):
    path, text, instead = bug
    file = sources / path
    before = file.read_text()
    file.write_text(before.replace(text, instead))
    return file, before


def check_places(names):
    for name in names:
        path, text, _ = BUGS[name]
        count = (ROOT / path).read_text().count(text)
        if count != 1:
            sys.exit(f"planted: {name}: {path}: \"{text}\" is there {count} times")


def build(scratch):
    return subprocess.run(["make", "-s", "-C", scratch / "build/planted", "tests/world/world",
                           "WARN_CFLAGS=-std=c17 -w"], capture_output=True, text=True)


def run(program, seeds):
    """How many worlds it took, and what broke; None when nothing did."""
    process = subprocess.Popen([program, "--seeds", f"1-{seeds}"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True,
                               env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    done = 0
    try:
        for line in process.stdout:
            world = json.loads(line)
            done += 1
            if world["broken"]:
                return done, world["broken"].split(" s: ", 1)[-1]
        status = process.wait(60)
        return (done + 1, f"the program ended with status {status}") if done < seeds else None
    finally:
        process.kill()
        process.wait()


def copy(build_dir, scratch):
    files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, files):
        if (ROOT / name).exists():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, scratch / name)
    for name in ("configure", "aclocal.m4", "Makefile.in", "build-aux"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, scratch / name)
    shutil.copytree(build_dir, scratch / "build/planted", copy_function=shutil.copy2)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build_dir = pathlib.Path(sys.argv[1]).resolve()
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else SEEDS
    names = sys.argv[3:] or list(BUGS)
    missed = 0
    check_places(names)
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        copy(build_dir, scratch)
        program = scratch / "build/planted/tests/world/world"
        if build(scratch).returncode:
            sys.exit(f"planted: {build(scratch).stderr}")
        print("| planted | found in world | by |\n| --- | ---: | --- |")
        for name in names:
            file, before = plant(scratch, BUGS[name])
            made = build(scratch)
            if made.returncode:
                sys.exit(f"planted: {name}: {made.stderr}")
            found = run(program, seeds)
            missed += found is None
            print(f"| {name} | {found[0] if found else 'none of ' + str(seeds)} "
                  f"| {found[1] if found else ''} |", flush=True)
            file.write_text(before)
    sys.exit(1 if missed else 0)


main()
