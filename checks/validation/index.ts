import { listChecks } from "../../src/category.ts";
import { badFlushCommandRefused } from "./bad-flush-command-refused/index.ts";
import { clausesAnswerRight } from "./clauses-answer-right/index.ts";
import { constraintErrorCoded } from "./constraint-error-coded/index.ts";
import { countsAreRight } from "./counts-are-right/index.ts";
import { dropMissingTableRefused } from "./drop-missing-table-refused/index.ts";
import { duplicateColumnsRefused } from "./duplicate-columns-refused/index.ts";
import { duplicateKeyRefused } from "./duplicate-key-refused/index.ts";
import { errorsTellNoSecrets } from "./errors-tell-no-secrets/index.ts";
import { hostileNamesHarmless } from "./hostile-names-harmless/index.ts";
import { injectionStaysData } from "./injection-stays-data/index.ts";
import { loginRequired } from "./login-required/index.ts";
import { malformedRequestsRefused } from "./malformed-requests-refused/index.ts";
import { notNullHolds } from "./not-null-holds/index.ts";
import { ownRowsOnly } from "./own-rows-only/index.ts";
import { policiesHold } from "./policies-hold/index.ts";
import { policyClausesRefused } from "./policy-clauses-refused/index.ts";
import { postgresLoginsGuarded } from "./postgres-port/postgres-logins-guarded/index.ts";
import { postgresPasswordsEncrypted } from "./postgres-port/postgres-passwords-encrypted/index.ts";
import { postgresRowsAgree } from "./postgres-port/postgres-rows-agree/index.ts";
import { predicatesPartitionRows } from "./predicates-partition-rows/index.ts";
import { readsAreFresh } from "./reads-are-fresh/index.ts";
import { savepointsHold } from "./savepoints-hold/index.ts";
import { sharedAccessLevelsHold } from "./shared-access-levels-hold/index.ts";
import { sqlLengthLimitHeld } from "./sql-length-limit-held/index.ts";
import { syntaxErrorsClear } from "./syntax-errors-clear/index.ts";
import { systemColumnsLocked } from "./system-columns-locked/index.ts";
import { systemTablesLocked } from "./system-tables-locked/index.ts";
import { textComparedExactly } from "./text-compared-exactly/index.ts";
import { typesRoundTrip } from "./types-round-trip/index.ts";
import { upsertAndReturningExact } from "./upsert-and-returning-exact/index.ts";
import { userAdministrationGuarded } from "./user-administration-guarded/index.ts";
import { websocketProtocolGuarded } from "./websocket-protocol-guarded/index.ts";
import { writesHitTheirRows } from "./writes-hit-their-rows/index.ts";
import { wrongTableTypeRefused } from "./wrong-table-type-refused/index.ts";
import { wrongTypesRefused } from "./wrong-types-refused/index.ts";

export const category = listChecks({
  id: "validation",
  promise: "Invalid or unauthorized requests are rejected with clear errors and leave no side effects.",
  checks: [
    { check: loginRequired, proof: async () => await import("./login-required/proof.ts") },
    { check: syntaxErrorsClear, proof: async () => await import("./syntax-errors-clear/proof.ts") },
    { check: wrongTableTypeRefused, proof: async () => await import("./wrong-table-type-refused/proof.ts") },
    { check: systemTablesLocked, proof: async () => await import("./system-tables-locked/proof.ts") },
    { check: systemColumnsLocked, proof: async () => await import("./system-columns-locked/proof.ts") },
    { check: ownRowsOnly, proof: async () => await import("./own-rows-only/proof.ts") },
    { check: sharedAccessLevelsHold, proof: async () => await import("./shared-access-levels-hold/proof.ts") },
    { check: policiesHold, proof: async () => await import("./policies-hold/proof.ts") },
    { check: policyClausesRefused, proof: async () => await import("./policy-clauses-refused/proof.ts") },
    { check: wrongTypesRefused, proof: async () => await import("./wrong-types-refused/proof.ts") },
    { check: notNullHolds, proof: async () => await import("./not-null-holds/proof.ts") },
    { check: userAdministrationGuarded, proof: async () => await import("./user-administration-guarded/proof.ts") },
    { check: badFlushCommandRefused, proof: async () => await import("./bad-flush-command-refused/proof.ts") },
    { check: dropMissingTableRefused, proof: async () => await import("./drop-missing-table-refused/proof.ts") },
    { check: duplicateColumnsRefused, proof: async () => await import("./duplicate-columns-refused/proof.ts") },
    { check: typesRoundTrip, proof: async () => await import("./types-round-trip/proof.ts") },
    { check: savepointsHold, proof: async () => await import("./savepoints-hold/proof.ts") },
    { check: upsertAndReturningExact, proof: async () => await import("./upsert-and-returning-exact/proof.ts") },
    { check: sqlLengthLimitHeld, proof: async () => await import("./sql-length-limit-held/proof.ts") },
    { check: injectionStaysData, proof: async () => await import("./injection-stays-data/proof.ts") },
    { check: malformedRequestsRefused, proof: async () => await import("./malformed-requests-refused/proof.ts") },
    { check: errorsTellNoSecrets, proof: async () => await import("./errors-tell-no-secrets/proof.ts") },
    { check: predicatesPartitionRows, proof: async () => await import("./predicates-partition-rows/proof.ts") },
    { check: websocketProtocolGuarded, proof: async () => await import("./websocket-protocol-guarded/proof.ts") },
    { check: constraintErrorCoded, proof: async () => await import("./constraint-error-coded/proof.ts") },
    { check: writesHitTheirRows, proof: async () => await import("./writes-hit-their-rows/proof.ts") },
    { check: countsAreRight, proof: async () => await import("./counts-are-right/proof.ts") },
    { check: duplicateKeyRefused, proof: async () => await import("./duplicate-key-refused/proof.ts") },
    { check: readsAreFresh, proof: async () => await import("./reads-are-fresh/proof.ts") },
    { check: textComparedExactly, proof: async () => await import("./text-compared-exactly/proof.ts") },
    { check: clausesAnswerRight, proof: async () => await import("./clauses-answer-right/proof.ts") },
    { check: hostileNamesHarmless, proof: async () => await import("./hostile-names-harmless/proof.ts") },
    {
      check: postgresPasswordsEncrypted,
      proof: async () => await import("./postgres-port/postgres-passwords-encrypted/proof.ts"),
    },
    {
      check: postgresLoginsGuarded,
      proof: async () => await import("./postgres-port/postgres-logins-guarded/proof.ts"),
    },
    { check: postgresRowsAgree, proof: async () => await import("./postgres-port/postgres-rows-agree/proof.ts") },
  ],
});
