"""What a visitor can ask: each a few lines from a view to an experiment's Result.

The functions take a model, a view, whom to tell of progress, and options of their own. They check
what they are given, since anyone can call them with anything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis import corpus, finding
from analysis.errors import UserError
from analysis.experiments import (
    activations,
    composition,
    corpus_scan,
    direct_effect,
    logit_lens,
    neuron_sweep,
    next_token,
    patching,
    upstream,
)
from analysis.neuron import Neuron, parse_neuron
from analysis.progress import Progress
from analysis.question import (
    Contrast,
    Prompt,
    PromptPair,
    excerpt,
    make_contrast,
    make_pair,
    make_prompt,
)
from analysis.subject import Subject
from space.settings import ARTICLES, PAIR_TOKENS, SCREENS, TEXT_TOKENS
from space.view import View

RANDOM_TOKENS = 60
SEEDS = 2**31 - 1


def whole(value: Any, name: str, low: int, high: int) -> int:
    """A whole number within limits.

    Raises:
        UserError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise UserError(f"The {name} has to be a whole number from {low} to {high:,}.")
    if not low <= value <= high:
        raise UserError(f"The {name} has to lie between {low} and {high:,}.")
    return int(value)


def _prompt(subject: Subject, text: str, what: str) -> Prompt:
    prompt = make_prompt(subject, text, what)
    length = len(prompt.tokens)
    if length > TEXT_TOKENS:
        raise UserError(f"The {what} has {length} tokens: the longest allowed is {TEXT_TOKENS}.")
    return prompt


def _pair(subject: Subject, view: View) -> PromptPair:
    pair = make_pair(subject, view.clean, view.corrupted, view.target, view.foil)
    if len(pair.clean.tokens) > PAIR_TOKENS:
        raise UserError(
            f"The prompts have {len(pair.clean.tokens)} tokens: the longest pair allowed here has "
            f"{PAIR_TOKENS}. Shorten both, or use the command line."
        )
    return pair


def _neuron(subject: Subject, view: View) -> Neuron:
    return parse_neuron(view.neuron, subject.n_layers, subject.d_mlp)


def _contrast(subject: Subject, view: View) -> Contrast:
    return make_contrast(subject, view.target, view.foil)


def ask_next_token(subject: Subject, view: View, _progress: Progress) -> next_token.NextToken:
    """What follows the clean prompt and the corrupted one."""
    texts = (("clean prompt", view.clean), ("corrupted prompt", view.corrupted))
    prompts = [_prompt(subject, text, what) for what, text in texts if text]
    return next_token.next_token(subject, prompts, _contrast(subject, view))


def ask_following(
    subject: Subject, view: View, _progress: Progress, row: int, position: int, seed: int = 0
) -> next_token.NextToken:
    """What follows one token of a text that the activations are shown of."""
    texts = _texts(subject, view, seed)
    text = texts[whole(row, "row", 0, len(texts) - 1)]
    end = 1 + whole(position, "position", 0, len(text.tokens) - 1)
    begun = Prompt("".join(text.strings[:end]), text.tokens[:end], text.strings[:end])
    return next_token.next_token(subject, [begun], _contrast(subject, view))


def _texts(subject: Subject, view: View, seed: int) -> tuple[Prompt, Prompt, Prompt]:
    """The visitor's text, the corrupted prompt, and the beginning of a random article."""
    ((_, article),) = corpus.sample(1, whole(seed, "number of the news", 0, SEEDS))
    return (
        _prompt(subject, view.text or view.clean, "text"),
        _prompt(subject, view.corrupted, "corrupted prompt"),
        make_prompt(subject, excerpt(subject, article, RANDOM_TOKENS)),
    )


def ask_logit_lens(subject: Subject, view: View, _progress: Progress) -> logit_lens.LogitLens:
    """After which half layer the answer appears, in both prompts."""
    pair = _pair(subject, view)
    return logit_lens.logit_lens(subject, (pair.clean, pair.corrupted), pair.contrast)


def ask_activations(
    subject: Subject, view: View, progress: Progress, beside: bool = False, seed: int = 0
) -> activations.Activations:
    """The neuron on every token of the text, and beside it of the prompts and a random text."""
    chosen, contrast = _neuron(subject, view), _contrast(subject, view)
    if not beside:
        text = _prompt(subject, view.text or view.clean, "text")
        return activations.activations(subject, chosen, contrast, [text], (), progress)
    *texts, news = _texts(subject, view, seed)
    return activations.activations(subject, chosen, contrast, texts, [news], progress)


def ask_direct_effect(
    subject: Subject, view: View, _progress: Progress, seed: int = 0
) -> direct_effect.DirectEffect:
    """The tokens that the neuron writes."""
    chosen, contrast = _neuron(subject, view), _contrast(subject, view)
    return direct_effect.direct_effect(subject, chosen, contrast, whole(seed, "seed", 0, SEEDS))


def ask_patching(subject: Subject, view: View, progress: Progress) -> patching.Patching:
    """Every layer, position and head, patched alone."""
    return patching.patching(subject, _pair(subject, view), progress)


def ask_sweep(
    subject: Subject, view: View, progress: Progress, screen: int = 64
) -> neuron_sweep.NeuronSweep:
    """Neurons patched alone: the best by attribution, or with a screen of 0 every one."""
    screen = screen and whole(screen, "number of neurons", *SCREENS)
    return neuron_sweep.neuron_sweep(
        subject, _pair(subject, view), screen=screen, progress=progress
    )


def ask_find(subject: Subject, view: View, progress: Progress, screen: int = 64) -> finding.Found:
    """The neurons that write the target rather than the foil, and those that carry it here."""
    screen = whole(screen, "number of neurons", *SCREENS)
    return finding.find(subject, _pair(subject, view), screen, progress=progress)


def ask_upstream(subject: Subject, view: View, progress: Progress) -> upstream.Upstream:
    """The parts of the neuron's pre-activation."""
    pair = _pair(subject, view)
    return upstream.upstream(subject, _neuron(subject, view), pair, progress=progress)


def ask_composition(subject: Subject, view: View, progress: Progress) -> composition.Composition:
    """Direct and indirect effect of the neuron, and what later components make of it."""
    pair = _pair(subject, view)
    return composition.composition(subject, _neuron(subject, view), pair, progress=progress)


def ask_scan(
    subject: Subject, view: View, progress: Progress, articles: int = 2, seed: int = 0
) -> corpus_scan.CorpusScan:
    """The neuron on some articles of the corpus, drawn at random."""
    count = whole(articles, "number of articles", *ARTICLES)
    texts = corpus.sample(count, whole(seed, "seed", 0, SEEDS))
    chosen, contrast = _neuron(subject, view), _contrast(subject, view)
    return corpus_scan.corpus_scan(subject, [chosen], contrast, texts, seed, progress=progress)


@dataclass(frozen=True)
class Question:
    """One thing to ask.

    Attributes:
        ask: computes the Result.
        summary: the Result as the command line prints it.
        verb: the command that asks the same.
        shares: which parts of the view the command takes.
        fixed: options that the command needs for the very same answer.
        figures: the figures that show the Result.
        unseen: options that change only what is shown beside the answer.
        renamed: options that the command calls otherwise.
        seconds: the longest it should take on a GPU.
    """

    ask: Callable[..., Any]
    summary: Callable[[Any], dict[str, Any]]
    verb: str
    shares: tuple[str, ...]
    figures: tuple[str, ...] = ()
    fixed: tuple[tuple[str, Any], ...] = ()
    unseen: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    seconds: int = 10


PAIR = ("clean", "corrupted", "target", "foil")
TOP = 20

QUESTIONS: dict[str, Question] = {
    "next_token": Question(
        ask_next_token, next_token.summary, "prompt", PAIR, ("next_token",), seconds=5
    ),
    "following": Question(
        ask_following,
        next_token.summary,
        "prompt",
        ("clean", "target", "foil"),
        ("next_token",),
        unseen=("row", "position", "seed"),
        seconds=5,
    ),
    "logit_lens": Question(
        ask_logit_lens, logit_lens.summary, "lens", PAIR, ("logit_lens",), seconds=5
    ),
    "activations": Question(
        ask_activations,
        activations.summary,
        "activations",
        ("neuron", "text", "target", "foil"),
        unseen=("beside", "seed"),
        seconds=5,
    ),
    "direct_effect": Question(
        ask_direct_effect,
        direct_effect.summary,
        "direct-effect",
        ("neuron", "target", "foil"),
        ("direct_effect", "written_tokens"),
        seconds=5,
    ),
    "patching": Question(
        ask_patching,
        lambda result: patching.summary(result, "mlp_out"),
        "patch",
        PAIR,
        ("patching", "heads"),
    ),
    "sweep": Question(
        ask_sweep,
        lambda result: neuron_sweep.summary(result, TOP),
        "sweep",
        PAIR,
        ("neuron_sweep",),
        (("held_out", 0),),
        seconds=60,
    ),
    "find": Question(ask_find, finding.summary, "find", PAIR, ("neuron_sweep",), seconds=15),
    "upstream": Question(
        ask_upstream,
        upstream.summary,
        "upstream",
        ("neuron", *PAIR),
        ("upstream", "upstream_sources", "upstream_steps"),
        (("held_out", 0),),
    ),
    "composition": Question(
        ask_composition,
        composition.summary,
        "composition",
        ("neuron", *PAIR),
        ("composition",),
        (("held_out", 0),),
    ),
    "scan": Question(
        ask_scan,
        corpus_scan.summary,
        "scan",
        ("neuron", "target", "foil"),
        ("corpus_scan", "corpus_auc"),
        renamed={"articles": "documents"},
        seconds=30,
    ),
}
"""All questions by name."""
