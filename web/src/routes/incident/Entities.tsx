import { Badge, makeStyles, tokens } from "@fluentui/react-components";
import { AppsRegular } from "@fluentui/react-icons/svg/apps";
import { BugRegular } from "@fluentui/react-icons/svg/bug";
import { CloudRegular } from "@fluentui/react-icons/svg/cloud";
import { DesktopRegular } from "@fluentui/react-icons/svg/desktop";
import { DocumentRegular } from "@fluentui/react-icons/svg/document";
import { GlobeRegular } from "@fluentui/react-icons/svg/globe";
import { MailRegular } from "@fluentui/react-icons/svg/mail";
import { PersonRegular } from "@fluentui/react-icons/svg/person";
import { TagRegular } from "@fluentui/react-icons/svg/tag";
import { WindowConsoleRegular } from "@fluentui/react-icons/svg/window-console";
import { useMemo, useState } from "react";
import { type Column, Grid } from "../../parts/Grid";
import { Empty } from "../../parts/Says";
import { SidePanel } from "../../parts/SidePanel";
import type { Detail, EntityView } from "../../wire";
import { kindName, spaced, visible } from "../../words";

const icons: Record<string, typeof TagRegular> = {
  Account: PersonRegular,
  Host: DesktopRegular,
  Ip: GlobeRegular,
  Url: GlobeRegular,
  DnsResolution: GlobeRegular,
  File: DocumentRegular,
  FileHash: DocumentRegular,
  Process: WindowConsoleRegular,
  Malware: BugRegular,
  MailMessage: MailRegular,
  Mailbox: MailRegular,
  MailCluster: MailRegular,
  CloudApplication: AppsRegular,
  OAuthApplication: AppsRegular,
  AzureResource: CloudRegular,
};

const useStyles = makeStyles({
  kind: { display: "inline-flex", alignItems: "center", gap: "8px", verticalAlign: "bottom" },
  icon: { fontSize: "18px", color: tokens.colorNeutralForeground2, flexShrink: 0 },
  mono: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
  muted: { color: tokens.colorNeutralForeground3 },
});

function Kind({ kind }: { kind: string }) {
  const s = useStyles();
  const Icon = icons[kind] ?? TagRegular;
  return (
    <span className={s.kind}>
      <Icon className={s.icon} aria-hidden /> {kindName(kind)}
    </span>
  );
}

const tones: Record<string, "danger" | "warning" | "success" | "informative"> = {
  malicious: "danger",
  suspicious: "warning",
  noThreatsFound: "success",
};

function Verdict({ verdict }: { verdict: string }) {
  const s = useStyles();
  if (!verdict || verdict === "unknown") return <span className={s.muted}>–</span>;
  return (
    <Badge appearance="tint" shape="rounded" color={tones[verdict] ?? "informative"}>
      {spaced(verdict)}
    </Badge>
  );
}

// What tells most about an entity beside its name.
const telling = [
  "commandLine",
  "userPrincipalName",
  "dnsDomain",
  "directory",
  "sender",
  "countryName",
  "operatingSystem",
  "sid",
];

function second(e: EntityView): string {
  for (const wanted of telling) {
    const field = e.fields.find(
      ([name, value]) => (name === wanted || name.endsWith(`.${wanted}`)) && value !== e.name,
    );
    if (field) return field[1];
  }
  return "";
}

function Second({ entity }: { entity: EntityView }) {
  const s = useStyles();
  const text = visible(second(entity));
  return (
    <span className={s.mono} title={text}>
      {text}
    </span>
  );
}

const columns: Column<EntityView>[] = [
  { key: "kind", title: "Kind", width: "132px", cell: (e) => <Kind kind={e.kind} /> },
  {
    key: "name",
    title: "Entity",
    width: "minmax(150px, 2fr)",
    cell: (e) => <strong title={visible(e.name)}>{visible(e.name)}</strong>,
  },
  { key: "detail", title: "Detail", width: "minmax(110px, 2fr)", cell: (e) => <Second entity={e} /> },
  { key: "verdict", title: "Verdict", width: "96px", cell: (e) => <Verdict verdict={e.verdict} /> },
  { key: "remediation", title: "Remediation", width: "92px", cell: (e) => spaced(e.remediation) },
  { key: "alerts", title: "Alerts", width: "48px", align: "end", cell: (e) => e.alerts || "" },
];

const keyOf = (e: EntityView) => `${e.kind} ${JSON.stringify(e.fields)}`;

/** The entities of an incident, with what its alerts say of them. */
export function Entities({ incident }: { incident: Detail }) {
  const [openKey, setOpenKey] = useState("");
  const entity = useMemo(() => incident.entityList.find((e) => keyOf(e) === openKey), [incident.entityList, openKey]);
  return (
    <>
      <Grid
        label="Entities"
        rows={incident.entityList}
        columns={columns}
        rowKey={keyOf}
        onOpen={(e) => setOpenKey(keyOf(e))}
        empty={<Empty title="No entities">None of the alerts names one.</Empty>}
      />
      <SidePanel
        title={entity ? visible(entity.name) : ""}
        open={entity !== undefined}
        onClose={() => setOpenKey("")}
        facts={
          entity
            ? [
                ["Kind", <Kind key="k" kind={entity.kind} />],
                ["Verdict", spaced(entity.verdict)],
                ["Remediation", spaced(entity.remediation)],
                ["Roles", entity.roles.map(spaced).join(", ")],
                ["Named by", entity.alerts ? `${entity.alerts} ${entity.alerts === 1 ? "alert" : "alerts"}` : ""],
                ...entity.fields.map(([name, value]): [string, string] => [name, visible(value)]),
              ]
            : []
        }
      />
    </>
  );
}
