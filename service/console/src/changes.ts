// Who changed what on all servers, in one list by time. Each time is of the clock of its server.

import { type Server } from "./api";
import { attempt, download, el, make, rows } from "./page";
import { ask, moment, reasonOf } from "./servers";

interface Change {
  number: number;
  time: string;
  action: string;
  who: string;
  address: string;
  request_id: string | null;
  product: string | null;
  bank_version: string | null;
  subject: string | null;
  before: Record<string, unknown>;
  after: Record<string, unknown>;
}
interface Row {
  server: string;
  change: Change;
}

const SHOWN = 20;
const MOST = 1000; // of one page of a server
const COLUMNS = ["number", "time", "action", "who", "address", "request_id", "product", "bank_version", "subject", "before", "after"] as const;
const chosen = el<HTMLSelectElement>("changes-product");
let servers: Server[] = [];
let shown: Row[] = [];
let trail: Merged | null = null;
let begun = false;

// One server's changes, the newest first, page by page.
class Trail {
  missing = "";
  private page: Change[] = [];
  private next: number | null | undefined;

  constructor(
    readonly server: Server,
    private readonly product: string,
    private readonly limit: number,
  ) {}

  async newest(): Promise<Change | undefined> {
    if (!this.page.length && this.next !== null) await this.read();
    return this.page[0];
  }

  take(): void {
    this.page.shift();
  }

  private async read(): Promise<void> {
    const query = new URLSearchParams({ limit: String(this.limit) });
    if (this.product) query.set("product", this.product);
    if (this.next) query.set("before", String(this.next));
    try {
      const found = await ask<{ changes: Change[]; next: number | null }>(this.server, `v1/audit?${query}`);
      [this.page, this.next] = [found.changes, found.next];
    } catch (problem) {
      this.missing = `${this.server.name}: ${(await reasonOf(this.server, problem)).text}`;
      this.next = null;
    }
  }
}

class Merged {
  private readonly trails: Trail[];

  constructor(product: string, limit: number) {
    this.trails = servers.map((server) => new Trail(server, product, limit));
  }

  get missing(): string[] {
    return this.trails.flatMap((one) => (one.missing ? [one.missing] : []));
  }

  // The next rows; fewer than asked for at the end. Servers with one database tell the same change: it is one row.
  async next(count: number): Promise<Row[]> {
    const found: Row[] = [];
    while (found.length < count) {
      const heads = await Promise.all(this.trails.map((one) => one.newest()));
      const newest = heads.reduce((a, b) => (!a || (b && Date.parse(b.time) > Date.parse(a.time)) ? b : a), undefined);
      if (!newest) break;
      const told = this.trails.filter((_, at) => heads[at] && JSON.stringify(heads[at]) === JSON.stringify(newest));
      for (const one of told) one.take();
      found.push({ server: told.map(({ server }) => server.name).join(" "), change: newest });
    }
    return found;
  }
}

export function startChanges(all: Server[]): void {
  servers = all;
  if (begun) return;
  begun = true;
  chosen.addEventListener("change", () => void attempt(showChanges));
  el("changes-older").addEventListener("click", () => void attempt(older));
  el("changes-csv").addEventListener("click", () => void attempt(save));
}

export function offerChanges(names: string[]): void {
  const options = ["", ...names];
  if (options.join() === [...chosen.options].map(({ value }) => value).join()) return;
  const before = chosen.value;
  chosen.replaceChildren(...options.map((name) => make("option", { value: name }, name || "all")));
  if (options.includes(before)) chosen.value = before;
}

export async function showChanges(): Promise<void> {
  [trail, shown] = [new Merged(chosen.value, SHOWN), []];
  await older();
}

async function older(): Promise<void> {
  const from = trail!;
  const found = await from.next(SHOWN);
  if (from !== trail) return; // another product was chosen meanwhile
  shown.push(...found);
  rows("changes", shown.map(cells), ["time", "server", "who", "change", "product", "version", "before", "after"]);
  el("changes-older").hidden = found.length < SHOWN;
  tellMissing(from);
}

function cells({ server, change }: Row): string[] {
  const [before, after] = [text(change.before), text(change.after)];
  return [moment(change.time), server, change.who, change.action, change.product ?? "", change.bank_version ?? "", before, after];
}

function text(values: Record<string, unknown>): string {
  return Object.entries(values).map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");
}

function tellMissing({ missing }: Merged): void {
  el("changes-missing").textContent = missing.length ? `Without the changes of ${missing.join(" ")}` : "";
}

async function save(): Promise<void> {
  const all = new Merged(chosen.value, MOST);
  const found = await all.next(Infinity);
  const table = [["server", ...COLUMNS], ...found.map(({ server, change }) => [server, ...COLUMNS.map((name) => change[name])])];
  const lines = table.map((row) => `${row.map(field).join(",")}\r\n`);
  tellMissing(all);
  download(new Blob(lines, { type: "text/csv" }), "changes-of-all-servers.csv");
}

// An apostrophe stands before a text that a spreadsheet would run as a formula, as in the tables of a server.
function field(value: unknown): string {
  const plain = value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  const safe = typeof value === "string" && /^[=+\-@\t]/.test(plain) ? `'${plain}` : plain;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
