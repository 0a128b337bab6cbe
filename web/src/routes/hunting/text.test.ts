import { expect, it } from "vitest";
import { cellText, characterAt } from "./text";

it("finds the character that a byte offset means", () => {
  const text = 'T | where Name == "Ä😀" | Nope';
  const byte = new TextEncoder().encode('T | where Name == "Ä😀" | ').length;
  expect(text.slice(characterAt(text, byte))).toBe("Nope");
  expect(characterAt(text, 10_000)).toBe(text.length);
});

it("shows any value in one line", () => {
  expect([null, true, 1.5, "x", { a: [1] }].map(cellText)).toEqual(["", "true", "1.5", "x", '{"a":[1]}']);
});
