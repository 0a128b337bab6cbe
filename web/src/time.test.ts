import { expect, it } from "vitest";
import { ago, shortUtc, span, utc } from "./time";

const now = Date.parse("2026-01-05T10:00:00Z");

it("always says the zone", () => {
  expect(utc("2026-01-05T09:58:30.1234567Z")).toBe("2026-01-05 09:58:30 UTC");
  expect(shortUtc("2026-01-05T09:58:30Z", now)).toBe("Jan 5, 09:58 UTC");
  expect(shortUtc("2025-12-31T23:59:59Z", now)).toBe("Dec 31 2025, 23:59 UTC");
});

it("says how long ago in the largest unit", () => {
  expect(ago("2026-01-05T09:59:58Z", now)).toBe("now");
  expect(ago("2026-01-05T10:00:20Z", now)).toBe("now"); // the page's clock moves in steps
  expect(ago("2026-01-05T09:57:00Z", now)).toBe("3 min ago");
  expect(ago("2026-01-03T10:00:00Z", now)).toBe("2 d ago");
  expect(ago("2026-01-05T12:00:00Z", now)).toBe("in 2 h");
  expect(span(0.42)).toBe("0.4 s");
});

it("shows nothing for no time", () => {
  expect([utc(""), shortUtc("", now), ago("", now)]).toEqual(["", "", ""]);
});
