import {
  Button,
  DrawerBody,
  DrawerHeader,
  DrawerHeaderTitle,
  makeStyles,
  OverlayDrawer,
  tokens,
} from "@fluentui/react-components";
import { DismissRegular } from "@fluentui/react-icons/svg/dismiss";
import type { ReactNode } from "react";

const useStyles = makeStyles({
  body: { display: "flex", flexDirection: "column", gap: "12px", paddingBottom: "24px" },
  title: { overflowWrap: "anywhere", unicodeBidi: "isolate" },
});

/** Names and values, one under the other; those without a value are left out. */
export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  const s = useFacts();
  return (
    <dl className={s.list}>
      {facts
        .filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== false)
        .map(([name, value]) => (
          <div key={name} className={s.fact}>
            <dt className={s.name}>{name}</dt>
            <dd className={s.value}>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

const useFacts = makeStyles({
  list: { margin: 0, display: "flex", flexDirection: "column", gap: "8px" },
  fact: { display: "grid", gridTemplateColumns: "98px minmax(0, 1fr)", gap: "12px", alignItems: "baseline" },
  name: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  value: { margin: 0, fontSize: "13px", overflowWrap: "anywhere", unicodeBidi: "isolate" },
});

interface Props {
  title: string;
  open: boolean;
  onClose: () => void;
  facts: [string, ReactNode][];
  children?: ReactNode;
}

/** A panel from the right with everything about one thing of a list. */
export function SidePanel({ title, open, onClose, facts, children }: Props) {
  const s = useStyles();
  return (
    <OverlayDrawer open={open} onOpenChange={(_, d) => !d.open && onClose()} position="end" size="medium">
      <DrawerHeader>
        <DrawerHeaderTitle
          className={s.title}
          action={<Button appearance="subtle" aria-label="Close" icon={<DismissRegular />} onClick={onClose} />}
        >
          {title}
        </DrawerHeaderTitle>
      </DrawerHeader>
      <DrawerBody className={s.body}>
        {children}
        <Facts facts={facts} />
      </DrawerBody>
    </OverlayDrawer>
  );
}
