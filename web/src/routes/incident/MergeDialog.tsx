import {
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
  Field,
  makeStyles,
  SearchBox,
  Textarea,
  tokens,
} from "@fluentui/react-components";
import { useState } from "react";
import { SeverityBadge, StatusBadge } from "../../parts/Badges";
import { Failure } from "../../parts/Says";
import { useMerge, useQueue } from "../../queries/incidents";
import type { Row } from "../../wire";
import { visible } from "../../words";

const useStyles = makeStyles({
  content: { display: "flex", flexDirection: "column", gap: "12px" },
  list: {
    maxHeight: "264px",
    overflowY: "auto",
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusMedium,
  },
  line: {
    display: "grid",
    gridTemplateColumns: "32px 44px 112px minmax(0, 1fr) auto",
    gap: "8px",
    alignItems: "center",
    padding: "2px 8px",
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
    ":last-child": { borderBottomStyle: "none" },
  },
  title: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  muted: { color: tokens.colorNeutralForeground3 },
});

interface Props {
  /** Those to be merged; with one alone, others are picked here. */
  incidents: Row[];
  onClose: () => void;
  onMerged: (path: string) => void;
}

/** Merges two to five incidents. The server chooses which one stays, and refuses by its guards, saying why. */
export function MergeDialog({ incidents, onClose, onMerged }: Props) {
  const s = useStyles();
  const picking = incidents.length === 1;
  const [q, setQ] = useState("");
  const [picked, setPicked] = useState<Row[]>(incidents);
  const [reason, setReason] = useState("");
  const merge = useMerge();
  const others = useQueue({ side: "xdr", workspace: "" }, q ? { q, sort: "-updated" } : { sort: "-updated" });
  const found = picking ? (others.data?.pages[0]?.items ?? []) : incidents;
  const rows = [...picked.filter((p) => !found.some((f) => f.id === p.id)), ...found];
  const isPicked = (r: Row) => picked.some((p) => p.id === r.id);
  const toggle = (r: Row) => setPicked(isPicked(r) ? picked.filter((p) => p.id !== r.id) : [...picked, r]);
  const submit = () =>
    merge.mutate(
      { ids: picked.map((p) => p.id), reason: reason.trim() },
      {
        onSuccess: (done) => {
          onClose();
          onMerged(done.path);
        },
      },
    );
  return (
    <Dialog open onOpenChange={(_, d) => !d.open && onClose()}>
      <DialogSurface style={{ maxWidth: 760 }}>
        <DialogBody>
          <DialogTitle>Merge incidents</DialogTitle>
          <DialogContent className={s.content}>
            <Caption1 className={s.muted}>
              One incident keeps everything; the others become “merged” and lead to it. The one with a person as owner
              stays, otherwise the oldest. Two to five can be merged at a time.
            </Caption1>
            {picking && (
              <SearchBox
                placeholder="Find incidents by title, ID, tag or product"
                aria-label="Find incidents to merge"
                value={q}
                onChange={(_, d) => setQ(d.value)}
              />
            )}
            <div className={s.list}>
              {rows.slice(0, 100).map((r) => (
                <div key={r.id} className={s.line}>
                  <Checkbox
                    checked={isPicked(r)}
                    disabled={picking && r.id === incidents[0]?.id}
                    onChange={() => toggle(r)}
                    aria-label={`Incident ${r.number}: ${visible(r.title)}`}
                  />
                  <span className={s.muted}>{r.number}</span>
                  <SeverityBadge severity={r.severity} />
                  <span className={s.title} title={visible(r.title)}>
                    {visible(r.title)}
                  </span>
                  <StatusBadge side="xdr" status={r.status} />
                </div>
              ))}
            </div>
            <Field label="Reason" hint="Kept in the activity log of each.">
              <Textarea value={reason} onChange={(_, d) => setReason(d.value)} rows={2} />
            </Field>
            {merge.isError && <Failure error={merge.error} what="These incidents can't be merged" />}
          </DialogContent>
          <DialogActions>
            <DialogTrigger disableButtonEnhancement>
              <Button>Cancel</Button>
            </DialogTrigger>
            <Button
              appearance="primary"
              onClick={submit}
              disabled={picked.length < 2 || picked.length > 5 || !reason.trim() || merge.isPending}
            >
              {picked.length > 1 ? `Merge ${picked.length} incidents` : "Merge"}
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
