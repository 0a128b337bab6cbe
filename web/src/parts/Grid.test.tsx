// @vitest-environment happy-dom
import { FluentProvider, webLightTheme } from "@fluentui/react-components";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Column, Grid } from "./Grid";

interface Row {
  id: string;
  title: string;
}

const rows: Row[] = Array.from({ length: 5000 }, (_, i) => ({ id: `r${i}`, title: `Row ${i}` }));
const columns: Column<Row>[] = [{ key: "title", title: "Title", width: "1fr", sort: "title", cell: (r) => r.title }];

// There is no layout in the tests' page: give the scroller a height, so that a part of the rows is in view.
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(400);
  vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(800);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(400);
});
afterEach(cleanup);

function show(props: Partial<Parameters<typeof Grid<Row>>[0]>) {
  render(
    <FluentProvider theme={webLightTheme}>
      <Grid label="Rows" rows={rows} columns={columns} rowKey={(r) => r.id} empty={<p>none</p>} {...props} />
    </FluentProvider>,
  );
  return screen.getByRole("grid");
}

it("draws the rows in view and counts all of them", () => {
  const grid = show({});
  expect(grid.getAttribute("aria-rowcount")).toBe("5001");
  const drawn = screen.getAllByRole("row").length;
  expect(drawn).toBeGreaterThan(5);
  expect(drawn).toBeLessThan(60);
});

it("moves, chooses and opens by keyboard, naming the active row", () => {
  const onOpen = vi.fn();
  const onSelect = vi.fn();
  const grid = show({ onOpen, selected: new Set(["r0"]), onSelect });
  fireEvent.focus(grid);
  fireEvent.keyDown(grid, { key: "ArrowDown" });
  fireEvent.keyDown(grid, { key: "ArrowDown" });
  fireEvent.keyDown(grid, { key: "ArrowUp" });
  const active = document.getElementById(grid.getAttribute("aria-activedescendant") ?? "");
  expect(active?.textContent).toContain("Row 1");
  fireEvent.keyDown(grid, { key: " " });
  expect([...(onSelect.mock.calls[0]?.[0] ?? [])]).toEqual(["r0", "r1"]);
  fireEvent.keyDown(grid, { key: "Enter" });
  expect(onOpen).toHaveBeenCalledWith(rows[1]);
});

it("sorts by a heading, falling first", () => {
  const onSort = vi.fn();
  show({ sort: "-title", onSort });
  expect(screen.getByRole("columnheader").getAttribute("aria-sort")).toBe("descending");
  fireEvent.click(screen.getByRole("button", { name: "Title" }));
  expect(onSort).toHaveBeenCalledWith("title");
});

it("says what an empty list means", () => {
  show({ rows: [] });
  expect(screen.getByText("none")).toBeTruthy();
});
