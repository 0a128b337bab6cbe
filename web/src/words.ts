// What the pages call things: tables of each side's vocabulary.
import type { Severity, Side } from "./wire";

export const severities: Record<Severity, string> = {
  high: "High",
  medium: "Medium",
  low: "Low",
  informational: "Informational",
  unknown: "Unknown",
};

export const sideName: Record<Side, string> = { xdr: "Defender XDR", workspace: "Sentinel" };

export interface StatusWord {
  value: string;
  name: string;
  tone: "new" | "working" | "done" | "gone";
}

/** Statuses of each side, in the order of an incident's life. A person can't set those of tone "gone". */
export const statuses: Record<Side, StatusWord[]> = {
  xdr: [
    { value: "active", name: "Active", tone: "new" },
    { value: "inProgress", name: "In progress", tone: "working" },
    { value: "awaitingAction", name: "Awaiting action", tone: "working" },
    { value: "resolved", name: "Resolved", tone: "done" },
    { value: "redirected", name: "Merged", tone: "gone" },
  ],
  workspace: [
    { value: "New", name: "New", tone: "new" },
    { value: "Active", name: "Active", tone: "working" },
    { value: "Closed", name: "Closed", tone: "done" },
  ],
};

export const closedStatus: Record<Side, string> = { xdr: "resolved", workspace: "Closed" };

export function statusWord(side: Side, value: string): StatusWord {
  return statuses[side].find((s) => s.value === value) ?? { value, name: value, tone: "gone" };
}

export interface ReasonWord {
  classification: string;
  reason: string;
  name: string;
}

/** A group of closing reasons, under its classification. */
export interface ReasonGroup {
  name: string;
  reasons: ReasonWord[];
}

const graph = (classification: string, name: string, pairs: [string, string][]): ReasonGroup => ({
  name,
  reasons: pairs.map(([reason, title]) => ({ classification, reason, name: title })),
});

/** Why an incident is closed, in each side's words (Graph determinations; ARM classification reasons). */
export const closingReasons: Record<Side, ReasonGroup[]> = {
  xdr: [
    graph("truePositive", "True positive", [
      ["multiStagedAttack", "Multistage attack"],
      ["maliciousUserActivity", "Malicious user activity"],
      ["compromisedAccount", "Compromised account"],
      ["malware", "Malware"],
      ["phishing", "Phishing"],
      ["unwantedSoftware", "Unwanted software"],
      ["other", "Other"],
    ]),
    graph("informationalExpectedActivity", "Informational, expected activity", [
      ["securityTesting", "Security test"],
      ["lineOfBusinessApplication", "Line-of-business application"],
      ["confirmedActivity", "Confirmed activity"],
      ["other", "Other"],
    ]),
    graph("falsePositive", "False positive", [
      ["notMalicious", "Not malicious"],
      ["notEnoughDataToValidate", "Not enough data to validate"],
      ["other", "Other"],
    ]),
    graph("unknown", "Not set", [["unknown", "Not set"]]),
  ],
  workspace: [
    graph("TruePositive", "True positive", [["SuspiciousActivity", "Suspicious activity"]]),
    graph("BenignPositive", "Benign positive", [["SuspiciousButExpected", "Suspicious but expected"]]),
    graph("FalsePositive", "False positive", [
      ["IncorrectAlertLogic", "Incorrect alert logic"],
      ["InaccurateData", "Inaccurate data"],
    ]),
    graph("Undetermined", "Undetermined", [["", "Undetermined"]]),
  ],
};

/** Splits "multiStagedAttack" or "SuspiciousActivity" into words. */
export function spaced(value: string): string {
  const text = value.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const kinds: Record<string, string> = {
  Ip: "IP address",
  Url: "URL",
  DnsResolution: "DNS resolution",
  FileHash: "File hash",
  CloudApplication: "Cloud app",
  OAuthApplication: "OAuth app",
  AzureResource: "Azure resource",
};

/** What an entity of a kind is called. */
export const kindName = (kind: string) => kinds[kind] ?? spaced(kind);

/** The closing reason as a sentence part: "True positive · Phishing". */
export function closingText(side: Side, classification: string, reason: string): string {
  for (const group of closingReasons[side]) {
    for (const r of group.reasons) {
      if (r.classification === classification && r.reason === reason) {
        return r.name === group.name ? group.name : `${group.name} · ${r.name}`;
      }
    }
  }
  const group = closingReasons[side].find((g) => g.reasons[0]?.classification === classification);
  return [group?.name ?? spaced(classification), reason && spaced(reason)].filter(Boolean).join(" · ");
}

// Characters that change how the text around them is read, or that can't be
// seen: attackers put them into file names and subjects.
const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Makes hidden characters of a hostile text visible: ⟨U+202E⟩. */
export function visible(text: string): string {
  return text.replace(hidden, (c) => `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}
