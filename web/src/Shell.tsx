import { Button, Caption1, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { PlugConnectedRegular } from "@fluentui/react-icons/svg/plug-connected";
import { SearchRegular } from "@fluentui/react-icons/svg/search";
import { ServerRegular } from "@fluentui/react-icons/svg/server";
import { ShieldTaskRegular } from "@fluentui/react-icons/svg/shield-task";
import { SignOutRegular } from "@fluentui/react-icons/svg/sign-out";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { ApiError } from "./api";
import { Clock } from "./clock";
import { type Liveness, useLive } from "./live";
import { Failure, Loading } from "./parts/Says";
import { useMe, useSignOut } from "./queries/session";
import type { Me } from "./wire";
import { visible } from "./words";

const useStyles = makeStyles({
  shell: {
    height: "100%",
    display: "grid",
    gridTemplateColumns: "200px minmax(0, 1fr)",
    gridTemplateRows: "44px minmax(0, 1fr)",
    backgroundColor: tokens.colorNeutralBackground3,
  },
  bar: {
    gridColumn: "1 / 3",
    display: "flex",
    alignItems: "center",
    gap: "12px",
    padding: "0 12px 0 16px",
    backgroundColor: tokens.colorBrandBackground,
    color: tokens.colorNeutralForegroundOnBrand,
  },
  brand: { fontWeight: tokens.fontWeightSemibold, fontSize: tokens.fontSizeBase400, letterSpacing: "0.2px" },
  tenant: { opacity: 0.85, borderLeft: "1px solid currentColor", paddingLeft: "12px" },
  space: { flexGrow: 1 },
  live: { display: "inline-flex", alignItems: "center", gap: "6px", fontSize: tokens.fontSizeBase200 },
  dot: { width: "8px", height: "8px", borderRadius: "50%", backgroundColor: "#9fd89f" },
  dotOff: { backgroundColor: "#f7b955" },
  who: { fontWeight: tokens.fontWeightSemibold },
  out: { color: "inherit", ":hover": { color: "inherit", opacity: 0.8 } },
  nav: {
    display: "flex",
    flexDirection: "column",
    gap: "2px",
    padding: "12px 8px",
    overflowY: "auto",
    borderRight: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  section: {
    padding: "12px 10px 4px",
    color: tokens.colorNeutralForeground3,
    fontWeight: tokens.fontWeightSemibold,
  },
  link: {
    display: "flex",
    alignItems: "center",
    gap: "10px",
    minHeight: "34px",
    padding: "0 10px",
    textDecorationLine: "none",
    borderRadius: tokens.borderRadiusMedium,
    color: tokens.colorNeutralForeground2,
    fontSize: tokens.fontSizeBase300,
    ":hover": { backgroundColor: tokens.colorSubtleBackgroundHover },
    "&.here": {
      backgroundColor: tokens.colorNeutralBackground1,
      color: tokens.colorNeutralForeground1,
      fontWeight: tokens.fontWeightSemibold,
      boxShadow: `inset 3px 0 0 ${tokens.colorCompoundBrandBackground}`,
    },
  },
  icon: { fontSize: "20px", flexShrink: 0 },
  name: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  main: { minHeight: 0, minWidth: 0, display: "flex", flexDirection: "column", overflow: "hidden" },
});

const lively: Record<Liveness, string> = { connecting: "Connecting …", live: "Live", lost: "Reconnecting …" };

function Live() {
  const s = useStyles();
  const state = useLive();
  return (
    <span className={s.live} role="status" title="Whether this page hears of changes as they happen">
      <span className={mergeClasses(s.dot, state !== "live" && s.dotOff)} aria-hidden />
      {lively[state]}
    </span>
  );
}

function Bar({ me }: { me: Me }) {
  const s = useStyles();
  const signOut = useSignOut();
  return (
    <header className={s.bar}>
      <span className={s.brand}>Lockstep</span>
      {me.tenant && <span className={s.tenant}>{visible(me.tenant)}</span>}
      <span className={s.space} />
      <Live />
      <span className={s.who}>{visible(me.person.name)}</span>
      <Button
        appearance="transparent"
        className={s.out}
        icon={<SignOutRegular />}
        aria-label="Sign out"
        title="Sign out"
        onClick={() => signOut.mutate()}
      />
    </header>
  );
}

function Nav({ me }: { me: Me }) {
  const s = useStyles();
  const here = { className: "here" };
  const hunts = me.has.hunting && (me.may["hunting/run"] || me.workspaces.some((w) => w.may["hunting/run"]));
  const connects = me.has.connector && me.workspaces.some((w) => w.may["connector/read"]);
  return (
    <nav className={s.nav} aria-label="Pages">
      {me.has.xdr && me.may["incidents/read"] && (
        <>
          <Caption1 className={s.section}>Defender XDR</Caption1>
          <Link to="/incidents" className={s.link} activeProps={here}>
            <ShieldTaskRegular className={s.icon} aria-hidden /> Incidents
          </Link>
        </>
      )}
      {me.workspaces.length > 0 && <Caption1 className={s.section}>Sentinel workspaces</Caption1>}
      {me.workspaces.map((w) => (
        <Link
          key={w.id}
          to="/workspaces/$workspace/incidents"
          params={{ workspace: w.name }}
          className={s.link}
          activeProps={here}
          title={w.name}
        >
          <ServerRegular className={s.icon} aria-hidden />
          <span className={s.name}>{visible(w.name)}</span>
        </Link>
      ))}
      {(hunts || connects) && <Caption1 className={s.section}>Tools</Caption1>}
      {hunts && (
        <Link to="/hunting" className={s.link} activeProps={here}>
          <SearchRegular className={s.icon} aria-hidden /> Hunting
        </Link>
      )}
      {connects && (
        <Link to="/connector" className={s.link} activeProps={here}>
          <PlugConnectedRegular className={s.icon} aria-hidden /> Connector
        </Link>
      )}
    </nav>
  );
}

/** The frame of every page behind the sign-in. */
export function Shell() {
  const s = useStyles();
  const me = useMe();
  const navigate = useNavigate();
  const gone = me.error instanceof ApiError && me.error.status === 401;
  useEffect(() => {
    if (gone) navigate({ to: "/signin", search: { next: window.location.pathname + window.location.search } });
  }, [gone, navigate]);
  if (!me.data)
    return me.error && !gone ? <Failure error={me.error} retry={() => me.refetch()} /> : <Loading what="Lockstep" />;
  return (
    <Clock server={me.data.now}>
      <div className={s.shell}>
        <Bar me={me.data} />
        <Nav me={me.data} />
        <main className={s.main}>
          <Outlet />
        </main>
      </div>
    </Clock>
  );
}
