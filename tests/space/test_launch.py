"""What keeps the app from starting is told in a sentence, and a proxy does not."""

import errno
import inspect
import socket
import subprocess
import sys
from pathlib import Path

import gradio as gr
import pytest

from analysis.errors import UserError
from analysis.imports import unstubbed
from space import launch as starting
from space.launch import PORT, launch, serve
from tests.space.questions import is_one_sentence

pytestmark = pytest.mark.filterwarnings("ignore")  # gradio leaves its loops to the collector


@pytest.fixture
def demo():
    with gr.Blocks(analytics_enabled=False) as demo:
        gr.HTML("")
    yield demo
    demo.close(verbose=False)


@pytest.mark.slow
def test_a_port_that_is_named_and_taken_is_not_exchanged_for_another(demo, monkeypatch, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        monkeypatch.setenv(PORT, str(taken))
        with pytest.raises(SystemExit) as ended:
            serve(demo)
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"error: Port {taken} is taken: name another one in {PORT}.\n"


@pytest.mark.slow
@pytest.mark.parametrize("port", ["seven", "0", "65536", "-1", "7860a", "٧٨٦٠"])
def test_a_port_that_is_none_is_refused_in_a_sentence(demo, monkeypatch, port):
    monkeypatch.setenv(PORT, port)
    with pytest.raises(UserError) as found:
        launch(demo, quiet=True, prevent_thread_lock=True)
    assert is_one_sentence(str(found.value))


def test_a_proxy_is_not_asked_for_this_machine(demo, monkeypatch):
    """There is none at that address: what would go through it would fail."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "example.org")
    _, url, _ = launch(demo, prevent_thread_lock=True, quiet=True)
    assert url.startswith("http://127.0.0.1:")
    assert starting.os.environ["NO_PROXY"] == "example.org,127.0.0.1,localhost"


def test_a_full_disk_is_told_in_a_sentence(demo, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    monkeypatch.setattr(demo, "launch", full)
    with pytest.raises(UserError) as found:
        launch(demo)
    assert str(found.value) == "The app cannot start: No space left on device."


@pytest.mark.slow
def test_gradio_writes_no_stubs_beside_its_components_which_takes_it_a_second():
    watched = (
        "import ast; read, parse = [], ast.parse\n"
        "ast.parse = lambda text, *more, **to: read.append(text) or parse(text, *more, **to)\n"
        "import space; print(sum('class HTML(' in text for text in read))"
    )
    done = subprocess.run([sys.executable, "-c", watched], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_where_a_class_is_from_is_known_again_once_gradio_is_imported():
    with unstubbed():
        with pytest.raises(OSError, match="no stub"):
            inspect.getfile(gr.HTML)
        assert Path(inspect.getfile(UserError)).name == "errors.py"
    assert Path(inspect.getfile(gr.HTML)).name == "html.py"
