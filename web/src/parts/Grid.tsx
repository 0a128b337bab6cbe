import { Checkbox, makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { ArrowDownRegular } from "@fluentui/react-icons/svg/arrow-down";
import { ArrowUpRegular } from "@fluentui/react-icons/svg/arrow-up";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";

/** A column: its heading, its width as a CSS grid track, and what stands in it. */
export interface Column<T> {
  key: string;
  title: string;
  width: string;
  cell: (row: T) => ReactNode;
  /** Name of the order it sorts by; without one it can't be sorted. */
  sort?: string;
  align?: "end";
}

interface Props<T> {
  label: string;
  rows: T[];
  columns: Column<T>[];
  rowKey: (row: T) => string;
  /** All rows there are, for readers of the screen; rows may hold the first of them. */
  total?: number;
  /** Present order: "column" rising or "-column" falling. */
  sort?: string;
  onSort?: (sort: string) => void;
  onOpen?: (row: T) => void;
  /** Keys of chosen rows; given together with onSelect, rows can be chosen. */
  selected?: ReadonlySet<string>;
  onSelect?: (keys: Set<string>) => void;
  onEnd?: () => void;
  empty: ReactNode;
  rowHeight?: number;
}

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", minHeight: 0, flexGrow: 1, overflow: "hidden" },
  scroll: {
    flexGrow: 1,
    minHeight: 0,
    overflow: "auto",
    outlineStyle: "none",
    position: "relative",
    contain: "strict",
  },
  row: {
    display: "grid",
    alignItems: "center",
    columnGap: "10px",
    padding: "0 12px",
    boxSizing: "border-box",
    borderBottom: `1px solid ${tokens.colorNeutralStroke3}`,
  },
  head: {
    position: "sticky",
    top: 0,
    zIndex: 1,
    height: "34px",
    backgroundColor: tokens.colorNeutralBackground1,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    color: tokens.colorNeutralForeground2,
    fontWeight: tokens.fontWeightSemibold,
    fontSize: tokens.fontSizeBase200,
  },
  body: { position: "relative" },
  line: {
    position: "absolute",
    left: 0,
    right: 0,
    cursor: "default",
    fontSize: "13px",
    ":hover": { backgroundColor: tokens.colorNeutralBackground1Hover },
  },
  openable: { cursor: "pointer" },
  chosen: { backgroundColor: tokens.colorBrandBackground2 },
  active: { boxShadow: `inset 0 0 0 2px ${tokens.colorStrokeFocus2}`, borderRadius: tokens.borderRadiusMedium },
  cell: { minWidth: 0, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
  choice: { marginLeft: "-8px" },
  end: { textAlign: "right", justifySelf: "end" },
  sorter: {
    margin: 0,
    padding: 0,
    border: "none",
    backgroundColor: "transparent",
    color: "inherit",
    fontFamily: "inherit",
    fontSize: "inherit",
    fontWeight: "inherit",
    cursor: "pointer",
    display: "inline-flex",
    alignItems: "center",
    gap: "4px",
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
});

/**
 * A table of any length that follows the ARIA grid pattern: one stop for Tab,
 * arrows, Page Up/Down, Home and End move between rows, Enter opens, Space
 * chooses. Only the rows in view are drawn, so it can't be a table element
 * (biome.json excuses this file from the rules that ask for one).
 */
export function Grid<T>(props: Props<T>) {
  const { rows, columns, rowKey, sort, onSort, onOpen, selected, onSelect, onEnd, rowHeight = 36 } = props;
  const s = useStyles();
  const id = useId();
  const scroll = useRef<HTMLDivElement>(null);
  const [activeKey, setActiveKey] = useState("");
  const [focused, setFocused] = useState(false);
  const choosing = selected !== undefined && onSelect !== undefined;
  const tracks = [choosing ? "24px" : "", ...columns.map((c) => c.width)].filter(Boolean).join(" ");
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollPaddingStart: 34,
  });
  const items = virtual.getVirtualItems();
  const lastSeen = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && lastSeen >= rows.length - 20) onEnd?.();
  }, [lastSeen, rows.length, onEnd]);

  const found = rows.findIndex((r) => rowKey(r) === activeKey);
  const active = found < 0 ? 0 : found;
  const move = (to: number) => {
    const index = Math.max(0, Math.min(rows.length - 1, to));
    const row = rows[index];
    if (row === undefined) return;
    setActiveKey(rowKey(row));
    virtual.scrollToIndex(index);
  };
  const toggle = (key: string) => {
    const next = new Set(selected);
    if (!next.delete(key)) next.add(key);
    onSelect?.(next);
  };
  const page = Math.max(1, Math.floor((scroll.current?.clientHeight ?? 400) / rowHeight) - 2);
  const moves: Record<string, number> = {
    ArrowDown: active + 1,
    ArrowUp: active - 1,
    PageDown: active + page,
    PageUp: active - page,
    Home: 0,
    End: rows.length - 1,
  };
  const onKeyDown = (e: KeyboardEvent<HTMLDivElement>) => {
    if (e.target !== e.currentTarget) return;
    const row = rows[active];
    const to = moves[e.key];
    if (to !== undefined) move(to);
    else if (e.key === "Enter" && row !== undefined) onOpen?.(row);
    else if (e.key === " " && row !== undefined && choosing) toggle(rowKey(row));
    else return;
    e.preventDefault();
  };
  const order = (c: Column<T>) => (sort === c.sort ? "ascending" : sort === `-${c.sort}` ? "descending" : "none");

  return (
    <div className={s.root}>
      <div
        ref={scroll}
        className={s.scroll}
        role="grid"
        aria-label={props.label}
        aria-rowcount={(props.total ?? rows.length) + 1}
        aria-colcount={columns.length + (choosing ? 1 : 0)}
        aria-multiselectable={choosing || undefined}
        aria-activedescendant={focused && rows.length > 0 ? `${id}-${active}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onFocus={(e) => setFocused(e.target === e.currentTarget)}
        onBlur={() => setFocused(false)}
      >
        <div
          role="row"
          aria-rowindex={1}
          className={mergeClasses(s.row, s.head)}
          style={{ gridTemplateColumns: tracks }}
        >
          {choosing && <div role="columnheader" aria-label="Chosen" />}
          {columns.map((c) => (
            <div
              key={c.key}
              role="columnheader"
              aria-sort={c.sort && onSort ? order(c) : undefined}
              className={mergeClasses(s.cell, c.align === "end" && s.end)}
            >
              {c.sort && onSort ? (
                <button
                  type="button"
                  className={s.sorter}
                  onClick={() => onSort(order(c) === "descending" ? `${c.sort}` : `-${c.sort}`)}
                >
                  {c.title}
                  {order(c) === "ascending" && <ArrowUpRegular aria-hidden />}
                  {order(c) === "descending" && <ArrowDownRegular aria-hidden />}
                </button>
              ) : (
                c.title
              )}
            </div>
          ))}
        </div>
        {rows.length === 0 && props.empty}
        <div className={s.body} style={{ height: virtual.getTotalSize() }} role="presentation">
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            const key = rowKey(row);
            const chosen = selected?.has(key) ?? false;
            return (
              <div
                key={key}
                id={`${id}-${item.index}`}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={choosing ? chosen : undefined}
                className={mergeClasses(
                  s.row,
                  s.line,
                  onOpen && s.openable,
                  chosen && s.chosen,
                  focused && item.index === active && s.active,
                )}
                style={{ gridTemplateColumns: tracks, height: rowHeight, transform: `translateY(${item.start}px)` }}
                onClick={() => {
                  setActiveKey(key);
                  onOpen?.(row);
                }}
              >
                {choosing && (
                  <div role="gridcell" onClick={(e) => e.stopPropagation()}>
                    <Checkbox
                      className={s.choice}
                      checked={chosen}
                      onChange={() => toggle(key)}
                      input={{ tabIndex: -1, "aria-label": "Choose" }}
                    />
                  </div>
                )}
                {columns.map((c) => (
                  <div key={c.key} role="gridcell" className={mergeClasses(s.cell, c.align === "end" && s.end)}>
                    {c.cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
