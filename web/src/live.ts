import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Hint, Side } from "./wire";

export type Liveness = "connecting" | "live" | "lost";

/** How long hints are collected before pages ask anew: a replay brings thousands a second. */
const collect = 1_000;

/** Forgets what hints say has changed; pages that show it ask again. */
export function refresh(client: QueryClient, hints: Hint[]) {
  const sides = new Set(hints.map((h) => h.side));
  const ids = new Set(hints.map((h) => h.id));
  for (const side of sides) client.invalidateQueries({ queryKey: ["queue", side] });
  // An alert's hint names the alert, so any open incident of that side may hold it.
  const alertsOf = new Set(hints.filter((h) => h.kind === "alert").map((h) => h.side));
  client.invalidateQueries({
    queryKey: ["incident"],
    predicate: (query) => {
      const side = query.queryKey[1] as Side;
      const named = sides.has(side) && ids.has(query.queryKey[3] as string);
      // A change on the workspace side may have made the parallel incident.
      const shown = query.state.data as { parallel?: unknown[] } | undefined;
      const lonely = side === "xdr" && sides.has("workspace") && shown?.parallel?.length === 0;
      return named || lonely || alertsOf.has(side);
    },
  });
  if (hints.some((h) => h.kind === "connector")) client.invalidateQueries({ queryKey: ["connector"] });
}

/** How long until another try after the server refused the stream. */
const again = 5_000;

/** Listens to the server's hints as long as the page is open. */
export function useLive(): Liveness {
  const client = useQueryClient();
  const [state, setState] = useState<Liveness>("connecting");
  useEffect(() => {
    let waiting: Hint[] = [];
    let flushing: ReturnType<typeof setTimeout> | undefined;
    let retrying: ReturnType<typeof setTimeout> | undefined;
    let wasLost = false;
    let stream: EventSource;
    const flush = () => {
      flushing = undefined;
      const hints = waiting;
      waiting = [];
      refresh(client, hints);
    };
    const listen = () => {
      stream = new EventSource("/portal/api/live");
      stream.addEventListener("hello", () => {
        setState("live");
        if (wasLost) client.invalidateQueries(); // nobody knows what was missed
        wasLost = false;
      });
      stream.addEventListener("hint", (e) => {
        waiting.push(JSON.parse((e as MessageEvent<string>).data));
        flushing ??= setTimeout(flush, collect);
      });
      stream.addEventListener("resync", () => client.invalidateQueries());
      stream.addEventListener("signedOut", () => client.invalidateQueries({ queryKey: ["me"] }));
      stream.onerror = () => {
        wasLost = true;
        setState("lost");
        if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
        client.invalidateQueries({ queryKey: ["me"] }); // perhaps the session is over
        retrying = setTimeout(listen, again);
      };
    };
    listen();
    return () => {
      clearTimeout(flushing);
      clearTimeout(retrying);
      stream.close();
    };
  }, [client]);
  return state;
}
