"""Who may do what over MCP: keys, scopes, owners, hosts, and how much may be sent."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from mcp_world import OWNER, SCOPES, Mode, awaiting_review, call, connected, post, refused, served
from standins.services_standin import KEY, World

INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}},
}  # fmt: skip
ACCEPT = {"Accept": "application/json, text/event-stream"}


async def test_with_a_key_nobody_is_let_in_without_it(world: World, mode: Mode) -> None:
    async with served(world.with_api_key(KEY)) as url:
        async with httpx2.AsyncClient() as http:
            answer = await http.post(f"{url}/mcp", json=INITIALIZE, headers=ACCEPT)
            assert answer.status_code == 401 and answer.json()["code"] == "unauthorized"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        async with connected(url, headers={"Authorization": f"Bearer {KEY}"}, mode=mode) as client:
            job, _ = await world.completed()
            result = await call(client, "get_video_result", job_id=job.id)
    assert "sig=" in result["video_url"]


async def test_the_poster_of_a_signed_link_is_shown_too(world: World) -> None:
    job_id = await awaiting_review(world)
    async with (
        served(world.with_api_key(KEY)) as url,
        connected(url, headers={"Authorization": f"Bearer {KEY}"}) as client,
    ):
        shown = await client.call_tool("get_storyboard", {"job_id": job_id, "pictures": True})
    assert [one.type for one in shown.content] == ["text", "text", "image"]


async def test_another_owners_jobs_are_not_there(world: World, url: str, mode: Mode) -> None:
    job, _ = await world.completed(owner="ann")
    review = await awaiting_review(world, owner="ann")
    async with connected(url, headers={OWNER: "ben"}, mode=mode) as ben:
        for tool in ("get_video_status", "get_video_result", "cancel_video", "get_storyboard", "render_video"):
            for job_id in (job.id, review, "nope"):
                assert (await refused(ben, tool, job_id=job_id))["code"] == "not_found", tool
        edit = await refused(ben, "edit_storyboard", job_id=review, style="noir")
        assert edit["code"] == "not_found"
        assert (await refused(ben, "prefetch_assets", storyboard=review))["code"] == "not_found"
        assert (await call(ben, "list_videos"))["jobs"] == []
        made = await call(ben, "generate_video", prompt="The sea")
        assert (await world.jobs.get(made["job_id"], owner="ben")).id == made["job_id"]
    async with connected(url, headers={OWNER: "ann"}, mode=mode) as ann:
        listed = (await call(ann, "list_videos"))["jobs"]
    assert [one["job_id"] for one in listed] == [review, job.id]


async def test_a_key_that_may_only_read_changes_nothing(world: World, url: str, mode: Mode) -> None:
    job_id = await awaiting_review(world, owner="ann")
    async with connected(url, headers={OWNER: "ann", SCOPES: "read"}, mode=mode) as client:
        for tool, arguments in (
            ("generate_video", {"prompt": "x"}), ("prefetch_assets", {"prompt": "x"}), ("cancel_video", {"job_id": job_id}),
            ("edit_storyboard", {"job_id": job_id, "style": "noir"}), ("render_video", {"job_id": job_id, "approve": True}),
        ):  # fmt: skip
            told = await refused(client, tool, **arguments)
            assert (told["code"], told["status"]) == ("forbidden_scope", 403), tool
        await call(client, "get_storyboard", job_id=job_id)
    assert (await world.jobs.get(job_id)).state == "awaiting_review"
    async with connected(url, headers={OWNER: "ann", SCOPES: "write"}, mode=mode) as client:
        assert (await refused(client, "list_videos"))["code"] == "forbidden_scope"


async def test_real_keys_tell_whose_jobs_are_seen(world: World, url: str, mode: Mode) -> None:
    ann, ben = await world.key("ann"), await world.key("ben")
    async with connected(url, headers=ann, mode=mode) as client:
        made = await call(client, "generate_video", prompt="The sea")
        assert [one["job_id"] for one in (await call(client, "list_videos"))["jobs"]] == [made["job_id"]]
    async with connected(url, headers=ben, mode=mode) as client:
        assert (await refused(client, "get_video_status", job_id=made["job_id"]))["code"] == "not_found"
    async with httpx2.AsyncClient() as http:
        assert (await http.post(f"{url}/mcp", json=INITIALIZE, headers=ACCEPT)).status_code == 401


async def test_a_stream_asked_for_with_the_number_of_an_event_begins_anew(url: str) -> None:
    async with httpx2.AsyncClient() as http:
        begun = await http.post(f"{url}/mcp", json=INITIALIZE, headers=ACCEPT)
        session = {"Mcp-Session-Id": begun.headers["Mcp-Session-Id"], "Last-Event-ID": "7"}
        async with http.stream("GET", f"{url}/mcp", headers=ACCEPT | session) as stream:
            assert stream.status_code == 200


async def test_a_session_is_its_owners_alone(url: str) -> None:
    async with httpx2.AsyncClient() as http:
        begun = await http.post(f"{url}/mcp", json=INITIALIZE, headers=ACCEPT | {OWNER: "ann"})
        session = {"Mcp-Session-Id": begun.headers["Mcp-Session-Id"], "Mcp-Protocol-Version": "2025-11-25"}
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        assert (await http.post(f"{url}/mcp", json=ping, headers=ACCEPT | session | {OWNER: "ben"})).status_code == 404
        assert (await http.post(f"{url}/mcp", json=ping, headers=ACCEPT | session | {OWNER: "ann"})).status_code == 200
        # Ended by another one it goes on; ended by its owner it does not.
        await http.delete(f"{url}/mcp", headers=session | {OWNER: "ben"})
        assert (await http.post(f"{url}/mcp", json=ping, headers=ACCEPT | session | {OWNER: "ann"})).status_code == 200
        await http.delete(f"{url}/mcp", headers=session | {OWNER: "ann"})
        assert (await http.post(f"{url}/mcp", json=ping, headers=ACCEPT | session | {OWNER: "ann"})).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Host": "evil.example"}, 421, "host_not_allowed"),
        ({"Origin": "http://evil.example"}, 403, "origin_not_allowed"),
    ],
)
async def test_pages_of_strangers_are_kept_out(url: str, headers: dict[str, str], status: int, code: str) -> None:
    async with httpx2.AsyncClient() as http:
        answer = await http.post(f"{url}/mcp", json=INITIALIZE, headers=ACCEPT | headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_hosts_of_the_settings_are_let_in(url: str) -> None:
    async with httpx2.AsyncClient() as http:
        headers = ACCEPT | {"Host": "vidgend.lan", "Origin": "http://vidgend.lan"}
        assert (await http.post(f"{url}/mcp", json=INITIALIZE, headers=headers)).status_code == 200


async def test_no_more_than_a_mebibyte_is_taken(url: str) -> None:
    async def pieces() -> Any:
        for _ in range(40):
            yield b" " * 65536

    async with httpx2.AsyncClient() as http:
        told = await http.post(
            f"{url}/mcp", content=b" " * (1024 * 1024 + 1), headers=ACCEPT | {"Content-Type": "application/json"}
        )
        assert (told.status_code, told.json()["code"]) == (413, "body_too_large")
        told = await http.post(f"{url}/mcp", content=pieces(), headers=ACCEPT | {"Content-Type": "application/json"})
        assert (told.status_code, told.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"jsonrpc":"2.0","id":1,"method":"x"}']
)
async def test_nothing_odd_is_an_error_of_ours(url: str, content: bytes) -> None:
    async with httpx2.AsyncClient() as http:
        for one in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"):
            for version in ({}, {"Mcp-Protocol-Version": "2026-07-28"}, {"Mcp-Protocol-Version": "1"}):
                answer = await http.request(
                    one, f"{url}/mcp", content=content, headers={"Content-Type": "application/json"} | version
                )
                assert 400 <= answer.status_code < 500, (one, version, answer.text)


async def test_the_routes_below_are_not_swallowed(world: World, url: str) -> None:
    async with httpx2.AsyncClient() as http:
        assert (await http.get(f"{url}/mcp/jobs")).status_code == 200
        assert (await http.get(f"{url}/mcp/")).status_code == 404
        assert (await http.get(f"{url}/mcpx")).status_code == 404


async def test_what_does_not_exist_is_told_and_is_no_crash(url: str, mode: Mode, caplog: Any) -> None:
    async with connected(url, mode=mode) as client:
        result = await client.call_tool("make_coffee", {})
        assert result.is_error
        for name, given in (("nothing", {}), ("write_script", {}), ("write_script", {"topic": "x", "colour": "red"})):
            with pytest.raises(MCPError) as error:
                await client.get_prompt(name, given)  # type: ignore[arg-type]
            assert error.value.code == INVALID_PARAMS
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    status, told = await post(url, "nothing/here", '{"a":1}')
    assert status == 404 and told["error"]["code"] == -32601
