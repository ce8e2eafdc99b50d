#!/usr/bin/env python3
"""Worlds beyond those that were run already: soak.py BUILD_DIR MINUTES [--worlds N] [--tally FILE] [--jobs N].

Runs the worlds of ever new seeds (tests/world) on all cores for so many minutes, first those that
broke a law the last time. The tally, build/soak.json beside the build, is kept while it runs and
taken up again by the next; Ctrl-C ends it early and loses nothing but the worlds under way.
Ends with 1 when a law is broken somewhere.
"""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

CHUNK = 20  # seeds a process runs, one after the other
SAY_EVERY_S = 10
PATIENCE_S = 300  # for one world; then it hangs
SUMS = ("events", "rounds", "crashes", "bytes")


def first_tally():
    return {"schema": 1, "done": 0, "next": 1, "left": [], "failures": [], "mended": [],
            "by_fault": {}, "by_program": {}, "by_devices": {}, "seconds": 0.0,
            "longest_until_whole": {"periods": 0.0, "seed": 0}} | {name: 0 for name in SUMS}


class Soak:
    def __init__(self, program, path, minutes, worlds):
        self.program, self.path = program, path
        self.hash = hashlib.sha256(program.read_bytes()).hexdigest()[:12]
        self.tally = first_tally()
        if path.exists():
            self.tally |= json.loads(path.read_text())
        self.end = time.monotonic() + 60 * minutes
        self.begun, self.since = time.monotonic(), time.monotonic()
        self.lock = threading.Lock()
        self.stopping = False
        self.most = worlds  # to be begun yet
        self.here = 0
        self.under_way = set()
        self.processes = set()
        # What failed is run again first: it may be mended.
        self.again = [failure["seed"] for failure in self.tally["failures"]]

    def take_seeds(self):
        """A few seeds in a row, and whether they are new."""
        with self.lock:
            if self.stopping or self.most == 0 or time.monotonic() >= self.end:
                return [], False
            if self.again:
                self.most -= 1
                return [self.again.pop(0)], False
            if self.tally["left"]:
                seeds = [self.tally["left"].pop(0)]
            else:
                first, count = self.tally["next"], min(CHUNK, self.most)
                seeds = list(range(first, first + count))
                self.tally["next"] += count
            self.most -= len(seeds)
            self.under_way.update(seeds)
            return seeds, True

    def count(self, world, new):
        tally, seed = self.tally, world["seed"]
        with self.lock:
            self.here += 1
            if new:
                self.under_way.discard(seed)
                tally["done"] += 1
                for key, names in (("by_fault", world["faults"] or ["none"]),
                                   ("by_program", [self.hash]),
                                   ("by_devices", [str(world["devices"])])):
                    counts = collections.Counter(tally[key])
                    counts.update(names)
                    tally[key] = dict(sorted(counts.items()))
                for name in SUMS:
                    tally[name] += world[name]
                if not world["broken"] and world["connected"] > tally["longest_until_whole"]["periods"]:
                    tally["longest_until_whole"] = {"periods": world["connected"], "seed": seed}
            known = [failure for failure in tally["failures"] if failure["seed"] == seed]
            if known and not world["broken"]:
                tally["failures"].remove(known[0])
                tally["mended"].append(known[0])
            elif world["broken"] and not known:
                tally["failures"].append({"seed": seed, "broken": world["broken"],
                                          "program": self.hash})
            if world["broken"]:
                print(f"soak: world {seed}: {world['broken']}\n"
                      f"soak: {self.program} --seed {seed} --verbose", file=sys.stderr)

    def run_chunk(self, seeds, new):
        process = subprocess.Popen(
            [self.program, "--seeds", f"{seeds[0]}-{seeds[-1]}"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, start_new_session=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})
        with self.lock:
            self.processes.add(process)
        waiting = list(seeds)
        watch = threading.Timer(PATIENCE_S, process.kill)
        watch.start()
        for line in process.stdout:
            watch.cancel()
            watch = threading.Timer(PATIENCE_S, process.kill)
            watch.start()
            waiting.remove(json.loads(line)["seed"])
            self.count(json.loads(line), new)
            if time.monotonic() >= self.end or self.stopping:
                break
        watch.cancel()
        over = time.monotonic() >= self.end or self.stopping
        if over:
            process.terminate()
        status = process.wait()
        with self.lock:
            self.processes.discard(process)
        if waiting and not over:  # it ended in the middle of one
            self.count({"seed": waiting[0], "faults": [], "devices": 0, "connected": 0,
                        "broken": f"the program ended with status {status}"} |
                       {name: 0 for name in SUMS}, new)
            waiting.pop(0)
        if new and waiting:
            with self.lock:
                self.under_way.difference_update(waiting)
                self.tally["left"] += waiting

    def work(self):
        while True:
            seeds, new = self.take_seeds()
            if not seeds:
                return
            self.run_chunk(seeds, new)

    def save(self):
        with self.lock:
            now = time.monotonic()
            self.tally["seconds"] = round(self.tally["seconds"] + now - self.since, 1)
            self.since = now
            kept = self.tally | {"left": sorted(self.tally["left"] + list(self.under_way))}
            text = json.dumps(kept, indent=1) + "\n"
        fresh = self.path.with_suffix(".tmp")
        fresh.write_text(text)
        fresh.rename(self.path)

    def say(self, last=False):
        with self.lock:
            passed = time.monotonic() - self.begun
            left = max(0, self.end - time.monotonic())
            print(f"soak: {self.tally['done']} worlds, {len(self.tally['failures'])} broken; "
                  f"{self.here} now, {self.here / max(passed, .001):.1f} a second"
                  + ("" if last else f", {left / 60:.1f} min left"), file=sys.stderr, flush=True)

    def stop(self, *_):
        self.stopping = True
        for process in list(self.processes):
            process.terminate()

    def run(self, jobs):
        signal.signal(signal.SIGINT, self.stop)
        signal.signal(signal.SIGTERM, self.stop)
        threads = [threading.Thread(target=self.work) for _ in range(jobs)]
        for thread in threads:
            thread.start()
        said = time.monotonic()
        while any(thread.is_alive() for thread in threads):
            time.sleep(.2)
            if time.monotonic() - said >= SAY_EVERY_S:
                said = time.monotonic()
                self.save()
                self.say()
        for thread in threads:
            thread.join()
        self.save()
        self.say(last=True)
        return 1 if self.tally["failures"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--worlds", type=int, default=sys.maxsize)
    parser.add_argument("--tally", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    program = options.build / "tests/world/world"
    if not program.exists():
        sys.exit(f"soak: {program} is not there: make -C {options.build} check-programs")
    path = options.tally or options.build.parent / "soak.json"
    sys.exit(Soak(program, path, options.minutes, options.worlds).run(options.jobs))


main()
