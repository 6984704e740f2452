"""The step that only a study of the original's own model and question has."""

from analysis.original import published
from analysis.original.verification import Verification, verification
from analysis.progress import Progress
from analysis.steps.inputs import Inputs, Step
from analysis.subject import Subject


def _verification(subject: Subject, _inputs: Inputs, progress: Progress) -> Verification:
    return verification(subject, published.document(), progress)


def _applies(subject: Subject, inputs: Inputs) -> bool:
    told, pair = published.document(), inputs.pair
    asked = (pair.clean.text, pair.corrupted.text, pair.contrast.target, pair.contrast.foil)
    return published.about(told, subject) and published.same_pair(told, *asked)


VERIFICATION = Step(
    "verification",
    Verification,
    _verification,
    reads=("analysis.original.published",),
    home="analysis.original.verification",
    applies=_applies,
)
