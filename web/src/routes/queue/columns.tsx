import { makeStyles, tokens } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import { Owner, SeverityBadge, StatusBadge, Tags } from "../../parts/Badges";
import type { Column } from "../../parts/Grid";
import { Time } from "../../parts/Time";
import { incidentPath, type Queue } from "../../queries/incidents";
import type { Row } from "../../wire";
import { visible } from "../../words";

const useStyles = makeStyles({
  title: { display: "flex", alignItems: "center", gap: "8px", minWidth: 0 },
  link: {
    color: tokens.colorNeutralForeground1,
    textDecorationLine: "none",
    fontWeight: tokens.fontWeightSemibold,
    overflow: "hidden",
    textOverflow: "ellipsis",
    unicodeBidi: "isolate",
    ":hover": { textDecorationLine: "underline", color: tokens.colorBrandForegroundLink },
  },
  number: { color: tokens.colorNeutralForeground3, fontVariantNumeric: "tabular-nums" },
  tags: { flexShrink: 0 },
});

function Title({ queue, row }: { queue: Queue; row: Row }) {
  const s = useStyles();
  return (
    <span className={s.title}>
      <Link
        to={incidentPath({ ...queue, id: row.id })}
        className={s.link}
        tabIndex={-1}
        title={visible(row.title)}
        onClick={(e) => e.stopPropagation()}
      >
        {visible(row.title) || "(no title)"}
      </Link>
      <span className={s.tags}>
        <Tags tags={row.tags} system={row.systemTags} most={2} />
      </span>
    </span>
  );
}

function NumberOf({ row }: { row: Row }) {
  return <span className={useStyles().number}>{row.number}</span>;
}

/** Product names as short as they stay clear: "Endpoint", "Office 365". */
export const shortProduct = (name: string) => name.replace(/^Microsoft (Defender (for )?)?/, "") || name;

/** The columns of a queue, the same on both sides. */
export function queueColumns(queue: Queue): Column<Row>[] {
  return [
    { key: "number", title: "ID", width: "44px", sort: "number", align: "end", cell: (r) => <NumberOf row={r} /> },
    {
      key: "severity",
      title: "Severity",
      width: "104px",
      sort: "severity",
      cell: (r) => <SeverityBadge severity={r.severity} />,
    },
    {
      key: "title",
      title: "Incident",
      width: "minmax(260px, 3fr)",
      sort: "title",
      cell: (r) => <Title queue={queue} row={r} />,
    },
    {
      key: "status",
      title: "Status",
      width: "96px",
      sort: "status",
      cell: (r) => <StatusBadge side={queue.side} status={r.status} />,
    },
    {
      key: "owner",
      title: "Owner",
      width: "minmax(104px, 150px)",
      sort: "owner",
      cell: (r) => <Owner owner={r.owner} />,
    },
    { key: "alerts", title: "Alerts", width: "50px", sort: "alerts", align: "end", cell: (r) => r.alertsText },
    {
      key: "products",
      title: "Products",
      width: "minmax(90px, 1fr)",
      cell: (r) => <span title={r.products.join(", ")}>{r.products.map(shortProduct).join(", ")}</span>,
    },
    {
      key: "last",
      title: "Last activity",
      width: "188px",
      sort: "lastActivity",
      cell: (r) => <Time at={r.lastActivity} />,
    },
    {
      key: "updated",
      title: "Updated",
      width: "74px",
      sort: "updated",
      cell: (r) => <Time at={r.updated} form="ago" />,
    },
  ];
}
