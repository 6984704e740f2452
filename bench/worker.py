"""What a peer does, in an environment of its own: patch neurons, each alone, batch after batch.

Run by ``bench.peers``, as ``python worker.py PEER MODEL_FOLDER``. A line of JSON comes in, a line
goes out. The first one in holds the question, each further one a batch size and which neurons are
patched; the answer has the seconds that took and logit(target) - logit(foil) for each.
"""

import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM


class Lens:
    """``run_with_hooks`` of TransformerLens."""

    def __init__(self, model):
        from transformer_lens.model_bridge.sources import build_bridge_from_module

        self.bridge = build_bridge_from_module(model, type(model).__name__, hf_config=model.config)

    def clean(self, ids):
        _, cache = self.bridge.run_with_cache(ids, prepend_bos=False)
        layers = range(self.bridge.cfg.n_layers)
        return [cache[f"blocks.{layer}.mlp.hook_post"][0, -1].clone() for layer in layers]

    def patched(self, ids, by_layer):
        def hook(rows, neurons, values):
            def patch(post, hook):
                post[rows, -1, neurons] = values
                return post

            return patch

        hooks = [(f"blocks.{k}.mlp.hook_post", hook(*what)) for k, what in by_layer.items()]
        logits = self.bridge.run_with_hooks(ids, fwd_hooks=hooks, prepend_bos=False)
        return logits[:, -1]


class Sight:
    """Traces of nnsight, which compute the last position's logits alone."""

    def __init__(self, model):
        from nnsight import NNsight

        self.model = NNsight(model)

    def clean(self, ids):
        model, kept = self.model, []
        with model.trace(ids, use_cache=False):
            for layer in model.model.layers:
                kept.append(layer.mlp.down_proj.input[0, -1].save())
        return [each.clone() for each in kept]

    def patched(self, ids, by_layer):
        model = self.model
        with model.trace(ids, use_cache=False, logits_to_keep=1):
            for layer, (rows, neurons, values) in by_layer.items():
                model.model.layers[layer].mlp.down_proj.input[rows, -1, neurons] = values
            logits = model.lm_head.output.save()
        return logits[:, -1]


def differences(peer, clean, asked, neurons, size):
    """The logit difference with each neuron patched, ``size`` neurons in a batch."""
    found = []
    for start in range(0, len(neurons), size):
        batch = neurons[start : start + size]
        ids = torch.tensor([asked["corrupted"]]).repeat(len(batch), 1)
        by_layer = {}
        for layer in sorted({layer for layer, _ in batch}):
            rows = [row for row, (own, _) in enumerate(batch) if own == layer]
            numbers = torch.tensor([batch[row][1] for row in rows])
            by_layer[layer] = (torch.tensor(rows), numbers, clean[layer][numbers])
        last = peer.patched(ids, by_layer)
        found += (last[:, asked["target"]] - last[:, asked["foil"]]).tolist()
    return found


@torch.no_grad()
def main(name, folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    peer = {"transformer_lens": Lens, "nnsight": Sight}[name](model)
    asked = json.loads(sys.stdin.readline())
    torch.set_num_threads(asked["threads"])
    clean = peer.clean(torch.tensor([asked["clean"]]))
    print(json.dumps({"ready": True}), file=told, flush=True)
    for line in sys.stdin:
        wanted = json.loads(line)
        start = time.perf_counter()
        found = differences(peer, clean, asked, wanted["neurons"], wanted["batch"])
        answer = {"seconds": time.perf_counter() - start, "differences": found}
        print(json.dumps(answer), file=told, flush=True)


if __name__ == "__main__":
    told, sys.stdout = sys.stdout, sys.stderr  # libraries print, too
    main(*sys.argv[1:])
