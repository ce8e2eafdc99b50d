#!/usr/bin/env python3
"""The benchmarks: bench.py BUILD_DIR [NAME...], each NAME the beginning of a benchmark's name.

Prints a table and writes build/bench.json. What is compared with something else is measured beside
it in the same run, the two taking turns; a figure without such a neighbour has no ratio.
"""
import json
import os
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "bench"
PYTHON = "/usr/bin/python3"  # the one that Debian's python3-torch belongs to
PROGRAMS = ["tests/bench/bench_step", "tests/bench/bench_exchange"]
TURNS = 7
SETTLED = 2  # turns by which a step's benchmark warms up

STEPS = [
    "step_linear_57_2_batch_1",
    "step_linear_57_2_batch_32",
    "step_linear_784_10_batch_32",
    "step_mlp_784_128_10_batch_32",
    "step_lenet_batch_32",
    "step_gru_128_batch_8",
]
RUN_NODES, RUN_ROUNDS, RUN_EXAMPLES, RUN_FEATURES, RUN_REPEATS = 10000, 20, 10, 57, 3
RUN = f"run_{RUN_NODES}_nodes"
FASHION, FASHION_SECONDS = "run_fashion_mnist", 38  # gossipy's wall time for the same, published
EXCHANGES = {"1MB": 250000, "200KB": 50890}  # floats; the second is mlp:64 on 28x28 pixels


class Failed(Exception):
    pass


def environment():
    """The caller's, but for what would choose OpenBLAS's kernels and threads in its stead."""
    theirs = ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
              "OPENBLAS_L2_SIZE")
    return {key: value for key, value in os.environ.items() if key not in theirs}


class Server:
    """A program that says what it is in its first line, then answers each line with a number."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment() | {"OPENBLAS_NUM_THREADS": "1"})
        self.facts = json.loads(self.line())

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.process.args[-1]} ended early")
        return line

    def ask(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return json.loads(self.line())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def command_json(command, more=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          env=environment() | (more or {}))
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}: exit {done.returncode}")
    return json.loads(done.stdout)


def has_torch():
    look = "import importlib.util as u, sys; sys.exit(u.find_spec('torch') is None)"
    return os.access(PYTHON, os.X_OK) and subprocess.run([PYTHON, "-c", look]).returncode == 0


def row(value, unit, other=None, against=None):
    ratio = round(value / other, 3) if other else None
    return {"value": value, "unit": unit, "ratio": ratio, "against": against}


def take_turns(name, ours, theirs):
    """Medians of ours and theirs (None where there is none)."""
    mine, other = [], []
    for turn in range(-SETTLED, TURNS):
        rates = ours.ask(name), theirs.ask(name) if theirs else 0
        if turn >= 0:
            mine.append(rates[0])
            other.append(rates[1])
    return statistics.median(mine), statistics.median(other) if theirs else None


def products(name, ours):
    """What a step's matrix products take of its time, and their speed against sgemm's best."""
    told = [ours.ask(f"products {name}") for _ in range(TURNS)]
    share = statistics.median(one["share"] for one in told)
    return round(min(share, 1), 3), round(statistics.median(one["of_peak"] for one in told), 3)


def steps(names, ours, notes):
    theirs = Server([PYTHON, HERE / "torch_step.py"]) if has_torch() else None
    against = f"PyTorch {theirs.facts['torch']}, one thread" if theirs else None
    if not theirs:
        notes.append("python3-torch is not installed: the training step has no ratio")
    for name in names:
        mine, other = take_turns(name, ours, theirs)
        share, of_peak = products(name, ours)
        notes.append(f"{name}: matrix products take {share:.0%} of the time, "
                     f"at {of_peak:.0%} of sgemm's peak")
        unit = "symbols/s" if "gru" in name else "samples/s"
        yield name, row(round(mine), unit, other, against) | {"products": share,
                                                              "products_of_peak": of_peak}
    if theirs:
        theirs.close()


def write_table(path, rows, seed):
    """A table of digits as features, whose sum settles the label, so that there is something to
    learn."""
    numbers = random.Random(seed)
    digits = bytes(48 + i % 10 for i in range(256))
    with open(path, "w", encoding="ascii") as file:
        for _ in range(rows):
            features = numbers.randbytes(RUN_FEATURES).translate(digits)
            label = int(sum(features[:10]) > 525)
            file.write(",".join(features.decode()) + f",{label}\n")


def run(build):
    with tempfile.TemporaryDirectory(prefix="starling-bench-") as folder:
        train, test = pathlib.Path(folder, "train.csv"), pathlib.Path(folder, "test.csv")
        write_table(train, RUN_NODES * RUN_EXAMPLES, 1)
        write_table(test, 1000, 2)
        command = [build / "starling-sim", "run", "--quiet", "--json", "--force",
                   "--data", f"csv:{train}?test={test}", "--model", "linear",
                   "--nodes", str(RUN_NODES), "--rounds", str(RUN_ROUNDS),
                   "--set", f"sim.eval_every={RUN_ROUNDS}", "--out", pathlib.Path(folder, "out")]
        rates = [command_json(command)["updates_per_second"] for _ in range(RUN_REPEATS)]
    yield RUN, row(round(statistics.median(rates)), "updates/s")


def run_fashion(build, notes):
    """Two threads, and the test set in each round: time, and the accuracy that it is worth."""
    data = os.environ.get("STARLING_DATA") or str(ROOT.parent / "shared" / "data")
    if not pathlib.Path(data, "fashion-mnist").is_dir():
        notes.append(f"{FASHION}: skipped: no fashion-mnist in $STARLING_DATA")
        return
    with tempfile.TemporaryDirectory(prefix="starling-bench-") as folder:
        command = [build / "starling-sim", "run", ROOT / "sim" / "experiments" / "fashion-mlp.ini",
                   "--quiet", "--json", "--threads", "2", "--out", pathlib.Path(folder, "out")]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        told = command_json(command, {"STARLING_DATA": data})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    notes.append(f"{FASHION}: mean accuracy {told['accuracy']['mean']:.4f} of {told['nodes']} nodes "
                 f"after {told['rounds']} rounds; {after.ru_utime - before.ru_utime:.1f} s of "
                 "processors' time")
    seconds = round(told["wall_seconds"], 2)
    yield FASHION, row(seconds, "s", FASHION_SECONDS,
                       f"gossipy, {FASHION_SECONDS} s as published, 2 cores"
                       ) | {"accuracy": told["accuracy"]["mean"]}


def exchange(build, size):
    told = command_json([build / PROGRAMS[1], str(EXCHANGES[size])])
    against = "libsodium crypto_box and its opening, one core"
    yield f"exchange_{size}_models", row(told["models_per_s"], "models/s",
                                         told["crypto_box_models_per_s"], against)
    yield f"exchange_{size}_rate", row(round(told["bytes_per_s"] / 1e6, 1), "MB/s",
                                       told["crypto_box_bytes_per_s"] / 1e6, against)


def machine(facts):
    model = "unknown processor"
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines
                     if line.startswith(("model name", "Model")))
    except (OSError, StopIteration):
        pass
    return {"processor": model, "cores": len(os.sched_getaffinity(0))} | facts


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def print_line(width, name, value, unit, ratio, against):
    print(f"{name:{width}}  {value:>12}  {unit:9}  {ratio:>7}  {against}", flush=True)


def chosen(names):
    every = STEPS + [RUN, FASHION] + [f"exchange_{size}_{what}" for size in EXCHANGES
                                      for what in ("models", "rate")]
    for name in names:
        if not any(one.startswith(name) for one in every):
            raise Failed(f"{name}: no such benchmark: choose from {', '.join(every)}")
    return [one for one in every if not names or one.startswith(tuple(names))]


def measure(build, names):
    made = subprocess.run(["make", "-s", "-C", build, *PROGRAMS]).returncode
    if made:
        raise Failed(f"the programs do not build in {build}: ./dev build makes all they need")
    ours, notes, rows = Server([build / PROGRAMS[0]]), [], {}
    facts = machine(ours.facts)
    print(f"{facts['processor']}, {facts['cores']} cores; openblas core {facts['blas_core']}, "
          f"kernels {facts['kernels']}\n")
    width = max(map(len, names))
    print_line(width, "name", "value", "unit", "ratio", "against")
    groups = [(set(STEPS), lambda: steps([name for name in names if name in STEPS], ours, notes)),
              ({RUN}, lambda: run(build)), ({FASHION}, lambda: run_fashion(build, notes))]
    for size in EXCHANGES:
        own = {f"exchange_{size}_models", f"exchange_{size}_rate"}
        groups.append((own, lambda size=size: exchange(build, size)))
    for own, make_rows in groups:
        for name, entry in make_rows() if own.intersection(names) else ():
            if name in names:
                rows[name] = entry
                print_line(width, name, number(entry["value"]), entry["unit"],
                           number(entry["ratio"]), entry["against"] or "-")
    ours.close()
    for note in notes:
        print(note)
    return rows


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        print("usage: bench.py BUILD_DIR [NAME...]", file=sys.stderr)
        return 2
    try:
        rows = measure(pathlib.Path(arguments[0]).resolve(), chosen(arguments[1:]))
    except Failed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "bench.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
