import { Button, Caption1, makeStyles, Title3, tokens } from "@fluentui/react-components";
import { MergeRegular } from "@fluentui/react-icons/svg/merge";
import { ShieldTaskRegular } from "@fluentui/react-icons/svg/shield-task";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { Grid } from "../../parts/Grid";
import { Empty, Failure, Loading } from "../../parts/Says";
import { incidentPath, type Queue, type QueueSearch, useQueue } from "../../queries/incidents";
import { useMe } from "../../queries/session";
import type { Row } from "../../wire";
import { visible } from "../../words";
import { queueColumns } from "./columns";
import { Filters } from "./Filters";

// What few visits need comes when it is needed.
const MergeDialog = lazy(() => import("../incident/MergeDialog").then((m) => ({ default: m.MergeDialog })));

const useStyles = makeStyles({
  page: { display: "flex", flexDirection: "column", minHeight: 0, flexGrow: 1, padding: "16px 20px 0", gap: "12px" },
  head: { display: "flex", alignItems: "baseline", gap: "12px", flexWrap: "wrap" },
  muted: { color: tokens.colorNeutralForeground3 },
  bar: { display: "flex", alignItems: "center", gap: "8px", justifyContent: "space-between", flexWrap: "wrap" },
  grid: {
    display: "flex",
    flexDirection: "column",
    flexGrow: 1,
    minHeight: 0,
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: `${tokens.borderRadiusLarge} ${tokens.borderRadiusLarge} 0 0`,
    boxShadow: tokens.shadow2,
    overflow: "hidden",
  },
});

/** Which queue the address names. */
export function useQueueOfAddress(): Queue {
  const { workspace } = useParams({ strict: false }) as { workspace?: string };
  return useMemo(
    () => (workspace === undefined ? { side: "xdr", workspace: "" } : { side: "workspace", workspace }),
    [workspace],
  );
}

function Nothing({ search }: { search: QueueSearch }) {
  const filtered = Object.keys(search).some((k) => k !== "sort");
  return (
    <Empty icon={<ShieldTaskRegular />} title={filtered ? "No incident fits these filters" : "No open incidents"}>
      {filtered
        ? "Take a filter away, or reset them all."
        : "New ones appear here by themselves as alerts come in. Resolved ones are under “Open”, in the list beside the search."}
    </Empty>
  );
}

/** The incident queue of either side. */
export function QueuePage() {
  const s = useStyles();
  const queue = useQueueOfAddress();
  const search = useSearch({ strict: false }) as QueueSearch;
  const navigate = useNavigate();
  const me = useMe().data;
  const list = useQueue(queue, search);
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items) ?? [], [list.data]);
  const total = list.data?.pages.at(-1)?.total ?? 0;
  const columns = useMemo(() => queueColumns(queue), [queue]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [merging, setMerging] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another queue or filter begins with nothing chosen
  useEffect(() => setSelected(new Set()), [queue, search.show]);
  const name = queue.side === "xdr" ? "Incidents" : queue.workspace;
  useEffect(() => {
    document.title = `${name} · Lockstep`;
  }, [name]);

  const change = useCallback(
    (next: QueueSearch) => navigate({ to: ".", search: () => next as never, replace: true }),
    [navigate],
  );
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const open = (row: Row) => navigate({ to: incidentPath({ ...queue, id: row.id }) });
  const mayMerge = queue.side === "xdr" && me?.may["incidents/write"] === true;
  const chosen = rows.filter((r) => selected.has(r.id));

  return (
    <div className={s.page}>
      <div className={s.head}>
        <Title3 as="h1">{queue.side === "xdr" ? "Incidents" : visible(queue.workspace)}</Title3>
        <Caption1 className={s.muted} role="status">
          {queue.side === "xdr" ? "Defender XDR" : "Sentinel workspace"}
          {list.data && ` · ${total.toLocaleString("en-US")} ${total === 1 ? "incident" : "incidents"}`}
        </Caption1>
      </div>
      <div className={s.bar}>
        <Filters side={queue.side} search={search} onChange={change} />
        {mayMerge && (
          <Button
            icon={<MergeRegular />}
            disabled={chosen.length < 2 || chosen.length > 5}
            onClick={() => setMerging(true)}
            title="Choose two to five incidents to merge them"
          >
            Merge{chosen.length > 0 && ` (${chosen.length})`}
          </Button>
        )}
      </div>
      {list.isError && <Failure error={list.error} retry={() => list.refetch()} />}
      <div className={s.grid}>
        {list.isPending ? (
          <Loading what="incidents" />
        ) : (
          <Grid
            label={name}
            rows={rows}
            columns={columns}
            rowKey={(r) => r.id}
            total={total}
            sort={search.sort ?? "-number"}
            onSort={(sort) => change({ ...search, sort })}
            onOpen={open}
            onEnd={onEnd}
            {...(mayMerge ? { selected, onSelect: setSelected } : {})}
            empty={<Nothing search={search} />}
          />
        )}
      </div>
      {merging && (
        <Suspense>
          <MergeDialog
            incidents={chosen}
            onClose={() => setMerging(false)}
            onMerged={(path) => navigate({ to: path })}
          />
        </Suspense>
      )}
    </div>
  );
}
