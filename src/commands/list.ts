/** `kalam-ready list`: the checks. Offline. */
import { loadCategories } from "../../checks/index.ts";
import type { ExitName } from "../exit.ts";
import { select } from "../selector.ts";
import { columns } from "../formats/columns.ts";
import { Output, type OutputFlags } from "./output.ts";

export async function list(
  selectors: readonly string[],
  flags: OutputFlags & { json?: boolean },
  environment: NodeJS.ProcessEnv,
): Promise<ExitName> {
  const output = new Output(flags, environment);
  const categories = await loadCategories();
  const chosen = selectors.length === 0 ? undefined : select(selectors, categories);
  const rows = categories.flatMap((category) =>
    category.checks
      .filter((check) => chosen === undefined || chosen.has(check.id))
      .map((check) => ({
        id: check.id,
        title: check.title,
        category: category.id,
        level: check.level,
        touches: check.observation.touches,
        needs: check.observation.needs ?? [],
        covers: check.covers,
      })),
  );
  if (flags.json === true) output.document(`${JSON.stringify(rows, undefined, 2)}\n`);
  else
    output.document(
      columns(
        rows.map((row) => [row.id, row.level, row.touches, row.needs.join(" "), row.covers.join(" "), row.title]),
      ),
    );
  return "ready";
}
