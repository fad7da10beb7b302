// Receives webhooks and prints those that are real:   VIDGEND_WEBHOOK_SECRET=whsec_... node receive_webhooks.mjs 9000
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = Buffer.from(process.env.VIDGEND_WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
const seen = new Set();

/** Whether `body`, the bytes as they came, was signed with the secret within the last five minutes. */
function isReal(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signatures = "" } = headers;
  const right = createHmac("sha256", secret).update(`${id}.${time}.`).update(body).digest();
  const signed = signatures.split(" ").some((one) => {
    const given = Buffer.from(one.startsWith("v1,") ? one.slice(3) : "", "base64");
    return given.length === right.length && timingSafeEqual(given, right);
  });
  return signed && Math.abs(Date.now() / 1000 - Number(time)) <= 300;
}

const server = createServer(async (request, answer) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces);
  const real = request.method === "POST" && isReal(request.headers, body);
  answer.writeHead(real ? 204 : 400).end();
  const id = request.headers["webhook-id"];
  if (!real || seen.has(id)) return; // it may come twice
  seen.add(id);
  const event = JSON.parse(body);
  console.log(event.type, JSON.stringify(event.data));
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
