import { listChecks } from "../../src/category.ts";
import { batchStopsAtFailure } from "./batch-stops-at-failure/index.ts";
import { catalogueCommandsAnswer } from "./catalogue-commands-answer/index.ts";
import { emptyResultDescribed } from "./empty-result-described/index.ts";
import { errorsDoNotPoison } from "./errors-do-not-poison/index.ts";
import { errorsNameTheCause } from "./errors-name-the-cause/index.ts";
import { kalamExitsRight } from "./kalam-exits-right/index.ts";
import { kalamFileWhole } from "./kalam-file-whole/index.ts";
import { kalamInterruptClean } from "./kalam-interrupt-clean/index.ts";
import { kalamJsonPure } from "./kalam-json-pure/index.ts";
import { kalamScriptRepeatable } from "./kalam-script-repeatable/index.ts";
import { longResultComplete } from "./long-result-complete/index.ts";
import { namespaceScriptsRepeat } from "./namespace-scripts-repeat/index.ts";
import { outputStable } from "./output-stable/index.ts";
import { statusMatchesBody } from "./status-matches-body/index.ts";
import { tableScriptsRepeat } from "./table-scripts-repeat/index.ts";

export const category = listChecks({
  id: "cli",
  promise: "Scripts and people can rely on results, errors and exit codes.",
  checks: [
    { check: statusMatchesBody, proof: async () => await import("./status-matches-body/proof.ts") },
    { check: batchStopsAtFailure, proof: async () => await import("./batch-stops-at-failure/proof.ts") },
    { check: errorsNameTheCause, proof: async () => await import("./errors-name-the-cause/proof.ts") },
    { check: namespaceScriptsRepeat, proof: async () => await import("./namespace-scripts-repeat/proof.ts") },
    { check: tableScriptsRepeat, proof: async () => await import("./table-scripts-repeat/proof.ts") },
    { check: outputStable, proof: async () => await import("./output-stable/proof.ts") },
    { check: emptyResultDescribed, proof: async () => await import("./empty-result-described/proof.ts") },
    { check: longResultComplete, proof: async () => await import("./long-result-complete/proof.ts") },
    { check: catalogueCommandsAnswer, proof: async () => await import("./catalogue-commands-answer/proof.ts") },
    { check: errorsDoNotPoison, proof: async () => await import("./errors-do-not-poison/proof.ts") },
    { check: kalamExitsRight, proof: async () => await import("./kalam-exits-right/proof.ts") },
    { check: kalamJsonPure, proof: async () => await import("./kalam-json-pure/proof.ts") },
    { check: kalamFileWhole, proof: async () => await import("./kalam-file-whole/proof.ts") },
    { check: kalamInterruptClean, proof: async () => await import("./kalam-interrupt-clean/proof.ts") },
    { check: kalamScriptRepeatable, proof: async () => await import("./kalam-script-repeatable/proof.ts") },
  ],
});
