import type { Category } from "../../src/check.ts";
import { badSubscribeRefused } from "./bad-subscribe-refused.ts";
import { changeContentRight } from "./change-content-right.ts";
import { changesInOrder } from "./changes-in-order.ts";
import { changesPrompt } from "./changes-prompt.ts";
import { compressedFramesEqual } from "./compressed-frames-equal.ts";
import { convergesUnderCuts } from "./converges-under-cuts.ts";
import { cursorExact } from "./cursor-exact.ts";
import { cutSurvived } from "./cut-survived.ts";
import { everyChangeArrives } from "./every-change-arrives.ts";
import { filterAgreesWithSelect } from "./filter-agrees-with-select.ts";
import { handoverGapless } from "./handover-gapless.ts";
import { handshakeGuarded } from "./handshake-guarded.ts";
import { idleStaysAlive } from "./idle-stays-alive.ts";
import { liveQueryCanBeKilled } from "./live-query-can-be-killed.ts";
import { missingTableRefused } from "./missing-table-refused.ts";
import { noChangeTwice } from "./no-change-twice.ts";
import { optionsHonoured } from "./options-honoured.ts";
import { ownEventsOnly } from "./own-events-only.ts";
import { parallelSubscriptionsSeparate } from "./parallel-subscriptions-separate.ts";
import { resumeComplete } from "./resume-complete.ts";
import { revokedUserCutOff } from "./revoked-user-cut-off.ts";
import { sharedTablesLive } from "./shared-tables-live.ts";
import { snapshotThenChanges } from "./snapshot-then-changes.ts";
import { streamTablesLive } from "./stream-tables-live.ts";
import { unqualifiedNameClear } from "./unqualified-name-clear.ts";
import { unsubscribeSilences } from "./unsubscribe-silences.ts";

export const category: Category = {
  id: "subscriptions",
  promise: "A live query shows every change, once, in order, to the right person.",
  checks: [
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
  ],
};
