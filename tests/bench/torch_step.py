#!/usr/bin/python3
"""PyTorch's side of bench_step.c: the same steps, on one thread, asked for in the same way and in
the same time, the processor's."""
import json
import sys
import time

import torch

BATCHES, TURN_SECONDS = 16, 0.15
LENET = "lenet"
GRU, SYMBOLS = "gru", 65
STEPS = {  # features, hidden layers, outputs, batch
    "step_linear_57_2_batch_1": (57, [], 1, 1),
    "step_linear_57_2_batch_32": (57, [], 1, 32),
    "step_linear_784_10_batch_32": (784, [], 10, 32),
    "step_mlp_784_128_10_batch_32": (784, [128], 10, 32),
    "step_lenet_batch_32": (784, LENET, 10, 32),
    "step_gru_128_batch_8": (64, GRU, SYMBOLS, 8),  # positions, hidden, symbols, batch
}


def lenet():
    return [torch.nn.Unflatten(1, (1, 28, 28)),
            torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(6, 16, 5), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
            torch.nn.Linear(400, 120), torch.nn.ReLU(),
            torch.nn.Linear(120, 84), torch.nn.ReLU(), torch.nn.Linear(84, 10)]


def perceptron(features, hidden, outputs):
    layers, width = [], features
    for wide in hidden:
        layers += [torch.nn.Linear(width, wide), torch.nn.ReLU()]
        width = wide
    return layers + [torch.nn.Linear(width, outputs)]


class Recurrent(torch.nn.Module):
    """Its inputs are made ones and zeros beforehand, which is not measured."""

    def __init__(self, units):
        super().__init__()
        self.units = torch.nn.GRU(SYMBOLS, units, batch_first=True)
        self.last = torch.nn.Linear(units, SYMBOLS)

    def forward(self, x):
        return self.last(self.units(x)[0]).flatten(0, 1)


def network(features, hidden, outputs):
    if hidden == GRU:
        return Recurrent(128)
    return torch.nn.Sequential(*(lenet() if hidden == LENET
                                 else perceptron(features, hidden, outputs)))


def measure(features, hidden, outputs, batch):
    model = network(features, hidden, outputs)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    inputs, positions = torch.rand(BATCHES, batch, features), 1
    if hidden == GRU:
        positions = features
        symbols = torch.randint(SYMBOLS, (BATCHES, batch, positions))
        inputs = torch.nn.functional.one_hot(symbols, SYMBOLS).float()
    if outputs == 1:
        loss = torch.nn.BCEWithLogitsLoss()
        labels = torch.randint(2, (BATCHES, batch, 1)).float()
    else:
        loss = torch.nn.CrossEntropyLoss()
        labels = torch.randint(outputs, (BATCHES, batch * positions))

    def train():
        for x, y in zip(inputs, labels):
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()

    train()
    done, start, taken = 0, time.process_time(), 0.0
    while taken < TURN_SECONDS:
        train()
        done += BATCHES * batch * positions
        taken = time.process_time() - start
    return done / taken


torch.set_num_threads(1)
print(json.dumps({"torch": torch.__version__}), flush=True)
for line in sys.stdin:
    print(round(measure(*STEPS[line.strip()])), flush=True)
