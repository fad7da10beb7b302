"use strict";
// Starts the page of GET /docs. Everything of Scalar that would call its makers' servers is switched off.

Scalar.createApiReference("#reference", {
  url: "/openapi.json",
  servers: [{ url: window.location.origin, description: "This server" }],
  telemetry: false,
  withDefaultFonts: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: "never",
  hideClientButton: true,
  persistAuth: false,
  defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
});
