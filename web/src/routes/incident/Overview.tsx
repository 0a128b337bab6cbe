import { Body1, makeStyles, Subtitle2, tokens } from "@fluentui/react-components";
import { Owner } from "../../parts/Badges";
import { Facts } from "../../parts/SidePanel";
import { Time } from "../../parts/Time";
import type { IncidentRef } from "../../queries/incidents";
import type { Detail } from "../../wire";
import { closedStatus, closingText, spaced, visible } from "../../words";

const useStyles = makeStyles({
  rail: {
    display: "flex",
    flexDirection: "column",
    gap: "12px",
    padding: "16px",
    overflowY: "auto",
    minHeight: 0,
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: `${tokens.borderRadiusLarge} ${tokens.borderRadiusLarge} 0 0`,
    boxShadow: tokens.shadow2,
  },
  text: { whiteSpace: "pre-wrap", overflowWrap: "anywhere", unicodeBidi: "isolate" },
});

/** What an incident is, beside its tabs. */
export function Overview({ incident: i, at }: { incident: Detail; at: IncidentRef }) {
  const s = useStyles();
  const isClosed = i.status === closedStatus[at.side];
  return (
    <aside className={s.rail} aria-label="Overview">
      <Subtitle2 as="h2">Overview</Subtitle2>
      {i.description && <Body1 className={s.text}>{visible(i.description)}</Body1>}
      <Facts
        facts={[
          ["Owner", <Owner key="o" owner={i.owner} />],
          [
            "Closing reason",
            i.classification ? closingText(at.side, i.classification, i.reason) : isClosed ? "Not set" : "",
          ],
          ["Comment", visible(i.comment)],
          ["First activity", <Time key="f" at={i.firstActivity} />],
          ["Last activity", <Time key="l" at={i.lastActivity} />],
          ["Created", <Time key="c" at={i.created} />],
          ["Updated", <Time key="u" at={i.updated} />],
          ["Closed", i.closedAt && <Time key="x" at={i.closedAt} />],
          ["Changed by", visible(i.modifier)],
          ["Alerts", i.alertsText],
          ["Entities", String(i.entityList.length)],
          ["Products", i.products.map(visible).join(", ")],
          ["Tactics", i.tactics.map(spaced).join(", ")],
          ["Techniques", i.techniques.join(", ")],
          ["Merged from", i.mergedFrom.map((id) => `incident ${id}`).join(", ")],
          ["Provider", visible(i.provider)],
          ["Provider's ID", at.side === "workspace" ? visible(i.providerId) : ""],
          ["Version", String(i.version)],
        ]}
      />
    </aside>
  );
}
