"""What `vidgend doctor` finds out about each stage: which tool will do it, why, and how to get a better one."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vidgend import __version__
from vidgend.cli import planner_checks
from vidgend.cli.encoder_checks import encoder_findings
from vidgend.cli.finding import Finding
from vidgend.errors import VidgendError

if TYPE_CHECKING:
    from vidgend.settings import Settings

PLANNER_TIMEOUT_S = 3.0
FOOTAGE_TIMEOUT_S = 5.0
USER_AGENT = f"vidgend/{__version__}"
_KEY_PAGES = {"pexels": "https://www.pexels.com/api/", "pixabay": "https://pixabay.com/api/docs/"}
SHOWN_PROBLEMS = 3
"""Files of the library that cannot be used."""
_ORIGINS = {"setting": "from render.ffmpeg", "path": "from the PATH", "package": "packaged with imageio-ffmpeg"}


def ffmpeg(settings: Settings, section: str = "ffmpeg") -> Iterator[Finding]:
    from vidgend.pipeline.encoders.select import software_of
    from vidgend.pipeline.ffmpeg import find_ffmpeg

    found = asyncio.run(find_ffmpeg(settings.render.ffmpeg, encoder=settings.render.encoder))
    needed = software_of(settings.render.encoder)
    if found.ffmpeg is not None:
        one = found.ffmpeg
        yield Finding(section=section, mark="ok", text=f"ffmpeg {one.version}, {_ORIGINS[one.origin]}: {one.path}")
    for reason in found.rejected:
        yield Finding(
            section=section,
            mark="note" if found.ffmpeg else "problem",
            text=f"not used: {reason}",
            fix="" if found.ffmpeg else f"Install ffmpeg 5 or newer with {needed} and libass, or set render.ffmpeg.",
        )
    if found.ffmpeg is not None:
        yield from encoder_findings(found.ffmpeg, settings)


def speech(settings: Settings, section: str = "speech") -> Iterator[Finding]:
    from vidgend.pipeline.speech.hub import default_hub_dir
    from vidgend.pipeline.speech.select import build_engines, probe

    models, hub = settings.data_dir / "models", default_hub_dir()
    try:
        engines = build_engines(settings.speech.engine, models_dir=models, hub_dir=hub, server=settings.speech.server)
    except VidgendError as error:
        yield Finding(section=section, mark="problem", text=error.detail, fix=error.hint)
        engines = ()
    order = [engine.name for engine in engines]
    if order:
        because = "best one here" if settings.speech.engine == "auto" else f"speech.engine = {settings.speech.engine}"
        yield Finding(section=section, mark="ok", text=f"{order[0]} speaks ({because})")
    for one in probe(models_dir=models, hub_dir=hub, server=settings.speech.server):
        if not one.available:
            yield Finding(section=section, mark="note", text=f"{one.name} is not used: {one.reason}", fix=one.get)
        elif one.name in order:
            place = "first choice" if one.name == order[0] else "stands behind it, for languages the first cannot speak"
            yield Finding(section=section, mark="ok", text=f"{one.name} ({one.reason}): {place}")
        else:
            yield Finding(section=section, mark="ok", text=f"{one.name} is there, but speech.engine names another")
    if "server" in order:
        server = settings.speech.server
        yield _server(
            server.base_url, server.model, server.api_key.get_secret_value(), section=section, setting="speech.server",
            behind=f"{order[1]} speaks meanwhile" if order[1:] else "nobody else speaks here",
        )  # fmt: skip
    if engines:
        yield _default_voice(settings.speech.voice, engines, section)


def _default_voice(voice: str, engines: tuple[object, ...], section: str) -> Finding:
    from vidgend.pipeline.speech.voices import resolve

    try:
        found = resolve(voice, None, engines)  # type: ignore[arg-type]
    except VidgendError as error:
        return Finding(section=section, mark="problem", text=f"speech.voice: {error.detail}", fix=error.hint)
    text = f"default voice {voice}: {found.voice.id} ({found.voice.language}, {found.engine.name})"
    if found.reason:
        return Finding(section=section, mark="note", text=f"{text}; {found.reason}", fix="`vidgend voices` lists them.")
    return Finding(section=section, mark="ok", text=text)


def word_times(settings: Settings, section: str = "word times") -> Iterator[Finding]:
    from vidgend.pipeline.aligner.select import probe, recogniser_hint
    from vidgend.pipeline.speech.hub import default_hub_dir

    wanted = settings.aligner.engine
    if wanted == "proportional":
        yield Finding(section=section, mark="ok", text="by word length (aligner.engine = proportional)")
        text = "voice-overs need a script: aligner.engine = proportional"
        yield Finding(section=section, mark="note", text=text, fix=f"{recogniser_hint(wanted)}.")
        return
    found = probe(settings.aligner.model, models_dir=settings.data_dir / "models", hub_dir=default_hub_dir())
    asked = [found[name] for name in ("forced", "whisper") if wanted in ("auto", name)]
    there = [f"{one.name} ({one.reason})" for one in asked if one.available]
    missing = [one for one in asked if not one.available]
    if missing and wanted != "auto":
        text = f"aligner.engine = {wanted} cannot be used: {missing[0].reason}"
        yield Finding(section=section, mark="problem", text=text, fix=missing[0].get)
        return
    smaller = next((one.get for one in asked if one.available and one.get), "")
    yield Finding(section=section, mark="ok", text=", else ".join(["the voice's own times", *there]), fix=smaller)
    for one in missing:
        text = f"for voices without own times {one.name} is not there: {one.reason}"
        yield Finding(section=section, mark="note", text=text, fix=one.get)
    whisper = found["whisper"]
    heard = "voice-overs are written down by whisper" if whisper.available else "voice-overs need a script: no whisper"
    yield Finding(section=section, mark="ok" if whisper.available else "note", text=heard, fix=whisper.get)


def planner(settings: Settings, section: str = "planner") -> Iterator[Finding]:
    chosen = settings.planner
    if chosen.engine == "builtin":
        yield Finding(section=section, mark="ok", text="the built-in planner (planner.engine = builtin)")
        return
    if not (chosen.base_url and chosen.model):
        yield Finding(
            section=section,
            mark="note",
            text="the built-in planner: it cuts and pictures your text, but writes no new one",
            fix="Set planner.base_url and planner.model for a language model, such as Ollama's "
            "http://127.0.0.1:11434/v1 (docs/planner.md).",
        )
        yield from planner_checks.local_servers(section)
        return
    yield from planner_checks.own_port(settings, section)
    found = model_server(chosen.base_url, chosen.model, chosen.api_key.get_secret_value(), section=section)
    yield found
    if found.mark == "ok":
        yield planner_checks.answers_in_json(settings, section)


def model_server(base_url: str, model: str, api_key: str, *, section: str = "planner") -> Finding:
    """Ask the planner's server for its models. The built-in planner stands behind it: never a problem."""
    behind = "the built-in planner stands behind it"
    return _server(base_url, model, api_key, section=section, setting="planner", behind=behind)


def _server(base_url: str, model: str, api_key: str, *, section: str, setting: str, behind: str) -> Finding:
    """Ask an OpenAI-compatible server for its models."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        request = urllib.request.Request(f"{base_url.rstrip('/')}/models", headers=headers)
        with urllib.request.urlopen(request, timeout=PLANNER_TIMEOUT_S) as answer:
            body = json.loads(answer.read(4_000_000))
    except urllib.error.HTTPError as error:
        with error:
            return Finding(
                section=section,
                mark="note",
                text=f"{base_url} answers HTTP {error.code}; {behind}",
                fix=f"Check {setting}.api_key and {setting}.base_url (it ends in /v1 for most servers).",
            )
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return Finding(
            section=section,
            mark="note",
            text=f"{base_url} does not answer ({reason}); {behind}",
            fix=f"Start that server, or take {setting}.base_url out of the settings.",
        )
    listed = body.get("data") if isinstance(body, dict) else None
    names = [str(entry.get("id")) for entry in listed or () if isinstance(entry, dict)]
    if names and not any(name == model or name.partition(":")[0] == model for name in names):
        return Finding(
            section=section,
            mark="note",
            text=f"{base_url} has no model {model}; it lists {', '.join(names[:5])}",
            fix=f"Set {setting}.model to one of them, or fetch it there.",
        )
    return Finding(section=section, mark="ok", text=f"{model} at {base_url}; {behind}")


def footage(settings: Settings, section: str = "footage") -> Iterator[Finding]:
    usable = False
    if settings.footage.offline:
        yield Finding(
            section=section,
            mark="note",
            text="footage.offline is set: no service is asked, only what was fetched before serves",
            fix="Set footage.offline = false where there is a network.",
        )
    for place, name in enumerate(settings.footage.providers, start=1):
        if name == "generated":
            usable = True
            yield Finding(section=section, mark="ok", text=f"{place}. generated: painted backgrounds, always there")
        elif name in _KEY_PAGES:
            chosen = settings.footage.pexels if name == "pexels" else settings.footage.pixabay
            if chosen.api_key.get_secret_value():
                usable = True
                yield Finding(section=section, mark="ok", text=f"{place}. {name}: a key is set")
            else:
                yield Finding(
                    section=section,
                    mark="note",
                    text=f"{place}. {name} is skipped: no key",
                    fix=f"A key is free at {_KEY_PAGES[name]} ; set {name.upper()}_API_KEY.",
                )
        elif name == "openverse" and settings.footage.offline:
            usable = True
            yield Finding(section=section, mark="ok", text=f"{place}. openverse: what was fetched before")
        elif name == "openverse":
            finding = openverse(settings.footage.openverse.base_url, place, section)
            usable = usable or finding.mark == "ok"
            yield finding
        elif not settings.footage.library.folders:
            yield Finding(
                section=section,
                mark="note",
                text=f"{place}. library is skipped: no folders",
                fix="Name folders with your own videos and photos in footage.library.folders.",
            )
        else:
            for folder in settings.footage.library.folders:
                finding = _library(folder, place, section)
                usable = usable or finding.mark == "ok"
                yield finding
            yield from _library_index(settings, place, section)
    if not usable:
        fix = 'Set PEXELS_API_KEY or PIXABAY_API_KEY, or add "generated" to footage.providers.'
        yield Finding(section=section, mark="problem", text="nothing can give a picture", fix=fix)
    elif "generated" not in settings.footage.providers:
        yield Finding(
            section=section,
            mark="note",
            text="without `generated` a scene that nothing matches fails the job",
            fix='Add "generated" to the end of footage.providers.',
        )


def openverse(base_url: str, place: int, section: str = "footage") -> Finding:
    """Whether there is a way to it: it needs no key, but the network. The page that documents it is asked for."""
    try:
        request = urllib.request.Request(f"{base_url.rstrip('/')}/v1/", headers={"User-Agent": USER_AGENT})
        with urllib.request.urlopen(request, timeout=FOOTAGE_TIMEOUT_S):
            return Finding(section=section, mark="ok", text=f"{place}. openverse: {base_url} answers")
    except urllib.error.HTTPError as error:
        with error:
            reason = f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "reason", None) or error)
    fix = "Check the network and footage.openverse.base_url, or take openverse out of footage.providers."
    return Finding(section=section, mark="note", text=f"{place}. openverse: {base_url} fails ({reason})", fix=fix)


def relevance(settings: Settings, section: str = "footage") -> Iterator[Finding]:
    """How it is told which clip fits. BM25 is always there, so never a problem."""
    from vidgend.pipeline.relevance.select import probe
    from vidgend.pipeline.speech.hub import default_hub_dir

    found = probe(settings.footage.relevance, models_dir=settings.data_dir / "models", hub_dir=default_hub_dir())
    how = "by meaning" if found.name == "embeddings" else "by words"
    text = f"clips are matched {how}: {found.name} ({found.reason})"
    yield Finding(section=section, mark="note" if found.get else "ok", text=text, fix=found.get)


def looks(settings: Settings, section: str = "footage") -> Iterator[Finding]:
    """Whether the folder of the image model is whole. Nothing is said where none is set."""
    from vidgend.pipeline.relevance.clip_files import REPOSITORY, clip_files

    if settings.footage.image_model is None:
        return
    found = clip_files(settings.footage.image_model)
    if found.problem:
        fix = f"Put the files of {REPOSITORY} there (docs/relevance.md), or unset it. Until then words decide."
        yield Finding(section=section, mark="note", text=found.problem, fix=fix)
    else:
        text = f"previews are looked at: {found.vision.name} and {found.text.name} in {found.folder}"
        yield Finding(section=section, mark="ok", text=text)


def _library(folder: Path, place: int, section: str) -> Finding:
    from vidgend.pipeline.footage.library_files import walk

    fix = "Correct footage.library.folders."
    found = walk([folder])
    for reason in found.missing.values():
        text = f"{place}. library: {folder}: {reason}"
        return Finding(section=section, mark="note", text=text, fix=f"{fix[:-1]}, or mount it.")
    if not found.files:
        text = f"{place}. library: {folder} has no videos or photos"
        return Finding(section=section, mark="note", text=text, fix=fix)
    return Finding(section=section, mark="ok", text=f"{place}. library: {folder}, {len(found.files)} files")


def _library_index(settings: Settings, place: int, section: str) -> Iterator[Finding]:
    """What the index knows; it is read, never made."""
    from vidgend.adapters import LIBRARY_INDEX
    from vidgend.cli.library import told
    from vidgend.pipeline.footage.library_index import counts, problems, reading

    try:
        with reading(settings.data_dir / LIBRARY_INDEX) as index:
            known = counts(index) if index is not None else None
            wrong = problems(index, SHOWN_PROBLEMS) if index is not None else []
    except VidgendError as error:
        yield Finding(section=section, mark="note", text=f"{place}. library: {error.detail}", fix=error.hint or "")
        return
    yield Finding(section=section, mark="ok", text=f"{place}. library: {told(known)}")
    for file, reason in wrong:
        text = f"{place}. library: {file} cannot be used: {reason}"
        yield Finding(section=section, mark="note", text=text, fix="`vidgend library --problems` lists all of them.")


def music(settings: Settings, section: str = "music") -> Iterator[Finding]:
    from vidgend.pipeline.music.folder import FolderMusic
    from vidgend.pipeline.music.packaged import PackagedMusic

    own = settings.music.folder
    if own is not None and not own.is_dir():
        text = f"music.folder {own} is not a folder; vidgend does not start"
        yield Finding(section=section, mark="problem", text=text, fix="Correct music.folder.")
        return
    if not settings.music.enabled:
        yield Finding(section=section, mark="ok", text="off (music.enabled = false) unless a request asks for it")
        return
    library = FolderMusic(own) if own is not None else PackagedMusic()
    if not library.tracks("calm", seed=0):
        text, fix = "no tracks; videos have no music", "pip install immich-memories-music==0.1.0, or set music.folder."
        yield Finding(section=section, mark="note", text=text, fix=fix)
        return
    where = f"your folder {own}" if own is not None else "the free tracks that come with vidgend"
    yield Finding(section=section, mark="ok", text=f"{where}; moods: {', '.join(library.moods()) or 'none named'}")
