import {
  Button,
  Field,
  Input,
  Menu,
  MenuItemRadio,
  MenuList,
  MenuPopover,
  MenuTrigger,
  makeStyles,
  Persona,
  Popover,
  PopoverSurface,
  PopoverTrigger,
  Toolbar,
  ToolbarButton,
  ToolbarDivider,
} from "@fluentui/react-components";
import { CheckmarkCircleRegular } from "@fluentui/react-icons/svg/checkmark-circle";
import { ErrorCircleRegular } from "@fluentui/react-icons/svg/error-circle";
import { MergeRegular } from "@fluentui/react-icons/svg/merge";
import { PersonAddRegular } from "@fluentui/react-icons/svg/person-add";
import { PersonSwapRegular } from "@fluentui/react-icons/svg/person-swap";
import { TagRegular } from "@fluentui/react-icons/svg/tag";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Failure } from "../../parts/Says";
import { type IncidentRef, useUpdate } from "../../queries/incidents";
import { useMe, usePeople } from "../../queries/session";
import type { Detail, Severity } from "../../wire";
import { closedStatus, severities, visible } from "../../words";
import { MergeDialog } from "./MergeDialog";
import { StatusDialog } from "./StatusDialog";
import { TagsDialog } from "./TagsDialog";

const useStyles = makeStyles({
  bar: { padding: 0, marginLeft: "-8px", flexWrap: "wrap" },
  picker: { width: "320px", display: "flex", flexDirection: "column", gap: "8px" },
  people: { maxHeight: "280px", overflowY: "auto", display: "flex", flexDirection: "column" },
  person: { justifyContent: "flex-start", minHeight: "40px" },
});

function AssignPicker({ incident, onAssign }: { incident: Detail; onAssign: (upn: string) => void }) {
  const s = useStyles();
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const people = usePeople(open);
  const wanted = text.trim().toLowerCase();
  const found = (people.data ?? []).filter((p) => `${p.name} ${p.upn}`.toLowerCase().includes(wanted)).slice(0, 50);
  const assign = (upn: string) => {
    setOpen(false);
    setText("");
    onAssign(upn);
  };
  return (
    <Popover open={open} onOpenChange={(_, d) => setOpen(d.open)} trapFocus>
      <PopoverTrigger disableButtonEnhancement>
        <ToolbarButton icon={<PersonSwapRegular />}>Assign …</ToolbarButton>
      </PopoverTrigger>
      <PopoverSurface className={s.picker} aria-label="Assign to">
        <Field label="Assign to">
          <Input value={text} onChange={(_, d) => setText(d.value)} placeholder="Name or user principal name" />
        </Field>
        <div className={s.people}>
          {incident.owner && wanted === "" && (
            <Button appearance="subtle" className={s.person} onClick={() => assign("")}>
              Nobody
            </Button>
          )}
          {people.isError && <Failure error={people.error} />}
          {found.map((p) => (
            <Button key={p.upn} appearance="subtle" className={s.person} onClick={() => assign(p.upn)}>
              <Persona name={visible(p.name)} secondaryText={visible(p.upn)} size="small" textAlignment="center" />
            </Button>
          ))}
          {wanted !== "" && found.length === 0 && (
            <Button appearance="subtle" className={s.person} onClick={() => assign(text.trim())}>
              Assign to “{text.trim()}” as written
            </Button>
          )}
        </div>
      </PopoverSurface>
    </Popover>
  );
}

const settable: Severity[] = ["high", "medium", "low", "informational"];

/** What can be done with an incident. What isn't allowed isn't offered. */
export function Commands({ incident, at }: { incident: Detail; at: IncidentRef }) {
  const s = useStyles();
  const me = useMe().data;
  const navigate = useNavigate();
  const update = useUpdate(at);
  const [dialog, setDialog] = useState<"" | "status" | "merge" | "tags">("");
  const close = () => setDialog("");
  if (!incident.may["incidents/write"] || !me) return null;
  const mine = incident.owner?.upn.toLowerCase() === me.person.upn.toLowerCase();
  const isClosed = incident.status === closedStatus[at.side];
  return (
    <>
      <Toolbar className={s.bar} aria-label="Commands">
        <ToolbarButton
          icon={<PersonAddRegular />}
          disabled={mine || update.isPending}
          onClick={() => update.mutate({ owner: me.person.upn })}
        >
          {mine ? "Assigned to you" : "Assign to me"}
        </ToolbarButton>
        <AssignPicker incident={incident} onAssign={(owner) => update.mutate({ owner })} />
        <ToolbarDivider />
        <ToolbarButton icon={<CheckmarkCircleRegular />} onClick={() => setDialog("status")}>
          {isClosed ? "Status …" : "Status or resolve …"}
        </ToolbarButton>
        <Menu
          checkedValues={{ severity: [incident.severity] }}
          onCheckedValueChange={(_, d) => {
            const value = d.checkedItems[0] as Severity | undefined;
            if (value && value !== incident.severity) update.mutate({ severity: value });
          }}
        >
          <MenuTrigger disableButtonEnhancement>
            <ToolbarButton icon={<ErrorCircleRegular />}>Severity</ToolbarButton>
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              {settable.map((value) => (
                <MenuItemRadio key={value} name="severity" value={value}>
                  {severities[value]}
                </MenuItemRadio>
              ))}
            </MenuList>
          </MenuPopover>
        </Menu>
        <ToolbarButton icon={<TagRegular />} onClick={() => setDialog("tags")}>
          Tags …
        </ToolbarButton>
        {at.side === "xdr" && (
          <>
            <ToolbarDivider />
            <ToolbarButton icon={<MergeRegular />} onClick={() => setDialog("merge")}>
              Merge …
            </ToolbarButton>
          </>
        )}
      </Toolbar>
      {update.isError && <Failure error={update.error} what="The change wasn't made" />}
      {dialog === "status" && <StatusDialog incident={incident} at={at} onClose={close} />}
      {dialog === "tags" && <TagsDialog incident={incident} at={at} onClose={close} />}
      {dialog === "merge" && (
        <MergeDialog incidents={[incident]} onClose={close} onMerged={(path) => navigate({ to: path })} />
      )}
    </>
  );
}
