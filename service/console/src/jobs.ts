// Builds and other jobs: started here, watched with their progress, cancelled, and what they built activated.

import { activate } from "./activate";
import { ask, get, ofProduct, send, type Job, type Profile } from "./api";
import { action, attempt, confirmed, el, make, rows } from "./page";

const SHOWN = 8;
const known = new Map<string, string>();
let onEnded = () => {};

// chosen: the product that the page shows. ended: called when a job has ended, or a version was activated.
export function startJobs(chosen: () => string, ended: () => void): void {
  onEnded = ended;
  const zip = el<HTMLInputElement>("zip");
  const name = el<HTMLInputElement>("new-product");
  el("build").addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(async () => {
      const [file] = zip.files ?? [];
      if (!file) throw new Error("Choose a zip of good parts.");
      const extend = el<HTMLInputElement>("extend").checked && !name.value;
      const query = extend ? "?extend=active" : `?profile=${encodeURIComponent(el<HTMLSelectElement>("profile").value)}`;
      await ask(builds(name.value || chosen()) + query, { method: "POST", headers: { "Content-Type": "application/zip" }, body: file });
      await showJobs();
    });
  });
  el("accepted").addEventListener("click", () =>
    void attempt(async () => {
      await send("POST", `${builds(chosen())}?extend=active`, { results: "accepted" });
      await showJobs();
    }),
  );
}

// The profiles that a build may name. A version that extends another version keeps the profile of the other version.
export async function showProfiles(): Promise<void> {
  const { profiles } = await get<{ profiles: Profile[] }>("v1/profiles");
  const options = profiles.map(({ name, summary, missing_weights: missing, ...facts }) => {
    const text = missing.length ? `${name} (needs ${missing.join(", ")})` : name;
    return make("option", { value: name, title: summary, disabled: missing.length > 0, selected: facts.default }, text);
  });
  el("profile").replaceChildren(...options);
}

export async function showJobs(): Promise<void> {
  const { jobs } = await get<{ jobs: Job[] }>("v1/jobs");
  const newest = jobs.slice(0, SHOWN);
  rows("jobs", newest.map(row));
  const before = newest.map((job) => known.get(job.job_id));
  for (const job of jobs) known.set(job.job_id, job.state);
  if (newest.some((job, at) => before[at] && before[at] !== job.state && job.end_time)) onEnded();
}

function row(job: Job): (Node | string)[] {
  const bar = make("progress", { max: job.total ?? 1, value: job.done ?? 0 });
  const eta = job.eta_s === undefined ? "" : `, ${Math.round(job.eta_s)} s left${job.stages ? " of it" : ""}`;
  const place = job.stages ? ` (stage ${job.stage_number} of ${job.stages})` : "";
  const stage = job.state === "running" ? `${job.stage ?? "starting"}${place}${eta}` : (job.problem?.detail ?? "");
  return [job.kind, job.product, job.state, job.state === "running" ? bar : "", stage, next(job)];
}

// What a person can do with a job.
function next(job: Job): Node | string {
  if (!job.end_time) return action("score", "Cancel", () => change(() => cancel(job)));
  const version = job.result?.version;
  if (!version) return "";
  return action("manage", `Use ${version}`, () => change(() => activate(job.product, version)));
}

async function cancel(job: Job): Promise<void> {
  if (await confirmed(`The ${job.kind} of ${job.product} ends, and its work is lost.`, "Cancel it"))
    await send("POST", `v1/jobs/${job.job_id}/cancel`);
}

function change(work: () => Promise<void>): void {
  void attempt(async () => {
    await work();
    await showJobs();
    onEnded();
  });
}

function builds(product: string): string {
  return `${ofProduct(product)}/builds`;
}
