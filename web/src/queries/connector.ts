import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ask, get } from "../api";
import type { ConnectorPage, ConnectorSettings } from "../wire";

const base = (workspace: string) => `/workspaces/${encodeURIComponent(workspace)}/connector`;

export const useConnector = (workspace: string) =>
  useQuery({
    queryKey: ["connector", workspace],
    queryFn: ({ signal }) => get<ConnectorPage>(base(workspace), signal),
    refetchInterval: 5_000, // health moves without any change that would be told
    enabled: workspace !== "",
    retry: false,
  });

/** A change on the connector's page; every answer is the page after it. */
export type ConnectorChange =
  | { deed: "connect"; settings: ConnectorSettings }
  | { deed: "disconnect" }
  | { deed: "switch"; name: "incidents" | "entities"; on: boolean }
  | { deed: "table"; table: string; on: boolean };

function request(workspace: string, change: ConnectorChange): Promise<ConnectorPage> {
  switch (change.deed) {
    case "connect":
      return ask("PUT", base(workspace), change.settings);
    case "disconnect":
      return ask("DELETE", base(workspace));
    case "switch":
      return ask("PUT", `${base(workspace)}/switches/${change.name}`, { on: change.on });
    case "table":
      return ask("PUT", `${base(workspace)}/tables/${encodeURIComponent(change.table)}`, { on: change.on });
  }
}

export function useChangeConnector(workspace: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: ConnectorChange) => request(workspace, change),
    onSuccess: (page) => client.setQueryData(["connector", workspace], page),
  });
}
