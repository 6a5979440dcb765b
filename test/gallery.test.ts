/** A sample of the gallery, live on the sandbox: `kalam-ready prove --gallery --quick` runs all of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { loadCategories } from "../checks/index.ts";
import { gallery, topics } from "../src/faults/gallery.ts";
import { tryGallery } from "../src/faults/gallery-run.ts";
import { randomFrom } from "../src/session/random.ts";
import { openTestSession, startSandbox } from "./sandbox.ts";

/** Another one gives another sample, of one fault for every other topic: each costs a few seconds. */
const seed = process.env["GALLERY_SEED"] ?? "1";

test("a sample of the gallery is found by a finding that fits, and nothing is found without a fault", async () => {
  const random = randomFrom(`gallery ${seed}`);
  const sampled = topics
    .map((topic) => ({ topic, at: random() }))
    .toSorted((one, other) => one.at - other.at)
    .slice(0, 6)
    .flatMap(({ topic }) => {
      // Ten seconds pass before this one begins.
      const some = gallery.filter((one) => one.topic === topic && one.fault.name !== "fallSilentAfterTenSeconds");
      return some.slice(Math.floor(random() * some.length)).slice(0, 1);
    });
  const categories = await loadCategories();
  const steps = categories.flatMap(({ checks }) => checks.map((check) => ({ check, limits: check.limits })));
  const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-gallery-"));
  const server = await startSandbox();
  const { session, wire } = await openTestSession(server, folder);
  try {
    const options = {
      effort: "light",
      seed: 1,
      parallel: 3,
      timeoutMs: 60_000,
      budgetMs: 240_000,
      keep: false,
    } as const;
    const { signal } = new AbortController();
    const tried = await tryGallery(sampled, steps, session, wire, { ...options, signal, quick: true, atOnce: 3 });
    const shown = tried.map(({ fault, kind, sentence }) => ({
      fault,
      kind,
      sentence: kind === "found" ? "" : sentence,
    }));
    expect(shown).toEqual(sampled.map(({ fault }) => ({ fault: fault.name, kind: "found", sentence: "" })));
  } finally {
    await wire.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 300_000);
