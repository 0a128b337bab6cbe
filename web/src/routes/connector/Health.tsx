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
import { useNow } from "../../clock";
import { Time } from "../../parts/Time";
import { span } from "../../time";
import type { ConnectorPage, DataType } from "../../wire";
import { visible } from "../../words";
import { fares, milliseconds } from "./fares";

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
  bad: { color: tokens.colorPaletteRedForeground1, overflowWrap: "anywhere" },
  muted: { color: tokens.colorNeutralForeground3 },
  state: { width: "96px" },
  last: { width: "186px" },
  number: { width: "64px", textAlign: "right", justifyContent: "flex-end", fontVariantNumeric: "tabular-nums" },
  cell: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap", fontSize: "13px" },
});

function State({ type }: { type: DataType }) {
  const { word, tone } = fares(type, useNow());
  const title = type.failure ? `${visible(type.failure)} (failed ${type.failures} times since the start)` : undefined;
  return (
    <Badge appearance="tint" shape="rounded" color={tone} {...(title ? { title } : {})}>
      {word}
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
        {page.waiting > 0 && (
          <Caption1 className={s.muted}>
            {page.waiting.toLocaleString("en-US")} incidents wait, the longest for {span(page.behindSeconds)}
          </Caption1>
        )}
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
      {page.health
        .filter((t) => t.failure)
        .map((t) => (
          <Caption1 key={t.name} className={s.bad}>
            {visible(t.name)}: {visible(t.failure)}
          </Caption1>
        ))}
    </section>
  );
}
