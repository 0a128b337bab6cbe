// A real browser for the journeys: the machine's Chromium, every console error
// and page error collected, a screenshot by name.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

export async function open({ dark = false, size = { width: 1440, height: 900 } } = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  const context = await browser.newContext({
    viewport: size,
    colorScheme: dark ? "dark" : "light",
    ignoreHTTPSErrors: true, // the server's certificate is of its own making
  });
  const page = await context.newPage();
  const errors = [];
  const expected = [];
  page.on("console", (m) => {
    if (m.type() !== "error") return;
    const text = `${m.text()} ${m.location().url ?? ""}`;
    if (!expected.some((e) => e.test(text))) errors.push(text);
  });
  page.on("pageerror", (e) => errors.push(String(e)));
  const shots = process.env.LOCKSTEP_SHOTS ?? mkdtempSync(join(tmpdir(), "lockstep-pages-"));
  return {
    page,
    errors,
    shots,
    /** From here on, a console message like this is what the journey provokes. */
    expect: (pattern) => expected.push(pattern),
    shot: (name) => page.screenshot({ path: join(shots, `${name}${dark ? "-dark" : ""}.png`) }),
    close: () => browser.close(),
  };
}
