import { expect, it } from "vitest";
import { statusPatch, tagsOf } from "./patches";

it("sends a closing reason with a closed status alone", () => {
  expect(statusPatch("xdr", "resolved", "truePositive/phishing", " done ")).toEqual({
    status: "resolved",
    classification: "truePositive",
    reason: "phishing",
    comment: "done",
  });
  expect(statusPatch("xdr", "active", "truePositive/phishing", "done")).toEqual({ status: "active" });
  expect(statusPatch("workspace", "Closed", "Undetermined/", "")).toEqual({
    status: "Closed",
    classification: "Undetermined",
    reason: "",
    comment: "",
  });
});

it("takes a tag once, whatever its case", () => {
  expect(tagsOf(" VIP \n\nvip\nEMEA")).toEqual(["VIP", "EMEA"]);
});
