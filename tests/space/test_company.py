"""Many visitors at once: each gets what one alone gets, and the model stays itself."""

import inspect
import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from gradio_client import Client
from jaxtyping import TypeCheckError
from torch.overrides import TorchFunctionMode

from analysis.errors import UserError
from space import service
from space.api import ENDPOINTS
from space.questions import QUESTIONS
from space.view import View
from tests.conftest import make_subject
from tests.space.asked import OPTIONS, VIEW
from tests.space.server import serving

pytestmark = pytest.mark.filterwarnings("ignore")  # the server's threads warn of their own
VISITORS = 16
ASKED = (("L0N1", (" an", " a")), ("L1N3", (" egg", " owl")))


@pytest.fixture(scope="module")
def subject():
    return make_subject("llama")


@pytest.fixture(scope="module")
def server(subject):
    with serving(loader=lambda _name, _device: subject) as running:
        yield running


@pytest.fixture(autouse=True)
def the_same_bits(server, subject):
    """The plain model and the hooked one say after a test what they said before, bit for bit."""
    before = bits(subject)
    yield
    assert all(map(torch.equal, before, bits(subject)))


def bits(subject):
    tokens = subject.tokens(VIEW.clean)
    hooked = subject.bridge(subject.batch(tokens), prepend_bos=False)[0]
    return [subject.logits(tokens), hooked, *(p.clone() for p in subject.model.parameters())]


def in_parallel(function, items):
    with ThreadPoolExecutor(VISITORS) as visitors:
        return list(visitors.map(function, items))


def questions():
    """Every question for several neurons and words, in an order that mixes them."""
    for (neuron, (target, foil)), name in itertools.product(ASKED, QUESTIONS):
        view = View("tiny", VIEW.clean, VIEW.corrupted, target, foil, neuron)
        yield name, view, OPTIONS.get(name, {})


def shown(asked):
    answer = service.ask(*asked)
    return answer.json, str(answer.finding), answer.csv, answer.command


def test_sixteen_visitors_get_what_each_would_get_alone(server):
    asked = list(questions())
    alone = [shown(one) for one in asked]
    assert len(set(alone)) > len(asked) // 2
    assert in_parallel(shown, asked) == alone


def arguments(endpoint):
    """The endpoint's own parameters for each neuron and pair of words, where it has them."""
    parameters = inspect.signature(endpoint).parameters
    for neuron, (target, foil) in ASKED:
        given = {"neuron": neuron, "target": target, "foil": foil, "clean": VIEW.clean}
        given |= {"corrupted": VIEW.corrupted}
        yield {k: v for k, v in given.items() if k in parameters}


def test_sixteen_clients_of_all_endpoints_get_what_each_would_get_alone(server):
    rounds = zip(*([(e, given) for given in arguments(e)] for e in ENDPOINTS), strict=True)
    calls = list(itertools.chain.from_iterable(rounds))
    alone = [endpoint(**given) for endpoint, given in calls]
    clients = in_parallel(lambda _: Client(server.url, verbose=False), range(VISITORS))

    def ask(numbered):
        number, (endpoint, given) = numbered
        return clients[number % VISITORS].predict(api_name=f"/{endpoint.__name__}", **given)

    try:
        assert in_parallel(ask, enumerate(calls)) == alone
    finally:
        for client in clients:
            client.close()
    assert len(set(alone)) > len(ENDPOINTS)


class BrokenOffError(Exception):
    """What the machine says in the middle of an experiment."""


BROKEN_OFF = (BrokenOffError, TypeCheckError)
"""The type checker, which looks at tensors too, may be the first to fail."""


class Counted(TorchFunctionMode):
    """Counts the operations on tensors, and breaks off at one of them."""

    def __init__(self, last=math.inf):
        super().__init__()
        self.count, self.last = 0, last

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.count += 1
        if self.count > self.last:
            raise BrokenOffError
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_experiment_that_breaks_off_anywhere_leaves_nothing_behind(server, subject, name):
    asked = name, VIEW, OPTIONS.get(name, {})
    before, plain = shown(asked), bits(subject)
    with Counted() as all_of_it:
        service.ask(*asked)
    for share in (0.1, 0.35, 0.6, 0.85):
        with pytest.raises(BROKEN_OFF), Counted(int(share * all_of_it.count)):
            service.ask(*asked)
        assert all(map(torch.equal, plain, bits(subject)))
    assert shown(asked) == before


def test_a_visitor_whose_question_is_wrong_does_not_keep_the_others_waiting(server):
    def ask(number):
        neuron = "L9N0" if number % 2 else VIEW.neuron
        try:
            return service.ask("upstream", replace(VIEW, neuron=neuron), {}).json
        except UserError as error:
            return str(error)

    assert in_parallel(ask, range(VISITORS)) == [ask(0), ask(1)] * (VISITORS // 2)
