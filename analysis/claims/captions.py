"""The finding that each figure of a study shows."""

from collections.abc import Mapping

from markupsafe import Markup

from analysis.claims import Claims


def captions(claims: Claims) -> Mapping[str, Markup]:
    """The captions by figure, in reading order."""
    return {
        "next_token": claims.prompts.next_caption,
        "natural_prompts": claims.prompts.natural_caption,
        "logit_lens": claims.lens.caption,
        "patching": claims.circuit.caption,
        "heads": claims.circuit.heads_caption,
        "neuron_sweep": claims.neurons.caption,
        "confirmation": claims.neurons.confirmation_caption,
        "attribution": claims.neurons.attribution_caption,
        "direct_effect": claims.writes.caption,
        "written_tokens": claims.writes.tokens_caption,
        "activations": claims.activity.caption,
        "random_text": claims.activity.news_caption,
        "corpus_scan": claims.corpus.caption,
        "corpus_auc": claims.corpus.auc_caption,
        "upstream": claims.upstream.caption,
        "upstream_sources": claims.upstream.sources_caption,
        "upstream_steps": claims.upstream.steps_caption,
        "upstream_pairs": claims.upstream.pairs_caption,
        "upstream_alignment": claims.upstream.alignment_caption,
        "composition": claims.composition.caption,
        "composition_held_out": claims.composition.held_out_caption,
        "intervention": claims.intervention.caption,
        "ablation": claims.ablation.caption,
        "collateral": claims.ablation.corpus_caption,
        "weight_modulation": claims.modulation.caption,
        "generality": claims.generality.caption,
        "census": claims.census.caption,
        "hubs": claims.census.hubs_caption,
        "agreement": claims.census.behaviour_caption,
        "comparison": claims.comparison.caption,
        "beside_original": claims.original.caption,
    }
