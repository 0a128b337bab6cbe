// Times are UTC and say so; beside them stands how long ago that is.

/** "2026-01-05 10:00:12 UTC", or "" for none. */
export function utc(at: string): string {
  const t = Date.parse(at);
  return Number.isNaN(t) ? "" : `${new Date(t).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** "Jan 5, 10:00 UTC", with the year when it isn't now's. */
export function shortUtc(at: string, now: number): string {
  const t = Date.parse(at);
  if (Number.isNaN(t)) return "";
  const d = new Date(t);
  const month = d.toLocaleString("en-US", { month: "short", timeZone: "UTC" });
  const year = d.getUTCFullYear() === new Date(now).getUTCFullYear() ? "" : ` ${d.getUTCFullYear()}`;
  return `${month} ${d.getUTCDate()}${year}, ${d.toISOString().slice(11, 16)} UTC`;
}

const steps: [number, string][] = [
  [60, "s"],
  [60, "min"],
  [24, "h"],
  [365, "d"],
  [Number.POSITIVE_INFINITY, "y"],
];

/** A length in its largest unit: "3 min". */
export function span(seconds: number): string {
  let n = Math.abs(seconds);
  for (const [size, unit] of steps) {
    if (n < size) return `${n < 10 && unit === "s" && n % 1 !== 0 ? n.toFixed(1) : Math.floor(n)} ${unit}`;
    n /= size;
  }
  return "";
}

/** "3 min ago", "in 2 h", "now". */
export function ago(at: string, now: number): string {
  const t = Date.parse(at);
  if (Number.isNaN(t)) return "";
  const seconds = (now - t) / 1000;
  // The clock on the page moves in steps, so the newest may seem to lie ahead.
  if (seconds < 5 && seconds > -60) return "now";
  return seconds > 0 ? `${span(Math.floor(seconds))} ago` : `in ${span(Math.floor(-seconds))}`;
}
