"""What a user meets when naming a model: it loads as it is, or one sentence says what is wrong."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from huggingface_hub.errors import GatedRepoError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders
from tokenizers.models import BPE
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from transformers import GPT2Config, GPT2LMHeadModel

from analysis.errors import UserError
from analysis.loading import assets, gguf, hub, models, pinned
from tests import tiny

BYTES = sorted(ByteLevel.alphabet())
TEXT = "I climbed up the apple tree and picked an apple"
FAMILIES = {"gpt2": tiny.tiny_gpt2, "llama": tiny.tiny_llama, "gpt_neox": tiny.tiny_neox}


def save(folder, family="gpt2", seed=0):
    model, tokenizer = FAMILIES[family](seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model, tokenizer


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_weights(folder, change):
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def refusal(name, **options):
    """The sentence that refuses to load this."""
    with pytest.raises(UserError) as caught:
        models.load(str(name), **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def empty_hub(tmp_path, monkeypatch):
    """A hub's cache with nothing in it, and no network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_loads_with_the_very_logits(tmp_path, family):
    """GPT-2's to rounding: its activation function is computed in one step here."""
    model, tokenizer = save(tmp_path, family)
    subject = models.load(str(tmp_path))
    ids = tokenizer(TEXT, return_tensors="pt").input_ids
    assert torch.equal(subject.tokenizer(TEXT, return_tensors="pt").input_ids, ids)
    found, expected = subject.model(ids).logits, model(ids).logits
    atol = 1e-5 if family == "gpt2" else 0.0
    torch.testing.assert_close(found, expected, rtol=0.0, atol=atol)


def test_a_model_arrives_for_study_not_for_training(folder):
    model = models.load(str(folder)).model
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())
    assert model.config._attn_implementation == "sdpa"
    assert model.dtype == torch.float32


def test_the_type_of_the_weights_can_be_chosen(folder):
    assert models.load(str(folder), dtype="bfloat16").model.dtype == torch.bfloat16


def test_a_folder_is_known_by_its_name_and_by_all_that_was_read_of_it(folder):
    """Results that are kept belong to weights, configuration and tokenizer alike."""
    origin = models.load(str(folder)).origin
    assert (origin.name, origin.source) == ("tiny", "folder tiny")
    (folder / "README.md").write_text("A model.")
    known = [origin.revision, models.find(str(folder)).revision]
    assert known[0] == known[1]
    edit_weights(folder, lambda w: w["transformer.wte.weight"].mul_(2))
    known.append(models.find(str(folder)).revision)
    edit_config(folder, layer_norm_epsilon=0.1)
    known.append(models.find(str(folder)).revision)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        path = folder / name
        path.write_text(path.read_text() + "\n")
        known.append(models.find(str(folder)).revision)
    assert len(set(known)) == 5


def test_a_model_in_memory_is_known_by_configuration_and_tokenizer_too():
    (model, tokenizer), (_, other) = tiny.tiny_llama(), tiny.tiny_llama()
    known = [models.wrap(model, each, "tiny").origin.revision for each in (tokenizer, other)]
    assert known[0] == known[1]
    other.backend_tokenizer.normalizer = Lowercase()
    model.config.rms_norm_eps = 0.1
    known = [models.wrap(model, each, "tiny").origin.revision for each in (tokenizer, other)]
    assert len({*known, models.wrap(tiny.tiny_llama()[0], tokenizer).origin.revision}) == 3


def test_sharded_weights_load_and_their_checksum_covers_every_shard(tmp_path):
    model, tokenizer = tiny.tiny_llama()
    model.save_pretrained(tmp_path, max_shard_size="40KB")
    tokenizer.save_pretrained(tmp_path)
    subject = models.load(str(tmp_path))
    assert torch.equal(subject.model.lm_head.weight, model.lm_head.weight)
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 1
    shards[-1].write_bytes(shards[-1].read_bytes()[:-1] + b"x")
    assert models.find(str(tmp_path)).revision != subject.origin.revision
    shards[-1].unlink()
    assert shards[-1].name in refusal(tmp_path)


@pytest.mark.slow
def test_local_models_start_with_bos_where_their_kind_was_trained_so_or_their_tokenizer_says(
    tmp_path,
):
    for family, expected in [("gpt2", True), ("llama", False), ("gpt_neox", True)]:
        save(tmp_path / family, family)
        assert models.load(str(tmp_path / family)).prepend_bos is expected


def test_unknown_names_get_a_suggestion_and_hear_of_paths():
    message = refusal("gpt2-lrage")
    assert message.startswith("Unknown model 'gpt2-lrage': did you mean gpt2-large or ")
    assert message.endswith("(owner/name), a folder or a .gguf file works too.")
    assert "known are smollm2-135m, gemma-3-270m, gpt2, " in refusal("zzzz")


def test_a_path_that_is_not_there_is_named(tmp_path):
    assert refusal(tmp_path / "none") == f"There is no file or folder {tmp_path / 'none'}."
    assert refusal("missing.gguf") == "There is no file or folder missing.gguf."


def test_a_file_of_another_kind_is_refused(folder):
    assert "is not a .gguf file" in refusal(folder / "model.safetensors")


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("config.json", "has no config.json"),
        ("model.safetensors", "has no model.safetensors"),
        ("tokenizer.json", "has no tokenizer"),
    ],
)
def test_a_folder_that_lacks_a_file_says_which(folder, file, complaint):
    (folder / file).unlink()
    assert complaint in refusal(folder)


def test_pickled_weights_are_never_read(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "safetensors only, because pickled ones can run code" in refusal(folder)


@pytest.mark.parametrize(
    ("model_type", "reason"),
    [
        ("bert", "reads in both directions"),
        ("mixtral", "mixture of experts"),
        ("mamba", "blocks without attention"),
        ("t5", "holds a t5, which is not a causal"),
        ("ctrl", "not an architecture that TransformerLens can hook"),
        ("my_own", "holds a my_own, which is not a causal"),
    ],
)
def test_an_architecture_that_cannot_be_studied_is_refused_before_weights_are_read(
    llama_folder, tmp_path, model_type, reason
):
    shutil.copytree(llama_folder, tmp_path, dirs_exist_ok=True)
    edit_config(tmp_path, model_type=model_type, architectures=None)
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert reason in refusal(tmp_path)


def test_a_classifier_is_no_language_model(folder):
    edit_config(folder, architectures=["GPT2ForSequenceClassification"])
    assert "GPT2ForSequenceClassification, which is not a causal language" in refusal(folder)


def test_quantised_weights_are_refused(folder):
    edit_config(folder, quantization_config={"quant_method": "gptq"})
    assert "quantised" in refusal(folder)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_damaged_file_is_refused_in_one_sentence(folder, file):
    path = folder / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert str(folder) in refusal(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_weight_that_is_no_number_is_named(folder, value):
    def spoil(weights):
        weights["transformer.h.1.mlp.c_fc.weight"][3, 5] = value

    edit_weights(folder, spoil)
    message = refusal(folder)
    assert "transformer.h.1.mlp.c_fc.weight" in message
    assert "NaN or infinity" in message


def test_weights_too_large_for_the_type_asked_for_are_named(folder):
    def enlarge(weights):
        weights["transformer.ln_f.weight"][0] = 1e6  # float16 ends at 65504

    edit_weights(folder, enlarge)
    models.load(str(folder))
    assert "transformer.ln_f.weight" in refusal(folder, dtype="float16")


def test_absent_weights_are_not_made_up(folder):
    edit_weights(folder, lambda weights: weights.pop("transformer.h.2.ln_1.bias"))
    assert "lack transformer.h.2.ln_1.bias" in refusal(folder)


def test_weights_that_the_configuration_has_no_place_for_are_named(folder):
    def add(weights):
        weights["transformer.h.3.mlp.c_fc.bias"] = torch.ones(128)

    edit_weights(folder, add)
    assert "hold transformer.h.3.mlp.c_fc.bias, for which its config.json has no" in refusal(folder)


def test_biases_that_the_configuration_denies_are_not_left_out(tmp_path):
    save(tmp_path, "llama")
    edit_weights(
        tmp_path,
        lambda weights: weights.update({"model.layers.0.self_attn.q_proj.bias": torch.ones(32)}),
    )
    assert "model.layers.0.self_attn.q_proj.bias" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["transformer.h.1.mlp.c_fc.weight", "h.1.mlp.c_fc.weight"])
def test_whole_numbers_without_their_scale_are_no_weights(name, folder):
    def quantise(weights):
        weights[name] = (100 * weights.pop("transformer.h.1.mlp.c_fc.weight")).to(torch.int8)

    edit_weights(folder, quantise)
    assert f"hold {name} as whole numbers (I8)" in refusal(folder)


def test_a_weight_of_another_shape_is_named(folder):
    edit_weights(folder, lambda weights: weights.update({"transformer.ln_f.bias": torch.ones(7)}))
    assert "hold transformer.ln_f.bias in another shape" in refusal(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_attention_heads": 0}, "modulo by zero"),
        ({"num_attention_heads": 5, "head_dim": None}, "Class validation error for validator"),
        ({"hidden_act": "nonsense"}, "describes no model that can be made ('nonsense')"),
        ({"rope_parameters": {"rope_type": "odd", "rope_theta": 1e4}}, "'odd'"),
        ({"max_position_embeddings": "many"}, "'max_position_embeddings': TypeError"),
        ({"num_hidden_layers": 0}, "for which its config.json has no place"),
    ],
    ids=str,
)
def test_a_configuration_that_makes_no_model_is_told_in_one_sentence(tmp_path, changes, message):
    save(tmp_path, "llama")
    edit_config(tmp_path, **changes)
    assert message in refusal(tmp_path)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", b"\xff\xfe{"),
        ("model.safetensors", b""),
        ("model.safetensors", b"\xff" * 16),
        ("tokenizer.json", b"{}"),
        ("tokenizer_config.json", b"[1]"),
        ("chat_template.jinja", b"\xff\xff"),
    ],
    ids=str,
)
def test_a_file_of_nonsense_is_told_in_one_sentence(folder, file, content):
    (folder / file).write_bytes(content)
    assert str(folder) in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + b"\x03\0\0\0" + b"\xff" * 16])
def test_a_gguf_file_of_nonsense_is_told_in_one_sentence(tmp_path, monkeypatch, content):
    monkeypatch.setenv("AN_NEURON_CACHE", str(tmp_path / "cache"))
    (tmp_path / "odd.gguf").write_bytes(content)
    assert "cannot be read as a GGUF language model" in refusal(tmp_path / "odd.gguf")


def test_a_later_layer_of_the_file_is_not_left_out(folder):
    edit_config(folder, n_layer=2)
    assert "transformer.h.2." in refusal(folder)


@pytest.mark.slow
def test_masks_that_older_files_hold_beside_the_weights_do_no_harm(folder):
    before = models.load(str(folder)).logits([3, 4, 5])
    for kind in (torch.float32, torch.uint8):
        mask = torch.ones(1, 1, 4, 4, dtype=kind)
        edit_weights(folder, lambda w, mask=mask: w.update({"transformer.h.0.attn.bias": mask}))
        assert torch.equal(models.load(str(folder)).logits([3, 4, 5]), before)


def test_with_a_whole_file_beside_shards_the_one_that_is_read_is_recorded(tmp_path):
    other, tokenizer = tiny.tiny_llama(seed=5)
    other.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    alone = models.find(str(tmp_path)).revision
    shards = tmp_path / "shards"
    tiny.tiny_llama()[0].save_pretrained(shards, max_shard_size="40KB")
    for path in shards.glob("model*"):
        path.rename(tmp_path / path.name)
    subject = models.load(str(tmp_path))
    assert torch.equal(subject.model.lm_head.weight, other.lm_head.weight)
    assert subject.origin.revision == alone


def test_a_tensor_that_stands_in_two_shards_is_named(tmp_path):
    model, tokenizer = tiny.tiny_llama()
    model.save_pretrained(tmp_path, max_shard_size="40KB")
    tokenizer.save_pretrained(tmp_path)
    first, *_, last = sorted(tmp_path.glob("model-*.safetensors"))
    name, values = next(iter(load_file(first).items()))
    save_file({**load_file(last), name: 3 * values}, last, metadata={"format": "pt"})
    assert f"hold {name}: get the whole model again" in refusal(tmp_path)


CONTRADICTIONS = [
    ({"model_type": "mistral"}, "names a LlamaForCausalLM and says model_type 'mistral'"),
    ({"transformers_weights": "other.safetensors"}, "has its weights in other.safetensors"),
    ({"intermediate_size": 10**9}, "describes a model of 288,0"),
    ({"sliding_window": 4}, "sets sliding_window, which a llama has not: take it out"),
]


@pytest.mark.parametrize(("changes", "message"), CONTRADICTIONS, ids=lambda each: str(each)[:20])
def test_a_configuration_of_another_model_is_refused_before_weights_are_read(
    tmp_path, changes, message
):
    save(tmp_path, "llama")
    edit_config(tmp_path, **changes)
    assert message in refusal(tmp_path)


def test_an_adapter_beside_a_model_is_not_passed_over(folder):
    (folder / "adapter_config.json").write_text("{}")
    assert "holds an adapter" in refusal(folder)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["GPT2Tokenizer", "LlamaTokenizer", "Qwen2Tokenizer", None])
def test_text_is_cut_as_tokenizer_json_says_whatever_class_is_named_beside_it(tmp_path, kind):
    from tests import made_gguf
    from tests.test_gguf_tokenizer import HARD

    pieces, merges = made_gguf.vocabulary()
    numbers = {piece: number for number, piece in enumerate(pieces)}
    words = Tokenizer(BPE(numbers, [tuple(pair.split(" ")) for pair in merges]))
    words.pre_tokenizer = Sequence([Digits(individual_digits=True), ByteLevel(False)])
    words.decoder = decoders.ByteLevel()
    made_gguf.llama()[0].save_pretrained(tmp_path)
    words.save(str(tmp_path / "tokenizer.json"))
    said = {"bos_token": made_gguf.BOS, **({"tokenizer_class": kind} if kind else {})}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(said))
    subject = models.load(str(tmp_path))
    for text in HARD:
        assert subject.tokens(text)[int(subject.prepend_bos) :] == words.encode(text).ids
    assert subject.tokenizer.bos_token == made_gguf.BOS


def test_gpt2_has_its_bos_though_its_files_do_not_name_it(tmp_path):
    """As on the hub: a tokenizer.json, and a tokenizer_config.json without tokens or class."""
    words = Tokenizer(BPE({**{letter: n for n, letter in enumerate(BYTES)}, tiny.BOS: 256}, []))
    words.pre_tokenizer, words.decoder = ByteLevel(False), decoders.ByteLevel()
    words.add_special_tokens([tiny.BOS])
    config = GPT2Config(vocab_size=257, n_embd=32, n_layer=2, n_head=4, n_positions=32)
    tiny.randomised(GPT2LMHeadModel, config, seed=0).save_pretrained(tmp_path)
    words.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 32}')
    subject = models.load(str(tmp_path))
    assert subject.prepend_bos
    assert subject.tokens("an") == [256, *words.encode("an").ids]


def test_a_tokenizer_larger_than_the_model_is_refused(folder):
    tokenizer = tiny.tokenizer()
    tokenizer.add_tokens(["extra"])
    tokenizer.save_pretrained(folder)
    assert f"more tokens ({len(tiny.VOCABULARY) + 1})" in refusal(folder)


def test_a_tokenizer_of_another_model_is_refused_in_memory_too():
    tokenizer = tiny.tokenizer()
    tokenizer.add_tokens(["extra"])
    with pytest.raises(UserError, match="more tokens"):
        models.wrap(tiny.tiny_llama()[0], tokenizer)


def test_a_tokenizer_that_does_not_say_where_its_tokens_stand_is_refused(monkeypatch):
    tokenizer = tiny.tokenizer()
    monkeypatch.setattr(type(tokenizer), "is_fast", False)
    with pytest.raises(UserError, match="is a slow one"):
        models.wrap(tiny.tiny_llama()[0], tokenizer)


def test_unknown_devices_and_types_say_what_would_do(folder):
    assert refusal(folder, dtype="float8") == (
        "Unknown dtype 'float8': choose one of float32, tf32, bfloat16, float16."
    )
    assert "choose cpu" in refusal(folder, device="gpu")
    assert "choose cpu" in refusal(folder, device="meta")


def test_a_gpu_that_is_not_there_is_said_at_once(folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert refusal(folder, device="cuda") == (
        "This machine has no GPU for device 'cuda': choose cpu."
    )


def test_a_hub_model_that_cannot_be_had_says_so(empty_hub):
    message = refusal("gpt2-large")
    assert message.startswith("openai-community/gpt2-large is neither in the hub's cache nor can")
    assert "connect once and load it, or give the path of a folder" in message
    assert "set HF_TOKEN" in refusal("llama-3.2-1b")


def test_a_gated_hub_model_asks_for_its_licence(empty_hub, monkeypatch):
    def locked(repository, revision):
        raise GatedRepoError("401", response=SimpleNamespace(headers={}, request=None))

    monkeypatch.setattr(hub, "_download", locked)
    assert refusal("llama-3.2-1b").startswith("meta-llama/Llama-3.2-1B is gated: accept its")


def test_a_hub_model_in_the_cache_loads_without_a_network(empty_hub):
    entry = models.entry_of("GPT2")
    snapshot = empty_hub / "models--openai-community--gpt2" / "snapshots" / entry.revision
    model, _ = save(snapshot)
    assert models.available(entry)
    subject = models.load("openai-community/GPT2")
    assert torch.equal(subject.model.lm_head.weight, model.lm_head.weight)
    assert subject.origin.source == "hub openai-community/gpt2"
    assert subject.origin.revision == entry.revision
    assert subject.prepend_bos


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def in_cache(hub_folder, repository, branch="main"):
    """A tiny model in the hub's cache, as the newest of a branch."""
    root = hub_folder / ("models--" + repository.replace("/", "--"))
    save(root / "snapshots" / COMMIT, "llama")
    (root / "refs").mkdir()
    (root / "refs" / branch).write_text(COMMIT)


def test_any_repository_of_the_hub_loads_and_is_known_by_its_commit(empty_hub):
    in_cache(empty_hub, "orchard/Tiny-1.5b")
    origin = models.load("orchard/Tiny-1.5b").origin
    assert (origin.name, origin.source) == ("Tiny-1.5b", "hub orchard/Tiny-1.5b")
    assert origin.revision == COMMIT
    assert models.load(f"orchard/Tiny-1.5b@{COMMIT}").origin.revision == COMMIT


def test_another_revision_of_a_repository_has_a_name_of_its_own(empty_hub):
    in_cache(empty_hub, "orchard/tiny", branch="step1000")
    origin = models.load("orchard/tiny@step1000").origin
    assert (origin.name, origin.revision) == ("tiny@step1000", COMMIT)
    assert "orchard/tiny is neither in the hub's cache nor" in refusal("orchard/tiny")


def test_a_repository_without_safetensors_is_refused_before_it_is_downloaded(
    empty_hub, monkeypatch
):
    import huggingface_hub

    files = [SimpleNamespace(rfilename=name) for name in ("config.json", "pytorch_model.bin")]
    found = SimpleNamespace(siblings=files, sha=COMMIT)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: found)
    assert refusal("orchard/pickled") == (
        "orchard/pickled has no safetensors: other weights are not read, because they can run code."
    )


def test_what_is_asked_of_the_hub_is_the_commit_that_it_names(empty_hub, monkeypatch):
    import huggingface_hub

    asked = []

    def download(repository, revision, **_):
        asked.append((repository, revision))
        folder = empty_hub / revision
        save(folder, "llama")
        return folder

    files = [SimpleNamespace(rfilename="model-00001-of-00002.safetensors")]
    found = SimpleNamespace(siblings=files, sha=COMMIT)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: found)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert models.load("orchard/tiny").origin.revision == COMMIT
    assert asked == [("orchard/tiny", COMMIT)]


def test_a_folder_goes_before_a_repository_of_the_same_name(empty_hub, tmp_path, monkeypatch):
    save(tmp_path / "orchard" / "tiny", "llama")
    monkeypatch.chdir(tmp_path)
    assert models.load("orchard/tiny").origin.source == "folder tiny"


def test_a_half_downloaded_hub_model_is_not_available(empty_hub):
    entry = models.entry_of("gpt2")
    snapshot = empty_hub / "models--openai-community--gpt2" / "snapshots" / entry.revision
    save(snapshot)
    (snapshot / "model.safetensors").unlink()
    assert not models.available(entry)


@pytest.mark.slow
def test_the_catalogue_is_described_without_loading_torch():
    code = (
        "import json, sys; from analysis.loading import models;"
        "print(json.dumps([models.describe(), 'torch' in sys.modules]))"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
    rows, torch_loaded = json.loads(output)
    assert not torch_loaded
    assert [row["name"] for row in rows][:3] == ["smollm2-135m", "gemma-3-270m", "gpt2"]
    assert {key: value for key, value in rows[4].items() if key != "available"} == {
        "name": "gpt2-large",
        "source": "hub openai-community/gpt2-large",
        "layers": 36,
        "d_model": 1280,
        "d_mlp": 5120,
        "terms": "",
    }


def test_every_hub_model_is_pinned_to_a_commit():
    hub = [entry for entry in models.CATALOGUE if isinstance(entry.origin, str)]
    assert len(hub) == len(models.CATALOGUE) - 2
    for entry in hub:
        assert len(entry.revision) == 40
        assert int(entry.revision, 16)


def test_the_embedded_model_is_the_one_of_the_facts(embedded):
    config, entry = embedded.model.config, models.CATALOGUE[0]
    assert (config.num_hidden_layers, config.hidden_size) == (entry.layers, entry.d_model)
    assert config.intermediate_size == entry.d_mlp
    assert [embedded.tokenizer(word).input_ids for word in (" an", " a")] == [[354], [253]]
    assert not embedded.prepend_bos
    assert embedded.origin.revision == pinned.MODEL.sha256


def test_the_embedded_model_predicts_an_after_the_apple_tree(embedded):
    prompt = "I climbed up the pear tree and picked a pear. I climbed up the apple tree and picked"
    ids = embedded.tokenizer(prompt, return_tensors="pt").input_ids
    p_next = embedded.model(ids).logits[0, -1].softmax(-1)
    # Measured on the model as transformers dequantises it, without a conversion in between.
    assert p_next[354].item() == pytest.approx(0.6070, abs=1e-4)
    assert p_next[253].item() == pytest.approx(0.2973, abs=1e-4)


def test_gemma_says_what_plain_transformers_said_of_its_file(gemma):
    """Measured on the GGUF file as transformers itself reads it, without this project."""
    template = "I climbed up the pear tree and picked a pear. I climbed up the {} tree and picked"
    expected = {
        template.format("apple"): -2.635,
        template.format("lemon"): -5.149,
        "I'll be there in under half": 2.036,
        "Every action has": -0.514,
        "An eye for": -1.788,
        "Ross Perot, who ran as": -1.628,
        "She had never seen such": -1.799,
    }
    for text, difference in expected.items():
        ids = gemma.tokenizer(text, return_tensors="pt").input_ids
        assert ids[0, 0] == 2
        logits = gemma.model(ids).logits[0, -1]
        assert float(logits[614] - logits[496]) == pytest.approx(difference, abs=1e-3)
    assert gemma.prepend_bos
    assert (gemma.n_layers, gemma.d_model, gemma.d_mlp) == (18, 640, 2048)
    assert gemma.origin.revision == pinned.GEMMA.sha256


@pytest.mark.slow
def test_a_converted_gguf_has_identical_logits(embedded):
    from transformers import AutoModelForCausalLM

    path = assets.fetch(pinned.MODEL)
    direct = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32
    )
    ids = embedded.tokenizer(TEXT, return_tensors="pt").input_ids
    assert torch.equal(embedded.model(ids).logits, direct(ids).logits)


def fake_conversion(monkeypatch, folder):
    """Replace the slow part of a conversion; returns the list of files converted."""
    converted = []

    def write(path, part):
        converted.append(path.name)
        save(part, "llama")

    monkeypatch.setenv("AN_NEURON_CACHE", str(folder / "cache"))
    monkeypatch.setattr(gguf, "_write", write)
    return converted


def test_a_gguf_file_is_converted_once(tmp_path, monkeypatch, capsys):
    converted = fake_conversion(monkeypatch, tmp_path)
    (tmp_path / "orchard.gguf").write_bytes(b"GGUF")
    first = models.load(str(tmp_path / "orchard.gguf"))
    second = models.load(str(tmp_path / "orchard.gguf"))
    assert converted == ["orchard.gguf"]
    assert first.origin == second.origin
    assert (first.origin.name, first.origin.source) == ("orchard", "gguf orchard.gguf")
    assert first.origin.revision == assets.sha256(tmp_path / "orchard.gguf")
    assert capsys.readouterr().out == ""


def test_a_damaged_conversion_is_noticed_and_done_again(tmp_path, monkeypatch, capsys):
    converted = fake_conversion(monkeypatch, tmp_path)
    source = tmp_path / "orchard.gguf"
    source.write_bytes(b"GGUF")
    folder = gguf.convert(source, assets.sha256(source))
    capsys.readouterr()
    for name in ("model.safetensors", "tokenizer.json", gguf.MANIFEST):
        (folder / name).write_bytes(b"{}")
        assert gguf.intact(gguf.convert(source, assets.sha256(source)))
        assert "is damaged; converting it again" in capsys.readouterr().err
    assert len(converted) == 4


def test_what_an_earlier_converter_made_of_a_file_goes_when_it_is_converted_anew(
    tmp_path, monkeypatch
):
    fake_conversion(monkeypatch, tmp_path)
    folder = gguf.converted_folder("0" * 64)
    others = [f"{'0' * 16}", f"{'0' * 16}-older", f"{'0' * 16}-older.part", f"{'1' * 16}-older"]
    for name in others:
        (folder.parent / name).mkdir(parents=True)
    assert gguf.convert(tmp_path / "orchard.gguf", "0" * 64) == folder
    left = {path.name for path in folder.parent.iterdir() if path.is_dir()}
    assert left == {folder.name, *others[2:]}, "another file's, and one that is being made, stay"


def test_an_interrupted_conversion_leaves_nothing_behind(tmp_path, monkeypatch):
    fake_conversion(monkeypatch, tmp_path)

    def interrupted(path, part):
        (part / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(gguf, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        gguf.convert(tmp_path / "orchard.gguf", "0" * 64)
    left = [path.name for path in (tmp_path / "cache" / "models").iterdir()]
    assert left == [gguf.converted_folder("0" * 64).name + ".lock"]


def test_a_damaged_gguf_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("AN_NEURON_CACHE", str(tmp_path / "cache"))
    (tmp_path / "broken.gguf").write_bytes(b"not a model")
    assert "cannot be read as a GGUF language model" in refusal(tmp_path / "broken.gguf")
