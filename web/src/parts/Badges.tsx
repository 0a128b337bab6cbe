import { Badge, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { BotRegular } from "@fluentui/react-icons/svg/bot";
import { PersonRegular } from "@fluentui/react-icons/svg/person";
import type { Person, Severity, Side } from "../wire";
import { severities, statusWord, visible } from "../words";

const useStyles = makeStyles({
  severity: { display: "inline-flex", alignItems: "center", gap: "6px", whiteSpace: "nowrap", verticalAlign: "bottom" },
  bars: { display: "inline-flex", alignItems: "flex-end", gap: "2px", height: "12px" },
  bar: { width: "3px", borderRadius: "1px", backgroundColor: tokens.colorNeutralStroke1 },
  high: { backgroundColor: tokens.colorPaletteRedBackground3 },
  medium: { backgroundColor: tokens.colorPaletteDarkOrangeBackground3 },
  low: { backgroundColor: tokens.colorPaletteYellowBackground3 },
  informational: { backgroundColor: tokens.colorBrandBackground },
  unknown: { backgroundColor: tokens.colorNeutralForeground4 },
  owner: {
    display: "inline-flex",
    alignItems: "center",
    gap: "4px",
    minWidth: 0,
    maxWidth: "100%",
    verticalAlign: "bottom",
  },
  ownerName: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  muted: { color: tokens.colorNeutralForeground3 },
  tags: { display: "flex", gap: "4px", overflow: "hidden" },
  tag: {
    padding: "0 6px",
    lineHeight: "18px",
    fontSize: tokens.fontSizeBase200,
    fontWeight: tokens.fontWeightRegular,
    whiteSpace: "nowrap",
    borderRadius: tokens.borderRadiusMedium,
    color: tokens.colorNeutralForeground2,
    backgroundColor: tokens.colorNeutralBackground4,
  },
  system: { color: tokens.colorBrandForeground2, backgroundColor: tokens.colorBrandBackground2 },
  wrap: { flexWrap: "wrap" },
});

const heights = ["5px", "8px", "11px"];
const filled: Record<Severity, number> = { high: 3, medium: 2, low: 1, informational: 1, unknown: 0 };

/** A severity: rising bars in its colour, and its name, so that colour never says it alone. */
export function SeverityBadge({ severity }: { severity: Severity }) {
  const s = useStyles();
  return (
    <span className={s.severity}>
      <span className={s.bars} aria-hidden>
        {heights.map((height, i) => (
          <span key={height} className={mergeClasses(s.bar, i < filled[severity] && s[severity])} style={{ height }} />
        ))}
      </span>
      {severities[severity] ?? severity}
    </span>
  );
}

const tones = { new: "danger", working: "brand", done: "success", gone: "informative" } as const;

/** A status in the words of its side. */
export function StatusBadge({ side, status }: { side: Side; status: string }) {
  const word = statusWord(side, status);
  return (
    <Badge appearance="tint" color={tones[word.tone]} shape="rounded">
      {word.name}
    </Badge>
  );
}

/** Who an incident is assigned to. */
export function Owner({ owner }: { owner: Person | null }) {
  const s = useStyles();
  if (!owner) return <span className={s.muted}>Unassigned</span>;
  return (
    <span className={s.owner} title={visible(owner.upn)}>
      <PersonRegular aria-hidden />
      <span className={s.ownerName}>{visible(owner.name)}</span>
    </span>
  );
}

/** Who did something: a person's name, or the system's with a mark. */
export function Actor({ name, kind }: { name: string; kind: string }) {
  const s = useStyles();
  return (
    <span className={s.owner}>
      {kind === "person" || kind === "" ? <PersonRegular aria-hidden /> : <BotRegular aria-label={kind} />}
      <span>{visible(name) || "unknown"}</span>
    </span>
  );
}

/** Custom and system tags; what doesn't fit is counted. */
export function Tags({ tags, system, most = 99 }: { tags: string[]; system: string[]; most?: number }) {
  const s = useStyles();
  const all = [...system.map((t) => [t, true] as const), ...tags.map((t) => [t, false] as const)];
  if (all.length === 0) return null;
  const rest = all.slice(most);
  return (
    <span className={mergeClasses(s.tags, most === 99 && s.wrap)}>
      {all.slice(0, most).map(([tag, isSystem]) => (
        <span key={`${isSystem} ${tag}`} className={mergeClasses(s.tag, isSystem && s.system)}>
          {visible(tag)}
        </span>
      ))}
      {rest.length > 0 && (
        <span className={s.muted} title={rest.map(([t]) => visible(t)).join(", ")}>
          +{rest.length}
        </span>
      )}
    </span>
  );
}
