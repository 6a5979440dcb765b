import type { Category } from "../../src/check.ts";
import { batchStopsAtFailure } from "./batch-stops-at-failure.ts";
import { catalogueCommandsAnswer } from "./catalogue-commands-answer.ts";
import { emptyResultDescribed } from "./empty-result-described.ts";
import { errorsDoNotPoison } from "./errors-do-not-poison.ts";
import { errorsNameTheCause } from "./errors-name-the-cause.ts";
import { kalamExitsRight } from "./kalam-exits-right.ts";
import { kalamFileWhole } from "./kalam-file-whole.ts";
import { kalamInterruptClean } from "./kalam-interrupt-clean.ts";
import { kalamJsonPure } from "./kalam-json-pure.ts";
import { kalamScriptRepeatable } from "./kalam-script-repeatable.ts";
import { longResultComplete } from "./long-result-complete.ts";
import { namespaceScriptsRepeat } from "./namespace-scripts-repeat.ts";
import { outputStable } from "./output-stable.ts";
import { statusMatchesBody } from "./status-matches-body.ts";
import { tableScriptsRepeat } from "./table-scripts-repeat.ts";

export const category: Category = {
  id: "cli",
  promise: "Scripts and people can rely on what comes back.",
  checks: [
    statusMatchesBody,
    batchStopsAtFailure,
    errorsNameTheCause,
    namespaceScriptsRepeat,
    tableScriptsRepeat,
    outputStable,
    emptyResultDescribed,
    longResultComplete,
    catalogueCommandsAnswer,
    errorsDoNotPoison,
    kalamExitsRight,
    kalamJsonPure,
    kalamFileWhole,
    kalamInterruptClean,
    kalamScriptRepeatable,
  ],
};
