import {
  Badge,
  Body1,
  Button,
  Caption1,
  Checkbox,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  DialogTrigger,
  Dropdown,
  MessageBar,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
  mergeClasses,
  Option,
  Subtitle2,
  Switch,
  Title3,
  tokens,
} from "@fluentui/react-components";
import { PlugConnectedRegular } from "@fluentui/react-icons/svg/plug-connected";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Empty, Failure, Loading } from "../../parts/Says";
import { Time } from "../../parts/Time";
import { type ConnectorChange, useChangeConnector, useConnector } from "../../queries/connector";
import { useMe } from "../../queries/session";
import type { ConnectorSettings, ConnectorPage as Page } from "../../wire";
import { visible } from "../../words";
import { Health } from "./Health";

const useStyles = makeStyles({
  page: {
    padding: "16px 20px 32px",
    overflowY: "auto",
    display: "flex",
    flexDirection: "column",
    gap: "16px",
    flexGrow: 1,
    minHeight: 0,
  },
  head: { display: "flex", alignItems: "center", gap: "12px", flexWrap: "wrap" },
  muted: { color: tokens.colorNeutralForeground3 },
  space: { flexGrow: 1 },
  columns: {
    display: "grid",
    gridTemplateColumns: "minmax(0, 3fr) minmax(340px, 2fr)",
    gap: "16px",
    alignItems: "start",
  },
  stack: { display: "flex", flexDirection: "column", gap: "16px", minWidth: 0 },
  card: {
    display: "flex",
    flexDirection: "column",
    gap: "4px",
    padding: "16px",
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: tokens.borderRadiusLarge,
    boxShadow: tokens.shadow2,
  },
  roomy: { gap: "14px" },
  line: { display: "grid", gridTemplateColumns: "minmax(0, 1fr) auto", alignItems: "center", gap: "12px" },
  stream: { borderBottom: `1px solid ${tokens.colorNeutralStroke3}`, ":last-child": { borderBottomStyle: "none" } },
  table: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  right: { display: "flex", alignItems: "center", gap: "8px" },
  component: { paddingTop: "12px", color: tokens.colorNeutralForeground2, fontWeight: tokens.fontWeightSemibold },
  list: { margin: 0, paddingLeft: "18px" },
  form: { display: "flex", flexDirection: "column", gap: "4px" },
});

interface Part {
  page: Page;
  change: (c: ConnectorChange) => void;
  busy: boolean;
}

function Switches({ page, change, busy }: Part) {
  const s = useStyles();
  const off = !page.connected || !page.may || busy;
  const lines = [
    [
      "incidents",
      "Incidents and alerts",
      "Every XDR incident appears here with all its alerts; status, owner, closing reason, tags and comments stay the same on both sides.",
      page.incidents,
    ],
    [
      "entities",
      "Entities",
      "Accounts, devices, addresses, files and the others that alerts name come with their incidents.",
      page.entities,
    ],
  ] as const;
  return (
    <section className={mergeClasses(s.card, s.roomy)}>
      {lines.map(([name, title, text, on]) => (
        <div key={name} className={s.line}>
          <div>
            <Subtitle2 as="h2">{title}</Subtitle2>
            <Body1 as="p" block className={s.muted} style={{ margin: 0 }}>
              {text}
            </Body1>
          </div>
          <Switch
            aria-label={title}
            checked={on}
            disabled={off}
            onChange={(_, d) => change({ deed: "switch", name, on: d.checked })}
          />
        </div>
      ))}
    </section>
  );
}

function Streams({ page, change, busy }: Part) {
  const s = useStyles();
  const off = !page.connected || !page.may || busy;
  const components = [...new Set(page.streams.map((t) => t.component))];
  const on = page.streams.filter((t) => t.on).length;
  return (
    <section className={s.card}>
      <div className={s.head}>
        <Subtitle2 as="h2">Events</Subtitle2>
        <Caption1 className={s.muted}>
          {on} of {page.streams.length} tables stream
        </Caption1>
      </div>
      <Body1 className={s.muted}>
        Raw hunting tables, a switch each. Rows that arrive while a switch is on are kept in the workspace as long as it
        keeps them.
      </Body1>
      {components.map((component) => (
        <div key={component}>
          <div className={s.component}>{component}</div>
          {page.streams
            .filter((t) => t.component === component)
            .map((t) => (
              <div key={t.table} className={mergeClasses(s.line, s.stream)}>
                <span className={s.table} title={t.title}>
                  {t.table}
                </span>
                <span className={s.right}>
                  <Badge appearance="outline" shape="rounded" color={t.free ? "success" : "informative"}>
                    {t.free ? "free" : "charged"}
                  </Badge>
                  <Switch
                    aria-label={`Stream ${t.table}`}
                    checked={t.on}
                    disabled={off}
                    onChange={(_, d) => change({ deed: "table", table: t.table, on: d.checked })}
                  />
                </span>
              </div>
            ))}
        </div>
      ))}
    </section>
  );
}

function ConnectDialog({
  page,
  onConnect,
  onClose,
}: {
  page: Page;
  onConnect: (c: ConnectorSettings) => void;
  onClose: () => void;
}) {
  const s = useStyles();
  const [incidents, setIncidents] = useState(true);
  const [entities, setEntities] = useState(true);
  const [rulesOff, setRulesOff] = useState(true);
  return (
    <Dialog open onOpenChange={(_, d) => !d.open && onClose()}>
      <DialogSurface style={{ maxWidth: 520 }}>
        <DialogBody>
          <DialogTitle>Connect {visible(page.workspace)}</DialogTitle>
          <DialogContent className={s.form}>
            <Body1>The workspace gets the incidents of Defender XDR; edits on either side reach the other.</Body1>
            <Checkbox
              label="Incidents and alerts"
              checked={incidents}
              onChange={(_, d) => setIncidents(d.checked === true)}
            />
            <Checkbox label="Entities" checked={entities} onChange={(_, d) => setEntities(d.checked === true)} />
            <Checkbox
              label="Turn off all Microsoft incident creation rules for these products (recommended: no duplicate incidents)"
              checked={rulesOff}
              onChange={(_, d) => setRulesOff(d.checked === true)}
            />
            <Caption1 className={s.muted}>Event tables are switched on one by one afterwards.</Caption1>
          </DialogContent>
          <DialogActions>
            <DialogTrigger disableButtonEnhancement>
              <Button>Cancel</Button>
            </DialogTrigger>
            <Button
              appearance="primary"
              onClick={() => onConnect({ incidents, entities, turnOffCreationRules: rulesOff })}
            >
              Connect
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

function DisconnectDialog({
  page,
  onDisconnect,
  onClose,
}: {
  page: Page;
  onDisconnect: () => void;
  onClose: () => void;
}) {
  return (
    <Dialog open onOpenChange={(_, d) => !d.open && onClose()}>
      <DialogSurface style={{ maxWidth: 480 }}>
        <DialogBody>
          <DialogTitle>Disconnect {visible(page.workspace)}?</DialogTitle>
          <DialogContent>
            Incidents and events stop crossing. Everything that is in the workspace stays there. Incident creation rules
            stay off until somebody turns them on.
          </DialogContent>
          <DialogActions>
            <DialogTrigger disableButtonEnhancement>
              <Button>Cancel</Button>
            </DialogTrigger>
            <Button appearance="primary" onClick={onDisconnect}>
              Disconnect
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

function Rules({ page }: { page: Page }) {
  const s = useStyles();
  if (page.rulesOff.length === 0) return null;
  return (
    <section className={s.card}>
      <Subtitle2 as="h2">Incident creation rules turned off</Subtitle2>
      <Caption1 className={s.muted}>
        by connecting, <Time at={page.rulesOffAt} />. They stay off until somebody turns them on.
      </Caption1>
      <ul className={s.list}>
        {page.rulesOff.map((rule) => (
          <li key={rule}>{visible(rule)}</li>
        ))}
      </ul>
    </section>
  );
}

/** Incidents that keep failing to cross: they are tried again by themselves. */
function Holes({ page }: { page: Page }) {
  const s = useStyles();
  if (page.holes.length === 0) return null;
  return (
    <section className={s.card}>
      <Subtitle2 as="h2">Incidents that don’t cross</Subtitle2>
      <ul className={s.list}>
        {page.holes.map((h) => (
          <li key={h.xdr + (h.where ?? "")}>
            {h.xdr ? (
              <Link to="/incidents/$id" params={{ id: h.xdr }}>
                Incident {h.xdr}
              </Link>
            ) : (
              visible(h.where ?? "")
            )}
            : {visible(h.error)}{" "}
            <span className={s.muted}>
              {h.attempts} attempts since <Time at={h.since} />, next <Time at={h.next} form="ago" />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Loaded({ page }: { page: Page }) {
  const s = useStyles();
  const [dialog, setDialog] = useState<"" | "connect" | "disconnect">("");
  const mutation = useChangeConnector(page.workspace);
  const change = (c: ConnectorChange) => mutation.mutate(c, { onSettled: () => setDialog("") });
  const part = { page, change, busy: mutation.isPending };
  return (
    <>
      <div className={s.head}>
        <Badge size="large" shape="rounded" appearance="tint" color={page.connected ? "success" : "informative"}>
          {page.connected ? "Connected" : "Not connected"}
        </Badge>
        {page.connected && (
          <span className={s.muted}>
            since <Time at={page.since} /> {page.by && `by ${visible(page.by)}`}
          </span>
        )}
        <span className={s.space} />
        {page.may &&
          (page.connected ? (
            <Button onClick={() => setDialog("disconnect")}>Disconnect …</Button>
          ) : (
            <Button appearance="primary" icon={<PlugConnectedRegular />} onClick={() => setDialog("connect")}>
              Connect …
            </Button>
          ))}
      </div>
      {mutation.isError && <Failure error={mutation.error} what="The change wasn't made" />}
      {page.feeds.length > 0 && (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>Changes can’t be read.</MessageBarTitle>
            {page.feeds.map(visible).join(" · ")}
          </MessageBarBody>
        </MessageBar>
      )}
      <div className={s.columns}>
        <div className={s.stack}>
          <Switches {...part} />
          <Health page={page} />
          <Holes page={page} />
          <Rules page={page} />
        </div>
        <Streams {...part} />
      </div>
      {dialog === "connect" && (
        <ConnectDialog
          page={page}
          onClose={() => setDialog("")}
          onConnect={(settings) => change({ deed: "connect", settings })}
        />
      )}
      {dialog === "disconnect" && (
        <DisconnectDialog
          page={page}
          onClose={() => setDialog("")}
          onDisconnect={() => change({ deed: "disconnect" })}
        />
      )}
    </>
  );
}

/** The connector of a workspace: its switches, and whether data come through. */
export function ConnectorPage() {
  const s = useStyles();
  const me = useMe().data;
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { workspace?: string };
  const workspaces = me?.workspaces ?? [];
  const name = search.workspace ?? (workspaces.find((w) => w.primary) ?? workspaces[0])?.name ?? "";
  const query = useConnector(name);
  useEffect(() => {
    document.title = "Connector · Lockstep";
  }, []);
  if (name === "") {
    return <Empty icon={<PlugConnectedRegular />} title="There is no workspace to connect" />;
  }
  return (
    <div className={s.page}>
      <div className={s.head}>
        <Title3 as="h1">Connector</Title3>
        <span className={s.muted}>Defender XDR →</span>
        {workspaces.length > 1 ? (
          <Dropdown
            aria-label="Workspace"
            value={name}
            selectedOptions={[name]}
            onOptionSelect={(_, d) => navigate({ to: "/connector", search: { workspace: d.optionValue ?? "" } })}
          >
            {workspaces.map((w) => (
              <Option key={w.id} value={w.name} text={w.name}>
                {visible(w.name)} {w.primary ? "(primary)" : ""}
              </Option>
            ))}
          </Dropdown>
        ) : (
          <strong>{visible(name)}</strong>
        )}
      </div>
      {query.isError ? (
        <Failure error={query.error} retry={() => query.refetch()} />
      ) : query.data ? (
        <Loaded key={name} page={query.data} />
      ) : (
        <Loading what="the connector" />
      )}
    </div>
  );
}
