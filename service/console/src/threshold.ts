// A histogram of the newest scores, and how many parts another threshold would reject.

import { get, ofProduct, send, type Histogram, type Product } from "./api";
import { attempt, confirmed, el, number } from "./page";

const SERIES = ["unjudged", "good", "defective"] as const;
let product: Product | null = null;
let edges: number[] = [];

export function startThreshold(changed: () => void): void {
  const slider = el<HTMLInputElement>("threshold");
  slider.addEventListener("input", () => void attempt(() => count(Number(slider.value))));
  const put = (limit: string, yes: string, method: string, body?: unknown) =>
    attempt(async () => {
      if (!product?.bank_version) return;
      const { product: name, bank_version: version } = product;
      if (!(await confirmed(`Parts of ${name} are rejected above ${limit} from now on.`, yes))) return;
      await send(method, `${ofProduct(name)}/versions/${version}/threshold`, body);
      changed();
    });
  el("use").addEventListener("click", () => {
    const threshold = Number(slider.value);
    void put(number(threshold), "Use it", "PUT", { threshold });
  });
  el("reset").addEventListener("click", () => void put("the calibrated threshold", "Go back", "DELETE"));
}

export async function showThreshold(shown: Product): Promise<void> {
  product = shown;
  const calibration = shown.calibration;
  el("calibration").textContent = calibration
    ? `In force: ${number(calibration.threshold)}; ${calibration.statement}.`
    : "The product is not loaded yet.";
  if (!calibration) return;
  const found = await histogram();
  edges = found.edges;
  const slider = el<HTMLInputElement>("threshold");
  slider.min = String(edges[0]);
  slider.max = String(Math.max(edges.at(-1)!, 1.5 * calibration.threshold));
  slider.value = String(calibration.threshold);
  draw(found);
}

async function count(threshold: number): Promise<void> {
  const found = await histogram(threshold);
  // An answer can come after that for a threshold that was asked for later.
  if (Number(el<HTMLInputElement>("threshold").value) === threshold) draw(found);
}

function histogram(threshold?: number): Promise<Histogram> {
  const query = new URLSearchParams({ product: product!.product });
  if (threshold !== undefined) query.set("threshold", String(threshold));
  return get<Histogram>(`v1/results/histogram?${query}`);
}

function draw(found: Histogram): void {
  const totals = found.unjudged.map((_, i) => SERIES.reduce((sum, name) => sum + found[name][i]!, 0));
  const most = Math.max(1, ...totals);
  const slider = el<HTMLInputElement>("threshold");
  const [low, high] = [Number(slider.min), Number(slider.max)];
  const x = (score: number) => (600 * (score - low)) / (high - low || 1);
  const shapes: string[] = [];
  totals.forEach((_, i) => {
    let top = 150;
    for (const name of SERIES) {
      const height = (140 * found[name][i]!) / most;
      if (!height) continue;
      top -= height;
      const [left, right] = [x(found.edges[i]!), x(found.edges[i + 1]!)];
      shapes.push(`<rect x="${left}" y="${top}" width="${Math.max(right - left - 0.5, 1)}" height="${height}" class="bar-${name}"/>`);
    }
  });
  const at = x(found.threshold);
  shapes.push(`<line x1="${at}" x2="${at}" y1="0" y2="150" class="mark"/>`);
  shapes.push(`<line x1="0" x2="600" y1="150" y2="150" class="base"/>`);
  el("histogram").innerHTML = shapes.join("");
  const judged = found.rejected_good + found.passed_defective;
  el("rejects").textContent =
    `${number(found.threshold)} rejects ${found.rejected} of the last ${found.count} parts` +
    (judged ? `; ${found.rejected_good} of those were called good, and ${found.passed_defective} that were called defective pass.` : ".");
}
