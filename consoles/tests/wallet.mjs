// The hosted wallet on a phone: enrol, open an account, withdraw the consent, see who looked; in
// each language once, each time a person of the sample population with a passkey of its own.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { accessibilityFindings, addAuthenticator, launch, openPage } from "./browser.mjs";
import { startNetwork } from "./network.mjs";

const screenshots = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));
const PHONE = { width: 390, height: 844, script: true };
const FLOW_MS_MAX = 40_000;
// An access is anchored within the member's interval; the wallet then says so.
const VERIFIED_MS_MAX = 60_000;
const languages = [
  { code: "az", scheme: "light", opened: "Hesabınız açıldı", revoked: "Geri götürülüb" },
  { code: "en", scheme: "dark", opened: "Your account is open", revoked: "Withdrawn" },
  { code: "ru", scheme: "light", opened: "Ваш счёт открыт", revoked: "Отозвано" },
];

const count = { passed: 0, failed: 0 };

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

// Adults of the sample population, as `etibar up` writes them for whoever tries the wallet.
async function samplePeople(network) {
  const file = join(network.data, "people.json");
  return JSON.parse(await readFile(file, "utf8"));
}

// What every page must keep, and its picture.
async function look(page, name) {
  await page.screenshot({ path: `${screenshots}wallet-${name}.png`, fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= PHONE.width, `${name} is ${wide} px wide`);
  assert.deepEqual(await accessibilityFindings(page), [], name);
}

// Presses and waits for the page that follows, also at the same address.
async function press(page, selector) {
  const navigated = page.waitForEvent("framenavigated", { timeout: FLOW_MS_MAX });
  await page.locator(selector).first().click();
  await navigated;
  await page.waitForLoadState("domcontentloaded");
}

// Presses and waits until the address fits.
async function pressTo(page, selector, address) {
  await page.locator(selector).first().click();
  await page.waitForURL(address, { waitUntil: "domcontentloaded", timeout: FLOW_MS_MAX });
}

async function enrol(page, origin, language, person) {
  await page.goto(`${origin}/?lang=${language.code}`);
  await look(page, `welcome-${language.code}`);
  await page.goto(`${origin}/start`);
  await page.fill("#fin", person.fin);
  await page.fill("#document", person.document);
  await look(page, `start-${language.code}`);
  await pressTo(page, "form[data-passkey=create] button", `${origin}/`);
  await page.locator(".identity").waitFor();
  await look(page, `home-${language.code}`);
}

async function openAccount(page, origin, language) {
  await page.goto(`${origin}/banks`);
  await look(page, `banks-${language.code}`);
  await pressTo(page, "form[action='/banks'] button", /\/requests\/[0-9a-f]+$/);
  await look(page, `consent-${language.code}`);
  await pressTo(page, "form[data-passkey=get] button", /\/result$/);
  const heading = await page.locator("h1").innerText();
  assert.equal(heading, language.opened);
  assert.match(await page.locator(".iban").innerText(), /^AZ\d\d [A-Z]{4}/);
  await look(page, `opened-${language.code}`);
}

async function seeAccesses(page, origin, language) {
  const deadline = Date.now() + VERIFIED_MS_MAX;
  for (;;) {
    await page.goto(`${origin}/accesses`);
    await press(page, "form[data-passkey=get] button");
    await page.locator(".log li").first().waitFor({ timeout: FLOW_MS_MAX });
    assert.equal(await page.locator(".mark.bad").count(), 0, "a record is missing or altered");
    const waiting = await page.locator(".mark.open").count();
    if (waiting === 0 && (await page.locator(".mark.good").count()) > 0) break;
    assert.ok(Date.now() < deadline, `${waiting} records were not anchored in time`);
  }
  await look(page, `accesses-${language.code}`);
}

async function revoke(page, origin, language) {
  await page.goto(`${origin}/consents`);
  await look(page, `consents-${language.code}`);
  await pressTo(page, ".rows.boxed a", /\/consents\/[0-9a-f]+$/);
  await look(page, `consent-given-${language.code}`);
  await press(page, "form[action$='/revoke'] button");
  await page.getByText(language.revoked, { exact: true }).first().waitFor({ timeout: FLOW_MS_MAX });
  await look(page, `consent-revoked-${language.code}`);
}

async function others(page, origin, language) {
  for (const name of ["credentials", "settings", "help", "guardians"]) {
    await page.goto(`${origin}/${name}`);
    await look(page, `${name}-${language.code}`);
  }
}

async function journey(browser, origin, language, person) {
  const view = { ...PHONE, scheme: language.scheme };
  const { page, seen, close } = await openPage(browser, view, origin);
  const place = `wallet in ${language.code}`;
  try {
    await addAuthenticator(page);
    const steps = [
      ["a person enrols with a passkey", () => enrol(page, origin, language, person)],
      ["an account is opened on one screen", () => openAccount(page, origin, language)],
      ["who looked is shown, each line proven", () => seeAccesses(page, origin, language)],
      ["the consent is withdrawn", () => revoke(page, origin, language)],
      ["the other pages are in order", () => others(page, origin, language)],
    ];
    for (const [sentence, run] of steps) {
      if (!(await check(`${place}: ${sentence}`, run))) {
        await page.screenshot({ path: `${screenshots}wallet-failed-${language.code}.png` });
        return;
      }
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
    if (!network.wallet) throw new Error("the ready line names no wallet address");
    const origin = new URL(network.wallet).origin;
    const people = await samplePeople(network);
    const browser = await launch();
    try {
      for (const [index, language] of languages.entries()) {
        await journey(browser, origin, language, people[index]);
      }
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
