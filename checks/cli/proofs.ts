import type { Proof } from "../../src/proof.ts";
import batchStopsAtFailure from "./batch-stops-at-failure.proof.ts";
import catalogueCommandsAnswer from "./catalogue-commands-answer.proof.ts";
import emptyResultDescribed from "./empty-result-described.proof.ts";
import errorsDoNotPoison from "./errors-do-not-poison.proof.ts";
import errorsNameTheCause from "./errors-name-the-cause.proof.ts";
import kalamExitsRight from "./kalam-exits-right.proof.ts";
import kalamFileWhole from "./kalam-file-whole.proof.ts";
import kalamInterruptClean from "./kalam-interrupt-clean.proof.ts";
import kalamJsonPure from "./kalam-json-pure.proof.ts";
import kalamScriptRepeatable from "./kalam-script-repeatable.proof.ts";
import longResultComplete from "./long-result-complete.proof.ts";
import namespaceScriptsRepeat from "./namespace-scripts-repeat.proof.ts";
import outputStable from "./output-stable.proof.ts";
import statusMatchesBody from "./status-matches-body.proof.ts";
import tableScriptsRepeat from "./table-scripts-repeat.proof.ts";

export const proofs: readonly Proof[] = [
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
];
