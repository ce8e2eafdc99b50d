#!/usr/bin/python3
"""PyTorch's side of bench_step.c: the same steps, on one thread, asked for in the same way."""
import json
import sys
import time

import torch

BATCHES, TURN_SECONDS = 16, 0.15
STEPS = {  # features, hidden layers, outputs, batch
    "step_linear_57_2_batch_1": (57, [], 1, 1),
    "step_linear_57_2_batch_32": (57, [], 1, 32),
    "step_linear_784_10_batch_32": (784, [], 10, 32),
    "step_mlp_784_128_10_batch_32": (784, [128], 10, 32),
}


def measure(features, hidden, outputs, batch):
    layers, width = [], features
    for wide in hidden:
        layers += [torch.nn.Linear(width, wide), torch.nn.ReLU()]
        width = wide
    model = torch.nn.Sequential(*layers, torch.nn.Linear(width, outputs))
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
