import { listChecks } from "../../src/category.ts";
import { badSubscribeRefused } from "./bad-subscribe-refused/index.ts";
import { changeContentRight } from "./change-content-right/index.ts";
import { changesInOrder } from "./changes-in-order/index.ts";
import { changesPrompt } from "./changes-prompt/index.ts";
import { compressedFramesEqual } from "./compressed-frames-equal/index.ts";
import { convergesUnderCuts } from "./converges-under-cuts/index.ts";
import { cursorExact } from "./cursor-exact/index.ts";
import { cutSurvived } from "./cut-survived/index.ts";
import { everyChangeArrives } from "./every-change-arrives/index.ts";
import { filterAgreesWithSelect } from "./filter-agrees-with-select/index.ts";
import { handoverGapless } from "./handover-gapless/index.ts";
import { handshakeGuarded } from "./handshake-guarded/index.ts";
import { idleStaysAlive } from "./idle-stays-alive/index.ts";
import { liveQueriesWork } from "./live-queries-work/index.ts";
import { liveQueriesMeetAllWrites } from "./writes/live-queries-meet-all-writes/index.ts";
import { liveQueriesMeetSchemaChanges } from "./writes/live-queries-meet-schema-changes/index.ts";
import { liveQueriesMeetTransactions } from "./writes/live-queries-meet-transactions/index.ts";
import { liveQueryCanBeKilled } from "./live-query-can-be-killed/index.ts";
import { missingTableRefused } from "./missing-table-refused/index.ts";
import { noChangeTwice } from "./no-change-twice/index.ts";
import { oldConnectionsDeliver } from "./old-connections-deliver/index.ts";
import { optionsHonoured } from "./options-honoured/index.ts";
import { ownEventsOnly } from "./own-events-only/index.ts";
import { parallelSubscriptionsSeparate } from "./parallel-subscriptions-separate/index.ts";
import { resumeComplete } from "./resume-complete/index.ts";
import { revokedUserCutOff } from "./revoked-user-cut-off/index.ts";
import { sharedResumeComplete } from "./shared-resume-complete/index.ts";
import { sharedTablesLive } from "./shared-tables-live/index.ts";
import { snapshotThenChanges } from "./snapshot-then-changes/index.ts";
import { streamTablesLive } from "./stream-tables-live/index.ts";
import { toldAddressMatches } from "./told-address-matches/index.ts";
import { unqualifiedNameClear } from "./unqualified-name-clear/index.ts";
import { unsubscribeSilences } from "./unsubscribe-silences/index.ts";

export const category = listChecks({
  id: "subscriptions",
  promise: "A live query delivers every change exactly once, in order, and only to users who may read it.",
  checks: [
    { check: liveQueriesWork, proof: async () => await import("./live-queries-work/proof.ts") },
    { check: snapshotThenChanges, proof: async () => await import("./snapshot-then-changes/proof.ts") },
    { check: toldAddressMatches, proof: async () => await import("./told-address-matches/proof.ts") },
    { check: filterAgreesWithSelect, proof: async () => await import("./filter-agrees-with-select/proof.ts") },
    { check: optionsHonoured, proof: async () => await import("./options-honoured/proof.ts") },
    { check: streamTablesLive, proof: async () => await import("./stream-tables-live/proof.ts") },
    { check: sharedTablesLive, proof: async () => await import("./shared-tables-live/proof.ts") },
    { check: unqualifiedNameClear, proof: async () => await import("./unqualified-name-clear/proof.ts") },
    { check: missingTableRefused, proof: async () => await import("./missing-table-refused/proof.ts") },
    { check: badSubscribeRefused, proof: async () => await import("./bad-subscribe-refused/proof.ts") },
    {
      check: parallelSubscriptionsSeparate,
      proof: async () => await import("./parallel-subscriptions-separate/proof.ts"),
    },
    { check: liveQueryCanBeKilled, proof: async () => await import("./live-query-can-be-killed/proof.ts") },
    { check: everyChangeArrives, proof: async () => await import("./every-change-arrives/proof.ts") },
    { check: noChangeTwice, proof: async () => await import("./no-change-twice/proof.ts") },
    { check: changesInOrder, proof: async () => await import("./changes-in-order/proof.ts") },
    { check: changeContentRight, proof: async () => await import("./change-content-right/proof.ts") },
    {
      check: liveQueriesMeetAllWrites,
      proof: async () => await import("./writes/live-queries-meet-all-writes/proof.ts"),
    },
    {
      check: liveQueriesMeetSchemaChanges,
      proof: async () => await import("./writes/live-queries-meet-schema-changes/proof.ts"),
    },
    {
      check: liveQueriesMeetTransactions,
      proof: async () => await import("./writes/live-queries-meet-transactions/proof.ts"),
    },
    { check: changesPrompt, proof: async () => await import("./changes-prompt/proof.ts") },
    { check: ownEventsOnly, proof: async () => await import("./own-events-only/proof.ts") },
    { check: handoverGapless, proof: async () => await import("./handover-gapless/proof.ts") },
    { check: resumeComplete, proof: async () => await import("./resume-complete/proof.ts") },
    { check: sharedResumeComplete, proof: async () => await import("./shared-resume-complete/proof.ts") },
    { check: cutSurvived, proof: async () => await import("./cut-survived/proof.ts") },
    { check: cursorExact, proof: async () => await import("./cursor-exact/proof.ts") },
    { check: unsubscribeSilences, proof: async () => await import("./unsubscribe-silences/proof.ts") },
    { check: idleStaysAlive, proof: async () => await import("./idle-stays-alive/proof.ts") },
    { check: oldConnectionsDeliver, proof: async () => await import("./old-connections-deliver/proof.ts") },
    { check: handshakeGuarded, proof: async () => await import("./handshake-guarded/proof.ts") },
    { check: revokedUserCutOff, proof: async () => await import("./revoked-user-cut-off/proof.ts") },
    { check: convergesUnderCuts, proof: async () => await import("./converges-under-cuts/proof.ts") },
    { check: compressedFramesEqual, proof: async () => await import("./compressed-frames-equal/proof.ts") },
  ],
});
