// Makes a video and fetches it:   node make_video.mjs "The sea at night." sea.mp4
// VIDGEND_URL says where the daemon is, VIDGEND_KEY is its key if it asks for one. Needs Node 20, nothing else.
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

const [prompt, path] = process.argv.slice(2);
const url = process.env.VIDGEND_URL ?? "http://127.0.0.1:8080";
const key = process.env.VIDGEND_KEY;

/** One call; an answer that is none is thrown as `code: detail hint`. Tried again when the daemon asks for that. */
async function call(path, { body, headers = {} } = {}) {
  for (let tried = 1; ; tried++) {
    const answer = await fetch(url + path, {
      method: body ? "POST" : "GET",
      body: body && JSON.stringify(body),
      headers: {
        ...(body && { "Content-Type": "application/json" }),
        ...(key && { Authorization: `Bearer ${key}` }),
        ...headers,
      },
    });
    const value = await answer.json();
    if (answer.ok) return value;
    const wait = Number(answer.headers.get("Retry-After"));
    if (![429, 503].includes(answer.status) || !(wait <= 60) || tried === 3) {
      throw new Error(`${value.code}: ${value.detail} ${value.hint ?? ""}`);
    }
    await sleep(wait * 1000);
  }
}

const job = await call("/mcp/generate", {
  body: { prompt, duration_target: 30 },
  // The same key with the same body is the same job, so that a retry makes no second one.
  headers: { "Idempotency-Key": randomUUID() },
});
for (;;) {
  const status = await call(`/mcp/status/${job.job_id}`);
  console.log(`${status.overall_progress} %  ${status.current_step}`);
  if (["completed", "failed", "cancelled"].includes(status.status)) break;
  await sleep(Number(process.env.POLL_S ?? 2) * 1000);
}
// For a job that failed this throws what it failed with. The address is signed: it is opened without the key.
const result = await call(`/mcp/result/${job.job_id}`);
const video = await fetch(result.video_url);
if (!video.ok) throw new Error(`the video: HTTP ${video.status}`);
await pipeline(Readable.fromWeb(video.body), createWriteStream(path));
