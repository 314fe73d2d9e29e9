// The operator's console: what stands on it, and what it must do.

import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { accessibilityFindings } from "./browser.mjs";

// Where things are on the page. The page promises these marks to the tests.
const TITLE = /Etibar/;
const HEADING = "h1";
const HEIGHT = "[data-live=height]";
const RECEIPT_LINK = "a[href*='/receipts/']";

// Two more blocks than the first one seen, in this time, without loading the page again.
const BLOCKS_AWAITED = 2;
const BLOCKS_MS_MAX = 20_000;

// Every check: the sentence it proves, and how. A check without `script: true` must also pass
// with scripts switched off.
export const checks = [
  { name: "the page has its title and one heading", run: hasTitleAndHeading },
  { name: "the page fits the screen without scrolling sideways", run: fitsTheScreen },
  { name: "a block height is on the page", run: showsHeight },
  { name: "blocks advance live, without loading the page again", run: advancesLive, script: true },
  { name: "a receipt can be downloaded", run: downloadsReceipt },
  { name: "axe-core finds nothing serious", run: isAccessible, script: true },
];

async function hasTitleAndHeading({ page }) {
  assert.match(await page.title(), TITLE);
  assert.equal(await page.locator(HEADING).count(), 1);
  assert.notEqual((await page.locator(HEADING).innerText()).trim(), "");
}

async function fitsTheScreen({ page, view }) {
  // A locator, not a script in the page, so that it also works with scripts switched off.
  const box = await page.locator("body").boundingBox();
  assert.ok(box.width <= view.width, `the page is ${box.width} px wide`);
  if (!view.script) return;
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= view.width, `the content is ${wide} px wide`);
}

async function showsHeight({ page }) {
  assert.ok((await readHeight(page)) >= 0);
}

async function advancesLive({ page, seen }) {
  await page.evaluate(() => { globalThis.sameDocument = true; });
  const wanted = (await readHeight(page)) + BLOCKS_AWAITED;
  await page.waitForFunction(
    ([selector, height]) => {
      const text = document.querySelector(selector)?.textContent ?? "";
      return Number(text.replaceAll(/\D/g, "")) >= height;
    },
    [HEIGHT, wanted],
    { timeout: BLOCKS_MS_MAX },
  );
  assert.ok(await page.evaluate(() => globalThis.sameDocument), "the page was loaded again");
  assert.notEqual(seen.streams.length, 0, "no event stream was opened");
}

async function downloadsReceipt({ page }) {
  const link = page.locator(RECEIPT_LINK).first();
  await link.waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  assert.equal(await download.failure(), null);
  const { size } = await stat(await download.path());
  assert.ok(size > 0, "the receipt is empty");
}

async function isAccessible({ page }) {
  assert.deepEqual(await accessibilityFindings(page), []);
}

// Digits may be grouped for the reader.
async function readHeight(page) {
  const text = await page.locator(HEIGHT).first().innerText();
  const digits = text.replaceAll(/\D/g, "");
  assert.notEqual(digits, "", `no number in "${text}"`);
  return Number(digits);
}
