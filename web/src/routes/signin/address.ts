import type { Me } from "../../wire";

/** An address of our own, else undefined: "//host" would lead elsewhere. */
export function ownAddress(next: unknown): string | undefined {
  return typeof next === "string" && /^\/(?![/\\])/.test(next) ? next : undefined;
}

/** The first page of somebody: the XDR's queue, or that of a workspace which they may read. */
export function homeOf(me: Me): string {
  const workspace = me.workspaces.find((w) => w.may["incidents/read"]);
  if (workspace && !(me.has.xdr && me.may["incidents/read"])) {
    return `/workspaces/${encodeURIComponent(workspace.name)}/incidents`;
  }
  return "/incidents";
}
