import type { Category } from "../../src/check.ts";
import { answersSql } from "./answers-sql.ts";
import { badFlushPolicyRefused } from "./bad-flush-policy-refused.ts";
import { badNamespaceRefused } from "./bad-namespace-refused.ts";
import { badSettingsStopTheStart } from "./bad-settings-stop-the-start.ts";
import { badTtlRefused } from "./bad-ttl-refused.ts";
import { catalogueColumnsStable } from "./catalogue-columns-stable.ts";
import { catalogueQueryable } from "./catalogue-queryable.ts";
import { clockInStep } from "./clock-in-step.ts";
import { dropIfExistsIdempotent } from "./drop-if-exists-idempotent.ts";
import { dropMissingRefused } from "./drop-missing-refused.ts";
import { fullNamespaceGuarded } from "./full-namespace-guarded.ts";
import { namespacesKeptApart } from "./namespaces-kept-apart.ts";
import { parallelAnswersNotMixed } from "./parallel-answers-not-mixed.ts";
import { primaryKeyRequired } from "./primary-key-required.ts";
import { settingsFitProduction } from "./settings-fit-production.ts";
import { unknownTypeRefused } from "./unknown-type-refused.ts";

export const category: Category = {
  id: "configuration",
  promise: "It starts as configured and refuses what it cannot honour.",
  checks: [
    answersSql,
    catalogueQueryable,
    namespacesKeptApart,
    parallelAnswersNotMixed,
    badNamespaceRefused,
    badFlushPolicyRefused,
    badTtlRefused,
    primaryKeyRequired,
    unknownTypeRefused,
    catalogueColumnsStable,
    dropIfExistsIdempotent,
    dropMissingRefused,
    badSettingsStopTheStart,
    fullNamespaceGuarded,
    settingsFitProduction,
    clockInStep,
  ],
};
