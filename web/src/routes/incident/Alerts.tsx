import { Badge, Body1, makeStyles, tokens } from "@fluentui/react-components";
import { useMemo, useState } from "react";
import { SeverityBadge } from "../../parts/Badges";
import { type Column, Grid } from "../../parts/Grid";
import { Empty } from "../../parts/Says";
import { SidePanel } from "../../parts/SidePanel";
import { Time } from "../../parts/Time";
import type { AlertView, Detail, Link } from "../../wire";
import { spaced, visible } from "../../words";
import { shortProduct } from "../queue/columns";

const useStyles = makeStyles({
  note: {
    padding: "8px 12px",
    color: tokens.colorNeutralForeground2,
    backgroundColor: tokens.colorNeutralBackground3,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  text: { whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
});

const alertTone = { new: "danger", inProgress: "brand", resolved: "success" } as const;

const columns: Column<AlertView>[] = [
  { key: "severity", title: "Severity", width: "104px", cell: (a) => <SeverityBadge severity={a.severity} /> },
  {
    key: "title",
    title: "Alert",
    width: "minmax(200px, 3fr)",
    cell: (a) => <strong title={visible(a.title)}>{visible(a.title)}</strong>,
  },
  {
    key: "status",
    title: "Status",
    width: "84px",
    cell: (a) => (
      <Badge appearance="tint" color={alertTone[a.status as keyof typeof alertTone] ?? "informative"} shape="rounded">
        {spaced(a.status)}
      </Badge>
    ),
  },
  {
    key: "product",
    title: "Product",
    width: "minmax(90px, 1fr)",
    cell: (a) => <span title={a.product}>{visible(shortProduct(a.product))}</span>,
  },
  { key: "tactics", title: "Tactics", width: "minmax(90px, 1fr)", cell: (a) => a.tactics.map(spaced).join(", ") },
  { key: "first", title: "First activity", width: "188px", cell: (a) => <Time at={a.firstActivity} /> },
];

function AlertPanel({ alert, onClose }: { alert: AlertView | undefined; onClose: () => void }) {
  const s = useStyles();
  return (
    <SidePanel
      title={alert ? visible(alert.title) : ""}
      open={alert !== undefined}
      onClose={onClose}
      facts={
        alert
          ? [
              ["Severity", <SeverityBadge key="s" severity={alert.severity} />],
              ["Status", spaced(alert.status)],
              ["Classification", [alert.classification, alert.determination].filter(Boolean).map(spaced).join(" · ")],
              ["Assigned to", visible(alert.assignedTo)],
              ["Category", visible(alert.category)],
              ["Product", visible(alert.product)],
              ["Detected by", visible(alert.detection)],
              ["Tactics", alert.tactics.map(spaced).join(", ")],
              ["Techniques", alert.techniques.join(", ")],
              ["First activity", <Time key="f" at={alert.firstActivity} form="full" />],
              ["Last activity", <Time key="l" at={alert.lastActivity} form="full" />],
              ["Created", <Time key="c" at={alert.created} form="full" />],
              ["Evidence", alert.evidence === 1 ? "1 entity" : `${alert.evidence} entities`],
              ["Alert ID", visible(alert.id)],
              ["ID in its product", visible(alert.providerId)],
              ["ID in the workspace", visible(alert.systemId)],
            ]
          : []
      }
    >
      {alert?.description && <Body1 className={s.text}>{visible(alert.description)}</Body1>}
      {alert?.actions && (
        <>
          <strong>Recommended actions</strong>
          <Body1 className={s.text}>{visible(alert.actions)}</Body1>
        </>
      )}
      {alert?.link && (
        <a href={alert.link} target="_blank" rel="noreferrer noopener">
          Open in its product
        </a>
      )}
    </SidePanel>
  );
}

/** The alerts of an incident; where a side shows only some of them, it says so and where the rest is. */
export function Alerts({ incident, xdr }: { incident: Detail; xdr: Link | undefined }) {
  const s = useStyles();
  const [openId, setOpenId] = useState("");
  const alert = useMemo(() => incident.alertList.find((a) => a.id === openId), [incident.alertList, openId]);
  const more = incident.alerts > incident.alertList.length;
  return (
    <>
      {more && (
        <div className={s.note}>
          {incident.alertList.length} of {incident.alerts} alerts are linked here, the most that a workspace incident
          links.{" "}
          {xdr ? <a href={xdr.path}>All {incident.alerts} are in Defender XDR.</a> : "The rest is in its source."}
        </div>
      )}
      <Grid
        label="Alerts"
        rows={incident.alertList}
        columns={columns}
        rowKey={(a) => a.id}
        onOpen={(a) => setOpenId(a.id)}
        empty={<Empty title="No alerts">They were moved to another incident, or none is linked.</Empty>}
      />
      <AlertPanel alert={alert} onClose={() => setOpenId("")} />
    </>
  );
}
