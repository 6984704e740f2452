"""From a view to an experiment's Result, in a few lines each.

The functions take a model, a view, whom to tell of progress, and options of their own. They check
what they are given, since anyone can call them with anything.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float

from analysis import corpus, finding
from analysis.engines.elsewhere import TEXT_TOKENS, TEXTS, beginnings, elsewhere
from analysis.experiments import (
    activations,
    composition,
    corpus_scan,
    direct_effect,
    intervention,
    logit_lens,
    neuron_sweep,
    next_token,
    patching,
    upstream,
)
from analysis.progress import Progress
from analysis.question import (
    Prompt,
    excerpt,
    make_contrast,
    make_prompt,
)
from analysis.subject import Subject
from analysis.weights import writers
from space import checks, values
from space.settings import (
    ARTICLES,
    FACTORS,
    LENGTHS,
    SCREENS,
    WORD_CHARACTERS,
    WRITTEN,
)
from space.view import View

RANDOM_TOKENS = 60
TOP = 20
POOLS = 48
"""Layers whose activations on news are kept: some megabytes each."""
SEEDS = 2**31 - 1


def ask_next_token(subject: Subject, view: View, _progress: Progress) -> next_token.NextToken:
    """What follows the clean prompt and the corrupted one."""
    if not view.corrupted:
        prompt = checks.prompt(subject, view.clean, "clean prompt")
        return next_token.next_token(subject, [prompt], checks.contrast(subject, view))
    pair = checks.pair(subject, view)
    return next_token.next_token(subject, [pair.clean, pair.corrupted], pair.contrast)


def ask_following(
    subject: Subject, view: View, _progress: Progress, row: int, position: int, seed: int = 0
) -> next_token.NextToken:
    """What follows one token of a text that the activations are shown of."""
    texts, contrast = _texts(subject, view, seed), checks.contrast(subject, view)
    text = texts[values.whole(row, "row", 0, len(texts) - 1)]
    end = 1 + values.whole(position, "position", 0, len(text.tokens) - 1)
    return next_token.next_token(subject, [_begun(subject, text, end)], contrast)


def _begun(subject: Subject, text: Prompt, end: int) -> Prompt:
    """A text's first tokens; as a text it is empty where none is read as just these tokens."""
    tokens = text.tokens[:end]
    typed = subject.tokenizer.decode(
        tokens[int(subject.prepend_bos) :], clean_up_tokenization_spaces=False
    )
    same = bool(typed) and tuple(subject.tokens(typed)) == tokens
    return Prompt(typed if same else "", tokens, text.strings[:end])


def _texts(subject: Subject, view: View, seed: int) -> tuple[Prompt, Prompt, Prompt]:
    """The visitor's text, the corrupted prompt, and the beginning of a random article."""
    ((_, article),) = corpus.sample(1, values.whole(seed, "number of the news", 0, SEEDS))
    return (
        checks.prompt(subject, view.text or view.clean, "text"),
        checks.prompt(subject, view.corrupted, "corrupted prompt"),
        make_prompt(subject, excerpt(subject, article, RANDOM_TOKENS)),
    )


def ask_logit_lens(subject: Subject, view: View, _progress: Progress) -> logit_lens.LogitLens:
    """After which half layer the answer appears, in both prompts."""
    pair = checks.pair(subject, view)
    return logit_lens.logit_lens(subject, (pair.clean, pair.corrupted), pair.contrast)


def ask_activations(
    subject: Subject, view: View, progress: Progress, beside: bool = False, seed: int = 0
) -> activations.Activations:
    """The neuron on every token of the text, and beside it of the prompts and a random text."""
    chosen, contrast = checks.neuron(subject, view), checks.contrast(subject, view)
    if not beside:
        text = checks.prompt(subject, view.text or view.clean, "text")
        return activations.activations(subject, chosen, contrast, [text], (), progress)
    text, corrupted, news = _texts(subject, view, seed)
    alone = activations.activations(subject, chosen, contrast, [text])
    others = activations.activations(subject, chosen, contrast, [corrupted], [news], progress)
    return _joined(alone, others)


def _joined(
    first: activations.Activations, second: activations.Activations
) -> activations.Activations:
    """Two readings as one. The text is read alone, for company changes its last digits."""
    names = ("activations", "p_target", "next_is_target")
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names
    }
    return replace(
        first,
        texts=first.texts + second.texts,
        random_texts=second.random_texts,
        lengths=first.lengths + second.lengths,
        tokens=first.tokens + second.tokens,
        **arrays,
    )


def ask_direct_effect(
    subject: Subject, view: View, _progress: Progress, seed: int = 0
) -> direct_effect.DirectEffect:
    """The tokens that the neuron writes."""
    chosen, contrast = checks.neuron(subject, view), checks.contrast(subject, view)
    return direct_effect.direct_effect(
        subject, chosen, contrast, values.whole(seed, "seed", 0, SEEDS)
    )


def ask_writers(
    subject: Subject, view: View, _progress: Progress, token: str = ""
) -> writers.Writers:
    """The neurons that write a token most; without one, the target rather than the foil."""
    if not values.text(token, "token", WORD_CHARACTERS):
        return writers.writers_of(subject, checks.contrast(subject, view), TOP)
    asked = make_contrast(subject, token, rival(view, token))
    return writers.writers_of(subject, asked, TOP, alone=True)


def rival(view: View, token: str) -> str:
    """Another token than this one: a question has two, even where only one counts."""
    return view.foil if token != view.foil else view.target


def ask_patching(subject: Subject, view: View, progress: Progress) -> patching.Patching:
    """Every layer, position and head, patched alone."""
    return patching.patching(subject, checks.pair(subject, view), progress)


def ask_sweep(
    subject: Subject, view: View, progress: Progress, screen: int = 64
) -> neuron_sweep.NeuronSweep:
    """Neurons patched alone: the best by attribution, or with a screen of 0 every one."""
    screen = values.whole(screen, "number of neurons", 0, SCREENS[1])
    screen = screen and values.whole(screen, "number of neurons", *SCREENS)
    return neuron_sweep.neuron_sweep(
        subject, checks.pair(subject, view), screen=screen, progress=progress
    )


def ask_find(subject: Subject, view: View, progress: Progress, screen: int = 64) -> finding.Found:
    """The neurons that write the target rather than the foil, and those that carry it here."""
    screen = values.whole(screen, "number of neurons", *SCREENS)
    return finding.find(subject, checks.pair(subject, view), screen, progress=progress)


def ask_upstream(subject: Subject, view: View, progress: Progress) -> upstream.Upstream:
    """The parts of the neuron's pre-activation."""
    pair = checks.pair(subject, view)
    return upstream.upstream(subject, checks.neuron(subject, view), pair, progress=progress)


def ask_composition(subject: Subject, view: View, progress: Progress) -> composition.Composition:
    """Direct and indirect effect of the neuron, and what later components make of it."""
    pair = checks.pair(subject, view)
    return composition.composition(subject, checks.neuron(subject, view), pair, progress=progress)


def ask_scan(
    subject: Subject, view: View, progress: Progress, articles: int = 2, seed: int = 0
) -> corpus_scan.CorpusScan:
    """The neuron on some articles of the corpus, drawn at random."""
    count = values.whole(articles, "number of articles", *ARTICLES)
    seed = values.whole(seed, "seed", 0, SEEDS)
    texts = corpus.sample(count, seed)
    chosen, contrast = checks.neuron(subject, view), checks.contrast(subject, view)
    return corpus_scan.corpus_scan(subject, [chosen], contrast, texts, seed, progress=progress)


def ask_intervene(
    subject: Subject,
    view: View,
    progress: Progress,
    factor: float = intervention.FACTOR,
    length: int = WRITTEN,
) -> intervention.Intervention:
    """The clean prompt with the neuron's activation exchanged, and what is written on."""
    chosen, contrast = checks.neuron(subject, view), checks.contrast(subject, view)
    prompt = checks.prompt(subject, view.clean, "clean prompt")
    return intervention.intervention(
        subject,
        chosen,
        contrast,
        prompt,
        _pool(subject, chosen.layer)[:, chosen.number],
        values.number(factor, "factor", *FACTORS),
        length=values.whole(length, "length", 0, LENGTHS),
        progress=progress,
    )


@lru_cache(maxsize=POOLS)
def _pool(subject: Subject, layer: int) -> Float[np.ndarray, "token d_mlp"]:
    """A layer's activations on random news, kept because every neuron of the layer can use them."""
    texts = beginnings(subject, corpus.sample(TEXTS, 0), TEXT_TOKENS)
    rows: np.ndarray = elsewhere(subject, layer, texts).float().cpu().numpy()
    return rows
