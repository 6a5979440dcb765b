import type { Proof } from "../../src/proof.ts";
import badSubscribeRefused from "./bad-subscribe-refused.proof.ts";
import changeContentRight from "./change-content-right.proof.ts";
import changesInOrder from "./changes-in-order.proof.ts";
import changesPrompt from "./changes-prompt.proof.ts";
import compressedFramesEqual from "./compressed-frames-equal.proof.ts";
import convergesUnderCuts from "./converges-under-cuts.proof.ts";
import cursorExact from "./cursor-exact.proof.ts";
import cutSurvived from "./cut-survived.proof.ts";
import everyChangeArrives from "./every-change-arrives.proof.ts";
import filterAgreesWithSelect from "./filter-agrees-with-select.proof.ts";
import handoverGapless from "./handover-gapless.proof.ts";
import handshakeGuarded from "./handshake-guarded.proof.ts";
import idleStaysAlive from "./idle-stays-alive.proof.ts";
import liveQueryCanBeKilled from "./live-query-can-be-killed.proof.ts";
import missingTableRefused from "./missing-table-refused.proof.ts";
import noChangeTwice from "./no-change-twice.proof.ts";
import optionsHonoured from "./options-honoured.proof.ts";
import ownEventsOnly from "./own-events-only.proof.ts";
import parallelSubscriptionsSeparate from "./parallel-subscriptions-separate.proof.ts";
import resumeComplete from "./resume-complete.proof.ts";
import revokedUserCutOff from "./revoked-user-cut-off.proof.ts";
import sharedTablesLive from "./shared-tables-live.proof.ts";
import snapshotThenChanges from "./snapshot-then-changes.proof.ts";
import streamTablesLive from "./stream-tables-live.proof.ts";
import unqualifiedNameClear from "./unqualified-name-clear.proof.ts";
import unsubscribeSilences from "./unsubscribe-silences.proof.ts";

export const proofs: readonly Proof[] = [
  snapshotThenChanges,
  filterAgreesWithSelect,
  optionsHonoured,
  streamTablesLive,
  sharedTablesLive,
  unqualifiedNameClear,
  missingTableRefused,
  badSubscribeRefused,
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
  cursorExact,
  unsubscribeSilences,
  idleStaysAlive,
  handshakeGuarded,
  revokedUserCutOff,
  convergesUnderCuts,
  compressedFramesEqual,
];
