// Opens the consoles as people do, on a phone and on a desk, light and dark, with and without
// scripts, against a network started for it. Pictures go to target/screenshots.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { launch, openPage } from "./browser.mjs";
import * as desks from "./desks.mjs";
import { startNetwork } from "./network.mjs";
import * as operator from "./operator.mjs";
import { pay } from "./payment.mjs";

const screenshots = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1440, height: 900 };
const views = [
  { name: "phone-light", ...PHONE, scheme: "light", script: true },
  { name: "phone-dark", ...PHONE, scheme: "dark", script: true },
  { name: "desk-light", ...DESK, scheme: "light", script: true },
  { name: "desk-dark", ...DESK, scheme: "dark", script: true },
  { name: "phone-no-script", ...PHONE, scheme: "light", script: false },
];

const count = { passed: 0, failed: 0 };

// True if the check passes; either way it is printed and counted.
async function check(sentence, run) {
  try {
    await run();
    count.passed += 1;
    console.log(`ok      ${sentence}`);
    return true;
  } catch (error) {
    count.failed += 1;
    console.log(`FAILED  ${sentence}: ${error.message}`);
    return false;
  }
}

// Both schemes must be drawn: a page that ignores one of them passes every other check.
async function checkSchemes(backgrounds) {
  if (backgrounds["desk-light"] === backgrounds["desk-dark"]) {
    throw new Error(`both have the background ${backgrounds["desk-light"]}`);
  }
}

async function checkView(browser, address, name, view, checks, backgrounds) {
  const place = `${name}, ${view.name}`;
  const { page, seen, close } = await openPage(browser, view, new URL(address).origin);
  try {
    const opened = await check(`${place}: the page opens`, async () => {
      // Not "load" of everything: the event stream never ends.
      const response = await page.goto(address, { waitUntil: "domcontentloaded" });
      if (!response?.ok()) throw new Error(`answered ${response?.status()}`);
    });
    if (!opened) return;
    for (const { name: sentence, run, script } of checks) {
      if (script && !view.script) continue;
      await check(`${place}: ${sentence}`, () => run({ page, seen, view }));
    }
    await page.screenshot({ path: `${screenshots}${name}-${view.name}.png`, fullPage: true });
    if (view.script) {
      backgrounds[view.name] = await page.evaluate(
        () => getComputedStyle(document.body).backgroundColor,
      );
    }
    await check(`${place}: no errors and no request to another host`, async () => {
      const found = [...seen.errors, ...seen.foreign.map((url) => `request to ${url}`)];
      if (found.length > 0) throw new Error(found.join("; "));
    });
  } finally {
    await close();
  }
}

async function main() {
  await mkdir(screenshots, { recursive: true });
  const network = await startNetwork();
  try {
    await check("a payment settles", () => pay(network));
    const browser = await launch();
    try {
      const backgrounds = {};
      for (const view of views) {
        await checkView(browser, network.console, "operator", view, operator.checks, backgrounds);
      }
      await check("operator: light and dark differ", () => checkSchemes(backgrounds));
      await desks.run(browser, network, check, screenshots);
    } finally {
      await browser.close();
    }
  } finally {
    await network.stop();
  }
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exitCode = count.failed === 0 ? 0 : 1;
}

await main();
