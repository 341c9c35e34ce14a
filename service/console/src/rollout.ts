// A version goes to some servers and then to all. A version is known by its digest: servers may name it differently.

import { ofProduct, send, type Server, type Versions } from "./api";
import { attempt, confirmed, el, make, number } from "./page";
import { answers, ask, moment, reasonOf } from "./servers";

interface Line {
  server: Server;
  box: HTMLInputElement;
  told: HTMLElement;
  outcome: HTMLElement;
  versions: Versions | null; // null: not known
}
type Version = Versions["versions"][number];

let lines: Line[] = [];
let changed = () => {};
let begun = false;
const product = el<HTMLSelectElement>("rollout-product");
const version = el<HTMLSelectElement>("rollout-version");

// done: called when versions were activated.
export function startRollOut(servers: Server[], done: () => void): void {
  changed = done;
  lines = servers.map((server) => ({
    server,
    box: make("input", { type: "checkbox", value: server.name, disabled: true }),
    told: make("span", {}),
    outcome: make("strong", { role: "status" }),
    versions: null,
  }));
  const items = lines.map(({ server, box, told, outcome }) =>
    make("li", {}, make("label", {}, box, ` ${server.name}`), " ", told, " ", outcome),
  );
  el("rollout-servers").replaceChildren(...items);
  if (begun) return;
  begun = true;
  product.addEventListener("change", () => void attempt(showRollOut));
  version.addEventListener("change", () => {
    forget();
    show();
  });
  el("rollout-others").addEventListener("click", () => {
    for (const { box } of lines) box.checked = !box.disabled;
  });
  el("rollout").addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(rollOut);
  });
}

export function offerProducts(names: string[]): void {
  if (names.join() === [...product.options].map(({ value }) => value).join()) return;
  const chosen = product.value;
  product.replaceChildren(...names.map((name) => make("option", { value: name }, name)));
  if (names.includes(chosen)) product.value = chosen;
}

// The versions of the chosen product on all servers.
export async function showRollOut(): Promise<void> {
  const name = product.value;
  if (!name) return;
  await Promise.all(
    lines.map(async (line) => {
      const none = () => (answers(line.server) ? { active: null, versions: [] } : null); // it may not have the product
      line.versions = await ask<Versions>(line.server, `${ofProduct(name)}/versions`).catch(none);
    }),
  );
  const known = new Map<string, Version>();
  for (const { versions } of lines) for (const one of versions?.versions ?? []) if (one.digest) known.set(one.digest, one);
  const newest = [...known].sort(([, a], [, b]) => b.created!.localeCompare(a.created!));
  const chosen = version.value;
  version.replaceChildren(...newest.map(([digest, one]) => make("option", { value: digest }, title(digest, one))));
  if (known.has(chosen)) version.value = chosen;
  else forget();
  show();
}

function title(digest: string, one: Version): string {
  const names = lines.flatMap((line) => (here(line, digest) ? [`${here(line, digest)!.version} on ${line.server.name}`] : []));
  return `built ${moment(one.created!)}: ${names.join(", ")}`;
}

function here({ versions }: Line, digest: string): Version | undefined {
  return versions?.versions.find((one) => one.digest === digest);
}

function forget(): void {
  for (const { box, outcome } of lines) {
    box.checked = false;
    outcome.textContent = "";
    delete outcome.dataset.outcome;
  }
}

function show(): void {
  const source = lines.find((line) => here(line, version.value));
  for (const line of lines) {
    const found = here(line, version.value);
    line.box.disabled = !found || found.active;
    if (line.box.disabled) line.box.checked = false;
    line.told.replaceChildren(...(line.versions ? told(line, line.versions, found, source) : ["Its versions are not known (see above)."]));
  }
}

// found: the chosen version there. source: a server that has it.
function told({ server }: Line, { active }: Versions, found?: Version, source?: Line): (Node | string)[] {
  if (found?.active) return [`${found.version} is active.`];
  const now = `${active ?? "No version"} is active.`;
  if (found) return [`${now} The chosen version is there as ${found.version}.`];
  if (!source) return [now];
  return [`${now} The chosen version is not there. Bring it, on the host of ${source.server.name}: `, make("code", {}, push(server, source))];
}

function push({ url }: Server, source: Line): string {
  return `tribank banks push ${product.value} ${url.replace(/\/$/, "")} --version ${here(source, version.value)!.version} --no-activate`;
}

async function rollOut(): Promise<void> {
  const [name, digest] = [product.value, version.value];
  const chosen = lines.filter(({ box }) => box.checked);
  if (!chosen.length) throw new Error("Choose the servers on which the version shall be activated.");
  const steps = chosen.map((line) => {
    const found = here(line, digest)!;
    const limit = found.calibration ? `, threshold ${number(found.calibration.threshold)}` : "";
    return `${line.server.name}: ${line.versions!.active ?? "no version"} is replaced by ${found.version}${limit}`;
  });
  const question = `Another version scores the parts of ${name} from now on:\n${steps.join("\n")}`;
  if (!(await confirmed(question, "Activate"))) return;
  await Promise.all(chosen.map((line) => activate(line, name, here(line, digest)!.version)));
  changed();
}

// No bound of time: a server answers when the version is loaded, or says why it is not.
async function activate({ server, outcome }: Line, name: string, found: string): Promise<void> {
  outcome.textContent = "It is being loaded.";
  delete outcome.dataset.outcome;
  try {
    await send("POST", `${server.url}${ofProduct(name)}/versions/${found}/activate`);
    outcome.textContent = "Done.";
    outcome.dataset.outcome = "done";
  } catch (problem) {
    outcome.textContent = `Not done. ${(await reasonOf(server, problem)).text}`;
    outcome.dataset.outcome = "failed";
  }
}
