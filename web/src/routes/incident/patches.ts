import type { Patch, Side } from "../../wire";
import { closedStatus } from "../../words";

/** The change that a choice in the dialog asks for: a reason belongs to a closed incident alone. */
export function statusPatch(side: Side, status: string, reason: string, comment: string): Patch {
  if (status !== closedStatus[side]) return { status };
  const [classification = "", detail = ""] = reason.split("/");
  return { status, classification, reason: detail, comment: comment.trim() };
}

/** One tag a line; empty lines and repeats (ignoring case) don't count. */
export function tagsOf(text: string): string[] {
  const seen = new Map<string, string>();
  for (const line of text.split("\n")) {
    const tag = line.trim();
    if (tag && !seen.has(tag.toLowerCase())) seen.set(tag.toLowerCase(), tag);
  }
  return [...seen.values()];
}
