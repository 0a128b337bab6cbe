// The JSON that the portal's server answers: mirrors portal/shapes.go,
// portal/connector.go and portal/hunting.go. Times are RFC 3339 in UTC, "" for none.

export type Side = "xdr" | "workspace";
export type Severity = "unknown" | "informational" | "low" | "medium" | "high";
export type Action = "incidents/read" | "incidents/write" | "connector/read" | "connector/write" | "hunting/run";
export type May = Partial<Record<Action, boolean>>;

export interface Person {
  id: string;
  upn: string;
  name: string;
}

export interface WorkspaceView {
  id: string;
  name: string;
  primary: boolean;
  onboarded: boolean;
  retentionDays: number;
  resourceId: string;
  may: May;
}

export interface Me {
  person: Person;
  tenant: string;
  now: string;
  may: May;
  has: { xdr: boolean; workspace: boolean; connector: boolean; hunting: boolean };
  workspaces: WorkspaceView[];
}

export interface Row {
  id: string;
  number: string;
  version: number;
  title: string;
  severity: Severity;
  status: string;
  classification: string;
  reason: string;
  owner: Person | null;
  tags: string[];
  systemTags: string[];
  created: string;
  updated: string;
  firstActivity: string;
  lastActivity: string;
  alerts: number;
  alertsText: string;
  entities: number;
  products: string[];
  tactics: string[];
  techniques: string[];
  provider: string;
  providerId: string;
  redirect: string;
}

export interface QueuePage {
  items: Row[];
  total: number;
  skip: number;
}

export interface Link {
  side: Side;
  workspace: string;
  id: string;
  number: string;
  path: string;
}

export interface AlertView {
  id: string;
  title: string;
  description: string;
  severity: Severity;
  status: string;
  category: string;
  product: string;
  detection: string;
  providerId: string;
  systemId: string;
  classification: string;
  determination: string;
  assignedTo: string;
  tactics: string[];
  techniques: string[];
  created: string;
  firstActivity: string;
  lastActivity: string;
  actions: string;
  link: string;
  evidence: number;
}

export interface EntityView {
  kind: string;
  name: string;
  verdict: string;
  remediation: string;
  roles: string[];
  alerts: number;
  fields: [string, string][];
}

export interface CommentView {
  id: string;
  author: string;
  kind: string;
  text: string;
  created: string;
  origin: string;
}

export interface ActivityView {
  at: string;
  version: number;
  actor: string;
  kind: string;
  deed: string;
  text: string;
  from: string;
  to: string;
  origin: string;
}

export interface Detail extends Row {
  description: string;
  comment: string;
  etag: string;
  modifier: string;
  closedAt: string;
  alertList: AlertView[];
  entityList: EntityView[];
  comments: CommentView[];
  activity: ActivityView[];
  parallel: Link[];
  mergedInto: Link | null;
  mergedFrom: string[];
  may: May;
}

export interface Patch {
  version?: number;
  etag?: string;
  status?: string;
  classification?: string;
  reason?: string;
  comment?: string;
  owner?: string;
  severity?: Severity;
  title?: string;
  tags?: string[];
}

export interface Stream {
  table: string;
  component: string;
  title: string;
  free: boolean;
  on: boolean;
}

export interface DataType {
  name: string;
  on: boolean;
  lastReceived: string;
  lagSeconds: number;
  count: number;
  failures: number;
  failure: string;
}

export interface Hole {
  xdr: string;
  where?: string;
  since: string;
  attempts: number;
  next: string;
  error: string;
}

export interface ConnectorPage {
  workspace: string;
  connected: boolean;
  since: string;
  by: string;
  incidents: boolean;
  entities: boolean;
  streams: Stream[];
  health: DataType[];
  latency: { count: number; p50: number; p99: number; max: number };
  waiting: number;
  behindSeconds: number;
  holes: Hole[];
  feeds: string[];
  rulesOff: string[];
  rulesOffAt: string;
  may: boolean;
}

export interface ConnectorSettings {
  incidents: boolean;
  entities: boolean;
  turnOffCreationRules: boolean;
}

export interface Story {
  sentences: string[];
}

export type Cell = string | number | boolean | null | Cell[] | { [key: string]: Cell };

/** A query's answer: one table, or several of a text with several. */
export interface QueryResult {
  tables: ResultTable[];
  notes: string[];
  elapsedMs: number;
}

export interface ResultTable {
  name: string;
  columns: { name: string; type: string }[];
  rows: Cell[][];
}

export interface Diagnostic {
  start: number;
  length: number;
  line: number;
  column: number;
  warning: boolean;
  code: string;
  message: string;
}

export interface TableView {
  name: string;
  component: string;
  description: string;
  columns: { name: string; type: string }[];
}

export interface Hint {
  side: Side;
  workspace?: string;
  kind: string;
  id: string;
  version: number;
}
