import type { Proof } from "../../src/proof.ts";
import changeContentRight from "./change-content-right.proof.ts";
import changesInOrder from "./changes-in-order.proof.ts";
import changesPrompt from "./changes-prompt.proof.ts";
import convergesUnderCuts from "./converges-under-cuts.proof.ts";
import cutSurvived from "./cut-survived.proof.ts";
import everyChangeArrives from "./every-change-arrives.proof.ts";
import handoverGapless from "./handover-gapless.proof.ts";
import idleStaysAlive from "./idle-stays-alive.proof.ts";
import liveQueryCanBeKilled from "./live-query-can-be-killed.proof.ts";
import noChangeTwice from "./no-change-twice.proof.ts";
import ownEventsOnly from "./own-events-only.proof.ts";
import parallelSubscriptionsSeparate from "./parallel-subscriptions-separate.proof.ts";
import resumeComplete from "./resume-complete.proof.ts";
import revokedUserCutOff from "./revoked-user-cut-off.proof.ts";
import unsubscribeSilences from "./unsubscribe-silences.proof.ts";

export const proofs: readonly Proof[] = [
  parallelSubscriptionsSeparate,
  liveQueryCanBeKilled,
  everyChangeArrives,
  noChangeTwice,
  changesInOrder,
  changeContentRight,
  changesPrompt,
  ownEventsOnly,
  handoverGapless,
  resumeComplete,
  cutSurvived,
  unsubscribeSilences,
  idleStaysAlive,
  revokedUserCutOff,
  convergesUnderCuts,
];
