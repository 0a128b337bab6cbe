import { span } from "../../time";
import type { DataType } from "../../wire";

/** A length of milliseconds as people read it. */
export function milliseconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : span(ms / 1000);
}

const week = 7 * 24 * 3600 * 1000; // the published connectivity test looks back so far

/** How a kind of data fares, in a word. */
export function fares(
  type: DataType,
  now: number,
): { word: string; tone: "success" | "warning" | "danger" | "informative" } {
  if (type.failure) return { word: "failing", tone: "danger" };
  if (!type.on) return { word: "off", tone: "informative" };
  if (!type.lastReceived) return { word: "nothing yet", tone: "informative" };
  if (now - Date.parse(type.lastReceived) > week) return { word: "silent", tone: "warning" };
  return { word: "healthy", tone: "success" };
}
