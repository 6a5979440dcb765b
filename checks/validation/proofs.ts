import type { Proof } from "../../src/proof.ts";
import dropMissingTableRefused from "./drop-missing-table-refused.proof.ts";
import errorsTellNoSecrets from "./errors-tell-no-secrets.proof.ts";
import ownRowsOnly from "./own-rows-only.proof.ts";
import sharedAccessLevelsHold from "./shared-access-levels-hold.proof.ts";
import systemColumnsLocked from "./system-columns-locked.proof.ts";
import systemTablesLocked from "./system-tables-locked.proof.ts";
import userAdministrationGuarded from "./user-administration-guarded.proof.ts";

export const proofs: readonly Proof[] = [
  systemTablesLocked,
  systemColumnsLocked,
  ownRowsOnly,
  sharedAccessLevelsHold,
  userAdministrationGuarded,
  dropMissingTableRefused,
  errorsTellNoSecrets,
];
