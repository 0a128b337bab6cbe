import {
  Badge,
  Caption1,
  makeStyles,
  mergeClasses,
  Subtitle2,
  Table,
  TableBody,
  TableCell,
  TableHeader,
  TableHeaderCell,
  TableRow,
  tokens,
} from "@fluentui/react-components";
import { Time } from "../../parts/Time";
import { span } from "../../time";
import type { ConnectorPage, DataType } from "../../wire";
import { visible } from "../../words";

const useStyles = makeStyles({
  card: {
    display: "flex",
    flexDirection: "column",
    gap: "8px",
    padding: "16px",
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: tokens.borderRadiusLarge,
    boxShadow: tokens.shadow2,
  },
  head: { display: "flex", alignItems: "baseline", gap: "12px", flexWrap: "wrap" },
  muted: { color: tokens.colorNeutralForeground3 },
  bad: { color: tokens.colorPaletteRedForeground1 },
  state: { width: "116px" },
  last: { width: "190px" },
  number: { width: "84px", textAlign: "right", justifyContent: "flex-end", fontVariantNumeric: "tabular-nums" },
  cell: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap", fontSize: "13px" },
});

/** A length of milliseconds as people read it. */
export function milliseconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : span(ms / 1000);
}

const weekSeconds = 7 * 24 * 3600; // the published connectivity test looks back so far

function State({ type }: { type: DataType }) {
  const s = useStyles();
  if (type.failure)
    return (
      <span className={s.bad}>
        {visible(type.failure)} <Time at={type.failedAt} form="ago" />
      </span>
    );
  if (!type.lastReceived)
    return (
      <Badge appearance="tint" shape="rounded" color="informative">
        nothing yet
      </Badge>
    );
  if (type.lagSeconds > weekSeconds)
    return (
      <Badge appearance="tint" shape="rounded" color="warning">
        silent
      </Badge>
    );
  return (
    <Badge appearance="tint" shape="rounded" color="success">
      healthy
    </Badge>
  );
}

/** When each kind of data last came, how far behind it is, and what failed. */
export function Health({ page }: { page: ConnectorPage }) {
  const s = useStyles();
  const { latency } = page;
  return (
    <section className={s.card}>
      <div className={s.head}>
        <Subtitle2 as="h2">Health</Subtitle2>
        {latency.count > 0 && (
          <Caption1 className={s.muted}>
            Creation to visible: p50 {milliseconds(latency.p50)}, p99 {milliseconds(latency.p99)}, longest{" "}
            {milliseconds(latency.max)} over {latency.count.toLocaleString("en-US")} incidents
          </Caption1>
        )}
        {page.holes > 0 && <Caption1 className={s.bad}>{page.holes} incidents are missing on one side</Caption1>}
      </div>
      {page.health.length === 0 ? (
        <Caption1 className={s.muted}>Nothing is switched on.</Caption1>
      ) : (
        <Table size="small" aria-label="Health by data type">
          <TableHeader>
            <TableRow>
              <TableHeaderCell className={s.cell}>Data type</TableHeaderCell>
              <TableHeaderCell className={s.last}>Last received</TableHeaderCell>
              <TableHeaderCell className={s.number} button={{ className: s.number }}>
                Behind
              </TableHeaderCell>
              <TableHeaderCell className={s.number} button={{ className: s.number }}>
                Records
              </TableHeaderCell>
              <TableHeaderCell className={s.state}>State</TableHeaderCell>
            </TableRow>
          </TableHeader>
          <TableBody>
            {page.health.map((t) => (
              <TableRow key={t.name}>
                <TableCell className={s.cell}>{visible(t.name)}</TableCell>
                <TableCell className={mergeClasses(s.cell, s.last)}>
                  <Time at={t.lastReceived} />
                </TableCell>
                <TableCell className={mergeClasses(s.cell, s.number)}>
                  {t.lagSeconds > 0 ? span(t.lagSeconds) : "–"}
                </TableCell>
                <TableCell className={mergeClasses(s.cell, s.number)}>{t.count.toLocaleString("en-US")}</TableCell>
                <TableCell className={s.state}>
                  <State type={t} />
                </TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      )}
    </section>
  );
}
