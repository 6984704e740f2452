"""Activations: a neuron on every token of any text, beside other texts; and what follows a token.

The texts are shown as tinted tokens. A token that is pressed is the end of a prompt, and what the
model expects after it is shown below.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from analysis import corpus
from analysis.declaration import Experiment
from analysis.errors import UserError
from analysis.experiments import named
from analysis.experiments.next_token.compute import NextToken, next_token
from analysis.inputs import Inputs
from analysis.progress import Progress
from analysis.prompts import Prompt, excerpt, make_prompt
from analysis.running import inputs, provenance, signed
from analysis.subject import Subject
from space import html, limits, service
from space.answers import Answer, answer
from space.asks import Ask
from space.controls import asking
from space.own import question_of
from space.panel import Panel
from space.question_bar import QuestionBar
from space.view import OWN, View

NAME = "activations"
FOLLOWING = "next_token"


class TokenPanel(Panel):
    """A panel that shows texts as tinted tokens."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment, late=True)
        self.tokens = gr.HTML("", elem_classes=f"more-{experiment.name}")

    @property
    def outputs(self) -> list[Any]:
        """The tokens come last."""
        return [*super().outputs, self.tokens]

    def show(self, answer: Answer, view: View) -> list[Any]:
        """The finding, and the texts."""
        return [*super().show(answer, view), html.tokens(answer.result)]

    def refuse(self, error: UserError, view: View | None = None) -> list[Any]:
        """No tokens."""
        return [*super().refuse(error, view), ""]


class AfterToken(Panel):
    """A panel about a token of the texts: another text takes it away."""

    def question(self, view: View) -> dict[str, str]:
        """What the texts are of."""
        return {**super().question(view), "text": view.text}


@dataclass(frozen=True)
class TokenAsk(Ask):
    """What follows the token that is pressed; the page writes its place as ``row:position``."""

    @property
    def quick(self) -> bool:
        """A token has to be pressed first."""
        return False

    def known(self, view: View) -> Answer | None:
        """None: no study was asked about a token that a visitor presses."""
        del view
        return None

    def answer(self, view: View, options: Mapping[str, Any]) -> Answer:
        """The distribution after that token.

        Raises:
            UserError: there is no such token.
        """
        return following(view, options)


def build(experiment: Experiment, tab: str, bar: QuestionBar) -> list[Ask]:
    """The components of the panel."""
    panel = TokenPanel(experiment)
    place = gr.Textbox("", visible="hidden", elem_id="token", label="Token")
    after = AfterToken(named(FOLLOWING), quick=False)
    bar.boxes["text"].render()
    with gr.Row(elem_classes="asking"):
        button = asking(experiment, experiment.button)
        seed = gr.Number(
            0, label="Which random news", precision=0, minimum=0, scale=0, min_width=240
        )
    panel.foot.render()  # type: ignore[no-untyped-call]
    return [
        Ask(tab, experiment, panel, {"seed": seed}, button),
        TokenAsk(
            tab, named(FOLLOWING), after, {"place": place, "seed": seed}, None, (place.change,)
        ),
    ]


def following(view: View, options: Mapping[str, Any]) -> Answer:
    """What follows a token of the texts that the activations are shown of.

    Args:
        view: what the texts are of.
        options: ``place`` of the token, as ``row:position``, and the ``seed`` of the news.

    Raises:
        UserError: there is no such token.
    """
    full = service.complete(view, named(NAME))
    result = service.result(named(FOLLOWING), full, options, follow)
    question = question_of(full, named(NAME))
    words = {"target": question.target, "foil": question.foil}
    own = dict.fromkeys(OWN, "")
    typed = replace(full, **own, clean=result.prompts[0], corrupted="", **words)
    shown = answer(named(FOLLOWING), typed, {}, result)
    return shown if typed.clean else replace(shown, command="")


def follow(
    _experiment: Experiment,
    subject: Subject,
    view: View,
    options: Mapping[str, Any],
    _progress: Progress,
) -> NextToken:
    """The next-token distribution after a text's first tokens.

    Raises:
        UserError: there is no such token.
    """
    match = re.fullmatch(r"(\d):(\d{1,4})", str(options["place"]), re.ASCII)
    if match is None:
        raise UserError("A token's place is its row and its number: 0:3.")
    experiment, question = named(NAME), question_of(view, named(NAME))
    chosen = service.given(experiment, view, {"seed": options["seed"]})
    wanted = inputs(experiment, subject, question, view.neurons, chosen, live=True)
    limits.check(subject, experiment, wanted)
    row, position = map(int, match.groups())
    texts = _texts(subject, wanted)
    if row >= len(texts) or position >= len(texts[row].tokens):
        raise UserError(f"There is no token {row}:{position} in these texts.")
    begun = _begun(subject, texts[row], 1 + position)
    result = next_token(subject, [begun], question.contrast(subject))
    after = named(FOLLOWING)
    given = Inputs(question, (), after.check({}))
    return signed(result, provenance(after, subject, given))


def _texts(subject: Subject, wanted: Inputs) -> list[Prompt]:
    """The texts in which the experiment reads the neuron, in its order."""
    question, text = wanted.question, wanted["text"]
    first = question.prompt(subject) if text is None else make_prompt(subject, text, "text")
    drawn = corpus.sample(wanted["random_texts"], wanted["seed"])
    news = [excerpt(subject, each, wanted["random_tokens"]) for _, each in drawn]
    return [
        first,
        *question.prompts(subject)[1:],
        *(make_prompt(subject, each) for each in news),
    ]


def _begun(subject: Subject, text: Prompt, end: int) -> Prompt:
    """A text's first tokens; as a text it is empty where none is read as just these tokens."""
    tokens = text.tokens[:end]
    typed = subject.tokenizer.decode(
        tokens[int(subject.prepend_bos) :], clean_up_tokenization_spaces=False
    )
    same = bool(typed) and tuple(subject.tokens(typed)) == tokens
    return Prompt(typed if same else "", tokens, text.strings[:end])
