"""Receives webhooks and prints those that are real:

VIDGEND_WEBHOOK_SECRET=whsec_... python receive_webhooks.py 9000
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from vidgend.client import verify_webhook
from vidgend.errors import WebhookInvalid

SECRET = os.environ["VIDGEND_WEBHOOK_SECRET"]
seen: set[str] = set()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            event = verify_webhook(SECRET, dict(self.headers), body)
        except WebhookInvalid as error:
            self.send_error(400, error.detail)
            return
        self.send_response(204)
        self.end_headers()
        if self.headers["webhook-id"] not in seen:  # it may come twice
            seen.add(self.headers["webhook-id"])
            print(event["type"], event["data"], flush=True)


server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
