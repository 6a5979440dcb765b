import { listChecks } from "../../src/category.ts";
import { deletesCountOnce } from "./deletes-count-once/index.ts";
import { foreignTransactionClosed } from "./foreign-transaction-closed/index.ts";
import { incrementsAllCount } from "./increments-all-count/index.ts";
import { parallelInsertsAllLand } from "./parallel-inserts-all-land/index.ts";
import { readsHoldUnderWrites } from "./reads-hold-under-writes/index.ts";
import { readsNeverGoBack } from "./reads-never-go-back/index.ts";
import { rollbackLeavesNothing } from "./rollback-leaves-nothing/index.ts";
import { sameKeyOneWinner } from "./same-key-one-winner/index.ts";
import { schemaChangeUnderWrites } from "./schema-change-under-writes/index.ts";
import { sharedTableManyWriters } from "./shared-table-many-writers/index.ts";
import { snapshotHoldsInBatch } from "./snapshot-holds-in-batch/index.ts";
import { topicGroupSharesOnce } from "./topic-group-shares-once/index.ts";
import { transactionsWhole } from "./transactions-whole/index.ts";
import { unacknowledgedRedelivered } from "./unacknowledged-redelivered/index.ts";

export const category = listChecks({
  id: "concurrency",
  promise: "Many clients at once get the answers they would get alone.",
  checks: [
    { check: parallelInsertsAllLand, proof: async () => await import("./parallel-inserts-all-land/proof.ts") },
    { check: sameKeyOneWinner, proof: async () => await import("./same-key-one-winner/proof.ts") },
    { check: readsHoldUnderWrites, proof: async () => await import("./reads-hold-under-writes/proof.ts") },
    { check: incrementsAllCount, proof: async () => await import("./increments-all-count/proof.ts") },
    { check: deletesCountOnce, proof: async () => await import("./deletes-count-once/proof.ts") },
    { check: sharedTableManyWriters, proof: async () => await import("./shared-table-many-writers/proof.ts") },
    { check: readsNeverGoBack, proof: async () => await import("./reads-never-go-back/proof.ts") },
    { check: transactionsWhole, proof: async () => await import("./transactions-whole/proof.ts") },
    { check: rollbackLeavesNothing, proof: async () => await import("./rollback-leaves-nothing/proof.ts") },
    { check: snapshotHoldsInBatch, proof: async () => await import("./snapshot-holds-in-batch/proof.ts") },
    { check: schemaChangeUnderWrites, proof: async () => await import("./schema-change-under-writes/proof.ts") },
    { check: foreignTransactionClosed, proof: async () => await import("./foreign-transaction-closed/proof.ts") },
    { check: topicGroupSharesOnce, proof: async () => await import("./topic-group-shares-once/proof.ts") },
    { check: unacknowledgedRedelivered, proof: async () => await import("./unacknowledged-redelivered/proof.ts") },
  ],
});
