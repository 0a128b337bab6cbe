import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ask, get } from "../api";
import type { Detail, Patch, QueuePage, Side, Story } from "../wire";
import { closedStatus, statuses } from "../words";

/** Which queue: the XDR's, or a workspace's by name. */
export interface Queue {
  side: Side;
  workspace: string;
}

/** Which incident: the XDR's number, or the workspace's GUID. */
export interface IncidentRef extends Queue {
  id: string;
}

/** What a queue's address says: everything that somebody may share. */
export interface QueueSearch {
  show?: "all" | "closed" | "merged";
  severity?: string;
  owner?: string;
  tag?: string;
  product?: string;
  q?: string;
  sort?: string;
}

const base = (queue: Queue) =>
  queue.side === "xdr" ? "/xdr/incidents" : `/workspaces/${encodeURIComponent(queue.workspace)}/incidents`;

/** The address of an incident's page. */
export const incidentPath = (ref: IncidentRef) =>
  ref.side === "xdr"
    ? `/incidents/${encodeURIComponent(ref.id)}`
    : `/workspaces/${encodeURIComponent(ref.workspace)}/incidents/${encodeURIComponent(ref.id)}`;

export const queuePath = (queue: Queue) =>
  queue.side === "xdr" ? "/incidents" : `/workspaces/${encodeURIComponent(queue.workspace)}/incidents`;

function shown(side: Side, show: QueueSearch["show"]): string {
  const closed = closedStatus[side];
  const open = statuses[side].filter((s) => s.tone === "new" || s.tone === "working").map((s) => s.value);
  if (show === "all") return [...open, closed].join(",");
  if (show === "closed") return closed;
  if (show === "merged") return side === "xdr" ? "redirected" : closed;
  return open.join(",");
}

/** The parameters that the server's list takes. */
export function listParameters(queue: Queue, search: QueueSearch, skip: number, limit: number): string {
  const p = new URLSearchParams({ status: shown(queue.side, search.show), skip: String(skip), limit: String(limit) });
  for (const name of ["severity", "owner", "tag", "product", "q", "sort"] as const) {
    const value = search[name];
    if (value) p.set(name, value);
  }
  if (search.show === "merged" && queue.side === "workspace") p.set("tag", "Redirected");
  return p.toString();
}

const pageRows = 200;

export const useQueue = (queue: Queue, search: QueueSearch) =>
  useInfiniteQuery({
    queryKey: ["queue", queue.side, queue.workspace, search],
    queryFn: ({ pageParam, signal }) =>
      get<QueuePage>(`${base(queue)}?${listParameters(queue, search, pageParam, pageRows)}`, signal),
    initialPageParam: 0,
    getNextPageParam: (last) => {
      const next = last.skip + last.items.length;
      return next < last.total && last.items.length > 0 ? next : undefined;
    },
    placeholderData: keepPreviousData,
  });

export const detailKey = (ref: IncidentRef) => ["incident", ref.side, ref.workspace, ref.id] as const;

export const useIncident = (ref: IncidentRef) =>
  useQuery({
    queryKey: detailKey(ref),
    queryFn: ({ signal }) => get<Detail>(`${base(ref)}/${encodeURIComponent(ref.id)}`, signal),
    retry: false,
  });

export const useStory = (ref: IncidentRef, wanted: boolean) =>
  useQuery({
    queryKey: ["story", ref.workspace, ref.id],
    queryFn: ({ signal }) => get<Story>(`${base(ref)}/${encodeURIComponent(ref.id)}/explain`, signal),
    enabled: wanted,
    retry: false,
  });

/** Changes an incident against the version that the page shows. */
export function useUpdate(ref: IncidentRef) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (patch: Patch) => {
      const seen = client.getQueryData<Detail>(detailKey(ref));
      const against = ref.side === "xdr" ? { version: seen?.version ?? 0 } : { etag: seen?.etag ?? "" };
      return ask<Detail>("PATCH", `${base(ref)}/${encodeURIComponent(ref.id)}`, { ...against, ...patch });
    },
    onSuccess: (detail) => client.setQueryData(detailKey(ref), detail),
    // What was refused because it changed meanwhile is shown as it is now.
    onError: () => client.invalidateQueries({ queryKey: detailKey(ref) }),
    onSettled: () => client.invalidateQueries({ queryKey: ["queue"] }),
  });
}

export function useAddComment(ref: IncidentRef) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (text: string) => ask<Detail>("POST", `${base(ref)}/${encodeURIComponent(ref.id)}/comment`, { text }),
    onSuccess: (detail) => client.setQueryData(detailKey(ref), detail),
  });
}

export function useMerge() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { ids: string[]; reason: string }) =>
      ask<{ target: string; path: string }>("POST", "/xdr/merge", body),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["queue"] });
      await client.invalidateQueries({ queryKey: ["incident"] });
    },
  });
}
