"""What programs see: endpoints and tools with types and words; and what an owner can set."""

import asyncio
import inspect
import json

import pytest
from gradio_client import Client
from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client

from analysis import EMBEDDED
from analysis.errors import UserError
from analysis.experiments import named
from analysis.loading.models import CATALOGUE
from space.endpoints import endpoint, endpoints
from space.settings import MODELS, ON_GPU, Settings, from_environment
from space.turns import Turns
from space.view import OWN
from tests.space.questions import LIVE, VIEW, is_one_sentence

pytestmark = pytest.mark.filterwarnings("ignore")  # the server's threads warn of their own
ENDPOINTS = endpoints()
NAMES = {endpoint.__name__ for endpoint in ENDPOINTS}
TYPES = {str: "string", int: "integer", float: "number"}


@pytest.fixture(scope="module")
def listed(server):
    client = Client(server.url, verbose=False)
    yield client.view_api(return_format="dict")["named_endpoints"]
    client.close()


@pytest.fixture(scope="module")
def tools(server):
    return {tool["name"]: tool for tool in server.http.get(f"{server.api}/mcp/schema").json()}


def first_line(endpoint):
    return inspect.getdoc(endpoint).splitlines()[0]


@pytest.mark.slow
def test_the_listed_endpoints_are_ours_and_no_others(listed, tools):
    assert {name.lstrip("/") for name in listed} == NAMES == set(tools)
    assert {experiment.name for experiment in LIVE} == NAMES


def test_an_endpoint_takes_what_the_experiment_needs_and_what_a_visitor_may_set():
    def parameters(name):
        return list(inspect.signature(endpoint(named(name))).parameters)

    pair, words = ["clean", "corrupted"], ["target", "foil"]
    assert parameters("next_token") == [*pair, *words, "model"]
    assert parameters("neuron_sweep") == [*pair, *words, "screen", "seed", "model", *OWN]
    assert parameters("writers") == ["clean", *words, "token", "top", "model"]
    assert parameters("activations") == ["neuron", *pair, *words, "text", "seed", "model"]
    assert parameters("generality") == ["neuron", "question", "seed", "model"]


def test_a_program_asks_pairs_of_its_own_and_is_told_where_lengths_count(server):
    more = "I saw the egg and ate | I saw the pear and ate | the| an | his| a"
    lines = f"{VIEW.clean} | {VIEW.corrupted}\n{more}"
    sweep = endpoint(named("neuron_sweep"))
    document = json.loads(sweep(lines=lines, clean="", corrupted="", screen=16))
    assert document["held_out"]
    assert "neurons" in document
    assert "as many tokens" in inspect.getdoc(endpoint(named("upstream")))
    assert "as many tokens" not in inspect.getdoc(sweep)
    confirmed = {each.__name__ for each in ENDPOINTS if "The others confirm" in each.__doc__}
    assert confirmed == {"neuron_sweep"}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.__name__)
def test_an_endpoint_is_listed_with_its_words_types_and_usual_values(listed, endpoint):
    found = listed[f"/{endpoint.__name__}"]
    assert first_line(endpoint) in found["description"]
    parameters = inspect.signature(endpoint).parameters.values()
    assert [p["parameter_name"] for p in found["parameters"]] == [p.name for p in parameters]
    for ours, theirs in zip(parameters, found["parameters"], strict=True):
        assert theirs["parameter_has_default"]
        assert theirs["parameter_default"] == ours.default
        assert theirs["python_type"]["type"] == ours.annotation.__name__
    assert [given["python_type"]["type"] for given in found["returns"]] == ["str"]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.__name__)
def test_a_tool_is_listed_with_its_words_and_types(tools, endpoint):
    tool = tools[endpoint.__name__]
    assert first_line(endpoint) in tool["description"]
    given = tool["inputSchema"]["properties"]
    for name, parameter in inspect.signature(endpoint).parameters.items():
        assert given[name]["type"] == TYPES[parameter.annotation]
        assert f"{name}: {given[name]['description']}" in inspect.getdoc(endpoint)
    assert not tool["inputSchema"].get("required")
    assert set(given) == set(inspect.signature(endpoint).parameters)


async def used(transport, calls):
    """The tools that the protocol's own client lists, and what some of them answer."""
    async with (
        transport as (incoming, outgoing, *_),
        ClientSession(incoming, outgoing) as session,
    ):
        await session.initialize()
        names = {tool.name for tool in (await session.list_tools()).tools}
        return names, [await session.call_tool(name, given) for name, given in calls]


def test_only_the_servers_own_client_asks_for_more_than_one_page(server, monkeypatch):
    """Also behind a proxy, whose header is passed on; and whatever a visitor's headers say."""
    seen, is_tool = {}, Turns._is_tool

    def noted(queue, event):
        seen[event.session_hash] = is_tool(queue, event)
        return ""

    monkeypatch.setattr(Turns, "_refusal", noted)
    through = {"x-forwarded-for": "203.0.113.9"}
    asked = {"clean": f"{VIEW.clean} an", "corrupted": f"{VIEW.corrupted} an"}
    transport = streamablehttp_client(f"{server.api}/mcp/", headers=through)
    asyncio.run(used(transport, [("next_token", asked)]))
    assert list(seen.values()) == [True]
    pretending = Client(server.url, headers={"x-gradio-user": "mcp"}, verbose=False)
    pretending.predict(f"{VIEW.clean} a", VIEW.corrupted, api_name="/next_token")
    assert seen[pretending.session_hash] is False


def test_a_tool_returns_the_json_and_says_what_was_wrong(server):
    """Asked by the protocol's own client."""
    pair = {"clean": VIEW.clean, "corrupted": VIEW.corrupted}
    calls = [
        ("next_token", pair),
        ("intervention", {"neuron": "L1N3", "clean": VIEW.clean, "factor": 1.5}),
        ("upstream", {**pair, "neuron": "L9N9"}),
    ]
    names, (likely, exchanged, wrong) = asyncio.run(
        used(streamablehttp_client(f"{server.api}/mcp/"), calls)
    )
    assert names == NAMES
    ours = [endpoint(named(name))(**given) for name, given in calls[:2]]
    assert [[part.text for part in each_text.content] for each_text in (likely, exchanged)] == [
        [each_text] for each_text in ours
    ]
    assert [each_text.isError for each_text in (likely, exchanged)] == [False, False]
    assert all(isinstance(json.loads(each_text), dict) for each_text in ours)
    assert wrong.isError
    assert "L9N9 is outside this model" in wrong.content[0].text
    _, (older,) = asyncio.run(used(sse_client(f"{server.api}/mcp/sse"), calls[:1]))
    assert older.content[0].text == ours[0], "the older transport answers on another request"


@pytest.mark.parametrize(
    ("env", "gpu", "settings"),
    [
        ({}, False, Settings((EMBEDDED,), "cpu")),
        ({}, True, Settings((ON_GPU,), "cuda")),
        ({"SPACES_ZERO_GPU": "true"}, False, Settings((ON_GPU,), "cuda", zero=True)),
        ({"SPACES_ZERO_GPU": "false"}, False, Settings((EMBEDDED,), "cpu")),
        ({MODELS: " gpt2 ,gpt2-xl, gpt2,"}, False, Settings(("gpt2", "gpt2-xl"), "cpu")),
        ({MODELS: " , "}, False, Settings((EMBEDDED,), "cpu")),
        ({MODELS: ""}, True, Settings((ON_GPU,), "cuda")),
    ],
)
def test_the_owner_chooses_models_by_the_environment(env, gpu, settings):
    assert from_environment(env, gpu) == settings


@pytest.mark.parametrize("name", ["gpt5", "/etc", "openai-community/gpt2", "GPT2", "x" * 9999])
def test_a_model_that_is_not_in_the_catalogue_is_refused_with_the_list(name):
    with pytest.raises(UserError) as found:
        from_environment({MODELS: f"gpt2,{name}"})
    assert is_one_sentence(str(found.value))
    assert str(found.value).startswith(f"{MODELS} names {name[:40]!r}: choose from ")
    assert all(entry.name in str(found.value) for entry in CATALOGUE)
