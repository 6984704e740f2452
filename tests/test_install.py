"""What a researcher gets who installs the package and works elsewhere."""

import json
import os
import re
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

import pytest

from tests.questions import CLEAN, CORRUPTED

ROOT = Path(__file__).resolve().parent.parent
PAIR = ["--clean", CLEAN, "--corrupted", CORRUPTED]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The commands of an environment that has the wheel, and this one's libraries but not its code.

    The libraries' folder is on the path as it is: what lies in it as a link to this checkout does
    not count.
    """
    folder = tmp_path_factory.mktemp("installed")
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(wheel, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    venv.create(folder / "env", with_pip=False, symlinks=True)
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    libraries = Path(pytest.__file__).parent.parent
    (site / "libraries.pth").write_text(f"{libraries}\n")
    (file,) = folder.glob("an_neuron-*.whl")
    install = [sys.executable, "-m", "pip", "--python", folder / "env", "install", "--quiet"]
    only = ["--no-deps", "--no-index", "--no-compile", file]
    subprocess.run([*install, *only], check=True, cwd=folder)
    return folder / "env" / "bin"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder to work in, and a home that is not this user's own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    return work


def run(installed, where, *arguments):
    command = [installed / arguments[0], *map(str, arguments[1:])]
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_package_is_the_installed_one_with_templates_and_the_committed_study(
    installed, elsewhere
):
    code = (
        "import analysis, report, space\n"
        "from analysis import results, questions\n"
        "print([m.__file__ for m in (analysis, report, space)])\n"
        "print(list(results.COMMITTED.iterdir()))\n"
        "print(questions.library(), analysis.Question)"
    )
    found = run(installed, elsewhere, "python", "-c", code)
    assert str(ROOT) not in found
    assert "smollm2-135m" in found
    assert "an" in found


def test_the_command_answers_in_json(installed, elsewhere, llama_folder):
    document = run(
        installed,
        elsewhere,
        "an-neuron",
        "sweep",
        "--screen",
        64,
        "--json",
        "--model",
        llama_folder,
        *PAIR,
    )
    assert json.loads(document)["exact"] == 64
    assert list(elsewhere.iterdir()) == []


def test_the_report_is_written_from_the_committed_study(installed, elsewhere):
    study = ("--model", "smollm2-135m", "--question", "an", "--stale")
    run(installed, elsewhere, "an-neuron", "report", "--out", "pages", *study)
    assert (elsewhere / "pages" / "index.html").is_file()
    assert (elsewhere / "pages" / "smollm2-135m" / "an" / "index.html").is_file()


@pytest.mark.embedded
def test_the_app_starts_and_answers(installed, elsewhere, embedded):
    environment = {**os.environ, "HOME": os.path.expanduser("~"), "PYTHONUNBUFFERED": "1"}
    environment.pop("AN_NEURON_MODELS", None)
    command = [installed / "an-neuron", "app"]
    with subprocess.Popen(
        command, cwd=elsewhere, stdout=subprocess.PIPE, text=True, env=environment
    ) as app:
        try:
            said = iter(app.stdout.readline, "")
            address = next(m[0] for m in (re.search(r"http://\S+", line) for line in said) if m)
            assert address.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(address) as page:
                assert b"<html" in page.read()
        finally:
            app.terminate()
