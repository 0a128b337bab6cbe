import { describe, expect, it } from "vitest";
import { closingReasons, closingText, spaced, statuses, statusWord, visible } from "./words";

describe("hostile text", () => {
  it("shows characters that would turn or hide what is read", () => {
    expect(visible("invoice\u202efdp.exe")).toBe("invoice⟨U+202E⟩fdp.exe");
    expect(visible("a\u200bb\u0000c\u2066d")).toBe("a⟨U+200B⟩b⟨U+0000⟩c⟨U+2066⟩d");
  });
  it("leaves text of any language, lines and tabs as they are", () => {
    const text = "Größe 你好 مرحبا <b>&amp;\n\t😀";
    expect(visible(text)).toBe(text);
  });
});

describe("vocabularies", () => {
  it("names every closing reason of either side in one way", () => {
    for (const side of ["xdr", "workspace"] as const) {
      const names = closingReasons[side].flatMap((g) =>
        g.reasons.map((r) => closingText(side, r.classification, r.reason)),
      );
      expect(new Set(names).size).toBe(names.length);
    }
    expect(closingText("xdr", "truePositive", "phishing")).toBe("True positive · Phishing");
    expect(closingText("workspace", "FalsePositive", "IncorrectAlertLogic")).toBe(
      "False positive · Incorrect alert logic",
    );
  });
  it("still shows a reason and a status that it doesn't know", () => {
    expect(closingText("xdr", "truePositive", "someNewThing")).toBe("True positive · Some new thing");
    expect(statusWord("workspace", "Parked").name).toBe("Parked");
  });
  it("offers nobody to set an incident as merged", () => {
    expect(statuses.xdr.filter((s) => s.tone !== "gone").map((s) => s.value)).not.toContain("redirected");
  });
  it("splits words", () => {
    expect(spaced("maliciousUserActivity")).toBe("Malicious user activity");
    expect(spaced("")).toBe("");
  });
});
