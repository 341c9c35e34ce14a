// All servers of the company: which version of each product is in use where, and what differs between servers.

import { get, NoAnswer, type Product, type Readiness, type Server } from "./api";
import { offerChanges, showChanges, startChanges } from "./changes";
import { attempt, el, make, number } from "./page";
import { offerProducts, showRollOut, startRollOut } from "./rollout";

const PATIENCE_MS = 10_000;
const EVERY_MS = 30_000;

export interface Reason {
  code: "refused" | "slow" | "origin" | "unreachable";
  text: string;
}
interface State {
  reason: Reason | null; // why the server's products are not known
  ready: string;
  scorers: Readiness["scorers"];
  products: Product[];
}

let servers: Server[] = [];
const states = new Map<string, State>();

// Called whenever the key has changed: the servers are asked with the key of this page.
export async function showServers(): Promise<void> {
  ({ servers } = await get<{ servers: Server[] }>("v1/servers"));
  for (const id of ["servers", "to-servers"]) el(id).hidden = !servers.length;
  if (!servers.length) return;
  states.clear();
  startRollOut(servers, () => void attempt(look));
  startChanges(servers);
  void look();
}

export function startServers(): void {
  el("servers-look").addEventListener("click", () => void attempt(look));
  el("to-servers").addEventListener("click", () => {
    el("h-servers").scrollIntoView();
    el("h-servers").focus();
  });
  window.setInterval(() => {
    if (!document.hidden) void lookAtStates();
  }, EVERY_MS);
}

async function look(): Promise<void> {
  await Promise.all([lookAtStates(), showChanges()]);
  await showRollOut();
}

// Each server's answer is shown when it comes; a server that does not answer holds up none.
async function lookAtStates(): Promise<void> {
  await Promise.all(
    servers.map(async (server) => {
      states.set(server.name, await stateOf(server));
      draw();
    }),
  );
}

async function stateOf(server: Server): Promise<State> {
  const state: State = { reason: null, ready: "ready", scorers: [], products: [] };
  try {
    const ready = ask<Readiness>(server, "readyz").catch((problem: unknown) => {
      if (problem instanceof NoAnswer) throw problem;
      state.ready = String(problem instanceof Error ? problem.message : problem);
      return { scorers: [] } as Readiness;
    });
    const [readiness, listed] = await Promise.all([ready, ask<{ products: Product[] }>(server, "v1/products")]);
    state.scorers = readiness.scorers ?? [];
    state.products = listed.products;
  } catch (problem) {
    state.reason = await reasonOf(server, problem);
  }
  return state;
}

export function answers({ name }: Server): boolean {
  return states.get(name)?.reason === null;
}

export function ask<T>(server: Server, path: string): Promise<T> {
  return get<T>(server.url + path, { signal: AbortSignal.timeout(PATIENCE_MS) });
}

// Why a request to a server failed. A browser does not tell a page whether a server is down or does not allow the page.
// But every page may ask /healthz whether somebody is there.
export async function reasonOf(server: Server, problem: unknown): Promise<Reason> {
  if (!(problem instanceof NoAnswer)) return { code: "refused", text: problem instanceof Error ? problem.message : String(problem) };
  if (problem.slow) return { code: "slow", text: `No answer within ${PATIENCE_MS / 1000} s.` };
  const asked = fetch(`${server.url}healthz`, { mode: "no-cors", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (await asked.then(() => true, () => false))
    return { code: "origin", text: `The server runs, but does not allow this page. Set TRIBANK_ORIGINS=${location.origin} there.` };
  const mixed = location.protocol === "https:" && server.url.startsWith("http:");
  const hint = mixed ? "This page came over HTTPS, so the server needs HTTPS, too." : "Does the server run? Does this computer reach it, and trust its certificate?";
  return { code: "unreachable", text: `No answer. ${hint}` };
}

export function moment(time: string): string {
  return `${new Date(time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function draw(): void {
  const answered = servers.filter(answers);
  el("servers-state").querySelector("tbody")!.replaceChildren(...servers.map(stateRow));
  const names = [...new Set(answered.flatMap(({ name }) => states.get(name)!.products.map(({ product }) => product)))].sort();
  const head = make("tr", {}, ...["Product", ...answered.map(({ name }) => name)].map((name) => make("th", { scope: "col" }, name)));
  const different: string[] = [];
  const lines = names.map((product) => {
    const found = answered.map(({ name }) => states.get(name)!.products.find((one) => one.product === product));
    const [version, threshold] = [differing(found.map((one) => one?.digest)), differing(found.map(limit))];
    const cells = found.map((one) => (one ? cell(one, version(one.digest), threshold(limit(one))) : make("td", {}, "not there")));
    if (cells.some((one) => one.querySelector(".differs"))) different.push(product);
    return make("tr", {}, make("th", { scope: "row" }, product), ...cells);
  });
  el("servers-products").querySelector("tbody")!.replaceChildren(head, ...lines);
  const differ = different.length ? `Version or threshold differ: ${different.join(", ")}.` : "No version and no threshold differs.";
  const summary = `${answered.length} of ${servers.length} servers answer. ${differ}`;
  if (el("servers-summary").textContent !== summary) el("servers-summary").textContent = summary; // told aloud once
  offerProducts(names);
  offerChanges(names);
}

function stateRow(server: Server): HTMLTableRowElement {
  const state = states.get(server.name);
  const told = make("td", {}, state ? (state.reason?.text ?? state.ready) : "asked");
  if (state?.reason) told.dataset.reason = state.reason.code;
  told.classList.toggle("differs", Boolean(state && (state.reason || state.ready !== "ready")));
  const scorers = (state?.scorers ?? []).map((one) =>
    make("div", {}, `scorer ${one.scorer}: ${one.answers ? `${one.device ?? "?"}, ${one.versions} versions, ${one.parts} parts` : "does not answer"}`),
  );
  const link = make("a", { href: server.url, target: "_blank", rel: "noopener" }, server.name);
  return make("tr", {}, make("th", { scope: "row" }, link), told, make("td", {}, ...scorers));
}

function cell(one: Product, otherVersion: boolean, otherThreshold: boolean): HTMLTableCellElement {
  const lines: (Node | string)[] = [make("strong", {}, one.bank_version ?? one.active_version ?? "no version")];
  if (otherVersion) lines.push(make("span", { className: "differs" }, "version differs"));
  if (one.active_since) lines.push(`since ${moment(one.active_since)}`);
  if (one.threshold !== undefined) lines.push(`threshold ${number(one.threshold)} (relative ${number(one.relative_threshold ?? 1)})`);
  if (otherThreshold) lines.push(make("span", { className: "differs" }, "threshold differs"));
  if (one.drift) lines.push(`drift ${number(one.drift.distance)} of ${one.drift.parts} parts`);
  if (one.state !== "serving") lines.push(one.state);
  if (one.degraded) lines.push(make("span", { className: "differs" }, `degraded: ${one.active_version ?? "no version"} is active`));
  if (one.note) lines.push(one.note);
  return make("td", {}, ...lines.map((line) => make("div", {}, line)));
}

// Thresholds of different versions can only be compared on the scale that all versions share.
function limit(one: Product | undefined): string | undefined {
  return one?.relative_threshold === undefined ? undefined : number(one.relative_threshold);
}

// Whether a value is another one than most servers have; where no value is that of most, all are.
function differing(values: (string | undefined)[]): (value: string | undefined) => boolean {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const usual = [...counts].filter(([, count]) => count === most);
  return (value) => value !== undefined && counts.size > 1 && (usual.length > 1 || value !== usual[0]![0]);
}
