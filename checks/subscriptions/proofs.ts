import type { Proof } from "../../src/proof.ts";
import changeContentRight from "./change-content-right.proof.ts";
import changesInOrder from "./changes-in-order.proof.ts";
import changesPrompt from "./changes-prompt.proof.ts";
import everyChangeArrives from "./every-change-arrives.proof.ts";
import noChangeTwice from "./no-change-twice.proof.ts";

export const proofs: readonly Proof[] = [
  everyChangeArrives,
  noChangeTwice,
  changesInOrder,
  changeContentRight,
  changesPrompt,
];
