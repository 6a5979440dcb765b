import type { Category } from "../../src/check.ts";
import { deletedUsersMarked } from "./deleted-users-marked.ts";
import { dropsVisible } from "./drops-visible.ts";
import { failuresRecorded } from "./failures-recorded.ts";
import { healthTellsTruth } from "./health-tells-truth.ts";
import { jobsTracked } from "./jobs-tracked.ts";
import { namespacesListed } from "./namespaces-listed.ts";
import { schemaHistoryKept } from "./schema-history-kept.ts";
import { statisticsTrueOrAbsent } from "./statistics-true-or-absent.ts";
import { statsMove } from "./stats-move.ts";
import { storagesHealthy } from "./storages-healthy.ts";
import { subscriptionsListed } from "./subscriptions-listed.ts";
import { tablesListed } from "./tables-listed.ts";
import { tookIsHonest } from "./took-is-honest.ts";
import { usersListed } from "./users-listed.ts";
import { versionTold } from "./version-told.ts";

export const category: Category = {
  id: "observability",
  promise: "What it says about itself is true.",
  checks: [
    tablesListed,
    namespacesListed,
    usersListed,
    jobsTracked,
    storagesHealthy,
    statsMove,
    schemaHistoryKept,
    statisticsTrueOrAbsent,
    deletedUsersMarked,
    subscriptionsListed,
    healthTellsTruth,
    failuresRecorded,
    tookIsHonest,
    dropsVisible,
    versionTold,
  ],
};
