import type { Category } from "../../src/check.ts";
import { changeContentRight } from "./change-content-right.ts";
import { changesInOrder } from "./changes-in-order.ts";
import { changesPrompt } from "./changes-prompt.ts";
import { convergesUnderCuts } from "./converges-under-cuts.ts";
import { cutSurvived } from "./cut-survived.ts";
import { everyChangeArrives } from "./every-change-arrives.ts";
import { handoverGapless } from "./handover-gapless.ts";
import { idleStaysAlive } from "./idle-stays-alive.ts";
import { liveQueryCanBeKilled } from "./live-query-can-be-killed.ts";
import { noChangeTwice } from "./no-change-twice.ts";
import { ownEventsOnly } from "./own-events-only.ts";
import { parallelSubscriptionsSeparate } from "./parallel-subscriptions-separate.ts";
import { resumeComplete } from "./resume-complete.ts";
import { revokedUserCutOff } from "./revoked-user-cut-off.ts";
import { unsubscribeSilences } from "./unsubscribe-silences.ts";

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
    handoverGapless,
    resumeComplete,
    cutSurvived,
    unsubscribeSilences,
    idleStaysAlive,
    revokedUserCutOff,
    convergesUnderCuts,
  ],
};
