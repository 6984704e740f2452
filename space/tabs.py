"""The tabs: the experiments that the app asks, grouped as they are declared, and the story."""

import re
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import gradio as gr

from analysis.declaration import Experiment
from analysis.experiments import EXPERIMENTS
from space import html, service
from space.asks import USUAL_LABEL, Ask
from space.controls import asking, controls, events, settable
from space.neuron_panel import SCANNED, TAKES_PART, scanned_panel, takes_part_panel
from space.panel import Panel
from space.question_bar import QuestionBar
from space.shelves import LIBRARY, STORY


@dataclass(frozen=True)
class Tab:
    """A tab: its name in the address, its title, and the experiments that it shows."""

    name: str
    title: str
    experiments: tuple[Experiment, ...] = ()
    group: str = ""


def grouped() -> dict[str, list[Tab]]:
    """The tabs under the titles of their groups; one that stands alone, under its own."""
    groups: dict[str, list[Tab]] = {}
    for tab in tabs():
        groups.setdefault(tab.group or tab.title, []).append(tab)
    return groups


def group_id(title: str) -> str:
    """The name of a group in the page."""
    return "group-" + re.sub(r"\W+", "-", title.lower(), flags=re.ASCII)


def tabs() -> tuple[Tab, ...]:
    """All tabs in the order of the argument; what is committed, words and story, comes last."""
    groups: dict[str, list[Experiment]] = {}
    for each in EXPERIMENTS:
        if each.app is not None:
            groups.setdefault(each.tab or each.name, []).append(each)
    return (
        *(
            Tab(name, _title(name, group), tuple(group), _group(group))
            for name, group in groups.items()
        ),
        Tab(LIBRARY, "Words"),
        Tab(STORY, "Story"),
    )


def _title(name: str, group: list[Experiment]) -> str:
    """That of its only experiment, or one for all of them."""
    return group[0].title if len(group) == 1 else name.replace("_", " ").capitalize()


def _group(group: list[Experiment]) -> str:
    """The group that one of the tab's experiments names."""
    return next((each.group for each in group if each.group), "")


def first() -> str:
    """The tab that a visitor begins with: one that was made by hand, if there is one."""
    made = [tab for tab in tabs() for each in tab.experiments if has_own_panel(each)]
    return (made or list(tabs()))[0].name


def has_own_panel(experiment: Experiment) -> bool:
    """Whether ``space/panels`` has a panel for it in place of the usual one."""
    return find_spec(f"space.panels.{experiment.name}") is not None


def build(tab: Tab, bar: QuestionBar) -> list[Ask]:
    """The components of a tab, and what it asks."""
    asks = [ask for each in tab.experiments for ask in _panel(each, tab, bar)]
    table = service.session().settings.table
    if table is not None and tab.name == SCANNED:
        scanned_panel(table).wire(bar)
    if tab.name == TAKES_PART:
        takes_part_panel().wire(bar)
    return asks


def _panel(experiment: Experiment, tab: Tab, bar: QuestionBar) -> list[Ask]:
    heading = html.heading(experiment.title) if len(tab.experiments) > 1 else ""
    gr.HTML(heading + html.intro(experiment.intro or experiment.asks))
    if has_own_panel(experiment):
        made: list[Ask] = import_module(f"space.panels.{experiment.name}").build(
            experiment, tab.name, bar
        )
        return made
    return [_usual(experiment, tab.name)]


def _usual(experiment: Experiment, tab: str) -> Ask:
    """The controls, the button, and the place of the answer."""
    label = experiment.button or ("" if experiment.quick else USUAL_LABEL)
    with gr.Row(elem_classes="asking", visible=bool(label or settable(experiment))):
        own = controls(experiment)
        button = asking(experiment, label) if label else None
    panel = Panel(experiment)
    return Ask(tab, experiment, panel, own, button, events(own, experiment.quick))
