// Takes the README's pictures from a running server that holds the sample tenant:
//   LOCKSTEP_URL=https://localhost:8443 LOCKSTEP_PASSWORD=… node docs/pictures/take.mjs INCIDENT
// INCIDENT is the XDR's id of the incident to show.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "../../web/e2e/browser.mjs";

const base = (process.env.LOCKSTEP_URL ?? "https://localhost:8443").replace(/\/$/, "");
const incident = process.argv[2] ?? "1";
const here = dirname(fileURLToPath(import.meta.url));
const query = readFileSync(join(here, "hunting.kql"), "utf8").trim();

const b = await open({ size: { width: 1280, height: 760 } });
const { page } = b;
page.setDefaultTimeout(30_000);
const shot = async (name) => {
  await page.mouse.move(0, 0);
  await page.waitForTimeout(700); // let movements end
  await page.screenshot({ path: join(here, `${name}.png`) });
};

await page.goto(`${base}/incidents`);
await page.getByLabel("User").fill(process.env.LOCKSTEP_USER ?? "admin@localhost");
await page.getByLabel("Password").fill(process.env.LOCKSTEP_PASSWORD ?? "");
await page.getByRole("button", { name: "Sign in" }).click();
await page.locator('[role="grid"] [role="row"]').nth(1).waitFor();
await page.goto(`${base}/incidents?sort=-severity`);
await page.locator('[role="grid"] [role="row"]').nth(1).waitFor();
await shot("queue");

await page.goto(`${base}/incidents/${incident}`);
await page.locator('[role="grid"] [role="row"]').nth(1).waitFor();
await shot("incident");

await page.goto(`${base}/connector`);
await page.getByRole("switch", { name: "Stream DeviceEvents" }).waitFor();
await shot("connector");

await page.goto(`${base}/hunting`);
await page.getByRole("textbox", { name: "Query" }).fill(query);
await page.getByRole("button", { name: "Run" }).click();
await page.getByRole("grid", { name: "Results" }).waitFor();
await shot("hunting");
await b.close();
