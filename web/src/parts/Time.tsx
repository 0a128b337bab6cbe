import { makeStyles, tokens } from "@fluentui/react-components";
import { useNow } from "../clock";
import { ago, shortUtc, utc } from "../time";

const useStyles = makeStyles({
  time: { whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" },
  muted: { color: tokens.colorNeutralForeground3 },
});

/** A point in time: its UTC form, and how long ago that is. The whole is in the tooltip. */
export function Time({ at, form = "both" }: { at: string; form?: "both" | "full" | "ago" }) {
  const s = useStyles();
  const now = useNow();
  if (!at) return <span className={s.muted}>–</span>;
  const absolute = form === "full" ? utc(at) : shortUtc(at, now);
  return (
    <time className={s.time} dateTime={at} title={`${utc(at)} (${ago(at, now)})`}>
      {form === "ago" ? ago(at, now) : absolute}
      {form !== "ago" && <span className={s.muted}> · {ago(at, now)}</span>}
    </time>
  );
}
