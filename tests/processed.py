"""The original study's library by hand: a GPT-2 with folded norms and centred weights.

Slow and plain, from the state dict alone; nothing of ``analysis`` is used. Every number of a
published document is computed from its own forward pass.
"""

import torch

# ruff: noqa: N806  (weights keep the names they have in the field)
EPS = 1e-5


def centred(x, dim=-1):
    return x - x.mean(dim, keepdim=True)


class Processed:
    """``fold_ln``, ``center_writing_weights`` and ``center_unembed``, as in early 2023."""

    def __init__(self, model):
        w = {
            name.removeprefix("transformer."): v.double() for name, v in model.state_dict().items()
        }
        self.heads = model.config.n_head
        self.act = model.transformer.h[0].mlp.act
        self.W_E, self.W_pos = centred(w["wte.weight"]), centred(w["wpe.weight"])
        self.blocks = [self._block(w, f"h.{i}.") for i in range(model.config.n_layer)]
        gain, bias = w["ln_f.weight"], w["ln_f.bias"]
        W_U, b_U = gain[:, None] * w["lm_head.weight"].T, bias @ w["lm_head.weight"].T
        self.W_U, self.b_U = centred(centred(W_U, 0)), centred(b_U)

    def _block(self, w, at):
        def folded(norm, layer):
            gain, bias = w[f"{at}{norm}.weight"], w[f"{at}{norm}.bias"]
            weight = w[f"{at}{layer}.weight"]
            return gain[:, None] * weight, w[f"{at}{layer}.bias"] + bias @ weight

        def writing(layer):
            return centred(w[f"{at}{layer}.weight"]), centred(w[f"{at}{layer}.bias"])

        names = ("qkv", "O", "in", "out")
        pairs = (
            folded("ln_1", "attn.c_attn"),
            writing("attn.c_proj"),
            folded("ln_2", "mlp.c_fc"),
            writing("mlp.c_proj"),
        )
        return dict(zip(names, pairs, strict=True))

    def run(self, tokens, change=lambda name, value: value):
        """Logits and all activations by name; ``change`` may replace any on its way."""
        cache = {}

        def seen(name, value):
            cache[name] = change(name, value)
            return cache[name]

        x = self.W_E[list(tokens)] + self.W_pos[: len(tokens)]
        for i, block in enumerate(self.blocks):
            x = seen(f"{i} resid_pre", x)
            x = x + seen(f"{i} attn_out", self._attention(normed(x), block))
            W_in, b_in = block["in"]
            post = seen(f"{i} post", self.act(normed(x) @ W_in + b_in))
            W_out, b_out = block["out"]
            x = x + seen(f"{i} mlp_out", post @ W_out + b_out)
        cache["final"] = x
        return normed(x) @ self.W_U + self.b_U, cache

    def _attention(self, x, block):
        weight, bias = block["qkv"]
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(0, 1)
            for part in (x @ weight + bias).chunk(3, -1)
        )
        scores = q @ k.mT / q.shape[-1] ** 0.5
        hidden = torch.ones(len(x), len(x), dtype=torch.bool).triu(1)
        z = scores.masked_fill(hidden, -torch.inf).softmax(-1) @ v
        W_O, b_O = block["O"]
        return z.transpose(0, 1).flatten(1) @ W_O + b_O


def normed(x):
    x = centred(x)
    return x / (x.pow(2).mean(-1, keepdim=True) + EPS).sqrt()


def published_of(subject, neuron, prompts, an, a):
    """A document of the form of ``published.json``, for any GPT-2, by brute force."""
    model = Processed(subject.model)
    layer, number = neuron
    clean, corrupted = (tuple(subject.tokens(prompts[side])) for side in ("clean", "corrupted"))
    logits, cache = model.run(clean)
    lemon, _ = model.run(corrupted)

    def diff(x):
        return float(x[-1, an] - x[-1, a])

    def patched(name, where, value):
        def change(at, now):
            if at != name:
                return now
            now = now.clone()
            now[where] = value[where]
            return now

        after, _ = model.run(corrupted, change)
        return (diff(after) - diff(lemon)) / (diff(logits) - diff(lemon))

    maps = {
        component: [
            [
                patched(f"{i} {component}", pos, cache[f"{i} {component}"])
                for pos in range(len(clean))
            ]
            for i in range(len(model.blocks))
        ]
        for component in ("resid_pre", "attn_out", "mlp_out")
    }
    d_mlp = model.blocks[0]["out"][0].shape[0]
    everywhere = slice(None)
    neurons = [
        patched(f"{layer} post", (everywhere, n), cache[f"{layer} post"]) for n in range(d_mlp)
    ]
    labels, curve = lens_of(model, cache, an, a)
    products = torch.cat([block["out"][0] for block in model.blocks]) @ model.W_E.T
    single = {"recovery": neurons, "lens": dict(zip(labels, curve, strict=True))}
    return {
        "source": "this test",
        "model": {
            "name": "tiny", "type": "gpt2", "neuron": f"L{layer}N{number}",
            "layers": len(model.blocks), "d_model": subject.d_model, "d_mlp": d_mlp,
        },
        "prompts": prompts,
        "logit_lens": {"labels": labels, "logit_diff": curve},
        "patched_resid": maps["resid_pre"],
        "patched_attn": maps["attn_out"],
        "patched_mlp": maps["mlp_out"],
        f"patched_neuron_L{layer}": neurons,
        **tables_of(subject, products, layer * d_mlp + number, d_mlp),
        "scalars": scalars_of(subject, model, neuron, prompts, (an, a), single, maps, products),
        "an_proportion": {"x": [0.0], "y": [0.0]},
    }  # fmt: skip


def lens_of(model, cache, an, a):
    """Every half layer, centred, over the scale of the last, without ``b_U``."""
    points, labels = [], []
    for i in range(len(model.blocks)):
        points += [cache[f"{i} resid_pre"], cache[f"{i} resid_pre"] + cache[f"{i} attn_out"]]
        labels += [f"{i}_pre", f"{i}_mid"]
    points, labels = [*points, cache["final"]], [*labels, "final_post"]
    scale = (centred(cache["final"][-1]).pow(2).mean() + EPS).sqrt()
    direction = model.W_U[:, an] - model.W_U[:, a]
    return labels, [float(centred(point[-1]) / scale @ direction) for point in points]


def tables_of(subject, products, flat, d_mlp):
    """Congruences of one neuron, leads of the best neuron of each token, mutual best pairs."""
    own = products[flat].tolist()
    by_token = products.topk(2, dim=0).values
    by_neuron = products.topk(2, dim=1)
    rows = []
    for n in range(len(products)):
        token = int(by_neuron.indices[n, 0])
        if int(products[:, token].argmax()) == n:
            lead = by_neuron.values[n, 0] - by_neuron.values[n, 1]
            score = float(lead * (by_token[0, token] - by_token[1, token]))
            name = f"Layer {n // d_mlp} Neuron {n % d_mlp}"
            rows.append([name, repr(subject.string(token)), score])
    layer, number = divmod(flat, d_mlp)
    gaps = (by_token[0] - by_token[1]).tolist()
    return {
        f"L{layer}N{number}_congruence_top": [
            [t, repr(subject.string(t)), v] for t, v in enumerate(own)
        ],
        "top2_neuron_diff_by_token_top": [
            [t, repr(subject.string(t)), v, None] for t, v in enumerate(gaps)
        ],
        "mutual_exclusive_top30": rows,
    }


def scalars_of(subject, model, neuron, prompts, words, single, maps, products):
    """The single numbers, with the ids of the published ones."""
    layer, number = neuron
    an, a = words
    civil_war = "She saw the old house and then ate"

    def negate(name, value):
        if name == f"{layer} post":
            value = value.clone()
            value[:, number] *= -1
        return value

    flipped = Processed(subject.model)
    flipped.blocks[layer]["in"][0][:, number] *= -1
    clean = prompts["clean"]
    runs = {
        "clean": model.run(subject.tokens(clean))[0],
        "lemon": model.run(subject.tokens(prompts["corrupted"]))[0],
        "avocado": model.run(subject.tokens(clean.replace("apple", "avocado")))[0],
        "civil_war": model.run(subject.tokens(civil_war))[0],
        "negate_activation": model.run(subject.tokens(clean), negate)[0],
        "flip_w_in": flipped.run(subject.tokens(clean))[0],
    }
    rows = []
    for name, logits in runs.items():
        for word, token in (("an", an), ("a", a)):
            extra = {"prompt": civil_war} if (name, word) == ("civil_war", "an") else {}
            probability = float(logits[-1].softmax(-1)[token])
            rows.append({"id": f"{name}_p_{word}", "value": probability, **extra})
            rows.append({"id": f"{name}_logit_{word}", "value": float(logits[-1, token])})
    d_mlp = len(single["recovery"])
    other = products[:, an].argsort(descending=True)[1].item()
    last = len(model.blocks) - 1
    named = {
        "clean_logit_diff": float(runs["clean"][-1, an] - runs["clean"][-1, a]),
        "lens_final_diff_without_b_U": single["lens"]["final_post"],
        "lens_1_mid": single["lens"]["1_mid"],
        f"recovery_L{layer}N{number}": single["recovery"][number],
        f"recovery_mlp_{last}_last": maps["mlp_out"][last][-1],
        "recovery_attn_0_last": maps["attn_out"][0][-1],
        f"congruence_L{layer}N{number}_an": float(products[layer * d_mlp + number, an]),
        "in_weights_dot_W_E_an": float(model.W_E[an] @ model.blocks[layer]["in"][0][:, number]),
        "pile10k_top1_an": 3,
    }
    rows += [{"id": name, "value": value} for name, value in named.items()]
    second = {"neuron": f"L{other // d_mlp}N{other % d_mlp}", "value": float(products[other, an])}
    rows.append({"id": "congruence_second_neuron_an", **second})
    lowest = min(range(d_mlp), key=single["recovery"].__getitem__)
    row = {"neuron": f"L{layer}N{lowest}", "value": single["recovery"][lowest]}
    return [*rows, {"id": "recovery_lowest", **row}]
