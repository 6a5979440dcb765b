import { listChecks } from "../../src/category.ts";
import { largeBatchAtomic } from "./large-batch-atomic/index.ts";
import { longTextExact } from "./long-text-exact/index.ts";
import { manyClientsAllServed } from "./many-clients-all-served/index.ts";
import { rapidQueriesAllServed } from "./rapid-queries-all-served/index.ts";
import { wideTableExact } from "./wide-table-exact/index.ts";
import { rapidUpdatesExact } from "./rapid-updates-exact/index.ts";
import { largeResultWhole } from "./large-result-whole/index.ts";
import { recoversFromOverload } from "./recovers-from-overload/index.ts";
import { slowReaderTold } from "./slow-reader-told/index.ts";
import { truncationVisible } from "./truncation-visible/index.ts";
import { burstReachesAll } from "./burst-reaches-all/index.ts";
import { connectionsFreed } from "./connections-freed/index.ts";
import { messageLimitsHold } from "./message-limits-hold/index.ts";
import { subscriptionLimitHolds } from "./subscription-limit-holds/index.ts";
import { oversizeRefusedCleanly } from "./oversize-refused-cleanly/index.ts";
import { rateLimitSaysSo } from "./rate-limit-says-so/index.ts";

export const category = listChecks({
  id: "backpressure",
  promise: "Under pressure it slows or refuses, and says so; it never lies.",
  checks: [
    { check: largeBatchAtomic, proof: async () => await import("./large-batch-atomic/proof.ts") },
    { check: longTextExact, proof: async () => await import("./long-text-exact/proof.ts") },
    { check: manyClientsAllServed, proof: async () => await import("./many-clients-all-served/proof.ts") },
    { check: rapidQueriesAllServed, proof: async () => await import("./rapid-queries-all-served/proof.ts") },
    { check: wideTableExact, proof: async () => await import("./wide-table-exact/proof.ts") },
    { check: rapidUpdatesExact, proof: async () => await import("./rapid-updates-exact/proof.ts") },
    { check: largeResultWhole, proof: async () => await import("./large-result-whole/proof.ts") },
    { check: truncationVisible, proof: async () => await import("./truncation-visible/proof.ts") },
    { check: burstReachesAll, proof: async () => await import("./burst-reaches-all/proof.ts") },
    { check: slowReaderTold, proof: async () => await import("./slow-reader-told/proof.ts") },
    { check: recoversFromOverload, proof: async () => await import("./recovers-from-overload/proof.ts") },
    { check: connectionsFreed, proof: async () => await import("./connections-freed/proof.ts") },
    { check: messageLimitsHold, proof: async () => await import("./message-limits-hold/proof.ts") },
    { check: subscriptionLimitHolds, proof: async () => await import("./subscription-limit-holds/proof.ts") },
    { check: oversizeRefusedCleanly, proof: async () => await import("./oversize-refused-cleanly/proof.ts") },
    { check: rateLimitSaysSo, proof: async () => await import("./rate-limit-says-so/proof.ts") },
  ],
});
