#!/usr/bin/python3
"""Examples a second through PyTorch's training step on one thread: what bench_step measures."""
import json
import statistics
import time

import torch

REPEATS, REPEAT_SECONDS, BATCHES = 5, 0.1, 16
STEPS = [
    ("linear_57_2_batch_1", 57, [], 1, 1),
    ("linear_57_2_batch_32", 57, [], 1, 32),
    ("linear_784_10_batch_32", 784, [], 10, 32),
    ("mlp_784_128_10_batch_32", 784, [128], 10, 32),
]


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
    rates = []
    for _ in range(REPEATS):
        done, start, taken = 0, time.perf_counter(), 0.0
        while taken < REPEAT_SECONDS:
            for x, y in zip(inputs, labels):
                optimizer.zero_grad()
                loss(model(x), y).backward()
                optimizer.step()
            done += BATCHES * batch
            taken = time.perf_counter() - start
        rates.append(done / taken)
    return round(statistics.median(rates))


torch.set_num_threads(1)
print(json.dumps({name: measure(*rest) for name, *rest in STEPS} | {"torch": torch.__version__}))
