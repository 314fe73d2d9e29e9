// Chromium for the tests, cut off from every other host, and a watch over what a page does.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const ACTION_MS_MAX = 20_000;
const AXE_IMPACTS = ["serious", "critical"];

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const axeSource = await readFile(axePath, "utf8");

// Starts the browser that the system installed; CHROMIUM names another.
export function launch() {
  const quiet = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    // The pages must not need anybody: no name but the loopback one can be looked up.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
  ];
  // Chromium refuses its sandbox to root, as which build machines often run.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [...quiet, ...sandbox],
  });
}

// Opens a page of its own context and records what it must not do.
export async function openPage(browser, view, origin) {
  const context = await browser.newContext({
    viewport: { width: view.width, height: view.height },
    colorScheme: view.scheme,
    javaScriptEnabled: view.script,
    reducedMotion: "reduce",
    serviceWorkers: "block",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(ACTION_MS_MAX);
  const seen = { errors: [], foreign: [], streams: [] };
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") seen.errors.push(message.text());
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    const inside = ["data:", "blob:"].includes(url.protocol);
    if (!inside && url.origin !== origin) seen.foreign.push(url.href);
  });
  page.on("response", (response) => {
    const type = response.headers()["content-type"] ?? "";
    if (type.startsWith("text/event-stream")) seen.streams.push(response.url());
    if (response.status() >= 400) seen.errors.push(`${response.status()} ${response.url()}`);
  });
  return { page, seen, close: () => context.close() };
}

// What axe-core finds that keeps somebody out. Evaluated over the debugging channel, so the
// page's content security policy stays as strict as it is.
export async function accessibilityFindings(page) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => (await globalThis.axe.run()).violations);
  return violations
    .filter((violation) => AXE_IMPACTS.includes(violation.impact))
    .map((violation) => {
      const places = violation.nodes.map((node) => node.target.join(" ")).join(", ");
      return `${violation.id} (${violation.impact}): ${violation.help}: ${places}`;
    });
}

// A passkey in the browser that answers without a finger (WebAuthn Level 3 §11), and how to have
// the device forget one.
export async function addAuthenticator(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const forget = (hex) => {
    const credentialId = Buffer.from(hex, "hex").toString("base64");
    return session.send("WebAuthn.removeCredential", { authenticatorId, credentialId });
  };
  return { forget };
}
