"""Prints native/test/ridge_fixture.h: ridge regressions as PyTorch solves them.

    pip install torch && python3 native/test/ridge_fixture.py > native/test/ridge_fixture.h

The features are like a stream divided by its RMS: correlated, with two that are far larger than the others.
"""

import torch

FEATURES, TARGETS, ROWS = 20, 6, 50


def listed(tensor):
    return ", ".join(f"{value:.8e}F" for value in tensor.flatten().tolist())


torch.manual_seed(15)
mixed = torch.randn(ROWS, FEATURES) @ torch.randn(FEATURES, FEATURES)
mixed[:, :2] *= 30
features = mixed / mixed.square().mean(dim=1, keepdim=True).sqrt()
targets = features @ torch.randn(FEATURES, TARGETS) + torch.randn(ROWS, TARGETS)

print("// Made by ridge_fixture.py with PyTorch", torch.__version__.split("+")[0], "- not by hand.")
print("// clang-format off")
print("#pragma once\n\nnamespace ridge_fixture {\n")
for name, value in (("n_features", FEATURES), ("n_targets", TARGETS), ("n_rows", ROWS)):
    print(f"constexpr unsigned {name} = {value};")
print(f"constexpr float features[] = {{{listed(features)}}};")
print(f"constexpr float targets[] = {{{listed(targets)}}};")
print("\n/** λ relative to the mean of the diagonal, and the map, n_targets × n_features. */")
print("struct Solution { double ridge; float map[n_targets * n_features]; };\n")
print("constexpr Solution solutions[] = {")
x, y = features.double(), targets.double()
gram = x.T @ x
for ridge in (1e-4, 1e-2, 1):
    penalty = ridge * gram.diagonal().mean() * torch.eye(FEATURES, dtype=torch.double)
    weights = torch.linalg.solve(gram + penalty, x.T @ y).T
    print(f"    {{{ridge:g}, {{{listed(weights)}}}}},")
print("};\n\n}  // namespace ridge_fixture")
