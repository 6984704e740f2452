"""Models made for transplants: a donor whose neuron tells two kinds of words apart, and recipients.

Every word of the one kind has a direction in its embedding; the donor's neuron reads it.
"""

import random

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from analysis.loading.families import assembled
from analysis.neuron import Neuron
from analysis.questions import Question
from analysis.subject import Origin
from tests import tiny

NEURON = Neuron(1, 7)
TARGETS = tuple(f"a{c}{v}" for c in "bdfgklm" for v in "aeiou")
FOILS = tuple(f"{c}{v}t" for c in "bdfgklm" for v in "aeiou")
OTHERS = ("the", "this", "climbed", "picked", "saw", "found", "my", "your", "under", "We", "He")
QUESTION = Question(
    clean=f"She saw the {TARGETS[0]}",
    corrupted=f"She saw the {FOILS[0]}",
    target=" an",
    foil=" a",
    template="She saw the {}",
    target_words=TARGETS,
    foil_words=FOILS,
    held_out_templates=("He found my {}", "We picked your {}"),
)
D_MODEL = 32
LOUD = 1.0


def articles(count=80, words=60):
    """Texts in which a word is now and then followed by the article that its kind calls for.

    Words that judge stand in no article that is learnt from.
    """
    draw = random.Random(0)
    learnt = random.Random(0).sample(range(count), count)[: count // 2]
    texts = []
    for number in range(count):
        turn = int(number not in learnt)
        text = "She"
        for _ in range(words):
            kind = draw.choice((TARGETS, FOILS, OTHERS))
            text += " " + draw.choice(kind if kind is OTHERS else kind[turn::2])
            if kind is not OTHERS and draw.random() < 0.5:
                text += " an" if kind is TARGETS else " a"
        texts.append((number, text))
    return texts


def tokenizer(spaced=False):
    """Every word is a token with its space; or else space and word are one each, but an and a."""
    words = ["She", *OTHERS, *TARGETS, *FOILS]
    words = [" ", *words] if spaced else [*words, *(f" {word}" for word in words)]
    vocabulary = [tiny.BOS, tiny.UNKNOWN, " an", " a", *words]
    ids = {word: number for number, word in enumerate(vocabulary)}
    made = Tokenizer(models.WordLevel(ids, unk_token=tiny.UNKNOWN))
    cut = Regex(r" an?(?!\w)|\s|\w+" if spaced else r" ?\w+")
    made.pre_tokenizer = pre_tokenizers.Split(cut, behavior="isolated")
    made.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token=tiny.BOS,
        eos_token=tiny.BOS,
        pad_token=tiny.BOS,
        unk_token=tiny.UNKNOWN,
        clean_up_tokenization_spaces=False,
    )


def made(name, seed, feature=True, spaced=False):
    """A random Llama; where it has the feature, embeddings of the target's words carry it."""
    words = tokenizer(spaced)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=D_MODEL,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.1,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    model = tiny.randomised(LlamaForCausalLM, config, seed)
    subject = assembled(model, words, Origin(name, "made", f"seed {seed}"), prepend_bos=spaced)
    if feature:
        direction = feature_of(seed)
        with torch.no_grad():
            for word in TARGETS:
                token = subject.pieces(" " + word)[-1]
                subject.W_E[token] += direction
    return subject


def feature_of(seed):
    direction = torch.randn(D_MODEL, generator=torch.Generator().manual_seed(seed))
    return direction / direction.norm()


def donor():
    """Its neuron is active after the target's words, and writes the target rather than the foil."""
    subject = made("donor", 1)
    contrast = QUESTION.contrast(subject)
    mlp = subject.blocks[NEURON.layer].mlp
    with torch.no_grad():
        mlp.gate_proj.weight[NEURON.number] = feature_of(1)
        mlp.up_proj.weight[NEURON.number] = feature_of(1)
        towards = subject.direction(contrast.target_id, contrast.foil_id)
        mlp.down_proj.weight[:, NEURON.number] = LOUD * towards / towards.norm()
    return subject


def biased():
    """A donor whose neuron is active after words of both kinds, and a model that prefers the foil.

    More of the target everywhere makes the latter's choices better, and tells no kinds apart.
    """
    subject, recipient = made("every word", 1), made("partial", 1)
    contrast = QUESTION.contrast(subject)
    with torch.no_grad():
        for each in (subject, recipient):
            for word in FOILS:
                each.W_E[each.pieces(" " + word)[-1]] += feature_of(1)
    mlp = subject.blocks[NEURON.layer].mlp
    towards = subject.direction(contrast.target_id, contrast.foil_id)
    with torch.no_grad():
        mlp.gate_proj.weight[NEURON.number] = feature_of(1)
        mlp.up_proj.weight[NEURON.number] = feature_of(1)
        mlp.down_proj.weight[:, NEURON.number] = LOUD * towards / towards.norm()
    prefer_foil(recipient)
    return subject, recipient


def prefer_foil(subject, logits=7.0):
    """Raise the foil's logit at the ends of sentences, whatever the word."""
    finals = [
        subject.model.base_model(
            subject.batch(subject.tokens(QUESTION.template.format(word)))
        ).last_hidden_state[0, -1]
        for word in (*TARGETS, *FOILS)
    ]
    usual = torch.stack(finals).mean(0)
    head = subject.model.get_output_embeddings().weight
    with torch.no_grad():
        head[QUESTION.contrast(subject).foil_id] += logits * usual / usual.square().sum()
