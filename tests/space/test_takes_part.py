"""In which committed questions a neuron takes part: off the sweeps that stand there."""

import numpy as np
import pytest

from analysis import EMBEDDED, results
from space import html
from space.committed_sweeps import _sweeps, parts
from space.neuron_panel import takes_part_panel
from space.view import View
from tests.prose import Prose


def test_a_neuron_has_its_place_in_every_committed_sweep():
    found = parts(EMBEDDED, "L25N1527")
    assert (found[0].target, found[0].place) == (" an", 1), "the study that is about it"
    folders = [each.parent for each in (results.COMMITTED / EMBEDDED).glob("*/neuron_sweep.npz")]
    assert len(found) == len(folders) > 1
    recoveries = {
        folder.name: np.load(folder / "neuron_sweep.npz")["recovery"] for folder in folders
    }
    for name, recovery in recoveries.items():
        own = recovery[25, 1527]
        (part,) = [each for each in found if each.recovery == pytest.approx(float(own))]
        assert part.place == 1 + (abs(recovery) > abs(own)).sum(), name
        assert part.neurons == recovery.size


def test_the_panel_tells_of_the_named_neuron_and_refuses_what_is_none():
    panel = takes_part_panel()
    text = Prose(panel.shown(View(neuron="L25N1527\u2212"))).text
    assert "In which questions L25N1527\u2212 takes part" in text
    assert "46,080 neurons" in text
    assert "name one" in Prose(panel.shown(View())).text
    assert "outside this model" in Prose(panel.shown(View(neuron="L99N1"))).text
    assert "No committed study" in Prose(panel.shown(View(model="gpt2", neuron="L1N1"))).text


@pytest.mark.parametrize("model", ["../results/smollm2-135m", "./smollm2-135m", "/tmp", "/"])
def test_a_model_that_is_a_path_is_not_looked_for(model):
    kept = _sweeps.cache_info().currsize
    assert parts(model, "L25N1527") == []
    assert _sweeps.cache_info().currsize == kept


def test_a_name_brings_no_markup():
    known = {"found": parts(EMBEDDED, "L25N1527"), "neuron": "<img src=x>"}
    page = Prose(html.of_neuron("takes-part", {}, known))
    assert "img" not in page.elements
