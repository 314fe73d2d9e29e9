// A network of the sample country, started by the test on a data folder of its own.
// What the tests assume of the program's command line stands in this file and nowhere else.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 15_000;

const built = fileURLToPath(new URL("../../target/release/etibar", import.meta.url));
const program = process.env.ETIBAR_PROGRAM ?? built;

function commandLine(data) {
  return ["up", "--data", data, "--json"];
}

// The first line that says ready carries the addresses of the pages.
function readyAddresses(line) {
  let message;
  try {
    message = JSON.parse(line);
  } catch {
    return null;
  }
  return message?.ready === true ? message : null;
}

// Starts the network; resolves when its pages can be asked, with their addresses and `stop`.
export async function startNetwork() {
  const data = await mkdtemp(join(tmpdir(), "etibar-browser-"));
  const child = spawn(program, commandLine(data), { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit").catch((error) => [error.message]);
  const stop = async () => {
    await stopChild(child, ended);
    await rm(data, { recursive: true, force: true });
  };
  try {
    const addresses = await Promise.race([
      readReady(child),
      ended.then(([why]) => {
        throw new Error(`${program} ended before it was ready: ${why}`);
      }),
      deadline(READY_MS_MAX, `${program} was not ready in ${READY_MS_MAX} ms`),
    ]);
    if (!addresses.console) throw new Error("the ready line names no console address");
    return { ...addresses, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function readReady(child) {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const addresses = readyAddresses(line);
      if (addresses) resolve(addresses);
    });
  });
}

async function stopChild(child, ended) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  try {
    await Promise.race([ended, deadline(STOP_MS_MAX, "it ignores SIGTERM")]);
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    throw new Error(`${program} did not stop in ${STOP_MS_MAX} ms: ${error.message}`);
  }
}

function deadline(milliseconds, reason) {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(reason)), milliseconds).unref();
  });
}
