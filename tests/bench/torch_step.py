#!/usr/bin/python3
"""PyTorch's side of bench_step.c: the same steps, on one thread, asked for in the same way."""
import json
import sys
import time

import torch

BATCHES, TURN_SECONDS = 16, 0.15
LENET = "lenet"
STEPS = {  # features, hidden layers, outputs, batch
    "step_linear_57_2_batch_1": (57, [], 1, 1),
    "step_linear_57_2_batch_32": (57, [], 1, 32),
    "step_linear_784_10_batch_32": (784, [], 10, 32),
    "step_mlp_784_128_10_batch_32": (784, [128], 10, 32),
    "step_lenet_batch_32": (784, LENET, 10, 32),
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


def measure(features, hidden, outputs, batch):
    layers = lenet() if hidden == LENET else perceptron(features, hidden, outputs)
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    inputs = torch.rand(BATCHES, batch, features)
    if outputs == 1:
        loss = torch.nn.BCEWithLogitsLoss()
        labels = torch.randint(2, (BATCHES, batch, 1)).float()
    else:
        loss = torch.nn.CrossEntropyLoss()
        labels = torch.randint(outputs, (BATCHES, batch))

    def train():
        for x, y in zip(inputs, labels):
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()

    train()
    done, start, taken = 0, time.perf_counter(), 0.0
    while taken < TURN_SECONDS:
        train()
        done += BATCHES * batch
        taken = time.perf_counter() - start
    return done / taken


torch.set_num_threads(1)
print(json.dumps({"torch": torch.__version__}), flush=True)
for line in sys.stdin:
    print(round(measure(*STEPS[line.strip()])), flush=True)
