// What was said of the parts of late, and what people say to it.

import { ask, get, send, type Summary } from "./api";
import { attempt, el, make, number } from "./page";

let product = "";
let next: number | null = null;

let onJudged = () => {};

export function startResults(judged: () => void): void {
  onJudged = judged;
  el("decision").addEventListener("change", () => void attempt(() => showResults(product)));
  el("older").addEventListener("click", () => void attempt(page));
  el("csv").addEventListener("click", (event) => {
    event.preventDefault();
    void attempt(async () => save(await (await ask(`/v1/results.csv?product=${encodeURIComponent(product)}`)).blob()));
  });
}

export async function showResults(of: string): Promise<void> {
  product = of;
  next = null;
  el("results").replaceChildren();
  await page();
}

async function page(): Promise<void> {
  const query = new URLSearchParams({ product, limit: "24" });
  const decision = el<HTMLSelectElement>("decision").value;
  if (decision) query.set("decision", decision);
  if (next !== null) query.set("before", String(next));
  const found = await get<{ results: Summary[]; next: number | null }>(`/v1/results?${query}`);
  next = found.next;
  el("older").hidden = next === null;
  el("results").append(...found.results.map((result) => card(result)));
}

function card(result: Summary): HTMLElement {
  const image = make("img", { alt: `${result.part_id ?? "part"}, ${result.decision}`, loading: "lazy" });
  void thumbnail(result.result_id).then((url) => (image.src = url), () => {});
  const buttons = (["good", "defective"] as const).map((verdict) => {
    const button = make("button", { type: "button", title: `It was ${verdict}` }, verdict === "good" ? "was good" : "was bad");
    button.setAttribute("aria-pressed", String(result.verdict === verdict));
    button.addEventListener("click", () =>
      void attempt(async () => {
        const path = `/v1/results/${result.result_id}/feedback`;
        const again = result.verdict === verdict;
        await (again ? send("DELETE", path) : send("PUT", path, { verdict }));
        result.verdict = again ? null : verdict;
        item.replaceWith(card(result));
        onJudged();
      }),
    );
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
  return item;
}

async function thumbnail(name: string): Promise<string> {
  return URL.createObjectURL(await (await ask(`/v1/results/${name}/picture`)).blob());
}

function save(file: Blob): void {
  const link = make("a", { href: URL.createObjectURL(file), download: "results.csv" });
  link.click();
  URL.revokeObjectURL(link.href);
}
