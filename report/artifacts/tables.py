"""The tables of a study: which rows, from which result, and what stands in their columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from analysis.experiments import ablation

Kind = Literal["number", "text", "token", "sentence"]
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Column:
    """A column of a printed table.

    Attributes:
        key: name of the column in the rows.
        heading: what stands above it.
        kind: how its cells are written.
        span: key of the interval that stands beside each number, if any.
        times: what the numbers are multiplied by, for a unit that suits them.
    """

    key: str
    heading: str
    kind: Kind = "number"
    span: str = ""
    times: float = 1


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        step: the result that it is made of.
        caption: what it shows, without numbers.
        rows: from the result's summary to its rows.
        columns: those that are printed; the CSV has all that the rows have.
        whole: whether ``rows`` takes the result itself rather than its summary.
    """

    step: str
    caption: str
    rows: Callable[[Any], Rows]
    columns: tuple[Column, ...]
    whole: bool = False


def _written(told: Mapping[str, Any]) -> Rows:
    ends = (("raised", told["top"]), ("lowered", told["bottom"]))
    return [{"effect": effect, **row} for effect, rows in ends for row in rows]


def _parts(told: Mapping[str, Any]) -> Rows:
    """Both projections of a gated neuron, one below the other."""
    sides = [side for side in (told, told.get("up")) if side]
    return [{"projection": s["projection"], **row} for s in sides for row in s["parts"]]


def _models(told: Mapping[str, Any]) -> Rows:
    """Models with what they answer to the clean and to the corrupted prompt named."""
    sides, measures = ("clean", "corrupted"), ("p_target", "logit_diff", "activation")
    return [
        {**row, **{name: dict(zip(sides, row[name], strict=True)) for name in measures}}
        for row in told["models"]
    ]


_NEURON = Column("neuron", "Neuron", "text")
_RECOVERY = Column("recovery", "Recovery")

TABLES: Mapping[str, Table] = {
    "sweep": Table(
        "neuron_sweep",
        "Neurons by the share of the logit difference that patching each alone recovers.",
        lambda told: told["neurons"],
        (_NEURON, _RECOVERY, Column("activation_change", "Change of activation")),
    ),
    "confirmation": Table(
        "neuron_sweep",
        "Recovery of the best neurons on pairs of prompts that took no part in their choice, with "
        "bootstrap intervals.",
        lambda told: told["held_out"],
        (_NEURON, Column("recovery", "Recovery, held out", span="interval")),
    ),
    "direct_effect_tokens": Table(
        "direct_effect",
        "Tokens that the neuron raises and lowers most by its output weights, final norm frozen; "
        "logits per unit of activation over the norm's scale, centred over the vocabulary.",
        _written,
        (
            Column("effect", "Effect", "text"),
            Column("token", "Token", "token"),
            Column("logit", "Logit"),
        ),
    ),
    "corpus_quantiles": Table(
        "corpus_scan",
        "Tokens of the corpus at quantiles of the neuron's activation.",
        lambda told: told["quantiles"],
        (
            Column("quantile", "Quantile"),
            Column("value", "Activation"),
            Column("token", "Token", "token"),
            Column("next", "Next", "token"),
        ),
    ),
    "upstream_parts": Table(
        "upstream",
        "Parts of the neuron's pre-activation at the last position, by the component that wrote "
        "them.",
        _parts,
        (
            Column("projection", "Projection", "text"),
            Column("name", "Component", "text"),
            Column("value", "Clean"),
            Column("corrupted", "Corrupted"),
        ),
    ),
    "composition_components": Table(
        "composition",
        "Later components that read the neuron: the single path through each, and what each "
        "writes differently in the full run, in logits of target minus foil.",
        lambda told: told["by_component"],
        (
            Column("name", "Component", "text"),
            Column("effect", "Single path"),
            Column("in_full_run", "Full run"),
        ),
    ),
    "ablation_methods": Table(
        "ablation",
        "The neuron's activation replaced in prompts of either kind, by method: change of the "
        "logit difference, and how many matched neurons change it as much.",
        lambda result: ablation.tables(result)["set"],
        (
            Column("calls_for", "Calls for", "token"),
            Column("method", "Method", "text"),
            Column("logit_diff_change", "Change", span="logit_diff_change_interval"),
            Column("matched_as_large", "Matched as large"),
        ),
        whole=True,
    ),
    "ablation_corpus": Table(
        "ablation",
        "The neuron's activation replaced everywhere in a corpus, by method: change of the loss "
        "of the text's own next token, and the divergence from the untouched model, both in "
        "thousandths of a nat.",
        lambda result: ablation.tables(result)["corpus"],
        (
            Column("next_is_target", "Target follows", "text"),
            Column("method", "Method", "text"),
            Column("loss_change", "Change of loss", span="loss_change_interval", times=1000),
            Column("kl", "KL divergence", span="kl_interval", times=1000),
        ),
        whole=True,
    ),
    "intervention_settings": Table(
        "intervention",
        "One prompt's next token with the neuron's activation exchanged at its end.",
        lambda told: told["settings"],
        (
            Column("setting", "Setting", "text"),
            Column("set_to", "Activation"),
            Column("logit_diff", "Logit difference"),
            Column("p_target", "P(target)"),
            Column("p_foil", "P(foil)"),
            Column("kl", "KL divergence"),
        ),
    ),
    "generality_templates": Table(
        "generality",
        "How well the neuron's activation parts the words that call for the target from those "
        "that call for the foil, by sentence.",
        lambda told: told["templates"],
        (
            Column("template", "Sentence", "sentence"),
            Column("auc", "AUC", span="auc_interval"),
            Column("matched_that_part_as_well", "Matched as good"),
        ),
    ),
    "census_pairs": Table(
        "census",
        "Words and neurons that are each other's best by output weights against unembedding.",
        lambda told: told["pairs"],
        (
            Column("token", "Token", "token"),
            _NEURON,
            Column("token_gap", "Token gap"),
            Column("neuron_gap", "Neuron gap"),
            Column("score", "Score"),
        ),
    ),
    "comparison": Table(
        "comparison",
        "The best neuron of each model, chosen and confirmed in the same way.",
        _models,
        (
            Column("name", "Model", "text"),
            _NEURON,
            _RECOVERY,
            Column("held_out", "Held out", span="held_out_interval"),
            Column("target_rank", "Rank of target"),
        ),
    ),
    "verification": Table(
        "verification",
        "The original study's published numbers computed anew by its own conventions: how many "
        "agree, and the one furthest off by its tolerance.",
        lambda told: told["groups"],
        (
            Column("group", "Published in", "text"),
            Column("numbers", "Numbers"),
            Column("agree", "Agree"),
            Column("furthest_off", "Furthest off", "text"),
            Column("by", "By"),
            Column("tolerance", "Tolerance"),
        ),
    ),
    "verification_numbers": Table(
        "verification",
        "The original study's published numbers beside the same computed here.",
        lambda told: told["numbers"],
        (
            Column("name", "Number", "text"),
            Column("published", "Published"),
            Column("here", "Here"),
            Column("tolerance", "Tolerance"),
            Column("verdict", "Verdict", "text"),
        ),
    ),
}
