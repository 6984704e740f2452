"""The page that lists architectures: ``python -m tests.architecture_list > docs/architectures.md``.

What it says of one is what the tests find.
"""

from transformer_lens.factories.architecture_adapter_factory import ArchitectureAdapterFactory
from transformers import AutoConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from analysis.errors import UserError
from analysis.hooks import family_of
from tests import families

HEAD = """# Architectures

Every decoder that TransformerLens can hook and that has neurons in every block can be studied.
Where a block keeps its parts is read off TransformerLens' adapters; there is no list of names in
the code. Each model is compared, when it is loaded, with plain transformers: activations, logits,
a resumed pass and what neurons write. Where they differ it is refused, whatever this list says.

*Exact* is the fast engine; *exact, whole sequences* gives the same numbers, slower, because the
blocks do not ask for their attention in a way that can be exchanged. Where a *norm behind*
attention or MLP stands between what is written and the residual stream, its scale depends on the
text: `upstream` takes it as it is in each run, `direct-effect`, `census`, `writers` and `find` as
it is at the end of the clean prompt, and each says so. `composition` takes it as it is in the
unpatched run; what patching does to the scales is a part of its own, and so is what a cap makes of
it all where logits are *capped*. `circuit` measures what each node writes by itself through the
norm, so what its edges bring back together is only nearly what they would. Where norms stand behind
alone (OLMo 2), `upstream` refuses.

This page is written by a test, from tiny random models (*tried*), else from the configuration
alone.

| class in transformers | engine | |
| --- | --- | --- |
"""


def page() -> str:
    tried = {
        families.class_of(kind): name
        for name, (kind, _) in (families.BRIEFLY | families.CONFIGS).items()
    }
    kinds = {
        kind: model_type
        for model_type, kind in sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.items(), reverse=True)
        if kind in ArchitectureAdapterFactory._adapters
        and kind.endswith(("ForCausalLM", "LMHeadModel"))
    }
    rows = [_row(kind, kinds[kind], tried.get(kind)) for kind in sorted(kinds, key=str.lower)]
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(kind: str, model_type: str, name: str | None) -> tuple[str, str, str]:
    if name is not None:
        engine = "exact, whole sequences" if name in families.WHOLE else "exact"
        subject = families.shared_subject(name)
        notes = ["tried"]
        notes += ["norm behind"] if subject.family.mlp_post else []
        notes += ["capped"] if subject.read_out.cap is not None else []
        return kind, engine, ", ".join(notes)
    try:
        family_of(AutoConfig.for_model(model_type), kind)
    except UserError as error:
        return kind, "refused", str(error).removeprefix(kind).strip()
    return kind, "compared when it is loaded", ""


if __name__ == "__main__":
    print(page(), end="")
