import { listChecks } from "../../src/category.ts";
import { deletedUsersMarked } from "./deleted-users-marked/index.ts";
import { dropsVisible } from "./drops-visible/index.ts";
import { failuresRecorded } from "./failures-recorded/index.ts";
import { healthTellsTruth } from "./health-tells-truth/index.ts";
import { jobsTracked } from "./jobs-tracked/index.ts";
import { namespacesListed } from "./namespaces-listed/index.ts";
import { schemaHistoryKept } from "./schema-history-kept/index.ts";
import { statisticsTrueOrAbsent } from "./statistics-true-or-absent/index.ts";
import { statsMove } from "./stats-move/index.ts";
import { storagesHealthy } from "./storages-healthy/index.ts";
import { subscriptionsListed } from "./subscriptions-listed/index.ts";
import { tablesListed } from "./tables-listed/index.ts";
import { tookIsHonest } from "./took-is-honest/index.ts";
import { usersListed } from "./users-listed/index.ts";
import { versionTold } from "./version-told/index.ts";

export const category = listChecks({
  id: "observability",
  promise: "What it says about itself is true.",
  checks: [
    { check: tablesListed, proof: async () => await import("./tables-listed/proof.ts") },
    { check: namespacesListed, proof: async () => await import("./namespaces-listed/proof.ts") },
    { check: usersListed, proof: async () => await import("./users-listed/proof.ts") },
    { check: jobsTracked, proof: async () => await import("./jobs-tracked/proof.ts") },
    { check: storagesHealthy, proof: async () => await import("./storages-healthy/proof.ts") },
    { check: statsMove, proof: async () => await import("./stats-move/proof.ts") },
    { check: schemaHistoryKept, proof: async () => await import("./schema-history-kept/proof.ts") },
    { check: statisticsTrueOrAbsent, proof: async () => await import("./statistics-true-or-absent/proof.ts") },
    { check: deletedUsersMarked, proof: async () => await import("./deleted-users-marked/proof.ts") },
    { check: subscriptionsListed, proof: async () => await import("./subscriptions-listed/proof.ts") },
    { check: healthTellsTruth, proof: async () => await import("./health-tells-truth/proof.ts") },
    { check: failuresRecorded, proof: async () => await import("./failures-recorded/proof.ts") },
    { check: tookIsHonest, proof: async () => await import("./took-is-honest/proof.ts") },
    { check: dropsVisible, proof: async () => await import("./drops-visible/proof.ts") },
    { check: versionTold, proof: async () => await import("./version-told/proof.ts") },
  ],
});
