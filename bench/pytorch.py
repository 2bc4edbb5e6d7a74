"""The same measurement in PyTorch, float32 on the CPU: what bench/pytorch.js compares with.

Reads one JSON line that says where a llama-architecture model's F16 and F32 tensors lie in its GGUF and where the
tokens are, then answers every further line with the seconds that one run took and the similarity matrix.
"""

import json
import sys
import time

import numpy as np
import torch

job = json.loads(sys.stdin.readline())
torch.set_num_threads(job["threads"])
data = np.memmap(job["model"], dtype=np.uint8, mode="r")


def weight(name):
    tensor = job["tensors"][name]
    raw = data[tensor["offset"] : tensor["offset"] + tensor["bytes"]]
    array = raw.view(np.float16 if tensor["type"] == "F16" else np.float32).astype(np.float32)
    return torch.from_numpy(array.reshape(tensor["shape"][::-1]).copy())


KINDS = ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"]
embeddings = weight("token_embd.weight")
blocks = [{kind: weight(f"blk.{i}.{kind}.weight") for kind in KINDS} for i in range(job["blocks"])]
heads, kv_heads = job["heads"], job["kvHeads"]
size = embeddings.shape[1] // heads
length = job["sequenceLength"]
sequences = torch.from_numpy(np.fromfile(job["tokens"], dtype=np.int32).astype(np.int64)).reshape(-1, length)

angles = torch.outer(torch.arange(length), job["ropeBase"] ** (-torch.arange(0, size, 2) / size))
cos, sin = angles.cos(), angles.sin()
mask = torch.full((length, length), float("-inf")).triu(1)


def rms_norm(x, scale):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + job["epsilon"]) * scale


def rotate(x):
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


def split(x, count):
    return x.view(length, count, size).transpose(0, 1)


def run_block(x, block):
    h = rms_norm(x, block["attn_norm"])
    q = rotate(split(h @ block["attn_q"].T, heads))
    k = rotate(split(h @ block["attn_k"].T, kv_heads)).repeat_interleave(heads // kv_heads, 0)
    v = split(h @ block["attn_v"].T, kv_heads).repeat_interleave(heads // kv_heads, 0)
    weights = torch.softmax(torch.baddbmm(mask, q, k.transpose(1, 2), alpha=size**-0.5), -1)
    x = x + (weights @ v).transpose(0, 1).reshape(length, -1) @ block["attn_output"].T
    h = rms_norm(x, block["ffn_norm"])
    gate = torch.nn.functional.silu(h @ block["ffn_gate"].T)
    return x + (gate * (h @ block["ffn_up"].T)) @ block["ffn_down"].T


@torch.inference_mode()
def measure():
    sums = torch.zeros(len(blocks), len(blocks), dtype=torch.float64)
    for tokens in sequences:
        states = [embeddings[tokens]]
        # The last block's output is no block's input.
        for block in blocks[:-1]:
            states.append(run_block(states[-1], block))
        unit = torch.nn.functional.normalize(torch.stack(states), dim=-1).flatten(1)
        sums += unit @ unit.T
    return sums / sequences.numel()


for _ in sys.stdin:
    start = time.perf_counter()
    similarity = measure()
    print(json.dumps({"seconds": time.perf_counter() - start, "similarity": similarity.tolist()}), flush=True)
