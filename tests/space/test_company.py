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
from analysis.experiments import named
from space.endpoints import endpoints
from space.kept import Kept
from tests.space.questions import ASKED, FOLLOWING, VIEW, ask, shown
from tests.space.server import SECONDS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # the server's threads warn of their own
]
VISITORS = 16
WORDS = (("L0N1", (" an", " a")), ("L1N3", (" egg", " owl")))
ENDPOINTS = endpoints()


@pytest.fixture(scope="module")
def subject(server):
    with server.session.alone("tiny"):
        return server.session.subject("tiny")


@pytest.fixture(autouse=True)
def nothing_kept(server):
    """Every question is worked out anew."""
    server.session.answers = Kept(most=0)


@pytest.fixture(autouse=True)
def the_same_bits(subject):
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
    """Everything that can be asked, and what is quick for several neurons and words, in an order
    that mixes it."""
    for (neuron, (target, foil)), name in itertools.product(WORDS, ASKED):
        view = replace(VIEW, neuron=neuron, target=target, foil=foil)
        if target == VIEW.target or name in QUICK:
            yield name, view


QUICK = [name for name in ASKED if name == FOLLOWING or named(name).quick]
"""What the page answers by itself."""


def shown_to(asked):
    return shown(*asked)


def test_sixteen_visitors_get_what_each_would_get_alone(server):
    asked = list(questions())
    alone = [shown_to(one) for one in asked]
    assert len(set(alone)) > len(asked) // 2
    assert in_parallel(shown_to, asked) == alone


def arguments(number, endpoint):
    """The endpoint's own parameters for one of the neurons and pairs of words."""
    neuron, (target, foil) = WORDS[number % len(WORDS)]
    given = {"neuron": neuron, "target": target, "foil": foil, "clean": VIEW.clean}
    given |= {"corrupted": VIEW.corrupted}
    return {k: v for k, v in given.items() if k in inspect.signature(endpoint).parameters}


TWICE = ("next_token", "logit_lens", "writers", "activations", "direct_effect")
"""Cheap ones, asked for both neurons and words at once by two clients."""


def calls_of_clients():
    """Every endpoint with its arguments; one after the other, in turn for each client."""
    once = {each.__name__: (each, arguments(n, each)) for n, each in enumerate(ENDPOINTS)}
    other = [(once[name][0], arguments(k, once[name][0])) for name in TWICE for k in (0, 1)]
    return [*other, *(call for name, call in once.items() if name not in TWICE)]


def test_sixteen_clients_of_all_endpoints_get_what_each_would_get_alone(server):
    calls = calls_of_clients()
    alone = [endpoint(**given) for endpoint, given in calls]
    patient = {"verbose": False, "httpx_kwargs": {"timeout": SECONDS}}
    clients = in_parallel(lambda _: Client(server.url, **patient), range(VISITORS))

    def ask(visitor):
        """One after the other: of two questions at once gradio's client may lose an answer."""
        own = calls[visitor::VISITORS]
        client = clients[visitor]
        return [client.predict(api_name=f"/{each.__name__}", **given) for each, given in own]

    try:
        answers = in_parallel(ask, range(VISITORS))
        assert answers == [alone[visitor::VISITORS] for visitor in range(VISITORS)]
    finally:
        for client in clients:
            client.close()
    assert len(set(alone)) == len(calls) > len(ENDPOINTS)


class BrokenOffError(Exception):
    """What the machine says in the middle of an experiment."""


BROKEN_OFF = (BrokenOffError, TypeCheckError)
"""The type checker, which looks at tensors too, may be the first to fail."""


class Counted(TorchFunctionMode):
    """Counts the operations on tensors, and breaks off at one of them and at all that follow.

    That gradients are switched on and off is none: it would stay off for whoever comes next.
    """

    def __init__(self, last=math.inf):
        super().__init__()
        self.count, self.last = 0, last

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is not torch._C._set_grad_enabled:
            self.count += 1
            if self.count > self.last:
                raise BrokenOffError
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", ASKED)
def test_an_experiment_that_breaks_off_anywhere_leaves_nothing_behind(server, subject, name):
    plain = bits(subject)
    before = shown(name, VIEW)  # what is worked out once and kept is there from now on
    with Counted() as all_of_it:
        assert shown(name, VIEW) == before
    for share in (0.1, 0.5, 0.85):
        with pytest.raises(BROKEN_OFF), Counted(int(share * all_of_it.count)):
            ask(name, VIEW)
        assert all(map(torch.equal, plain, bits(subject)))
    assert shown(name, VIEW) == before


def test_a_visitor_whose_question_is_wrong_does_not_keep_the_others_waiting(server):
    def asked(number):
        neuron = "L9N0" if number % 2 else VIEW.neuron
        try:
            return ask("activations", replace(VIEW, neuron=neuron)).json
        except UserError as error:
            return str(error)

    assert in_parallel(asked, range(VISITORS)) == [asked(0), asked(1)] * (VISITORS // 2)
