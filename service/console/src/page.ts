// Small helpers for the document.

export function el<T extends Element = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found as unknown as T;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export function rows(table: string, body: (Node | string)[][], head?: string[]): void {
  const lines = body.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))));
  if (head) lines.unshift(make("tr", {}, ...head.map((name) => make("th", { scope: "col" }, name))));
  el(table).querySelector("tbody")!.replaceChildren(...lines);
}

export function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}

type Role = "score" | "label" | "manage";

// A button that shows only where the key has the role.
export function action(needs: Role, text: string, work: () => void, properties: Partial<HTMLButtonElement> = {}): HTMLButtonElement {
  const button = make("button", { type: "button", ...properties }, text);
  button.dataset.needs = needs;
  button.addEventListener("click", work);
  return button;
}

// Ask before something in use changes. name: what a person has to type before the answer can be yes.
export function confirmed(question: string, yes: string, name = ""): Promise<boolean> {
  const dialog = el<HTMLDialogElement>("confirm");
  const typed = el<HTMLInputElement>("confirm-typed");
  el("confirm-question").textContent = question;
  el("confirm-yes").textContent = yes;
  el("confirm-name").hidden = !name;
  Object.assign(typed, { value: "", required: Boolean(name), pattern: name || ".*" });
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

export function download(file: Blob, name: string): void {
  const link = make("a", { href: URL.createObjectURL(file), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

export function tell(problem: unknown): void {
  const box = el("problem");
  box.hidden = problem === null;
  box.textContent = problem === null ? "" : problem instanceof Error ? problem.message : String(problem);
}

// Run what somebody asked for and what may fail; the page says how it failed, in the service's own words.
export function attempt(work: () => Promise<void>): Promise<void> {
  return run(work, "person");
}

// Run what the page does by itself. Its success does not take away what was said about something somebody asked for.
export function refreshing(work: () => Promise<void>): Promise<void> {
  return run(work, "page");
}

let refused: "person" | "page" | null = null;

async function run(work: () => Promise<void>, asked: "person" | "page"): Promise<void> {
  try {
    await work();
    if (asked === "page" && refused === "person") return;
    tell(null);
    refused = null;
  } catch (problem) {
    tell(problem);
    refused = asked;
  }
}
