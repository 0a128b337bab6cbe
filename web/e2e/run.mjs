// The journeys of an analyst through a running server's pages:
//   LOCKSTEP_URL=https://localhost:8443 LOCKSTEP_USER=… LOCKSTEP_PASSWORD=… npm run e2e
// The tenant needs three open XDR incidents that a merge accepts (or refuses by
// a guard, which is shown) and a connected workspace. Any console error fails.
import assert from "node:assert/strict";
import { open } from "./browser.mjs";

const base = (process.env.LOCKSTEP_URL ?? "http://127.0.0.1:8080").replace(/\/$/, "");
const user = process.env.LOCKSTEP_USER ?? "admin";
const password = process.env.LOCKSTEP_PASSWORD ?? "";
const only = process.argv.slice(2);

const b = await open({ dark: process.env.LOCKSTEP_DARK === "1" });
const { page } = b;
page.setDefaultTimeout(15_000);

const row = (n) => page.locator('[role="grid"] [role="row"]').nth(n); // 0 is the heading
const command = (name) => page.getByRole("toolbar", { name: "Commands" }).getByRole("button", { name });
let incident = "";

const journeys = {
  async "sign in"() {
    b.expect(/401/); // the browser logs the answer to "who am I"
    await page.goto(`${base}/incidents`);
    await page.getByLabel("User").fill(user);
    await page.getByLabel("Password").fill("certainly wrong");
    b.expect(/403/);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await b.shot("sign-in");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Incidents" }).waitFor();
  },

  async "see the queue"() {
    await row(1).waitFor();
    const drawn = await page.locator('[role="grid"] [role="row"]').count();
    assert.ok(drawn < 120, `a virtual grid draws what is in view, not ${drawn} rows`);
    await page.getByText("Live", { exact: true }).waitFor();
    await b.shot("queue");
    await page.getByRole("button", { name: "Severity" }).click();
    await page.locator('[role="columnheader"][aria-sort="descending"]', { hasText: "Severity" }).waitFor();
    await page.getByRole("searchbox", { name: "Search incidents" }).fill("certainly nothing like this");
    await page.getByText("No incident fits these filters").waitFor();
    await b.shot("queue-nothing");
    await page.getByRole("button", { name: "Reset" }).click();
    await row(1).waitFor();
  },

  async "open an incident by keyboard"() {
    await page.getByRole("grid").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/incidents\/\d+/);
    await page.getByRole("tab", { name: /Alerts/ }).waitFor();
    incident = new URL(page.url()).pathname;
    await row(1).waitFor();
    await b.shot("incident-alerts");
    await row(1).click();
    await page.getByRole("button", { name: "Close" }).waitFor();
    await page.waitForTimeout(400);
    await b.shot("incident-alert");
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("tab", { name: /Entities/ }).click();
    await page.waitForTimeout(300);
    await b.shot("incident-entities");
  },

  async assign() {
    const mine = command("Assigned to you");
    if (!(await mine.isVisible())) await command("Assign to me").click();
    await mine.waitFor();
  },

  async comment() {
    await page.getByRole("tab", { name: /Comments/ }).click();
    const text = `Seen by the journeys at ${new Date().toISOString()} <b>not bold</b>`;
    await page.getByRole("textbox", { name: "Comment" }).fill(text);
    await page.getByRole("button", { name: "Add comment" }).click();
    await page.getByText(text).waitFor();
    await b.shot("incident-comments");
  },

  async "resolve with a reason"() {
    await command(/^Status/).click();
    await page.getByRole("radio", { name: "Resolved" }).check();
    await page.getByRole("combobox", { name: "Reason" }).click();
    await page.getByRole("option", { name: "Phishing" }).click();
    await page.getByRole("textbox", { name: "Comment" }).last().fill("Handled by the journeys.");
    await page.waitForTimeout(300);
    await b.shot("incident-status");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("complementary", { name: "Overview" }).getByText("True positive · Phishing").waitFor();
    await page.getByRole("tab", { name: "Activity" }).click();
    await b.shot("incident-activity");
    await command(/^Status/).click();
    await page.getByRole("radio", { name: "Active" }).check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  },

  async "open the parallel incident and come back"() {
    await page.getByRole("link", { name: /^Open incident \d+ in (?!Defender)/ }).click();
    await page.waitForURL(/\/workspaces\/.+\/incidents\//);
    await page.getByRole("link", { name: /in Defender XDR$/ }).waitFor();
    await row(1).waitFor();
    await b.shot("workspace-incident");
    await page.getByRole("link", { name: /in Defender XDR$/ }).click();
    await page.waitForURL((u) => u.pathname === incident);
  },

  async "change the workspace's incident and see the XDR's follow"() {
    await page.getByRole("link", { name: /^Open incident \d+ in (?!Defender)/ }).click();
    await page.waitForURL(/\/workspaces\/.+\/incidents\//);
    await command(/^Status/).click();
    await page.getByRole("radio", { name: "Closed" }).check();
    await page.getByRole("combobox", { name: "Reason" }).click();
    await page.getByRole("option", { name: "Suspicious but expected" }).click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.getByRole("link", { name: /in Defender XDR$/ }).click();
    await page.waitForURL((u) => u.pathname === incident);
    const reason = page.getByRole("complementary", { name: "Overview" });
    await reason.getByText("Informational, expected activity · Confirmed activity").waitFor();
    await command(/^Status/).click();
    await page.getByRole("radio", { name: "In progress" }).check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  },

  async "see a queue change by itself"() {
    await page.goto(`${base}/incidents`);
    await page.getByText("Live", { exact: true }).waitFor();
    const tag = `journey ${Date.now()}`;
    const answer = await page.request.patch(`${base}/portal/api/xdr${incident}`, {
      headers: { "X-Lockstep-Portal": "1" },
      data: { tags: [tag] },
    });
    assert.ok(answer.ok(), await answer.text());
    const started = Date.now();
    await page.getByRole("grid").getByText(tag).waitFor();
    assert.ok(Date.now() - started < 10_000);
  },

  async merge() {
    await page.goto(`${base}/incidents?sort=-created`);
    await row(3).waitFor();
    await page.getByRole("grid").focus();
    await page.keyboard.press("Home");
    for (const _ of [0, 1]) {
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Space");
    }
    await page.getByRole("button", { name: "Merge (2)" }).click();
    await page.getByRole("textbox", { name: "Reason" }).fill("The journeys say so.");
    await page.waitForTimeout(300);
    await b.shot("merge");
    b.expect(/409/); // a guard may refuse
    await page.getByRole("button", { name: "Merge 2 incidents" }).click();
    const refused = page.getByRole("dialog").getByRole("alert");
    await Promise.race([page.waitForURL(/\/incidents\/\d+/), refused.waitFor()]);
    await b.shot("merged");
    if (await refused.isVisible().catch(() => false)) {
      await page.getByRole("button", { name: "Cancel" }).click();
    }
  },

  async "follow a merged incident to its target"() {
    await page.goto(`${base}/incidents?show=merged`);
    const source = row(1);
    if (
      !(await source.waitFor({ timeout: 5000 }).then(
        () => true,
        () => false,
      ))
    )
      return "no incident is merged";
    await source.click();
    await page.getByText(/^Incident \d+ was merged into this one/).waitFor();
    await b.shot("redirected");
  },

  async "see a workspace's queue"() {
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link").nth(1).click();
    await page.waitForURL(/\/workspaces\/.+\/incidents/);
    await row(1).waitFor();
    await b.shot("workspace-queue");
  },

  async "switch a table of the connector"() {
    await page.goto(`${base}/connector`);
    const table = page.getByRole("switch", { name: "Stream DeviceEvents" });
    await table.waitFor();
    await b.shot("connector");
    if (await table.isDisabled()) return "the connector isn't connected, or may not be changed";
    const before = await table.isChecked();
    for (const wanted of [!before, before]) {
      await table.click();
      await page.waitForFunction(
        (on) => document.querySelector('[aria-label="Stream DeviceEvents"]')?.checked === on,
        wanted,
      );
    }
  },

  async hunt() {
    await page.goto(`${base}/hunting`);
    b.expect(/400/);
    await page.getByRole("textbox", { name: "Query" }).fill("DeviceProcessEvents\n| Nope");
    await page.keyboard.press("Shift+Enter");
    await page.getByRole("alert").waitFor();
    await b.shot("hunting-error");
    await page
      .getByRole("textbox", { name: "Query" })
      .fill("DeviceProcessEvents | summarize count() by DeviceName | top 5 by count_");
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("grid", { name: "Results" }).waitFor();
    await b.shot("hunting");
  },

  async "sign out"() {
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(/\/signin/);
    await page.getByLabel("Password").waitFor();
  },
};

let failed = 0;
let done = 0;
for (const [name, journey] of Object.entries(journeys)) {
  if (only.length > 0 && !only.includes(name)) continue;
  const started = Date.now();
  try {
    const skipped = await journey();
    assert.deepEqual(b.errors, [], "console errors");
    console.log(
      `${skipped ? "left out" : "ok      "} ${name} (${Date.now() - started} ms)${skipped ? `: ${skipped}` : ""}`,
    );
    if (!skipped) done++;
  } catch (error) {
    failed++;
    const said = b.errors.splice(0);
    await b.shot(`failed-${name.replaceAll(" ", "-")}`).catch(() => {});
    console.log(`FAILED   ${name}: ${error.message}\n${said.join("\n")}`);
  }
}
console.log(`${done} journeys done, ${failed} failed; screenshots in ${b.shots}`);
await b.close();
process.exit(failed > 0 ? 1 : 0);
