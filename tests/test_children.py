import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from vidgend import children
from vidgend.children import Child, JsonService, Limits
from vidgend.errors import SpeechFailed, StepError, StepTimeout, ToolMissing

PY = sys.executable


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state != "Z"


async def gone(pid: int, within_s: float = 2.0) -> bool:
    deadline = time.monotonic() + within_s
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def test_output_and_code_come_back() -> None:
    finished = await children.run(
        [PY, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"], timeout_s=20
    )
    assert (finished.returncode, finished.stdout, finished.stderr_tail) == (3, b"out\n", "err")


async def test_a_child_that_floods_stderr_does_not_hang_and_keeps_its_last_words() -> None:
    code = "import sys; [print('x' * 1000, file=sys.stderr) for _ in range(3000)]; print('last', file=sys.stderr)"
    finished = await children.run([PY, "-c", code], timeout_s=30)
    assert finished.stderr_tail.endswith("last")
    assert len(finished.stderr_tail) <= children.STDERR_TAIL_BYTES


async def test_a_missing_program_is_named() -> None:
    with pytest.raises(ToolMissing, match="/no/such/program"):
        await children.run(["/no/such/program"], timeout_s=5)


async def test_a_child_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(StepTimeout, match="not finished"):
        await children.run([PY, "-c", "import time; time.sleep(60)"], timeout_s=0.5)


async def test_a_child_that_makes_no_progress_is_stopped() -> None:
    code = "import time; print('a', flush=True); time.sleep(60)"
    lines: list[str] = []
    with pytest.raises(StepTimeout, match="no progress"):
        await children.run([PY, "-c", code], timeout_s=30, stall_s=0.7, on_line=lines.append)
    assert lines == ["a"]


async def test_cancelling_kills_the_whole_group_within_a_second() -> None:
    code = (
        "import subprocess, sys, time, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    pids: asyncio.Queue[int] = asyncio.Queue()
    task = asyncio.create_task(
        children.run([PY, "-c", code], timeout_s=60, on_line=lambda line: pids.put_nowait(int(line)))
    )
    grandchild = await asyncio.wait_for(pids.get(), 10)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1.0
    assert await gone(grandchild, 0.5)


async def test_one_child_feeds_another() -> None:
    finished = await children.run(
        [PY, "-c", "import sys; print(len(sys.stdin.buffer.read()))"],
        feeder=[PY, "-c", "import sys; sys.stdout.buffer.write(b'x' * 3_000_000)"],
        timeout_s=30,
    )
    assert finished.stdout.strip() == b"3000000"


async def test_a_failing_feeder_fails_the_pair() -> None:
    finished = await children.run(
        [PY, "-c", "import sys; sys.stdin.read()"],
        feeder=[PY, "-c", "raise SystemExit('no paint')"],
        timeout_s=30,
    )
    assert finished.returncode == 1 and "no paint" in finished.stderr_tail


async def test_a_child_dies_with_its_parent() -> None:
    if not children.dies_with_parent():
        pytest.skip("setpriv is not installed")
    code = (
        "import asyncio, sys, os\n"
        "from vidgend.children import Child\n"
        "async def main():\n"
        "    code = 'import time; print(flush=True); time.sleep(60)'\n"
        "    child = await Child.spawn([sys.executable, '-c', code])\n"
        "    await child.process.stdout.readline()\n"
        "    print(child.process.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await Child.spawn([PY, "-c", code])
    assert parent.process.stdout is not None
    pid = int(await asyncio.wait_for(parent.process.stdout.readline(), 10))
    assert alive(pid)
    os.kill(parent.process.pid, signal.SIGKILL)
    assert await gone(pid, 1.0)
    await parent.stop()


ECHO = (
    "import json, sys\n"
    "for line in sys.stdin:\n"
    "    message = json.loads(line)\n"
    "    if message.get('die'): raise SystemExit('boom')\n"
    "    if message.get('hang'): __import__('time').sleep(60)\n"
    "    if message.get('fail'): print(json.dumps({'error': {'code': 'x', 'detail': 'no such voice'}}), flush=True)\n"
    "    else: print(json.dumps({'echo': message, 'pid': __import__('os').getpid()}), flush=True)\n"
)


async def test_a_service_stays_up_between_requests_and_is_restarted_after_a_crash() -> None:
    service = JsonService([PY, "-c", ECHO], name="echo", failure=SpeechFailed)
    first = await service.request({"n": 1}, timeout_s=10)
    second = await service.request({"n": 2}, timeout_s=10)
    assert first["pid"] == second["pid"]
    with pytest.raises(SpeechFailed, match="boom"):
        await service.request({"die": 1}, timeout_s=10)
    third = await service.request({"n": 3}, timeout_s=10)
    assert third["pid"] != first["pid"]
    with pytest.raises(SpeechFailed, match="no such voice"):
        await service.request({"fail": 1}, timeout_s=10)
    assert (await service.request({"n": 4}, timeout_s=10))["pid"] == third["pid"]
    await service.aclose()
    assert await gone(third["pid"])


async def test_a_cancelled_request_kills_the_service_and_the_next_one_gets_its_own_answer() -> None:
    service = JsonService([PY, "-c", ECHO], name="echo", failure=SpeechFailed)
    pid = (await service.request({"n": 1}, timeout_s=10))["pid"]
    task = asyncio.create_task(service.request({"hang": 1}, timeout_s=60))
    while not task.done() and not service.busy:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await gone(pid, 1.0)
    assert (await service.request({"n": 2}, timeout_s=10))["echo"] == {"n": 2}
    await service.aclose()


async def test_a_service_whose_output_is_spoilt_is_restarted() -> None:
    code = ECHO.replace(
        "message.get('die'): raise SystemExit('boom')", "message.get('die'): print('a stray line', flush=True)"
    )
    service = JsonService([PY, "-c", code], name="echo", failure=SpeechFailed)
    first = await service.request({"n": 1}, timeout_s=10)
    with pytest.raises(SpeechFailed, match="a stray line"):
        await service.request({"die": 1}, timeout_s=10)
    second = await service.request({"n": 2}, timeout_s=10)
    assert second["echo"] == {"n": 2} and second["pid"] != first["pid"]
    await service.aclose()


async def test_a_service_that_does_not_answer_times_out() -> None:
    service = JsonService([PY, "-c", ECHO], name="echo", failure=SpeechFailed)
    with pytest.raises(StepTimeout):
        await service.request({"hang": 1}, timeout_s=0.5)
    await service.aclose()


async def test_children_are_told_to_send_nothing_home() -> None:
    code = "import os; print(os.environ['ORT_DISABLE_TELEMETRY'], os.environ['HF_HUB_DISABLE_TELEMETRY'])"
    assert (await children.run([PY, "-c", code], timeout_s=20)).stdout == b"1 1\n"


async def test_too_much_output_is_an_error_not_a_full_memory() -> None:
    with pytest.raises(StepError, match="more than"):
        await children.run([PY, "-c", "print('x' * 100000)"], timeout_s=20, max_stdout_bytes=1000)


LIMITS = Limits(cpu_s=2, file_bytes=1_000_000, open_files=20, address_bytes=2 * 1024**3)


@pytest.mark.skipif(sys.platform != "linux", reason="limits are set through prlimit(2)")
async def test_a_child_and_its_own_children_get_no_more_than_their_limits() -> None:
    kinds = "RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE, r.RLIMIT_AS, r.RLIMIT_CORE"
    inner = f"import resource as r; print(*(r.getrlimit(kind)[1] for kind in (r.{kinds})))"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}], check=True)"
    finished = await children.run([PY, "-c", code], timeout_s=20, limits=LIMITS)
    assert finished.stdout.split() == [b"2", b"1000000", b"20", str(2 * 1024**3).encode(), b"0"], finished.stderr_tail


async def test_a_child_that_burns_processor_time_is_killed() -> None:
    with pytest.raises(StepTimeout, match="processor time or memory"):
        await children.run([PY, "-c", "while True: pass"], timeout_s=60, limits=Limits(cpu_s=1))


async def test_a_child_that_fills_the_disk_is_killed(tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL); open('big', 'wb').write(bytes(5_000_000))"
    with pytest.raises(StepError, match="more than 1000000 bytes"):
        await children.run([PY, "-c", code], cwd=tmp_path, timeout_s=20, limits=LIMITS)
    assert (tmp_path / "big").stat().st_size <= 1_000_000


async def test_a_child_that_wants_all_memory_gets_an_error() -> None:
    finished = await children.run([PY, "-c", "bytearray(4 * 1024**3)"], timeout_s=20, limits=LIMITS)
    assert finished.returncode != 0 and "MemoryError" in finished.stderr_tail


async def test_the_kernel_takes_a_child_before_the_daemon_when_memory_runs_out() -> None:
    path = Path("/proc/self/oom_score_adj")
    if not path.exists():
        pytest.skip("there is no /proc")
    code = (
        "import time; read = lambda: open('/proc/self/oom_score_adj').read().strip(); until = time.monotonic() + 10\n"
        f"while read() != '{children.OOM_SCORE}' and time.monotonic() < until: pass\n"
        "print(read())"
    )
    finished = await children.run([PY, "-c", code], timeout_s=20)
    assert int(finished.stdout) == children.OOM_SCORE > int(path.read_text())


async def test_keys_and_passwords_stay_out_of_every_child(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "VIDGEND_HTTP__API_KEYS": "a", "PEXELS_API_KEY": "b", "AWS_SECRET_ACCESS_KEY": "c", "CREDENTIALS_DIRECTORY": "d",
        "HF_TOKEN": "e", "DB_PASSWORD": "f", "HTTPS_PROXY": "http://me:word@proxy.lan:3128",
    }  # fmt: skip
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LIBVA_DRIVER_NAME", "iHD")
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    seen = json.loads((await children.run([PY, "-c", code], timeout_s=20)).stdout)
    assert not set(secrets) & set(seen)
    assert seen["PATH"] and seen["LIBVA_DRIVER_NAME"] == "iHD"
