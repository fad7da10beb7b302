from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from standins.daemon_standin import DaemonStandin

from vidgend.cli import machine_checks, planner_checks, stage_checks
from vidgend.cli.finding import Finding
from vidgend.settings import Settings
from vidgend.settings_sources import load_settings
from vidgend.store.database import DataDir


def _settings(**overrides: object) -> Settings:
    return load_settings(environ={}, overrides=overrides)


def _marks(findings: list[Finding]) -> list[str]:
    return [finding.mark for finding in findings]


def test_doctor_tells_every_stage_and_that_videos_can_be_made(vidgend) -> None:
    result = vidgend("doctor")
    assert result.exit_code == 0, result.output
    sections = [line for line in result.stdout.splitlines() if line and line[0] not in " \n"]
    assert sections == [
        "vidgend and Python", "data directory", "ffmpeg", "video encoders", "planner", "footage", "speech", "word times", "music",
        "processes", "service", "videos can be made",
    ]  # fmt: skip
    assert "pexels is skipped: no key\n          -> A key is free at https://www.pexels.com/api/" in result.stdout


def test_a_problem_ends_with_69(vidgend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDGEND_RENDER__FFMPEG", "/nowhere/ffmpeg")
    result = vidgend("doctor", "--json")
    assert result.exit_code == 69
    answer = json.loads(result.stdout)
    assert answer["ok"] is False
    problems = [entry for entry in answer["findings"] if entry["mark"] == "problem"]
    assert [entry["section"] for entry in problems] == ["ffmpeg"]
    assert problems[0]["text"].startswith("not used: /nowhere/ffmpeg") and "render.ffmpeg" in problems[0]["fix"]
    assert "1 problem: no video can be made" in vidgend("doctor").stdout


def test_doctor_itself_creates_nothing(vidgend, home: Path) -> None:
    vidgend("doctor", "--data-dir", "new/data")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 45, 0), True), ((3, 50, 6), True),
        ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 52, 0), False),
    ],
)  # fmt: skip
def test_the_wal_reset_bug_is_told_as_information(version: tuple[int, ...], warned: bool) -> None:
    found = machine_checks.sqlite(version)
    assert found.mark == "ok"
    assert ("WAL-reset" in found.text) is warned


def test_a_data_dir_that_cannot_be_written_is_a_problem(home: Path) -> None:
    (home / "file").write_text("")
    found = list(machine_checks.data_dir(_settings(data_dir=str(home / "file" / "data"))))
    assert _marks(found) == ["problem"]
    assert "is not a folder" in found[0].text
    assert _marks(list(machine_checks.data_dir(_settings(data_dir="/proc/vidgend")))) == ["problem"]


def test_a_running_vidgend_is_seen_by_its_lock_which_stays_untouched(home: Path) -> None:
    data_dir = DataDir(home / "data")
    assert machine_checks.lock_owner(data_dir.path) == ""
    data_dir.acquire()
    try:
        assert machine_checks.lock_owner(data_dir.path).isdigit()
        texts = [found.text for found in machine_checks.data_dir(_settings(data_dir=str(data_dir.path)))]
        assert any("in use by a running vidgend" in text for text in texts)
    finally:
        data_dir.release()
    assert machine_checks.lock_owner(data_dir.path) == ""


def test_s3_is_asked_and_its_answer_told(vidgend: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDGEND_ASSETS__URL", "s3://videos/tv")
    monkeypatch.setenv("VIDGEND_ASSETS__ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("VIDGEND_ASSETS__ACCESS_KEY", "k")
    monkeypatch.setenv("VIDGEND_ASSETS__SECRET_KEY", "s")
    told = vidgend("doctor")
    assert told.exit_code == 69 and "assets s3://videos/tv: http://127.0.0.1:1" in told.output, told.output


def test_a_running_daemon_a_taken_port_and_a_free_one_are_told_apart(daemon: DaemonStandin) -> None:
    port = int(daemon.url.rpartition(":")[2])
    running = list(machine_checks.service(_settings(**{"http.port": port}), None))
    assert [found.text for found in running] == [f"a daemon answers at {daemon.url}; `vidgend generate` uses it"]
    daemon.answers["GET", "/livez"] = (404, b"not mine")
    taken = list(machine_checks.service(_settings(**{"http.port": port}), None))
    assert _marks(taken) == ["ok", "note"] and "is taken by another program" in taken[1].text
    free = list(machine_checks.service(_settings(**{"http.port": 0}), None))
    assert _marks(free) == ["ok", "ok"]


def test_an_open_address_without_a_key_is_noted() -> None:
    found = list(machine_checks.service(_settings(**{"http.host": "0.0.0.0", "http.port": 0}), None))
    assert any("will refuse to listen on 0.0.0.0 without a key" in one.text for one in found)


def test_the_model_server_is_asked_for_its_models() -> None:
    with DaemonStandin() as server:
        server.answers["GET", "/v1/models"] = (200, {"data": [{"id": "llama3:8b"}, {"id": "qwen"}]})

        def ask(model: str, **more: str) -> Finding:
            chosen = {"planner.base_url": f"{server.url}/v1", "planner.model": model, **more}
            return next(iter(stage_checks.planner(_settings(**chosen))))

        assert ask("llama3:8b").mark == ask("llama3").mark == "ok"
        unknown = ask("gpt")
        assert unknown.mark == "note" and "lists llama3:8b, qwen" in unknown.text
        assert ask("qwen", **{"planner.api_key": "k"}).mark == "ok"
        assert server.seen[-1].headers["Authorization"] == "Bearer k"
        server.answers["GET", "/v1/models"] = (401, {})
        assert "answers HTTP 401" in ask("qwen").text
        server.answers["GET", "/v1/models"] = (200, b"<html>")
        assert ask("qwen").mark == "note"
    assert ask("qwen").mark == "note", "nobody is there"


def _completion(content: str | None, **message: object) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content, **message}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("status", "answer", "mark", "said"),
    [
        (200, _completion('{"colour": "blue"}'), "ok", "it answers in JSON (json_schema), within"),
        (
            200,
            _completion("Blue, mostly."),
            "note",
            "gave no usable colour in 3 tries. The answer holds no JSON object",
        ),
        (200, _completion(None, refusal="no"), "note", "You refused"),
        (401, {"error": "k3y"}, "note", "refused the key"),
        (404, {"error": "no such route"}, "note", "answered HTTP 404"),
    ],
)
def test_the_model_is_asked_for_json_as_plans_are(status: int, answer: dict[str, Any], mark: str, said: str) -> None:
    with DaemonStandin() as server:
        server.answers["GET", "/v1/models"] = (200, {"data": [{"id": "qwen"}]})
        server.answers["POST", "/v1/chat/completions"] = (status, answer)
        chosen = {"planner.base_url": f"{server.url}/v1", "planner.model": "qwen", "planner.api_key": "k3y"}
        found = list(stage_checks.planner(_settings(**chosen)))
    assert _marks(found) == ["ok", mark] and said in found[1].text
    assert not any("k3y" in one.text + one.fix for one in found)


def test_a_model_server_that_runs_here_unused_is_named() -> None:
    with DaemonStandin() as server, DaemonStandin() as other:
        server.answers["GET", "/v1/models"] = (200, {"data": [{"id": "gemma3:4b"}, {"id": "\x1b[2Jx"}, {"id": 5}]})
        other.answers["GET", "/v1/models"] = (200, b"<html>")
        places = (
            ("Ollama", f"{server.url}/v1"),
            ("LM Studio", f"{other.url}/v1"),
            ("llama.cpp", "http://127.0.0.1:1/v1"),
        )
        found = list(planner_checks.local_servers("planner", places))
    assert [one.text for one in found] == [f"Ollama runs at {server.url}/v1 with gemma3:4b, 5, and is not used"]
    assert f'planner.base_url = "{server.url}/v1" and planner.model = "gemma3:4b"' in found[0].fix


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"\x00" * 70_000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b'{"data":' * 100_000, b'HTTP/1.1 200 OK\r\n\r\n{"data": null}',
    ],
    ids=["ssh", "nothing", "cut off", "noise", "nested", "null"],
)  # fmt: skip
def test_what_listens_where_a_model_server_might_and_is_none_is_not_noted(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            caller, _ = server.accept()
            with caller, suppress(OSError):
                caller.recv(65536)
                caller.sendall(answer)

        talking = threading.Thread(target=talk)
        talking.start()
        place = ("Ollama", f"http://127.0.0.1:{server.getsockname()[1]}/v1")
        assert not list(planner_checks.local_servers("planner", (place,)))
        talking.join()


def test_a_model_server_on_vidgends_own_port_is_noted() -> None:
    chosen = {"planner.base_url": "http://localhost:8080/v1", "planner.model": "x"}
    noted = list(planner_checks.own_port(_settings(**chosen), "planner"))
    assert "vidgend's own" in noted[0].text and "--port 8081" in noted[0].fix
    assert not list(planner_checks.own_port(_settings(**{**chosen, "http.port": 9000}), "planner"))


def test_without_any_source_of_pictures_no_video_can_be_made() -> None:
    found = list(stage_checks.footage(_settings(**{"footage.providers": ["pexels"]})))
    assert _marks(found) == ["note", "problem"]
    keyed = {"footage.providers": ["pexels"], "footage.pexels.api_key": "k"}
    assert "fails the job" in list(stage_checks.footage(_settings(**keyed)))[-1].text


def test_each_stock_service_without_its_key_is_told_with_where_to_get_it() -> None:
    found = list(stage_checks.footage(_settings(**{"footage.pixabay.api_key": "k"})))
    assert [one.text for one in found[1:]] == [
        "2. pexels is skipped: no key", "3. pixabay: a key is set",
        "4. generated: painted backgrounds, always there",
    ]  # fmt: skip
    found = list(stage_checks.footage(_settings(**{"footage.providers": ["pixabay"]})))
    assert _marks(found) == ["note", "problem"]
    assert "https://pixabay.com/api/docs/" in found[0].fix and "PIXABAY_API_KEY" in found[0].fix


def test_offline_is_told_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_checks.urllib.request, "urlopen", lambda *_, **__: pytest.fail("asked"))
    chosen = {"footage.offline": True, "footage.providers": ["openverse", "generated"]}
    found = list(stage_checks.footage(_settings(**chosen)))
    assert _marks(found) == ["note", "ok", "ok"]
    assert "no service is asked" in found[0].text and "footage.offline = false" in found[0].fix
    assert found[1].text == "1. openverse: what was fetched before"


def test_openverse_is_asked_whether_it_can_be_reached() -> None:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["User-Agent"]))
            self.send_response(200 if "good" in self.path else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    asked: list[tuple[str, str]] = []
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        place = f"http://127.0.0.1:{server.server_port}"
        good, bad = (stage_checks.openverse(f"{place}/{path}", 2) for path in ("good", "bad"))
        server.shutdown()
        thread.join()
    gone = stage_checks.openverse(place, 2)
    assert _marks([good, bad, gone]) == ["ok", "note", "note"]
    assert "HTTP 503" in bad.text and "refused" in gone.text and "footage.openverse.base_url" in gone.fix
    assert asked == [("/good/v1/", stage_checks.USER_AGENT), ("/bad/v1/", stage_checks.USER_AGENT)]


def test_library_folders_are_counted(home: Path) -> None:
    (home / "clips" / "sea").mkdir(parents=True)
    (home / "clips" / "sea" / "waves.MP4").write_bytes(b"x")
    (home / "clips" / "notes.txt").write_bytes(b"x")
    (home / "empty").mkdir()
    folders = [str(home / name) for name in ("clips", "empty", "missing")]
    chosen = {"footage.library.folders": folders, "footage.providers": ["library"]}
    found = list(stage_checks.footage(_settings(**chosen)))
    assert _marks(found) == ["ok", "note", "note", "ok", "note"]
    assert found[0].text.endswith("clips, 1 files")
    assert "No such file" in found[2].text and "or mount it" in found[2].fix
    assert "nobody has looked into the folders yet" in found[3].text


def test_it_is_told_how_clips_are_matched_and_how_to_do_better(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgend.pipeline.relevance.model_files.packaged_files", lambda _: ())
    monkeypatch.setenv("HF_HUB_CACHE", str(home / "hub"))
    here = {"data_dir": str(home / "data")}
    (found,) = stage_checks.relevance(_settings(**here))
    assert (found.section, found.mark) == ("footage", "note")
    assert "by words" in found.text and "vidgend models pull minilm" in found.fix
    (found,) = stage_checks.relevance(_settings(**here, **{"footage.relevance": "bm25"}))
    assert (found.mark, found.fix) == ("ok", "")
    folder = home / "data" / "models" / "all-MiniLM-L6-v2"
    folder.mkdir(parents=True)
    for name in ("model.safetensors", "vocab.txt"):
        (folder / name).write_bytes(b"x")
    (found,) = stage_checks.relevance(_settings(**here))
    assert found.mark == "ok" and "by meaning: embeddings" in found.text


def test_it_is_told_whether_the_folder_of_the_image_model_is_whole(home: Path) -> None:
    assert list(stage_checks.looks(_settings())) == []
    folder = home / "clip"
    (found,) = stage_checks.looks(_settings(**{"footage.image_model": str(folder)}))
    assert (found.section, found.mark) == ("footage", "note")
    assert "clip is not a folder" in found.text and "docs/relevance.md" in found.fix
    (folder / "onnx").mkdir(parents=True)
    for name in ("vocab.json", "merges.txt", "onnx/vision_model_quantized.onnx"):
        (folder / name).write_bytes(b"x")
    (found,) = stage_checks.looks(_settings(**{"footage.image_model": str(folder)}))
    assert (found.mark, "has no onnx/text_model.onnx" in found.text) == ("note", True)
    (folder / "onnx" / "text_model.onnx").write_bytes(b"x")
    (found,) = stage_checks.looks(_settings(**{"footage.image_model": str(folder)}))
    assert found.mark == "ok" and "vision_model_quantized.onnx and text_model.onnx" in found.text


def test_speech_says_which_engine_speaks_and_why_the_others_do_not() -> None:
    found = list(stage_checks.speech(_settings()))
    assert found[0].text.endswith("speaks (best one here)")
    assert all(one.fix for one in found if "is not used" in one.text)
    wrong = list(stage_checks.speech(_settings(**{"speech.voice": "nobody-at-all"})))
    assert wrong[-1].mark == "problem" and "speech.voice" in wrong[-1].text


def test_an_engine_that_is_asked_for_but_missing_is_a_problem() -> None:
    if any(one.mark == "ok" and one.text.startswith("kokoro ") for one in stage_checks.speech(_settings())):
        pytest.skip("torch's Kokoro is installed here")
    assert "problem" in _marks(list(stage_checks.speech(_settings(**{"speech.engine": "kokoro"}))))


def test_music_says_where_its_tracks_are(home: Path) -> None:
    assert "calm" in next(iter(stage_checks.music(_settings()))).text
    assert _marks(list(stage_checks.music(_settings(**{"music.folder": str(home / "missing")})))) == ["problem"]
    assert "off" in next(iter(stage_checks.music(_settings(**{"music.enabled": False})))).text


def test_a_recogniser_that_was_switched_off_is_told(home: Path) -> None:
    times, overs = stage_checks.word_times(_settings(aligner={"engine": "proportional"}))
    assert times.mark == "ok" and "by word length" in times.text
    assert overs.mark == "note" and "voice-overs need a script" in overs.text
    assert overs.fix.startswith("Set aligner.engine = auto")
