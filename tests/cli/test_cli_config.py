from __future__ import annotations

import asyncio
import json
import re
import tomllib
from pathlib import Path

import pytest
from workshop import builder, settings_for

from vidgend.cli.toml_example import toml_example
from vidgend.settings import Settings, leaves
from vidgend.settings_sources import GUIDE_NAMES, load_settings
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.database import Database
from vidgend.store.steps import StepStore

EXAMPLE = Path(__file__).parents[2] / "vidgend.toml.example"


def _uncommented() -> str:
    return re.sub(r"^#(\w+ = )", r"\1", toml_example(), flags=re.M)


def test_the_committed_example_is_what_the_command_prints(vidgend) -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == vidgend("config", "example").stdout


def test_the_example_as_it_stands_changes_nothing(home: Path) -> None:
    (home / "vidgend.toml").write_text(toml_example())
    assert load_settings(environ={}) == Settings()


def test_every_default_in_the_example_is_the_real_one(home: Path) -> None:
    file = home / "all.toml"
    file.write_text(_uncommented())
    shown, real = load_settings(file, environ={}).model_dump(), Settings().model_dump()
    assert str(shown.pop("data_dir")).endswith(".local/share/vidgend") and real.pop("data_dir")
    assert shown["music"].pop("folder") and real["music"].pop("folder") is None
    assert shown["captions"].pop("fonts_folder") and real["captions"].pop("fonts_folder") is None
    for name in ("unix_socket", "tls_cert", "tls_key"):
        assert shown["http"].pop(name) and real["http"].pop(name) is None
    assert shown["footage"].pop("image_model") and real["footage"].pop("image_model") is None
    assert shown == real


def test_the_example_has_every_setting_with_its_meaning_and_variables() -> None:
    tree = tomllib.loads(_uncommented())
    text = toml_example()
    for dotted, field in leaves():
        value = tree
        for part in dotted.split("."):
            value = value[part]
        assert field.description and field.description in text
        assert f"VIDGEND_{dotted.upper().replace('.', '__')}\n" in text.replace(" or ", "\n")
    assert [name for name in GUIDE_NAMES if name not in text] == []


async def test_no_gpu_slots_means_from_the_machine_which_is_one(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, VIDGEND_SLOTS__GPU="0")
    database = await Database.open(tmp_path / "db")
    assets = await open_filesystem_assets(database, tmp_path / "assets")
    steps = StepStore(database, assets, boot_id="boot")
    parts = builder(providers=())(settings, assets, steps, work=tmp_path / "work")
    async with asyncio.timeout(5), parts.executor._slots["gpu"].hold():
        pass
    await parts.aclose()
    await assets.aclose()
    await database.close()


@pytest.mark.parametrize(
    ("host", "public_url", "base_url"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:8080"),
        ("0.0.0.0", "", "http://localhost:8080"),
        ("::", "", "http://localhost:8080"),
        ("::1", "", "http://[::1]:8080"),
        ("0.0.0.0", "https://videos.example/", "https://videos.example"),
    ],
)
def test_webhooks_name_an_address_that_can_be_connected_to(host: str, public_url: str, base_url: str) -> None:
    settings = load_settings(environ={"VIDGEND_HTTP__HOST": host, "VIDGEND_HTTP__PUBLIC_URL": public_url})
    assert settings.base_url == base_url


def test_check_says_that_everything_is_default(vidgend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIDGEND_HTTP__PORT")
    assert vidgend("config", "check").stdout == "settings file: none\neverything has its default\n"


def test_check_tells_each_change_with_its_origin_and_hides_secrets(
    vidgend, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIDGEND_HTTP__PORT")
    (home / "my.toml").write_text('[render]\ncrf = 18\n[footage.library]\nfolders = ["/srv/a"]\n')
    (home / ".env").write_text("MAX_CONCURRENT_JOBS=3\nVIDGEND_RENDER__FPS=24\n")
    monkeypatch.setenv("PEXELS_API_KEY", "very-secret")
    monkeypatch.setenv("VIDGEND_RENDER__FPS", "25")
    result = vidgend("config", "check", "--config", "my.toml", "--data-dir", "/tmp/x")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "settings file: my.toml",
        "data_dir = /tmp/x   (command line)",
        "queue.max_concurrent_jobs = 3   (.env, MAX_CONCURRENT_JOBS)",
        "footage.pexels.api_key = *****   (environment, PEXELS_API_KEY)",
        "footage.library.folders = ['/srv/a']   (my.toml)",
        "render.fps = 25   (environment, VIDGEND_RENDER__FPS)",
        "render.crf = 18   (my.toml)",
        "everything else has its default",
    ]
    answer = json.loads(vidgend("config", "check", "--config", "my.toml", "--json").stdout)
    assert answer["changed"]["render.crf"] == {"value": 18, "from": "my.toml"}
    assert "very-secret" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[render]\ncfr = 18\n", "did you mean render.crf?"),
        ('[http]\nport = "x"\n[queue]\nmax_queued = 0\n', "queue.max_queued"),
        ("[http\n", "is not TOML"),
        ('[webhooks]\nsecret = "short"\n', "webhooks.secret: must be whsec_ followed by the base64 of 24 to 64"),
    ],
)
def test_check_names_what_is_wrong_and_ends_with_78(vidgend, home: Path, text: str, complaint: str) -> None:
    (home / "vidgend.toml").write_text(text)
    result = vidgend("config", "check")
    assert result.exit_code == 78
    assert complaint in result.stderr


def test_a_settings_file_that_is_not_there_is_an_error(vidgend) -> None:
    result = vidgend("config", "check", "--config", "missing.toml")
    assert result.exit_code == 78
    assert "cannot read missing.toml" in result.stderr


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[footage.pexels]\napi_key = "ключ-secret"\n', "footage.pexels.api_key: a key is letters"),
        ('[footage.pixabay]\napi_key = "a-secret\\nHost: x"\n', "footage.pixabay.api_key: a key is letters"),
        ('[planner]\napi_key = "a secret"\n', "planner.api_key: a key is letters"),
        ('[speech.server]\napi_key = "a\\u007fsecret"\n', "speech.server.api_key: a key is letters"),
        ('[footage.pexels]\nbase_url = "api.pexels.com"\n', "footage.pexels.base_url: give the service's address"),
        ('[footage.pixabay]\nbase_url = "http://:80/api"\n', "footage.pixabay.base_url: give the service's address"),
        ('[footage.openverse]\nbase_url = "http://[zz]/"\n', "footage.openverse.base_url: give the service's address"),
        ('[footage.openverse]\nbase_url = "http://>1][::"\n', "footage.openverse.base_url: give the service's address"),
        ('[footage.openverse]\nbase_url = "http://a b/"\n', "footage.openverse.base_url: give the service's address"),
        ('[footage.pexels]\nbase_url = "http://a:99999"\n', "footage.pexels.base_url: give the service's address"),
        ('[footage.pexels]\nbase_url = "http://1.2.3.400"\n', "footage.pexels.base_url: give the service's address"),
        ('[planner]\nbase_url = "file:///etc/passwd"\n', "planner.base_url: give the service's address"),
        ('[footage.library]\nfolders = ["/a\\u0000b"]\n', "footage.library.folders[0]: a path must not be empty or"),
        ('[footage.library]\nfolders = ["/a", ""]\n', "footage.library.folders[1]: a path must not be empty or"),
        (
            '[footage.library]\nfolders = ["~nobodyx/foo"]\n',
            "footage.library.folders[0]: there is no home folder for '~nobodyx'",
        ),
        ('data_dir = "~nobodyx/foo"\n', "data_dir: there is no home folder for '~nobodyx'"),
        ('[music]\nfolder = "~nobodyx"\n', "music.folder: there is no home folder for '~nobodyx'"),
        ('[footage]\nproviders = ["library", "pexels", "library"]\n', "footage.providers: library is named twice"),
        ('[footage]\nproviders = ["pexel"]\n', "footage.providers[0]: must be 'library', 'pexels'"),
        ("[footage]\nproviders = []\n", "footage.providers: must not be empty"),
        ('[egress]\nallow_networks = ["a"]\n', "egress.allow_networks[0]: not a network such as 192.168.1.0/24"),
    ],
)
def test_what_would_only_fail_later_is_refused_in_one_plain_line(
    vidgend, home: Path, text: str, complaint: str
) -> None:
    (home / "vidgend.toml").write_text(text)
    for command in (("config", "check"), ("doctor",)):
        result = vidgend(*command)
        assert result.exit_code == 78, result.output
        line = result.stderr.splitlines()[0]
        assert complaint in line and "secret" not in result.output
        assert ";" not in line and "Tuple" not in line and "lax" not in line


def test_a_key_may_have_white_space_around_it() -> None:
    settings = load_settings(environ={"PEXELS_API_KEY": " abc\n"})
    assert settings.footage.pexels.api_key.get_secret_value() == "abc"


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9001", "https://a.example/v1/", "http://[::1]:80/x", "http://my_nas.lan", "http://u:p@a.b./c"],
)
def test_addresses_of_services(url: str) -> None:
    name = "VIDGEND_FOOTAGE__PEXELS__BASE_URL"
    assert load_settings(environ={name: url}).footage.pexels.base_url == url


def test_folders_are_relative_to_the_working_folder_at_the_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    (home / "vidgend.toml").write_text(
        '[footage.library]\nfolders = ["clips", "~/Videos"]\n[music]\nfolder = "songs"\n[captions]\nfonts_folder = "fonts"\n'
    )
    settings = load_settings(environ={})
    assert settings.footage.library.folders == (home / "clips", Path("/home/me/Videos"))
    assert (settings.music.folder, settings.captions.fonts_folder) == (home / "songs", home / "fonts")
