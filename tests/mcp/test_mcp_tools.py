from __future__ import annotations

from conftest import Connect, Mode  # type: ignore[import-not-found]
from standins.services_standin import World


async def test_first(world: World, connect: Connect, mode: Mode) -> None:
    async with connect(mode=mode) as client:
        print(client.protocol_version, client.server_info, client.server_capabilities)
        tools = await client.list_tools()
        print([t.name for t in tools.tools])
        r = await client.call_tool("generate_video", {"prompt": "The sea"})
        print(r)
        r = await client.call_tool("get_video_status", {"job_id": r.structured_content["job_id"]})
        print(r)
        r = await client.call_tool("get_video_status", {"job_id": "nope"})
        print(r)
        r = await client.call_tool("generate_video", {"prompt": 5, "x": 1})
        print(r)
        job, _ = await world.completed()
        r = await client.call_tool("get_video_result", {"job_id": job.id})
        print(r)
        print(await client.list_resources())
        print(await client.list_resource_templates())
        print(await client.read_resource(f"vidgend://videos/{job.id}/thumbnail"))
        print(await client.list_prompts())
        print(await client.get_prompt("write_script", {"topic": "Bees"}))
