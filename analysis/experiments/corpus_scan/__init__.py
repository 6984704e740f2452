"""Where on a corpus is a neuron active, and does it tell where the target comes?"""

from dataclasses import replace

from analysis.declaration import SEED, Experiment, Figure, Live, Option

DOCUMENTS = Option(
    "documents",
    int,
    32,
    "How many articles, drawn at random; 0 reads all.",
    low=0,
    live=Live(low=1, high=8, step=1, label="Articles"),
)

EXPERIMENT = Experiment(
    name="corpus_scan",
    title="On a corpus",
    asks="Where on news is a neuron highest and lowest, and does it tell where the target comes?",
    returns="JSON: examples by activation, the curve, precision, recall and AUC.",
    needs=("neuron", "rivals", "corpus"),
    options=(DOCUMENTS, replace(SEED, live=Live(label="Which draw"))),
    size="documents",
    brief=(("on_news",), ("extremes",)),
    figures=(Figure("corpus_scan", key=True), Figure("corpus_auc", "auc_caption")),
    also="scan",
    group="Where it fires",
    app={"documents": 4},
    button="Read the articles",
    intro="News articles are drawn at random and read token by token: where is the neuron highest "
    "and lowest, what lies between, and does its activation tell where the target comes next?",
    seconds=30,
)
