import { expect, it } from "vitest";
import type { DataType } from "../../wire";
import { fares, milliseconds } from "./fares";

const now = Date.parse("2026-01-20T10:00:00Z");
const type = (change: Partial<DataType>): DataType => ({
  name: "EmailEvents",
  on: true,
  lastReceived: "2026-01-20T09:59:00Z",
  lagSeconds: 0,
  count: 1,
  failures: 0,
  failure: "",
  ...change,
});

it("says in a word how a kind of data fares", () => {
  expect(fares(type({}), now).word).toBe("healthy");
  expect(fares(type({ lastReceived: "2026-01-12T09:00:00Z" }), now).word).toBe("silent");
  expect(fares(type({ lastReceived: "" }), now).word).toBe("nothing yet");
  expect(fares(type({ on: false }), now).word).toBe("off");
  expect(fares(type({ failure: "disk is full" }), now).word).toBe("failing");
});

it("shows a latency in a unit that fits", () => {
  expect([41.4, 999, 1204].map(milliseconds)).toEqual(["41 ms", "999 ms", "1.2 s"]);
});
