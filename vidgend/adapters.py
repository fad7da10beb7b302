"""Settings -> adapters: which providers, model and music there are, in which order, and why some are not used.

What is chosen among several for one port is chosen in its `select.py`: voices, aligners, similarities.
"""

from __future__ import annotations

from typing import Literal

import httpx

from vidgend.errors import SettingsInvalid
from vidgend.guarded_client import guarded_client
from vidgend.pipeline.budget.port import Budget
from vidgend.pipeline.footage.generated import GeneratedFootage
from vidgend.pipeline.footage.library import LibraryFootage
from vidgend.pipeline.footage.offline import OfflineFootage
from vidgend.pipeline.footage.openverse import OpenverseFootage
from vidgend.pipeline.footage.pexels import PexelsFootage
from vidgend.pipeline.footage.pixabay import PixabayFootage
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.footage.stock import StockFootage
from vidgend.pipeline.footage_search import LOCAL
from vidgend.pipeline.music.folder import FolderMusic
from vidgend.pipeline.music.packaged import PackagedMusic
from vidgend.pipeline.music.port import MusicLibrary
from vidgend.pipeline.planner.llm_chat import LlmChat
from vidgend.settings import Settings

LIBRARY_INDEX = "library.sqlite"
"""In the data directory."""


def build_chat(settings: Settings, client: httpx.AsyncClient, budget: Budget | None = None) -> LlmChat | None:
    """The language model, if one is configured."""
    planner = settings.planner
    if planner.engine == "builtin" or not (planner.base_url and planner.model):
        return None
    return LlmChat(
        base_url=planner.base_url,
        model=planner.model,
        api_key=planner.api_key.get_secret_value(),
        client=client,
        budget=budget,
        timeout_s=planner.timeout_s,
    )


def build_providers(
    settings: Settings, client: httpx.AsyncClient, budget: Budget | None = None
) -> tuple[tuple[FootageProvider, ...], dict[str, str]]:
    """The providers in the order of the settings, and those that lack what they need, with the reason. Their requests
    pass through `budget`; None: nobody counts."""
    footage = settings.footage
    used: list[FootageProvider] = []
    unused: dict[str, str] = {}
    for name in footage.providers:
        if name == "library":
            folders = footage.library.folders
            if folders:  # one that is not there now may be mounted later
                used.append(build_library(settings))
            else:
                unused[name] = "no footage.library.folders are set"
        elif name == "generated":
            used.append(GeneratedFootage())
        else:
            provider = _stock(name, settings, client, budget)
            if provider is not None:
                used.append(provider)
            elif not footage.offline:  # a key would help nothing there
                unused[name] = f"no {name.upper()}_API_KEY is set"
    if {"pexels", "pixabay"} <= unused.keys():
        del unused["pexels"], unused["pixabay"]
        unused["stock"] = "neither PEXELS_API_KEY nor PIXABAY_API_KEY is set"
    if settings.footage.offline:
        used = [one if one.name in LOCAL else OfflineFootage(one) for one in used]
    return tuple(used), unused


def _stock(
    name: Literal["pexels", "pixabay", "openverse"],
    settings: Settings,
    client: httpx.AsyncClient,
    budget: Budget | None,
) -> StockFootage | None:
    """None if there is no key."""
    footage = settings.footage
    if name == "openverse":
        base_url = footage.openverse.base_url
        files = _files_client(settings, base_url)
        return OpenverseFootage(
            base_url=base_url, client=client, files=files, budget=budget, licences=footage.openverse.licences
        )
    chosen = footage.pexels if name == "pexels" else footage.pixabay
    key = chosen.api_key.get_secret_value()
    if not key:
        return None
    adapter = PexelsFootage if name == "pexels" else PixabayFootage
    files = _files_client(settings, chosen.base_url)
    return adapter(api_key=key, base_url=chosen.base_url, client=client, files=files, budget=budget)


def build_library(settings: Settings) -> LibraryFootage:
    """The folders of the settings. Nothing is opened before the first search."""
    return LibraryFootage(settings.footage.library.folders, index_path=settings.data_dir / LIBRARY_INDEX)


def _files_client(settings: Settings, base_url: str) -> httpx.AsyncClient:
    """For the links in a provider's answers: no private network but the one where the provider itself was put."""
    url = httpx.URL(base_url)
    own = (url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80))
    return guarded_client(settings.egress.for_providers, own=own, timeout_s=30.0, proxies=True)


def build_music(settings: Settings) -> MusicLibrary:
    """Raises: SettingsInvalid if the folder is not there."""
    if settings.music.folder is not None and not settings.music.folder.is_dir():
        raise SettingsInvalid(f"music.folder {settings.music.folder} is not a folder")
    return FolderMusic(settings.music.folder) if settings.music.folder is not None else PackagedMusic()
