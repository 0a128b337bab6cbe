import { Button, Dropdown, makeStyles, Option, SearchBox } from "@fluentui/react-components";
import { useEffect, useRef, useState } from "react";
import type { QueueSearch } from "../../queries/incidents";
import type { Severity, Side } from "../../wire";
import { severities } from "../../words";

const useStyles = makeStyles({
  bar: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: "8px" },
  search: { width: "260px" },
  pick: { minWidth: "0", width: "148px" },
});

const shows: Record<Side, [string, string][]> = {
  xdr: [
    ["open", "Open"],
    ["closed", "Resolved"],
    ["all", "Open and resolved"],
    ["merged", "Merged"],
  ],
  workspace: [
    ["open", "Open"],
    ["closed", "Closed"],
    ["all", "All"],
    ["merged", "Merged"],
  ],
};
const owners: [string, string][] = [
  ["any", "Any owner"],
  ["me", "Assigned to me"],
  ["none", "Unassigned"],
];

interface Props {
  side: Side;
  search: QueueSearch;
  onChange: (search: QueueSearch) => void;
}

/** Sets one of the filters, or takes it away. */
export function withFilter<K extends keyof QueueSearch>(search: QueueSearch, name: K, value: string): QueueSearch {
  const next = { ...search };
  delete next[name];
  return value ? { ...next, [name]: value } : next;
}

/** What the queue shows; all of it stands in the address, so that it can be shared. */
export function Filters({ side, search, onChange }: Props) {
  const s = useStyles();
  const [text, setText] = useState(search.q ?? "");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setText(search.q ?? ""), [search.q]);
  const type = (value: string) => {
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(withFilter(search, "q", value.trim())), 250);
  };
  const show = search.show ?? "open";
  const chosen = search.severity ? search.severity.split(",") : [];
  const owner = search.owner ?? "any";
  const filtered = Object.keys(search).some((k) => k !== "sort");
  return (
    <div className={s.bar}>
      <SearchBox
        className={s.search}
        placeholder="Title, ID, tag, owner, product"
        aria-label="Search incidents"
        value={text}
        onChange={(_, d) => type(d.value)}
      />
      <Dropdown
        className={s.pick}
        aria-label="Which incidents"
        value={shows[side].find(([v]) => v === show)?.[1] ?? ""}
        selectedOptions={[show]}
        onOptionSelect={(_, d) =>
          onChange(withFilter(search, "show", d.optionValue === "open" ? "" : (d.optionValue ?? "")))
        }
      >
        {shows[side].map(([value, name]) => (
          <Option key={value} value={value}>
            {name}
          </Option>
        ))}
      </Dropdown>
      <Dropdown
        className={s.pick}
        multiselect
        aria-label="Severity"
        placeholder="Any severity"
        value={chosen.map((v) => severities[v as Severity]).join(", ")}
        selectedOptions={chosen}
        onOptionSelect={(_, d) => onChange(withFilter(search, "severity", d.selectedOptions.join(",")))}
      >
        {(["high", "medium", "low", "informational"] as const).map((value) => (
          <Option key={value} value={value}>
            {severities[value]}
          </Option>
        ))}
      </Dropdown>
      <Dropdown
        className={s.pick}
        aria-label="Owner"
        value={owners.find(([v]) => v === owner)?.[1] ?? owner}
        selectedOptions={[owner]}
        onOptionSelect={(_, d) =>
          onChange(withFilter(search, "owner", d.optionValue === "any" ? "" : (d.optionValue ?? "")))
        }
      >
        {owners.map(([value, name]) => (
          <Option key={value} value={value}>
            {name}
          </Option>
        ))}
      </Dropdown>
      {filtered && (
        <Button appearance="subtle" onClick={() => onChange(search.sort ? { sort: search.sort } : {})}>
          Reset
        </Button>
      )}
    </div>
  );
}
