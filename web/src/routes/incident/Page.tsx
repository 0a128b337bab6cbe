import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
  Tab,
  TabList,
  Title3,
  tokens,
} from "@fluentui/react-components";
import { OpenRegular } from "@fluentui/react-icons/svg/open";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { SeverityBadge, StatusBadge, Tags } from "../../parts/Badges";
import { Empty, Failure, Loading } from "../../parts/Says";
import { type IncidentRef, queuePath, useIncident } from "../../queries/incidents";
import { useMe } from "../../queries/session";
import type { IncidentSearch } from "../../router";
import type { Detail, Link as IncidentLink } from "../../wire";
import { sideName, visible } from "../../words";
import { Activity, Story } from "./Activity";
import { Alerts } from "./Alerts";
import { Commands } from "./Commands";
import { Comments } from "./Comments";
import { Entities } from "./Entities";
import { Overview } from "./Overview";

const useStyles = makeStyles({
  page: { display: "flex", flexDirection: "column", minHeight: 0, flexGrow: 1, padding: "12px 20px 0", gap: "8px" },
  crumbs: { color: tokens.colorNeutralForeground3, display: "flex", gap: "6px", fontSize: tokens.fontSizeBase200 },
  crumb: { textDecorationLine: "none", ":hover": { textDecorationLine: "underline" } },
  head: { display: "flex", alignItems: "center", gap: "12px", flexWrap: "wrap" },
  title: { overflowWrap: "anywhere", unicodeBidi: "isolate" },
  line: { display: "flex", alignItems: "center", gap: "16px", flexWrap: "wrap" },
  columns: { display: "grid", gridTemplateColumns: "minmax(0, 1fr) 320px", gap: "16px", flexGrow: 1, minHeight: 0 },
  card: {
    display: "flex",
    flexDirection: "column",
    minHeight: 0,
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: `${tokens.borderRadiusLarge} ${tokens.borderRadiusLarge} 0 0`,
    boxShadow: tokens.shadow2,
    overflow: "hidden",
  },
  tabs: { borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, flexShrink: 0 },
  count: { color: tokens.colorNeutralForeground3, marginLeft: "6px", fontWeight: tokens.fontWeightRegular },
  parallel: {
    display: "inline-flex",
    alignItems: "center",
    gap: "6px",
    color: tokens.colorBrandForegroundLink,
    textDecorationLine: "none",
    ":hover": { textDecorationLine: "underline" },
  },
});

/** Which incident the address names. */
function useIncidentOfAddress(): IncidentRef {
  const { workspace, id = "" } = useParams({ strict: false }) as { workspace?: string; id?: string };
  return useMemo(
    () => (workspace === undefined ? { side: "xdr", workspace: "", id } : { side: "workspace", workspace, id }),
    [workspace, id],
  );
}

function ParallelLink({ link }: { link: IncidentLink }) {
  const s = useStyles();
  const where =
    link.side === "xdr" ? `incident ${link.number} in Defender XDR` : `incident ${link.number} in ${link.workspace}`;
  return (
    <Link to={link.path} className={s.parallel}>
      <OpenRegular aria-hidden /> Open {where}
    </Link>
  );
}

function Banners({ incident, at, from }: { incident: Detail; at: IncidentRef; from: string | undefined }) {
  const navigate = useNavigate();
  return (
    <>
      {from && (
        <MessageBar intent="info">
          <MessageBarBody>
            <MessageBarTitle>Incident {from} was merged into this one.</MessageBarTitle>
            Its alerts, entities, tags and comments are here.
          </MessageBarBody>
          <MessageBarActions>
            <Button onClick={() => navigate({ to: ".", search: {} as never, replace: true })}>Dismiss</Button>
          </MessageBarActions>
        </MessageBar>
      )}
      {at.side === "workspace" && incident.mergedInto && (
        <MessageBar intent="warning">
          <MessageBarBody>
            <MessageBarTitle>Merged into incident {incident.mergedInto.number}.</MessageBarTitle>
            This one is closed; what it held is there.{" "}
            {incident.mergedInto.path && (
              <Link to={incident.mergedInto.path}>Open incident {incident.mergedInto.number}</Link>
            )}
          </MessageBarBody>
        </MessageBar>
      )}
    </>
  );
}

type TabName = "alerts" | "entities" | "activity" | "comments" | "sync";

/** An incident of either side. A merged incident of the XDR leads to the one that holds its content. */
export function IncidentPage() {
  const at = useIncidentOfAddress();
  const { from } = useSearch({ strict: false }) as IncidentSearch;
  const navigate = useNavigate();
  const query = useIncident(at);
  const incident = query.data;
  const target = at.side === "xdr" ? incident?.mergedInto : undefined;
  useEffect(() => {
    if (target) navigate({ to: target.path, search: { from: at.id } as never, replace: true });
  }, [target, at.id, navigate]);
  useEffect(() => {
    document.title = incident ? `${incident.number} ${visible(incident.title)} · Lockstep` : "Lockstep";
  }, [incident]);
  if (query.isError) {
    return (
      <Empty title={`Incident ${at.id} can't be shown`}>
        <Failure error={query.error} retry={() => query.refetch()} />
        <p>
          <Link to={queuePath(at)}>Back to the queue</Link>
        </p>
      </Empty>
    );
  }
  if (!incident || target) return <Loading what={`incident ${at.id}`} />;
  return <Loaded incident={incident} at={at} from={from} />;
}

function Loaded({ incident, at, from }: { incident: Detail; at: IncidentRef; from: string | undefined }) {
  const s = useStyles();
  const me = useMe().data;
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as IncidentSearch;
  const tab = (search.tab ?? "alerts") as TabName;
  const xdr = incident.parallel.find((l) => l.side === "xdr");
  const tabs: [TabName, string, number | string | undefined][] = [
    ["alerts", "Alerts", incident.alertsText],
    ["entities", "Entities", incident.entityList.length],
    ["comments", "Comments", incident.comments.length],
    ["activity", "Activity", undefined],
  ];
  if (at.side === "workspace" && me?.has.connector && xdr) tabs.push(["sync", "Synchronisation", undefined]);
  return (
    <div className={s.page}>
      <nav className={s.crumbs} aria-label="Where this is">
        <Link to={queuePath(at)} className={s.crumb}>
          {at.side === "xdr" ? "Incidents" : visible(at.workspace)}
        </Link>
        <span aria-hidden>/</span>
        <span>
          {sideName[at.side]} incident {incident.number}
        </span>
      </nav>
      <div className={s.head}>
        <Title3 as="h1" className={s.title}>
          {visible(incident.title) || "(no title)"}
        </Title3>
      </div>
      <div className={s.line}>
        <SeverityBadge severity={incident.severity} />
        <StatusBadge side={at.side} status={incident.status} />
        <Tags tags={incident.tags} system={incident.systemTags} />
        {incident.parallel.map((l) => (
          <ParallelLink key={l.path} link={l} />
        ))}
      </div>
      <Banners incident={incident} at={at} from={from} />
      <Commands incident={incident} at={at} />
      <div className={s.columns}>
        <section className={s.card} aria-label="Content">
          <TabList
            className={s.tabs}
            selectedValue={tab}
            onTabSelect={(_, d) =>
              navigate({
                to: ".",
                search: (now: IncidentSearch) => ({ ...now, tab: d.value as string }) as never,
                replace: true,
              })
            }
          >
            {tabs.map(([value, name, count]) => (
              <Tab key={value} value={value}>
                {name}
                {count !== undefined && <span className={s.count}>{count}</span>}
              </Tab>
            ))}
          </TabList>
          {tab === "alerts" && <Alerts incident={incident} xdr={xdr} />}
          {tab === "entities" && <Entities incident={incident} />}
          {tab === "activity" && <Activity incident={incident} />}
          {tab === "comments" && <Comments incident={incident} at={at} />}
          {tab === "sync" && <Story at={at} />}
        </section>
        <Overview incident={incident} at={at} />
      </div>
    </div>
  );
}
