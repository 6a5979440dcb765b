import { listChecks } from "../../src/category.ts";
import { answersSql } from "./answers-sql/index.ts";
import { badFlushPolicyRefused } from "./bad-flush-policy-refused/index.ts";
import { badNamespaceRefused } from "./bad-namespace-refused/index.ts";
import { badSettingsStopTheStart } from "./bad-settings-stop-the-start/index.ts";
import { badTtlRefused } from "./bad-ttl-refused/index.ts";
import { catalogueColumnsStable } from "./catalogue-columns-stable/index.ts";
import { catalogueQueryable } from "./catalogue-queryable/index.ts";
import { clockInStep } from "./clock-in-step/index.ts";
import { compressedAnswersEqual } from "./compressed-answers-equal/index.ts";
import { dropIfExistsIdempotent } from "./drop-if-exists-idempotent/index.ts";
import { dropMissingRefused } from "./drop-missing-refused/index.ts";
import { fullNamespaceGuarded } from "./full-namespace-guarded/index.ts";
import { namespacesKeptApart } from "./namespaces-kept-apart/index.ts";
import { parallelAnswersNotMixed } from "./parallel-answers-not-mixed/index.ts";
import { primaryKeyRequired } from "./primary-key-required/index.ts";
import { readyMeansReady } from "./ready-means-ready/index.ts";
import { settingsFitProduction } from "./settings-fit-production/index.ts";
import { setupClosed } from "./setup-closed/index.ts";
import { stopsCleanly } from "./stops-cleanly/index.ts";
import { unknownTypeRefused } from "./unknown-type-refused/index.ts";

export const category = listChecks({
  id: "configuration",
  promise: "It starts as configured and rejects what it cannot honour.",
  checks: [
    { check: answersSql, proof: async () => await import("./answers-sql/proof.ts") },
    { check: setupClosed, proof: async () => await import("./setup-closed/proof.ts") },
    { check: catalogueQueryable, proof: async () => await import("./catalogue-queryable/proof.ts") },
    { check: namespacesKeptApart, proof: async () => await import("./namespaces-kept-apart/proof.ts") },
    { check: parallelAnswersNotMixed, proof: async () => await import("./parallel-answers-not-mixed/proof.ts") },
    { check: compressedAnswersEqual, proof: async () => await import("./compressed-answers-equal/proof.ts") },
    { check: badNamespaceRefused, proof: async () => await import("./bad-namespace-refused/proof.ts") },
    { check: badFlushPolicyRefused, proof: async () => await import("./bad-flush-policy-refused/proof.ts") },
    { check: badTtlRefused, proof: async () => await import("./bad-ttl-refused/proof.ts") },
    { check: primaryKeyRequired, proof: async () => await import("./primary-key-required/proof.ts") },
    { check: unknownTypeRefused, proof: async () => await import("./unknown-type-refused/proof.ts") },
    { check: catalogueColumnsStable, proof: async () => await import("./catalogue-columns-stable/proof.ts") },
    { check: dropIfExistsIdempotent, proof: async () => await import("./drop-if-exists-idempotent/proof.ts") },
    { check: dropMissingRefused, proof: async () => await import("./drop-missing-refused/proof.ts") },
    { check: badSettingsStopTheStart, proof: async () => await import("./bad-settings-stop-the-start/proof.ts") },
    { check: fullNamespaceGuarded, proof: async () => await import("./full-namespace-guarded/proof.ts") },
    { check: settingsFitProduction, proof: async () => await import("./settings-fit-production/proof.ts") },
    { check: clockInStep, proof: async () => await import("./clock-in-step/proof.ts") },
    { check: readyMeansReady, proof: async () => await import("./ready-means-ready/proof.ts") },
    { check: stopsCleanly, proof: async () => await import("./stops-cleanly/proof.ts") },
  ],
});
