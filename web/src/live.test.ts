import { QueryClient } from "@tanstack/react-query";
import { expect, it } from "vitest";
import { refresh } from "./live";
import { detailKey, listParameters } from "./queries/incidents";

const xdr = { side: "xdr", workspace: "" } as const;
const soc = { side: "workspace", workspace: "soc" } as const;

function stale(hints: Parameters<typeof refresh>[1]) {
  const client = new QueryClient();
  const keys = {
    xdrQueue: ["queue", "xdr", "", {}],
    socQueue: ["queue", "workspace", "soc", {}],
    one: detailKey({ ...xdr, id: "1" }),
    lonely: detailKey({ ...xdr, id: "2" }),
    twin: detailKey({ ...soc, id: "guid" }),
    connector: ["connector", "soc"],
  };
  for (const [name, key] of Object.entries(keys)) {
    client.setQueryData(key as readonly unknown[], { parallel: name === "lonely" ? [] : [{}] });
  }
  refresh(client, hints);
  return Object.entries(keys)
    .filter(([, key]) => client.getQueryState(key as readonly unknown[])?.isInvalidated)
    .map(([name]) => name);
}

it("asks anew for what a hint names, and for nothing else", () => {
  expect(stale([{ side: "xdr", kind: "incident", id: "1", version: 2 }])).toEqual(["xdrQueue", "one"]);
  expect(stale([{ side: "workspace", workspace: "w", kind: "connector", id: "w", version: 0 }])).toContain("connector");
});

it("looks at any open incident of a side when an alert changed there", () => {
  expect(stale([{ side: "workspace", workspace: "w", kind: "alert", id: "alert", version: 2 }])).toContain("twin");
  expect(stale([{ side: "xdr", kind: "alert", id: "alert", version: 2 }])).toEqual(["xdrQueue", "one", "lonely"]);
});

it("looks for the parallel incident that may just have been made", () => {
  expect(stale([{ side: "workspace", workspace: "w", kind: "incident", id: "guid", version: 1 }])).toEqual([
    "socQueue",
    "lonely",
    "twin",
  ]);
});

it("asks for open incidents unless told otherwise", () => {
  expect(new URLSearchParams(listParameters(xdr, {}, 0, 200)).get("status")).toBe("active,inProgress,awaitingAction");
  expect(new URLSearchParams(listParameters(soc, { show: "closed", q: "a&b" }, 200, 200)).toString()).toBe(
    "status=Closed&skip=200&limit=200&q=a%26b",
  );
  expect(new URLSearchParams(listParameters(soc, { show: "merged" }, 0, 1)).get("tag")).toBe("Redirected");
});
