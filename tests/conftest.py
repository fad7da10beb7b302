from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool

sys.path.insert(0, str(Path(__file__).parent))


def pytest_sessionstart() -> None:
    """Thousands of tests are collected, and looking through them again and again for garbage takes as long."""
    gc.disable()


_LONG = ("openapi", "contracts", "speech", "aligner", "relevance", "browser")


_AT_LENGTH = frozenset(
    {
        "test_a_photo_of_fifty_megapixels_is_shown_and_a_larger_one_refused",
        "test_the_largest_photo_that_is_allowed_takes_a_bounded_memory",
        "test_a_voice_that_is_killed_in_the_middle_of_a_sentence_costs_that_sentence",
        "test_the_model_chooses_much_better_than_the_first_hit",
        "test_power_cuts_in_ever_other_steps_never_condemn_a_job",
        "test_a_store_that_refuses_its_key_says_it_to_nobody",
        "test_the_api_can_be_read_and_tried",
        "test_the_errors_can_be_read",
        "test_a_page_that_breaks_a_rule_is_noticed",
    }
)
"""A quarter of a minute each: `make test-long` runs them, so that the others pass in a quarter of an hour."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files whose tests are few and long first: begun last, one of two workers would wait for the other."""
    items.sort(key=lambda item: not (item.path.parent.name == "tests" or item.path.parent.name in _LONG))
    if os.environ.get("LONG_TESTS") != "1":
        for item in items:
            if item.name.partition("[")[0] in _AT_LENGTH:
                item.add_marker(pytest.mark.skip(reason="LONG_TESTS=1 runs it"))


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that a test runs here sets up the log; the next test finds it as it was."""
    loggers = [logging.getLogger(name) for name in (None, "vidgend", "stamina", "aiohttp.server")]
    levels = [logger.level for logger in loggers]
    handlers = loggers[0].handlers[:]
    yield
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        if logger.level != level:
            logger.setLevel(level)


@pytest.fixture(scope="session")
def ffmpeg() -> Ffmpeg:
    """The ffmpeg that vidgend would use here."""
    return asyncio.run(FfmpegTool().get())
