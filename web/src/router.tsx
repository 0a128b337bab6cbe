import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { ApiError, get } from "./api";
import { Failure } from "./parts/Says";
import type { QueueSearch } from "./queries/incidents";
import { QueuePage } from "./routes/queue/Page";
import { ownAddress } from "./routes/signin/address";
import { Shell } from "./Shell";
import type { Me } from "./wire";

// Every address that the server answers with the pages (portal/pages.go) is a route here.
const root = createRootRouteWithContext<{ client: QueryClient }>()({ component: Outlet });

const signin = createRoute({
  getParentRoute: () => root,
  path: "/signin",
  validateSearch: (s: Record<string, unknown>): { next?: string } => {
    const next = ownAddress(s.next);
    return next ? { next } : {};
  },
  component: lazyRouteComponent(() => import("./routes/signin/Page"), "SignInPage"),
});

const signed = createRoute({
  getParentRoute: () => root,
  id: "signed",
  beforeLoad: async ({ context, location }) => {
    try {
      await context.client.ensureQueryData({ queryKey: ["me"], queryFn: () => get<Me>("/me") });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        throw redirect({ to: "/signin", search: { next: location.href } });
      }
      throw error;
    }
  },
  component: Shell,
  errorComponent: ({ error, reset }) => <Failure error={error} retry={reset} />,
});

const text = (value: unknown) => (typeof value === "string" || typeof value === "number" ? String(value) : "");

function queueSearch(s: Record<string, unknown>): QueueSearch {
  const search: QueueSearch = {};
  const show = text(s.show);
  if (show === "all" || show === "closed" || show === "merged") search.show = show;
  for (const name of ["severity", "owner", "tag", "product", "q", "sort"] as const) {
    const value = text(s[name]);
    if (value) search[name] = value;
  }
  return search;
}

export interface IncidentSearch {
  tab?: string;
  from?: string;
}

function incidentSearch(s: Record<string, unknown>): IncidentSearch {
  const search: IncidentSearch = {};
  if (text(s.tab)) search.tab = text(s.tab);
  if (text(s.from)) search.from = text(s.from);
  return search;
}

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/incidents" });
  },
});

const xdrQueue = createRoute({
  getParentRoute: () => signed,
  path: "/incidents",
  validateSearch: queueSearch,
  component: QueuePage,
});

const xdrIncident = createRoute({
  getParentRoute: () => signed,
  path: "/incidents/$id",
  validateSearch: incidentSearch,
  component: lazyRouteComponent(() => import("./routes/incident/Page"), "IncidentPage"),
});

const workspaceQueue = createRoute({
  getParentRoute: () => signed,
  path: "/workspaces/$workspace/incidents",
  validateSearch: queueSearch,
  component: QueuePage,
});

const workspaceIncident = createRoute({
  getParentRoute: () => signed,
  path: "/workspaces/$workspace/incidents/$id",
  validateSearch: incidentSearch,
  component: lazyRouteComponent(() => import("./routes/incident/Page"), "IncidentPage"),
});

const connector = createRoute({
  getParentRoute: () => signed,
  path: "/connector",
  validateSearch: (s: Record<string, unknown>): { workspace?: string } =>
    text(s.workspace) ? { workspace: text(s.workspace) } : {},
  component: lazyRouteComponent(() => import("./routes/connector/Page"), "ConnectorPage"),
});

const hunting = createRoute({
  getParentRoute: () => signed,
  path: "/hunting",
  validateSearch: (s: Record<string, unknown>): { side?: string; query?: string } => ({
    ...(text(s.side) ? { side: text(s.side) } : {}),
    ...(text(s.query) ? { query: text(s.query) } : {}),
  }),
  component: lazyRouteComponent(() => import("./routes/hunting/Page"), "HuntingPage"),
});

const tree = root.addChildren([
  home,
  signin,
  signed.addChildren([xdrQueue, xdrIncident, workspaceQueue, workspaceIncident, connector, hunting]),
]);

export const makeRouter = (client: QueryClient) =>
  createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: false,
    defaultErrorComponent: ({ error, reset }) => <Failure error={error} retry={reset} />,
    defaultNotFoundComponent: () => <Failure error="There is no such page." />,
  });

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
