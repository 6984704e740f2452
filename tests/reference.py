"""The slow, obvious way to patch a neuron: one hooked forward pass each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from analysis.contrast import Contrast
from analysis.neuron import Neuron
from analysis.prompts import Prompt, PromptPair
from analysis.subject import Subject


def logit_diff(subject: Subject, pair: PromptPair, logits: torch.Tensor) -> float:
    last = logits[0, -1]
    return float(last[pair.contrast.target_id] - last[pair.contrast.foil_id])


def diff_with_hooks(subject: Subject, pair: PromptPair, tokens: tuple[int, ...], hooks) -> float:
    with torch.no_grad():
        logits = subject.bridge.run_with_hooks(
            subject.batch(tokens), fwd_hooks=hooks, prepend_bos=False
        )
    return logit_diff(subject, pair, logits)


def patched_recoveries(
    subject: Subject, pair: PromptPair, neurons: Sequence[Neuron], positions: str
) -> list[float]:
    """(patched - corrupted) / (clean - corrupted), a forward pass a neuron."""
    clean = diff_with_hooks(subject, pair, pair.clean.tokens, [])
    corrupted = diff_with_hooks(subject, pair, pair.corrupted.tokens, [])
    source = subject.cache(pair.clean.tokens, "mlp.hook_post")["mlp.hook_post"]
    recoveries = []
    for neuron in neurons:

        def patch(post, hook, neuron=neuron):
            where = slice(None) if positions == "all" else slice(-1, None)
            post[0, where, neuron.number] = source[neuron.layer, where, neuron.number]
            return post

        hook = (f"blocks.{neuron.layer}.mlp.hook_post", patch)
        patched = diff_with_hooks(subject, pair, pair.corrupted.tokens, [hook])
        recoveries.append((patched - corrupted) / (clean - corrupted))
    return recoveries


def diff_with_held(
    subject: Subject,
    pair: PromptPair,
    tokens: tuple[int, ...],
    held: torch.Tensor,
    values: torch.Tensor,
) -> float:
    """The logit difference with some activations, [layer pos d_mlp], put in by a hook a layer."""

    def put(post, hook):
        layer = int(hook.name.split(".")[1])
        return torch.where(held[layer], values[layer], post)

    hooks = [(f"blocks.{layer}.mlp.hook_post", put) for layer in range(subject.n_layers)]
    return diff_with_hooks(subject, pair, tokens, hooks)


def log_p(subject: Subject, tokens: Sequence[int], word: str) -> float:
    """One pass of the plain model for each token, at its own end."""
    found, tokens = 0.0, list(tokens)
    for token in subject.tokenizer(word, add_special_tokens=False)["input_ids"]:
        with torch.no_grad():
            logits = subject.model(subject.batch(tokens)).logits[0, -1].double()
        found += float(logits.log_softmax(-1)[token])
        tokens.append(token)
    return found


def choice(subject: Subject, prompt: Prompt, contrast: Contrast) -> float:
    """Log p of the target less that of the foil, words of any length."""
    target, foil = (log_p(subject, prompt.tokens, w) for w in (contrast.target, contrast.foil))
    return target - foil


@contextmanager
def patched(
    subject: Subject, neuron: Neuron, values: torch.Tensor, prompt: Prompt
) -> Iterator[None]:
    """The plain model with a neuron exchanged at the last places of a prompt, whatever follows."""
    end = len(prompt.tokens)

    def put(entering):
        entering = entering.clone()
        entering[:, end - len(values) : end, neuron.number] = values
        return entering

    with subject.family.activations(subject.blocks[neuron.layer], put):
        yield


def outputs(subject, tokens, names, hooks=()):
    """What some hooks see at the last position, with others applied."""
    seen = {}

    def watch(name):
        def hook(value, hook):
            seen[name] = value[0, -1].clone()
            return value

        return name, hook

    with torch.no_grad():
        subject.bridge.run_with_hooks(
            subject.batch(tokens), fwd_hooks=[*hooks, *map(watch, names)], prepend_bos=False
        )
    return seen
