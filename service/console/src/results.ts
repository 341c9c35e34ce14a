// The newest results, and the judgements of people on them.

import { ask, get, send, type Summary } from "./api";
import { action, attempt, download, el, make, number } from "./page";

const A_PAGE = 24;

let product = "";
let next: number | null = null;
let pages = 0;
let list = 0; // counts the lists that were begun, so that a late answer for another one is dropped

let onJudged = () => {};

export function startResults(judged: () => void): void {
  onJudged = judged;
  el("decision").addEventListener("change", () => void attempt(() => showResults(product)));
  el("older").addEventListener("click", () => void attempt(page));
  el("csv").addEventListener("click", (event) => {
    event.preventDefault();
    void attempt(async () => download(await (await ask(`v1/results.csv?excel=1&product=${encodeURIComponent(product)}`)).blob(), "results.csv"));
  });
}

export async function showResults(of: string): Promise<void> {
  product = of;
  list += 1;
  next = null;
  pages = 0;
  el("results").replaceChildren();
  await page();
}

// Put what came since at the front. Cards that stay are not touched: neither focus nor selection is lost.
export async function refreshResults(): Promise<void> {
  if (!product) return;
  const shown = el("results");
  const found = await read(null);
  if (found === null) return;
  const fresh = found.results.filter(({ result_id }) => !cardOf(result_id));
  const gap = fresh.length === found.results.length && shown.childElementCount > 0;
  if (gap && shown.contains(document.activeElement)) return; // more than a page came: begin anew once no one is in it
  if (gap) {
    shown.replaceChildren();
    pages = 1;
  }
  shown.prepend(...fresh.map((result) => card(result)));
  for (const { result_id, verdict } of found.results) press(cardOf(result_id), verdict);
  if (pages > 1) return;
  // Only the first page was asked for: what left it goes, so that a running line does not fill the page.
  const kept = new Set(found.results.map(({ result_id }) => result_id));
  for (const item of [...shown.children] as HTMLElement[])
    if (!kept.has(item.dataset.result ?? "") && !item.contains(document.activeElement)) item.remove();
  end(found.next);
}

async function page(): Promise<void> {
  const found = await read(next);
  if (found === null) return;
  pages += 1;
  end(found.next);
  const fresh = found.results.filter(({ result_id }) => !cardOf(result_id));
  el("results").append(...fresh.map((result) => card(result)));
}

// A page of the results that are asked for; null where others are asked for by now.
async function read(before: number | null): Promise<{ results: Summary[]; next: number | null } | null> {
  const asked = list;
  const query = new URLSearchParams({ product, limit: String(A_PAGE) });
  const decision = el<HTMLSelectElement>("decision").value;
  if (decision) query.set("decision", decision);
  if (before !== null) query.set("before", String(before));
  const found = await get<{ results: Summary[]; next: number | null }>(`v1/results?${query}`);
  return asked === list ? found : null;
}

function end(before: number | null): void {
  next = before;
  el("older").hidden = next === null;
}

function cardOf(name: string): HTMLElement | null {
  return el("results").querySelector(`[data-result="${CSS.escape(name)}"]`);
}

// Show what people say of a part, also what another one said meanwhile.
function press(item: HTMLElement | null, verdict: Summary["verdict"]): void {
  for (const button of item?.querySelectorAll("button") ?? [])
    button.setAttribute("aria-pressed", String(button.value === verdict));
}

function card(result: Summary): HTMLElement {
  const image = make("img", { alt: `${result.part_id ?? "part"}, ${result.decision}`, loading: "lazy" });
  image.addEventListener("load", () => URL.revokeObjectURL(image.src));
  void thumbnail(result.result_id).then((url) => (image.src = url), () => {});
  const buttons = (["good", "defective"] as const).map((verdict) => {
    const words = verdict === "good" ? "was good" : "was defective";
    const judge = async () => {
      const path = `v1/results/${result.result_id}/feedback`;
      const again = button.getAttribute("aria-pressed") === "true";
      await (again ? send("DELETE", path) : send("PUT", path, { verdict }));
      press(item, again ? null : verdict);
      onJudged();
    };
    const properties = { value: verdict, title: `The part was ${verdict}` };
    const button = action("label", words, () => void attempt(judge), properties);
    return button;
  });
  const time = new Date(result.creation_time).toLocaleString();
  const item = make(
    "li",
    {},
    image,
    make("strong", { className: result.decision }, result.decision),
    ` ${number(result.score)} / ${number(result.threshold)}`,
    make("div", {}, `${result.part_id ?? "no name"}, ${result.bank_version}, ${time}`),
    ...buttons,
  );
  item.dataset.result = result.result_id;
  press(item, result.verdict);
  return item;
}

async function thumbnail(name: string): Promise<string> {
  return URL.createObjectURL(await (await ask(`v1/results/${name}/picture`)).blob());
}
