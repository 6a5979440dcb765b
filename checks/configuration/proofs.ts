import type { Proof } from "../../src/proof.ts";
import answersSql from "./answers-sql.proof.ts";
import badFlushPolicyRefused from "./bad-flush-policy-refused.proof.ts";
import badNamespaceRefused from "./bad-namespace-refused.proof.ts";
import badSettingsStopTheStart from "./bad-settings-stop-the-start.proof.ts";
import badTtlRefused from "./bad-ttl-refused.proof.ts";
import catalogueColumnsStable from "./catalogue-columns-stable.proof.ts";
import catalogueQueryable from "./catalogue-queryable.proof.ts";
import clockInStep from "./clock-in-step.proof.ts";
import dropIfExistsIdempotent from "./drop-if-exists-idempotent.proof.ts";
import dropMissingRefused from "./drop-missing-refused.proof.ts";
import fullNamespaceGuarded from "./full-namespace-guarded.proof.ts";
import namespacesKeptApart from "./namespaces-kept-apart.proof.ts";
import parallelAnswersNotMixed from "./parallel-answers-not-mixed.proof.ts";
import primaryKeyRequired from "./primary-key-required.proof.ts";
import settingsFitProduction from "./settings-fit-production.proof.ts";
import unknownTypeRefused from "./unknown-type-refused.proof.ts";

export const proofs: readonly Proof[] = [
  answersSql,
  badFlushPolicyRefused,
  badNamespaceRefused,
  badSettingsStopTheStart,
  badTtlRefused,
  catalogueColumnsStable,
  catalogueQueryable,
  clockInStep,
  dropIfExistsIdempotent,
  dropMissingRefused,
  fullNamespaceGuarded,
  namespacesKeptApart,
  parallelAnswersNotMixed,
  primaryKeyRequired,
  settingsFitProduction,
  unknownTypeRefused,
];
