import type { Cell } from "../../wire";

/** A value of a result as one line of text. */
export function cellText(value: Cell): string {
  if (value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The position in a text, in JavaScript's units, of a byte offset in its UTF-8 form. */
export function characterAt(text: string, byte: number): number {
  let bytes = 0;
  let units = 0;
  for (const c of text) {
    if (bytes >= byte) break;
    const code = c.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    units += c.length;
  }
  return units;
}
