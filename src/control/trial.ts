/** A server that is started to see whether it starts. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { sleep } from "../session/pacing.ts";
import type { TrialOutcome, TrialSettings } from "../wire/control.ts";
import { endsWithin, freePort, pollEveryMs, startChild, type Child } from "./child.ts";
import { newFolder, type FolderBook } from "./folder.ts";
import { answersOn } from "./readiness.ts";
import { settingsFile } from "./settings-file.ts";

/** Starts the binary with these settings in a fresh folder; `end` stops it and removes the folder. */
export async function tryToStart(
  binary: string,
  settings: TrialSettings,
  { withinMs, rootPassword, book }: { withinMs: number; rootPassword: string; book: FolderBook },
  end: (child: Child) => Promise<unknown>,
): Promise<TrialOutcome> {
  const folder = newFolder(book);
  const port = await freePort();
  const file = path.join(folder, "server.toml");
  const regular = path.join(folder, "regular-file");
  writeFileSync(regular, "");
  const fill = (text: string): string => text.replaceAll("{folder}", folder).replaceAll("{file}", regular);
  let listensOn = port;
  if (settings.kind === "text") writeFileSync(file, fill(settings.text));
  if (settings.kind === "changed") {
    const changes = Object.entries(settings.changes).map(
      ([key, value]) => [key, typeof value === "string" ? fill(value) : value] as const,
    );
    writeFileSync(file, settingsFile(folder, port, Object.fromEntries(changes)));
    const changed = settings.changes["server.port"];
    if (typeof changed === "number" && changed > 0) listensOn = changed;
  }
  // Where the port is already in use, an answer there says nothing about this server.
  const takenBefore = await answersOn(listensOn);
  const startedAt = performance.now();
  const child = startChild(binary, [file], folder, { KALAMDB_ROOT_PASSWORD: rootPassword });
  const answered = takenBefore
    ? (await endsWithin(child, withinMs), false)
    : await waitUntilAnswers(child, listensOn, withinMs);
  const exit = child.ended();
  const tookMs = Math.round(performance.now() - startedAt);
  await end(child);
  return {
    answered,
    exitCode: exit?.code ?? null,
    tookMs,
    stderr: child.stderr(),
    stdout: child.stdout(),
    leftListening: !takenBefore && (await answersOn(listensOn)),
  };
}

export async function waitUntilAnswers(
  child: Child,
  port: number,
  withinMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline && signal?.aborted !== true) {
    if (child.ended() !== undefined) return false;
    if (await answersOn(port)) return child.ended() === undefined;
    await sleep(pollEveryMs);
  }
  return false;
}
