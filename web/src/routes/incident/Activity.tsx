import { Badge, makeStyles, tokens } from "@fluentui/react-components";
import { Actor } from "../../parts/Badges";
import { Empty, Failure, Loading } from "../../parts/Says";
import { Time } from "../../parts/Time";
import { type IncidentRef, useStory } from "../../queries/incidents";
import type { Detail } from "../../wire";
import { spaced, visible } from "../../words";

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: "4px 16px 24px", overflowY: "auto", flexGrow: 1, minHeight: 0 },
  line: {
    display: "grid",
    gridTemplateColumns: "180px minmax(0, 1fr)",
    gap: "16px",
    padding: "6px 0",
    fontSize: "13px",
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
  },
  sentence: {
    padding: "6px 0",
    fontSize: "13px",
    overflowWrap: "anywhere",
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
  },
  what: { display: "flex", flexDirection: "column", gap: "2px", minWidth: 0 },
  text: { whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
  who: {
    color: tokens.colorNeutralForeground3,
    fontSize: tokens.fontSizeBase200,
    display: "flex",
    gap: "8px",
    alignItems: "center",
    flexWrap: "wrap",
  },
});

/** Everything that happened to an incident, newest first. */
export function Activity({ incident }: { incident: Detail }) {
  const s = useStyles();
  if (incident.activity.length === 0) return <Empty title="Nothing has happened yet" />;
  return (
    <ol className={s.list}>
      {incident.activity.map((a, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no id, and one moment can hold several
        <li key={`${a.version} ${i}`} className={s.line}>
          <Time at={a.at} />
          <div className={s.what}>
            <span className={s.text}>{visible(a.text) || spaced(a.deed)}</span>
            <div className={s.who}>
              <Actor name={a.actor} kind={a.kind} />
              {a.origin && (
                <Badge appearance="outline" size="small">
                  from incident {a.origin}
                </Badge>
              )}
            </div>
          </div>
        </li>
      ))}
    </ol>
  );
}

/** What the connector did with an incident, and why, oldest first; how it stands comes last. */
export function Story({ at }: { at: IncidentRef }) {
  const s = useStyles();
  const story = useStory(at, true);
  if (story.isPending) return <Loading what="the connector's journal" />;
  if (story.isError) return <Failure error={story.error} />;
  if (story.data.sentences.length === 0)
    return <Empty title="The connector has written nothing">This incident lives in the workspace alone.</Empty>;
  return (
    <ol className={s.list}>
      {story.data.sentences.map((sentence, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: sentences have no id
        <li key={i} className={s.sentence}>
          {visible(sentence)}
        </li>
      ))}
    </ol>
  );
}
