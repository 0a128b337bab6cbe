import { Badge, Body1, Button, Field, makeStyles, Textarea, tokens } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { Actor } from "../../parts/Badges";
import { Empty, Failure } from "../../parts/Says";
import { Time } from "../../parts/Time";
import { type IncidentRef, useAddComment } from "../../queries/incidents";
import type { Detail } from "../../wire";
import { visible } from "../../words";

const most = 30_000; // characters, on either side

const useStyles = makeStyles({
  page: {
    display: "flex",
    flexDirection: "column",
    gap: "16px",
    padding: "16px",
    overflowY: "auto",
    minHeight: 0,
    flexGrow: 1,
  },
  form: { display: "flex", flexDirection: "column", gap: "8px", alignItems: "flex-start" },
  field: { width: "100%" },
  comment: {
    display: "flex",
    flexDirection: "column",
    gap: "4px",
    padding: "12px",
    borderRadius: tokens.borderRadiusLarge,
    backgroundColor: tokens.colorNeutralBackground2,
  },
  head: { display: "flex", gap: "12px", alignItems: "center", flexWrap: "wrap", color: tokens.colorNeutralForeground2 },
  text: { whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
});

/** Comments of both sides, newest first. They are only ever added. */
export function Comments({ incident, at }: { incident: Detail; at: IncidentRef }) {
  const s = useStyles();
  const [text, setText] = useState("");
  const add = useAddComment(at);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate(text.trim(), { onSuccess: () => setText("") });
  };
  return (
    <div className={s.page}>
      {incident.may["incidents/write"] && (
        <form className={s.form} onSubmit={submit}>
          <Field
            className={s.field}
            label="Comment"
            validationState={text.length > most ? "error" : "none"}
            validationMessage={text.length > most ? `At most ${most.toLocaleString("en-US")} characters.` : ""}
          >
            <Textarea value={text} onChange={(_, d) => setText(d.value)} rows={3} placeholder="What did you find?" />
          </Field>
          {add.isError && <Failure error={add.error} what="The comment wasn't added" />}
          <Button type="submit" appearance="primary" disabled={!text.trim() || text.length > most || add.isPending}>
            Add comment
          </Button>
        </form>
      )}
      {incident.comments.length === 0 && (
        <Empty title="No comments yet">New ones travel to the parallel incident.</Empty>
      )}
      {incident.comments.map((c) => (
        <article key={c.id} className={s.comment}>
          <div className={s.head}>
            <strong>
              <Actor name={c.author} kind={c.kind} />
            </strong>
            <Time at={c.created} />
            {c.origin && (
              <Badge appearance="outline" size="small">
                from incident {c.origin}
              </Badge>
            )}
          </div>
          <Body1 className={s.text}>{visible(c.text)}</Body1>
        </article>
      ))}
    </div>
  );
}
