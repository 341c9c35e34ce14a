// The service's API, as far as this page asks it. Types follow docs/openapi.json.

export interface Product {
  product: string;
  state: string;
  bank_version: string | null;
  note?: string;
  active_version?: string;
  active_since?: string;
  degraded: boolean;
  digest?: string;
  threshold?: number;
  relative_threshold?: number;
  drift?: { distance: number; p_value: number; parts: number };
  versions: string[];
  profile?: string;
  training_parts?: number;
  calibration?: Calibration;
}
export interface Calibration {
  threshold: number;
  statement: string;
  basis: string;
  held_out_parts: number;
  odd_parts: { part: string; score: number }[];
}
export interface Versions {
  active: string | null;
  versions: {
    version: string;
    created: string | null;
    digest: string | null;
    active: boolean;
    shadow: boolean;
    calibration: Calibration | null;
  }[];
}
export interface Server {
  name: string;
  url: string; // ends with a slash
}
export interface Readiness {
  scorers?: { scorer: string; answers: boolean; device?: string; versions: number; parts: number }[];
}
export interface Region {
  box: { left: number; top: number; right: number; bottom: number };
  area: number;
  peak: number;
  extent_m: { x: number; y: number; z: number } | null;
}
export interface Evidence {
  distance: number;
  training_part: string | null;
  place: { x: number; y: number } | null;
}
export interface Coverage {
  area_m2: number;
  least_area_m2: number;
  most_area_m2: number;
  pieces: number | null;
  fewest_pieces: number;
}
export interface Answer {
  result_id: string;
  part_id: string | null;
  product: string;
  bank_version: string;
  score: number;
  threshold: number;
  decision: "good" | "defective";
  banks: Record<string, number>;
  contributions: Record<string, number>;
  evidence: Record<string, Evidence>;
  regions: Region[];
  coverage?: Coverage | null;
  timings_ms: Record<string, number>;
}
export interface Summary {
  result_id: string;
  creation_time: string;
  part_id: string | null;
  bank_version: string;
  score: number;
  threshold: number;
  decision: "good" | "defective";
  verdict: "good" | "defective" | null;
}
export interface Histogram {
  bank_version: string;
  threshold: number;
  count: number;
  rejected: number;
  rejected_good: number;
  passed_defective: number;
  edges: number[];
  unjudged: number[];
  good: number[];
  defective: number[];
}
export interface Job {
  job_id: string;
  kind: string;
  product: string;
  state: string;
  stage?: string;
  done?: number;
  total?: number;
  stage_number?: number;
  stages?: number;
  eta_s?: number;
  end_time?: string;
  result?: { version?: string };
  problem?: { detail: string };
}

export interface Profile {
  name: string;
  summary: string;
  default: boolean;
  missing_weights: string[];
}

const KEY = "tribank-key";

export function rememberKey(key: string): void {
  sessionStorage.setItem(KEY, key);
}

export function knownKey(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

// slow: no answer came within the time that the request had.
export class NoAnswer extends Error {
  constructor(readonly slow: boolean) {
    super("The service does not answer.");
  }
}

// The answer of a request. Throws NoAnswer; and an Error with the problem's own sentence where it was refused.
export async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  if (knownKey()) headers.set("X-API-Key", knownKey());
  let response: Response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (problem) {
    throw new NoAnswer(problem instanceof DOMException && problem.name === "TimeoutError");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({ detail: response.statusText }));
  throw new Error(`${problem.detail} (${response.status})`);
}

export async function get<T>(path: string, options: RequestInit = {}): Promise<T> {
  return (await ask(path, options)).json() as Promise<T>;
}

export async function send(method: string, path: string, body?: unknown): Promise<void> {
  const json = body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  await ask(path, { method, ...json });
}

export function ofProduct(product: string): string {
  if (!product) throw new Error("No product is chosen.");
  return `v1/products/${encodeURIComponent(product)}`;
}
