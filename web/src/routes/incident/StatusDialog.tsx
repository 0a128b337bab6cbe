import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  DialogTrigger,
  Dropdown,
  Field,
  makeStyles,
  Option,
  OptionGroup,
  Radio,
  RadioGroup,
  Textarea,
} from "@fluentui/react-components";
import { useState } from "react";
import { Failure } from "../../parts/Says";
import { type IncidentRef, useUpdate } from "../../queries/incidents";
import type { Detail } from "../../wire";
import { closedStatus, closingReasons, closingText, statuses } from "../../words";
import { statusPatch } from "./patches";

const useStyles = makeStyles({ content: { display: "flex", flexDirection: "column", gap: "12px" } });

/** Sets the status and, when it closes, the reason. */
export function StatusDialog({ incident, at, onClose }: { incident: Detail; at: IncidentRef; onClose: () => void }) {
  const s = useStyles();
  const closed = closedStatus[at.side];
  const [status, setStatus] = useState(incident.status);
  const [reason, setReason] = useState(incident.classification ? `${incident.classification}/${incident.reason}` : "");
  const [comment, setComment] = useState(incident.comment);
  const update = useUpdate(at);
  const [classification = "", detail = ""] = reason.split("/");
  const submit = () => update.mutate(statusPatch(at.side, status, reason, comment), { onSuccess: onClose });
  return (
    <Dialog open onOpenChange={(_, d) => !d.open && onClose()}>
      <DialogSurface style={{ maxWidth: 520 }}>
        <DialogBody>
          <DialogTitle>Status of incident {incident.number}</DialogTitle>
          <DialogContent className={s.content}>
            <RadioGroup value={status} onChange={(_, d) => setStatus(d.value)} aria-label="Status">
              {statuses[at.side]
                .filter((w) => w.tone !== "gone")
                .map((w) => (
                  <Radio key={w.value} value={w.value} label={w.name} />
                ))}
            </RadioGroup>
            {status === closed && (
              <>
                <Field label="Reason" required>
                  <Dropdown
                    placeholder="Choose why it is closed"
                    value={classification ? closingText(at.side, classification, detail) : ""}
                    selectedOptions={reason ? [reason] : []}
                    onOptionSelect={(_, d) => setReason(d.optionValue ?? "")}
                  >
                    {closingReasons[at.side].map((group) => (
                      <OptionGroup key={group.name} label={group.name}>
                        {group.reasons.map((r) => (
                          <Option
                            key={r.reason}
                            value={`${r.classification}/${r.reason}`}
                            text={closingText(at.side, r.classification, r.reason)}
                          >
                            {r.name}
                          </Option>
                        ))}
                      </OptionGroup>
                    ))}
                  </Dropdown>
                </Field>
                <Field label="Comment" hint="Stands beside the reason on both sides.">
                  <Textarea value={comment} onChange={(_, d) => setComment(d.value)} rows={3} />
                </Field>
              </>
            )}
            {update.isError && <Failure error={update.error} what="The status wasn't changed" />}
          </DialogContent>
          <DialogActions>
            <DialogTrigger disableButtonEnhancement>
              <Button>Cancel</Button>
            </DialogTrigger>
            <Button appearance="primary" onClick={submit} disabled={update.isPending || (status === closed && !reason)}>
              Save
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
