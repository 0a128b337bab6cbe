import { expect, it } from "vitest";
import { ownAddress } from "./address";

it("leads to no other host", () => {
  for (const hostile of [
    "//evil.example/x",
    "/\\evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    7,
    undefined,
  ]) {
    expect(ownAddress(hostile)).toBeUndefined();
  }
  expect(ownAddress("/incidents/29?tid=t")).toBe("/incidents/29?tid=t");
});
