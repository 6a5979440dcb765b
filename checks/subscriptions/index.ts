import type { Category } from "../../src/check.ts";
import { changeContentRight } from "./change-content-right.ts";
import { changesInOrder } from "./changes-in-order.ts";
import { changesPrompt } from "./changes-prompt.ts";
import { everyChangeArrives } from "./every-change-arrives.ts";
import { liveQueryCanBeKilled } from "./live-query-can-be-killed.ts";
import { noChangeTwice } from "./no-change-twice.ts";
import { ownEventsOnly } from "./own-events-only.ts";
import { parallelSubscriptionsSeparate } from "./parallel-subscriptions-separate.ts";
import { unsubscribeSilences } from "./unsubscribe-silences.ts";
import { snapshotThenChanges } from "./snapshot-then-changes.ts";
import { filterAgreesWithSelect } from "./filter-agrees-with-select.ts";
import { optionsHonoured } from "./options-honoured.ts";
import { streamTablesLive } from "./stream-tables-live.ts";
import { sharedTablesLive } from "./shared-tables-live.ts";
import { unqualifiedNameClear } from "./unqualified-name-clear.ts";
import { missingTableRefused } from "./missing-table-refused.ts";
import { badSubscribeRefused } from "./bad-subscribe-refused.ts";
import { cursorExact } from "./cursor-exact.ts";
import { handshakeGuarded } from "./handshake-guarded.ts";
import { compressedFramesEqual } from "./compressed-frames-equal.ts";

export const category: Category = {
  id: "subscriptions",
  promise: "A live query shows every change, once, in order, to the right person.",
  checks: [
    parallelSubscriptionsSeparate,
    liveQueryCanBeKilled,
    everyChangeArrives,
    noChangeTwice,
    changesInOrder,
    changeContentRight,
    changesPrompt,
    ownEventsOnly,
    unsubscribeSilences,
    snapshotThenChanges,
    filterAgreesWithSelect,
    optionsHonoured,
    streamTablesLive,
    sharedTablesLive,
    unqualifiedNameClear,
    missingTableRefused,
    badSubscribeRefused,
    cursorExact,
    handshakeGuarded,
    compressedFramesEqual,
  ],
};
