"""In which type a model computes, how much of it at once, and that a GPU says what this says."""

import dataclasses
from copy import deepcopy

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.activations import NewGELUActivation

from analysis.arithmetic import GPU_BYTES, TF32_EPS, Arithmetic, exact_products
from analysis.engines.in_float32 import in_float32
from analysis.engines.reading import Window, read
from analysis.engines.twins import check_twins
from analysis.errors import UserError
from analysis.loading.checkpoint import fused
from analysis.loading.placement import placement
from analysis.subject import Subject
from tests import families
from tests.subjects import make_subject

GPU = torch.device("cuda")


def test_products_in_tf32_are_for_gpus_that_have_them_and_end_with_the_next_model(monkeypatch):
    with pytest.raises(UserError, match="for NVIDIA GPUs, not for cpu: use float32"):
        placement("cpu", "tf32")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    device, dtype = placement("cuda", "tf32")
    assert (device, dtype) == (GPU, torch.float32)
    assert Arithmetic(device, dtype).name == "tf32"
    assert Arithmetic(device, dtype).eps == TF32_EPS
    assert Arithmetic(torch.device("cpu"), dtype).name == "float32"
    with exact_products():
        assert Arithmetic(device, dtype).name == "float32"
    assert Arithmetic(device, dtype).name == "tf32"
    placement("cpu", "float32")
    assert Arithmetic(device, dtype).name == "float32"
    assert Arithmetic(device, torch.bfloat16).name == "bfloat16"


def test_a_gpu_takes_many_tokens_at_once_as_far_as_its_memory_goes():
    processor, gpu = Arithmetic(torch.device("cpu"), torch.float32), Arithmetic(GPU, torch.float32)
    assert processor.tokens_a_pass(100, 10**9) == 100
    assert gpu.tokens_a_pass(100, 5120) > 50 * 100
    for width in (5120, 50257, 262144):
        assert gpu.tokens_a_pass(100, width) * width * 4 <= GPU_BYTES
    assert gpu.tokens_a_pass(100, 10**9) == 100


class OnYoungDevice(Subject):
    """A model on a device whose kernels may be wrong: a processor that says it is another."""

    @property
    def device(self):
        return torch.device("mps")

    def batch(self, tokens):
        return torch.tensor([list(tokens)])


@pytest.mark.parametrize("wrong", [1.0, 1.1])
def test_a_device_that_computes_otherwise_than_the_processor_is_refused(wrong, monkeypatch):
    plain = make_subject("llama")
    parts = {each.name: getattr(plain, each.name) for each in dataclasses.fields(plain)}
    subject, moves = OnYoungDevice(**parts), []

    def move(device):
        moves.append(str(device))
        scale = wrong if str(device) == "mps" else 1 / wrong
        subject.model.get_output_embeddings().weight.data *= scale

    move("mps")
    monkeypatch.setattr(subject.model, "to", move)
    monkeypatch.setattr("analysis.engines.twins.Tail", lambda *_: pytest.fail("went on"))
    with pytest.raises((UserError, pytest.fail.Exception)) as refused:
        check_twins(subject)
    assert moves == ["mps", "cpu", "mps"]  # and it is back where it was
    if wrong == 1:
        assert "went on" in str(refused.value)
    else:
        assert "is not computed rightly on mps: its logits differ" in str(refused.value)
        assert "use --device cpu." in str(refused.value)


def test_gpt2s_activation_function_in_one_kernel_is_the_same_function():
    torch.manual_seed(0)
    config = GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=99, initializer_range=0.5)
    model, tokens = GPT2LMHeadModel(config).eval(), torch.arange(9)[None]
    with torch.inference_mode():
        expected = model(tokens).logits
        found = fused(model)(tokens).logits
    assert not [each for each in model.modules() if isinstance(each, NewGELUActivation)]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def loaded(folder, like, dtype):
    """A model of a folder, as a user's is loaded."""
    model = fused(type(like.model).from_pretrained(folder, dtype=dtype)).eval()
    return dataclasses.replace(like, model=model.requires_grad_(False))


@pytest.mark.slow
@pytest.mark.parametrize("name", families.CONFIGS)
def test_a_file_in_bfloat16_read_in_float32_says_what_it_says_when_loaded_so(name, tmp_path):
    given = families.shared_subject(name)
    deepcopy(given.model).to(torch.bfloat16).save_pretrained(tmp_path)
    coarse, exact = (loaded(tmp_path, given, each) for each in (torch.bfloat16, torch.float32))
    window, layers = (Window(0, 0, tuple(range(3, 11))),), range(given.n_layers)
    before = [(each.data_ptr(), each.dtype) for each in coarse.model.parameters()]
    expected, rounded = read(exact, window, layers), read(coarse, window, layers)
    with in_float32(coarse):
        found = read(coarse, window, layers)
        brief = read(coarse, window, (1,), logits=False)  # a pass that ends within a block
        assert [(each.data_ptr(), each.dtype) for each in coarse.model.parameters()] == before
    assert torch.equal(found.logits, expected.logits)
    assert not torch.equal(rounded.logits, expected.logits)
    for layer in layers:
        assert torch.equal(found.activations[layer], expected.activations[layer])
    assert torch.equal(brief.activations[1], expected.activations[1])


def test_no_more_than_what_is_passed_is_widened():
    subject = make_subject("llama")
    subject.model.to(torch.bfloat16)
    wide = []

    def look(*_):
        wide.append({n for n, each in subject.model.named_parameters() if each.dtype != before})

    before = torch.bfloat16
    subject.blocks[1].mlp.up_proj.register_forward_pre_hook(look)
    with in_float32(subject):
        read(subject, (Window(0, 0, (3, 4, 5)),), (0,))
    assert wide == [{"model.layers.1.mlp.up_proj.weight"}]
