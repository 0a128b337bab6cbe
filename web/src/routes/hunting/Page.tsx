import {
  Button,
  Caption1,
  Dropdown,
  MessageBar,
  MessageBarBody,
  makeStyles,
  Option,
  SearchBox,
  Tab,
  TabList,
  Title3,
  tokens,
} from "@fluentui/react-components";
import { PlayRegular } from "@fluentui/react-icons/svg/play";
import { SearchRegular } from "@fluentui/react-icons/svg/search";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { ApiError } from "../../api";
import { type Column, Grid } from "../../parts/Grid";
import { Empty, Failure, Loading } from "../../parts/Says";
import { type Question, useRun, useTables } from "../../queries/hunting";
import { useMe } from "../../queries/session";
import type { Cell, Diagnostic, ResultTable, Side } from "../../wire";
import { visible } from "../../words";
import { cellText, characterAt } from "./text";

const useStyles = makeStyles({
  page: { display: "flex", flexDirection: "column", minHeight: 0, flexGrow: 1, padding: "16px 20px 0", gap: "12px" },
  head: { display: "flex", alignItems: "center", gap: "12px", flexWrap: "wrap" },
  muted: { color: tokens.colorNeutralForeground3 },
  columns: { display: "grid", gridTemplateColumns: "240px minmax(0, 1fr)", gap: "16px", flexGrow: 1, minHeight: 0 },
  card: {
    display: "flex",
    flexDirection: "column",
    minHeight: 0,
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: `${tokens.borderRadiusLarge} ${tokens.borderRadiusLarge} 0 0`,
    boxShadow: tokens.shadow2,
    overflow: "hidden",
  },
  tables: { padding: "8px", gap: "8px" },
  list: { overflowY: "auto", minHeight: 0, flexGrow: 1, display: "flex", flexDirection: "column" },
  table: { justifyContent: "flex-start", fontWeight: tokens.fontWeightRegular, minHeight: "28px", flexShrink: 0 },
  work: { display: "flex", flexDirection: "column", gap: "12px", minHeight: 0, minWidth: 0 },
  editor: {
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase300,
    lineHeight: tokens.lineHeightBase300,
    minHeight: "132px",
    padding: "10px 12px",
    resize: "vertical",
    color: tokens.colorNeutralForeground1,
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke1}`,
    borderRadius: tokens.borderRadiusMedium,
    tabSize: 4,
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  error: { display: "flex", flexDirection: "column", gap: "4px" },
  where: { fontFamily: tokens.fontFamilyMonospace },
  number: { fontVariantNumeric: "tabular-nums" },
});

const spans: [string, string][] = [
  ["", "Any time"],
  ["PT1H", "Last hour"],
  ["P1D", "Last 24 hours"],
  ["P7D", "Last 7 days"],
  ["P30D", "Last 30 days"],
];

const numeric = new Set(["int", "long", "real", "decimal"]);

function resultColumns(result: ResultTable): Column<Cell[]>[] {
  return result.columns.map((c, i) => ({
    key: `${i} ${c.name}`,
    title: c.name,
    width: numeric.has(c.type) || c.type === "bool" ? "110px" : c.type === "datetime" ? "220px" : "minmax(180px, 1fr)",
    ...(numeric.has(c.type) ? { align: "end" as const } : {}),
    cell: (row) => {
      const text = visible(cellText(row[i] ?? null));
      return <span title={text}>{text}</span>;
    },
  }));
}

/** The tables of an answer: one as it is, of several the one chosen by its name. */
function Answer({ tables }: { tables: ResultTable[] }) {
  const [chosen, choose] = useState(0);
  const table = tables[chosen] ?? tables[0];
  if (!table) return null;
  return (
    <>
      {tables.length > 1 && (
        <TabList
          size="small"
          aria-label="Result tables"
          selectedValue={chosen}
          onTabSelect={(_, d) => choose(Number(d.value))}
        >
          {tables.map((t, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two tables may have one name
            <Tab key={i} value={i}>
              {visible(t.name)}
            </Tab>
          ))}
        </TabList>
      )}
      <Results key={chosen} result={table} />
    </>
  );
}

function Results({ result }: { result: ResultTable }) {
  const s = useStyles();
  const columns = useMemo(() => resultColumns(result), [result]);
  const numbers = useMemo(() => new Map(result.rows.map((row, i) => [row, String(i)])), [result]);
  return (
    <section className={s.card} style={{ flexGrow: 1 }} aria-label="Results">
      <Grid
        label="Results"
        rows={result.rows}
        columns={columns}
        rowKey={(row) => numbers.get(row) ?? ""}
        rowHeight={30}
        empty={<Empty title="No rows">The query ran and found nothing. A longer time range may have more.</Empty>}
      />
    </section>
  );
}

function Wrong({ error, onPlace }: { error: unknown; onPlace: (d: Diagnostic) => void }) {
  const s = useStyles();
  if (!(error instanceof ApiError) || error.diagnostics.length === 0)
    return <Failure error={error} what="The query didn't run" />;
  return (
    <MessageBar intent="error" layout="multiline" role="alert">
      <MessageBarBody className={s.error}>
        {error.diagnostics.map((d) => (
          <div key={`${d.start} ${d.message}`}>
            <Button size="small" appearance="transparent" className={s.where} onClick={() => onPlace(d)}>
              {d.line}:{d.column}
            </Button>{" "}
            {visible(d.message)}
          </div>
        ))}
      </MessageBarBody>
    </MessageBar>
  );
}

function Tables({ side, onPick }: { side: Side; onPick: (table: string) => void }) {
  const s = useStyles();
  const [text, setText] = useState("");
  const tables = useTables(side);
  const found = (tables.data ?? []).filter((t) => t.name.toLowerCase().includes(text.toLowerCase()));
  return (
    <aside className={`${s.card} ${s.tables}`} aria-label="Tables">
      <SearchBox
        size="small"
        placeholder="Tables"
        aria-label="Find a table"
        value={text}
        onChange={(_, d) => setText(d.value)}
      />
      <div className={s.list}>
        {found.map((t) => (
          <Button
            key={t.name}
            size="small"
            appearance="subtle"
            className={s.table}
            title={`${t.description}\n${t.columns.map((c) => `${c.name}: ${c.type}`).join("\n")}`}
            onClick={() => onPick(t.name)}
          >
            {t.name}
          </Button>
        ))}
      </div>
    </aside>
  );
}

/** Asks either side in KQL. */
export function HuntingPage() {
  const s = useStyles();
  const me = useMe().data;
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { side?: string; query?: string };
  const workspaces = me?.workspaces ?? [];
  // The address names the side: "xdr", or a workspace by name.
  const where = search.side ?? (me?.has.xdr ? "xdr" : (workspaces[0]?.name ?? ""));
  const side: Side = where === "xdr" ? "xdr" : "workspace";
  const [text, setText] = useState(search.query ?? "");
  const [timespan, setTimespan] = useState("");
  const editor = useRef<HTMLTextAreaElement>(null);
  const run = useRun();
  useEffect(() => {
    document.title = "Hunting · Lockstep";
  }, []);
  const go = () => {
    const q: Question = { side, workspace: side === "xdr" ? "" : where, query: text, timespan };
    if (text.trim() && !run.isPending) run.mutate(q);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === "Enter" && (e.shiftKey || e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      go();
    }
  };
  const place = (d: Diagnostic) => {
    const start = characterAt(text, d.start);
    editor.current?.focus();
    editor.current?.setSelectionRange(start, Math.max(start + 1, characterAt(text, d.start + d.length)));
  };
  const pick = (table: string) => {
    setText(text.trim() ? text : `${table}\n| take 100`);
    editor.current?.focus();
  };
  if (!me?.has.hunting) {
    return <Empty icon={<SearchRegular />} title="This server runs no query engine" />;
  }
  const count = run.data?.tables.reduce((n, t) => n + t.rows.length, 0) ?? 0;
  const name = where === "xdr" ? "Defender XDR" : where;
  return (
    <div className={s.page}>
      <div className={s.head}>
        <Title3 as="h1">Hunting</Title3>
        <Dropdown
          aria-label="Side"
          value={name}
          selectedOptions={[where]}
          onOptionSelect={(_, d) => navigate({ to: "/hunting", search: { side: d.optionValue ?? "xdr" } })}
        >
          {me.has.xdr ? <Option value="xdr">Defender XDR</Option> : null}
          {workspaces.map((w) => (
            <Option key={w.id} value={w.name}>
              {w.name}
            </Option>
          ))}
        </Dropdown>
        <Dropdown
          aria-label="Time range"
          value={spans.find(([v]) => v === timespan)?.[1] ?? ""}
          selectedOptions={[timespan]}
          onOptionSelect={(_, d) => setTimespan(d.optionValue ?? "")}
        >
          {spans.map(([value, title]) => (
            <Option key={value} value={value}>
              {title}
            </Option>
          ))}
        </Dropdown>
        <Button appearance="primary" icon={<PlayRegular />} onClick={go} disabled={!text.trim() || run.isPending}>
          Run
        </Button>
        <Caption1 className={s.muted}>Shift+Enter runs</Caption1>
      </div>
      <div className={s.columns}>
        <Tables side={side} onPick={pick} />
        <div className={s.work}>
          <textarea
            ref={editor}
            className={s.editor}
            aria-label="Query"
            spellCheck={false}
            autoCapitalize="off"
            value={text}
            placeholder={
              'DeviceProcessEvents\n| where FileName =~ "powershell.exe"\n| summarize count() by DeviceName\n| top 5 by count_'
            }
            onChange={(e) => setText(e.target.value)}
            onKeyDown={onKeyDown}
          />
          {run.isError && <Wrong error={run.error} onPlace={place} />}
          {run.isSuccess && (
            <Caption1 className={s.muted} role="status">
              {count.toLocaleString("en-US")} {count === 1 ? "row" : "rows"} in {Math.round(run.data.elapsedMs)} ms
              {run.data.notes.length > 0 && ` · ${run.data.notes.join(" ")}`}
            </Caption1>
          )}
          {run.isPending ? (
            <Loading what="the result" />
          ) : run.isSuccess ? (
            <Answer key={run.submittedAt} tables={run.data.tables} />
          ) : (
            !run.isError && (
              <Empty icon={<SearchRegular />} title="Ask something">
                Write a query, or pick a table on the left to begin with.
              </Empty>
            )
          )}
        </div>
      </div>
    </div>
  );
}
