import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
  Spinner,
  Subtitle2,
  tokens,
} from "@fluentui/react-components";
import type { ReactNode } from "react";
import { ApiError, reasonOf } from "../api";

const useStyles = makeStyles({
  centre: {
    display: "flex",
    flexDirection: "column",
    alignItems: "center",
    justifyContent: "center",
    textAlign: "center",
    gap: "8px",
    padding: "48px 24px",
    color: tokens.colorNeutralForeground3,
    flexGrow: 1,
  },
  icon: { fontSize: "40px", lineHeight: 1 },
  text: { maxWidth: "52ch" },
});

/** Says that there is nothing, and what would bring something. */
export function Empty({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  const s = useStyles();
  return (
    <div className={s.centre}>
      {icon && <span className={s.icon}>{icon}</span>}
      <Subtitle2>{title}</Subtitle2>
      <div className={s.text}>{children}</div>
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  const s = useStyles();
  return (
    <div className={s.centre}>
      <Spinner label={`Loading ${what} …`} />
    </div>
  );
}

const titles: Record<string, string> = {
  notFound: "Not found",
  denied: "Not allowed",
  conflict: "Not possible as things are",
  invalid: "Not accepted",
  throttled: "Too much at once",
  unavailable: "Not available here",
  unreachable: "No connection",
};

/** Says what was refused and why, in the server's words. */
export function Failure({ error, retry, what }: { error: unknown; retry?: () => void; what?: string }) {
  const code = error instanceof ApiError ? error.code : "";
  return (
    <MessageBar intent={code === "conflict" ? "warning" : "error"} layout="multiline" role="alert">
      <MessageBarBody>
        <MessageBarTitle>{what ?? titles[code] ?? "That didn't work"}</MessageBarTitle>
        {reasonOf(error)}
      </MessageBarBody>
      {retry && (
        <MessageBarActions>
          <Button onClick={retry}>Try again</Button>
        </MessageBarActions>
      )}
    </MessageBar>
  );
}
