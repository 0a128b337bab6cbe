import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  DialogTrigger,
  Field,
  Textarea,
} from "@fluentui/react-components";
import { useState } from "react";
import { Failure } from "../../parts/Says";
import { type IncidentRef, useUpdate } from "../../queries/incidents";
import type { Detail } from "../../wire";
import { tagsOf } from "./patches";

export function TagsDialog({ incident, at, onClose }: { incident: Detail; at: IncidentRef; onClose: () => void }) {
  const [text, setText] = useState(incident.tags.join("\n"));
  const update = useUpdate(at);
  return (
    <Dialog open onOpenChange={(_, d) => !d.open && onClose()}>
      <DialogSurface style={{ maxWidth: 420 }}>
        <DialogBody>
          <DialogTitle>Tags of incident {incident.number}</DialogTitle>
          <DialogContent>
            <Field label="One tag a line">
              <Textarea value={text} onChange={(_, d) => setText(d.value)} rows={6} />
            </Field>
            {update.isError && <Failure error={update.error} what="The tags weren't changed" />}
          </DialogContent>
          <DialogActions>
            <DialogTrigger disableButtonEnhancement>
              <Button>Cancel</Button>
            </DialogTrigger>
            <Button
              appearance="primary"
              disabled={update.isPending}
              onClick={() => update.mutate({ tags: tagsOf(text) }, { onSuccess: onClose })}
            >
              Save
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
