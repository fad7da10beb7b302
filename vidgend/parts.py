"""The parts of the pipeline: the steps, the executor and the producer over the adapters that were chosen."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from vidgend.adapters import build_chat, build_music, build_providers
from vidgend.cores import cores
from vidgend.pipeline.aligner.port import Aligner
from vidgend.pipeline.aligner.select import build_aligners, build_whisper
from vidgend.pipeline.budget.accounts import Accounts, Money
from vidgend.pipeline.budget.allowance import Window
from vidgend.pipeline.budget.port import Budget
from vidgend.pipeline.candidate_to_thumbnail import KIND as CANDIDATE_THUMBNAIL
from vidgend.pipeline.candidate_to_thumbnail import CandidateThumbnailStep
from vidgend.pipeline.candidates_to_looks import KIND as LOOK
from vidgend.pipeline.candidates_to_looks import LookStep
from vidgend.pipeline.captions.fonts import machine_fonts
from vidgend.pipeline.credits_to_card import KIND as CARD
from vidgend.pipeline.executor.local import LocalExecutor
from vidgend.pipeline.executor.port import Label, StepFunction
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.footage.library import LibraryFootage
from vidgend.pipeline.footage.library_watch import LibraryWatch
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.footage_search import FETCH, SEARCH, FetchStep, SearchStep
from vidgend.pipeline.mood_to_tracks import TRACK, TrackStep
from vidgend.pipeline.music.port import MusicLibrary
from vidgend.pipeline.narration_to_length import KIND as RELENGTH
from vidgend.pipeline.narration_to_length import RelengthStep
from vidgend.pipeline.narration_to_translation import KIND as TRANSLATE
from vidgend.pipeline.narration_to_translation import TranslateStep
from vidgend.pipeline.planner.builtin import BuiltinPlanner
from vidgend.pipeline.planner.llm import LlmPlanner
from vidgend.pipeline.planner.port import Planner, Rewriter, Translator
from vidgend.pipeline.planner.rewriter import LlmRewriter
from vidgend.pipeline.planner.translator import LlmTranslator
from vidgend.pipeline.produce import Producer
from vidgend.pipeline.prompt_to_storyboard import KIND as PLAN
from vidgend.pipeline.prompt_to_storyboard import PlanStep
from vidgend.pipeline.recording_to_voice import KIND as RECORDING
from vidgend.pipeline.recording_to_voice import RecordingStep
from vidgend.pipeline.relevance.bm25 import Bm25Similarity
from vidgend.pipeline.relevance.port import ImageSimilarity, TextSimilarity
from vidgend.pipeline.relevance.select import build_looks, build_similarities
from vidgend.pipeline.scene_to_segment import KIND as SEGMENT
from vidgend.pipeline.scene_to_segment import RenderSettings, SegmentStep
from vidgend.pipeline.scene_to_speech import KIND as NARRATION
from vidgend.pipeline.scene_to_speech import NarrationStep
from vidgend.pipeline.scenes_to_transition import KIND as TRANSITION
from vidgend.pipeline.scenes_to_transition import TransitionStep
from vidgend.pipeline.segments_to_video import JOIN, THUMBNAIL, JoinStep, ThumbnailStep
from vidgend.pipeline.sentence_to_speech import KIND as SPEECH
from vidgend.pipeline.sentence_to_speech import SpeechStep
from vidgend.pipeline.shot_ends import ShotEnds
from vidgend.pipeline.shot_ends_ahead import EndsAhead
from vidgend.pipeline.speech.hub import default_hub_dir
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.speech.select import build_engines, gpu_device
from vidgend.pipeline.speech_and_music_to_sound import KIND as SOUND
from vidgend.pipeline.speech_and_music_to_sound import SoundStep
from vidgend.pipeline.speech_to_words import KIND as ALIGN
from vidgend.pipeline.speech_to_words import AlignStep
from vidgend.pipeline.texts_to_similarity import KIND as SIMILARITY
from vidgend.pipeline.texts_to_similarity import SimilarityStep
from vidgend.pipeline.track_to_parts import KIND as PARTS
from vidgend.pipeline.track_to_parts import PartsStep
from vidgend.pipeline.transcriber.port import Transcriber
from vidgend.pipeline.transcriber.whisper import WhisperTranscriber
from vidgend.pipeline.video_to_report import KIND as CHECK
from vidgend.pipeline.video_to_report import CheckStep
from vidgend.pipeline.voice_to_text import KIND as TRANSCRIBE
from vidgend.pipeline.voice_to_text import TranscribeStep
from vidgend.settings import Settings
from vidgend.store.assets.store import AssetStore
from vidgend.store.ledger import LedgerReads
from vidgend.store.steps import StepStore

_log = logging.getLogger(__name__)

IO_SLOTS = 8
CPU_SLOTS = 1
"""A model on the CPU uses all cores; a second one beside it would only be slower."""
LLM_SLOTS = 4
DEFAULT_NET_SLOTS = 4
FFMPEG_STALL_SHARE = 0.4
"""ffmpeg says twice a second how far it is, so it is known sooner than of other steps that it is stuck. And its own
watch, which has its last words, must come before the step's."""


def encode_slots(settings: Settings) -> tuple[int, int]:
    """(encodes at once, threads of each). One more than half the cores: an encode that starts, waits for its decoder or
    ends leaves a core to the others, and fewer threads make each frame cheaper (measured on two cores: 9 % less CPU and
    17 % less time than one encode of two threads)."""
    slots = settings.slots.ffmpeg or cores() // 2 + 1
    return slots, max(1, -(-cores() // slots))


Model = SpeechEngine | Aligner | Transcriber | TextSimilarity | ImageSimilarity


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything that the pipeline runs on. `aclose` ends children and connections."""

    executor: LocalExecutor
    producer: Producer
    models: tuple[Model, ...]
    """What may have a model in memory."""
    ends: ShotEnds
    client: httpx.AsyncClient
    watch: LibraryWatch | None
    """For whoever runs for long; None without a library."""

    async def aclose(self) -> None:
        await self.executor.aclose()
        await self.ends.aclose()
        for part in (*self.models, *self.producer.providers):
            await part.aclose()
        await self.client.aclose()


async def read_accounts(settings: Settings, ledger: LedgerReads) -> Accounts:
    """What may be asked of the services and what may be spent, after all that the ledger has."""
    quotas = {
        service: tuple(Window(limit=limit, length_s=length_s) for length_s, limit in windows.items())
        for service, windows in settings.footage.quotas.items()
        if windows
    }
    money = Money(
        price_in=settings.planner.price_in_per_million,
        price_out=settings.planner.price_out_per_million,
        monthly_cap=settings.usage.monthly_cap,
        currency=settings.usage.currency,
    )
    return await Accounts.read(ledger, quotas=quotas, money=money, now=ledger.now)


def build_parts(settings: Settings, assets: AssetStore, steps: StepStore, *, work: Path, budget: Budget) -> Parts:
    """Choose and wire. Loads no model and calls nobody."""
    client = httpx.AsyncClient(trust_env=True, follow_redirects=True, timeout=httpx.Timeout(30.0, connect=10.0))
    chat = build_chat(settings, client, budget)
    providers, unused = build_providers(settings, client, budget)
    engines = build_engines(
        settings.speech.engine,
        models_dir=settings.data_dir / "models",
        hub_dir=default_hub_dir(),
        threads=settings.speech.threads or cores(),
        server=settings.speech.server,
    )
    whisper = build_whisper(
        settings.aligner.engine,
        settings.aligner.model,
        models_dir=settings.data_dir / "models",
        hub_dir=default_hub_dir(),
        device="cuda" if gpu_device() == "cuda" else "cpu",
        threads=cores(),
    )
    return wire(
        settings,
        assets,
        steps,
        work=work,
        client=client,
        planners=(LlmPlanner(chat), BuiltinPlanner()) if chat else (BuiltinPlanner(),),  # the second always answers
        translator=LlmTranslator(chat) if chat else None,
        rewriter=LlmRewriter(chat) if chat else None,
        providers=providers,
        unused_providers=unused,
        engines=engines,
        aligners=build_aligners(settings.aligner.engine, whisper),
        transcriber=WhisperTranscriber(whisper) if whisper is not None else None,
        music=build_music(settings),
        similarities=build_similarities(
            settings.footage.relevance, models_dir=settings.data_dir / "models", hub_dir=default_hub_dir()
        ),
        looks=build_looks(settings.footage.image_model),
    )


def wire(
    settings: Settings,
    assets: AssetStore,
    steps: StepStore,
    *,
    work: Path,
    client: httpx.AsyncClient,
    planners: tuple[Planner, ...],
    providers: tuple[FootageProvider, ...],
    unused_providers: dict[str, str],
    engines: tuple[SpeechEngine, ...],
    aligners: tuple[Aligner, ...],
    music: MusicLibrary,
    translator: Translator | None = None,
    rewriter: Rewriter | None = None,
    transcriber: Transcriber | None = None,
    similarities: tuple[TextSimilarity, ...] = (),
    looks: ImageSimilarity | None = None,
) -> Parts:
    """The steps, the executor and the producer over chosen adapters."""
    render = settings.render
    ffmpeg = FfmpegTool(
        render.ffmpeg, encoder=render.encoder, stall_s=settings.queue.stall_timeout_s * FFMPEG_STALL_SHARE
    )
    fonts = machine_fonts(settings.captions.fonts_folder, default=settings.captions.font)
    encodes, threads = encode_slots(settings)
    ends = ShotEnds(work / "ends")
    similarities = similarities or (Bm25Similarity(),)
    models: tuple[Model, ...] = (*engines, *aligners, *similarities)
    models += tuple(one for one in (transcriber, looks) if one is not None)
    registry: dict[str, StepFunction] = {
        RECORDING: RecordingStep(ffmpeg, assets),
        TRANSCRIBE: TranscribeStep(transcriber, assets),
        PLAN: PlanStep(planners),
        TRANSLATE: TranslateStep(translator),
        RELENGTH: RelengthStep(rewriter),
        SEARCH: SearchStep(providers),
        SIMILARITY: SimilarityStep(similarities),
        CANDIDATE_THUMBNAIL: CandidateThumbnailStep(providers, ffmpeg, assets),
        FETCH: FetchStep(providers, ffmpeg, assets),
        SPEECH: SpeechStep(engines, assets),
        NARRATION: NarrationStep(ffmpeg, assets),
        ALIGN: AlignStep(aligners, assets),
        SEGMENT: SegmentStep(ffmpeg, assets, fonts, ends),
        CARD: SegmentStep(ffmpeg, assets, fonts),
        TRANSITION: TransitionStep(ffmpeg, assets, fonts, ends),
        TRACK: TrackStep(music, assets),
        PARTS: PartsStep(ffmpeg, assets),
        SOUND: SoundStep(ffmpeg, assets),
        JOIN: JoinStep(ffmpeg, assets),
        THUMBNAIL: ThumbnailStep(ffmpeg, assets),
        CHECK: CheckStep(ffmpeg, assets),
    }
    if looks is not None:
        registry[LOOK] = LookStep(looks, ffmpeg, assets)
    slots: dict[Label, int] = {
        "llm": LLM_SLOTS,
        "net": (net := settings.slots.net or DEFAULT_NET_SLOTS),
        "search": net,  # beside them, so that one that waits for a quota holds up no download
        "gpu": settings.slots.gpu or 1,
        "cpu": CPU_SLOTS,
        "ffmpeg": encodes,
        "io": IO_SLOTS,
    }

    async def unload(label: Label) -> None:
        """The models that live there."""
        for part in models:
            if part.label == label:
                try:
                    await part.aclose()
                except Exception:  # noqa: BLE001  the others must go all the same
                    _log.exception("model_not_unloaded", extra={"part": part.name})

    executor = LocalExecutor(
        slots=slots,
        registry=registry,
        steps=steps,
        work=work,
        stall_s=settings.queue.stall_timeout_s,
        activity=lambda: assets.moved_bytes,
        unload=unload,
        idle_s=settings.slots.model_idle_s,
    )
    producer = Producer(
        planners=planners,
        translator=translator,
        rewriter=rewriter,
        transcriber=transcriber,
        ends_ahead=EndsAhead(ffmpeg=ffmpeg, assets=assets, ends=ends, slot=partial(executor.slot, "ffmpeg"), work=work),
        providers=providers,
        unused_providers=unused_providers,
        engines=engines,
        aligners=aligners,
        music=music,
        similarities=similarities,
        looks=looks,
        ffmpeg=ffmpeg,
        fonts=fonts,
        render=RenderSettings(encoder=render.encoder, preset=render.preset, crf=render.crf, threads=threads),
        assets=assets,
        scratch=work,
        speed=settings.speech.speed,
        listen=settings.speech.listen,
        pronunciations=settings.speech.pronunciations,
        describe=settings.credits.description,
    )
    library = next((provider for provider in providers if isinstance(provider, LibraryFootage)), None)
    return Parts(
        executor=executor,
        producer=producer,
        models=models,
        ends=ends,
        client=client,
        watch=LibraryWatch(library, ffmpeg, partial(executor.slot, "ffmpeg"), executor.load) if library else None,
    )
