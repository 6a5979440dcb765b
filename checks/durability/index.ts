import { listChecks } from "../../src/category.ts";
import { ackedOffsetsSurviveKill } from "./acked-offsets-survive-kill/index.ts";
import { ackedRowsSurviveKill } from "./acked-rows-survive-kill/index.ts";
import { ackedRowsSurvivePowerLoss } from "./acked-rows-survive-power-loss/index.ts";
import { alteredRowsKeepValues } from "./altered-rows-keep-values/index.ts";
import { crashInFlushHarmless } from "./crash-in-flush-harmless/index.ts";
import { crashLoopSurvived } from "./crash-loop-survived/index.ts";
import { flushChangesNothing } from "./flush-changes-nothing/index.ts";
import { backupRestores } from "./backup-restores/index.ts";
import { batchSurvivesWhole } from "./batch-survives-whole/index.ts";
import { damageIsNoticed } from "./damage-is-noticed/index.ts";
import { flushedRowsSurviveRestart } from "./flushed-rows-survive-restart/index.ts";
import { hotAndColdAgree } from "./hot-and-cold-agree/index.ts";
import { lastValueSurvivesKill } from "./last-value-survives-kill/index.ts";
import { manyFlushesStayWhole } from "./many-flushes-stay-whole/index.ts";
import { olderDataOpens } from "./older-data-opens/index.ts";
import { rowsSurviveRestart } from "./rows-survive-restart/index.ts";
import { schemaSurvivesRestart } from "./schema-survives-restart/index.ts";

export const category = listChecks({
  id: "durability",
  promise: "What it said it saved, it saved.",
  checks: [
    { check: rowsSurviveRestart, proof: async () => await import("./rows-survive-restart/proof.ts") },
    { check: flushedRowsSurviveRestart, proof: async () => await import("./flushed-rows-survive-restart/proof.ts") },
    { check: manyFlushesStayWhole, proof: async () => await import("./many-flushes-stay-whole/proof.ts") },
    { check: hotAndColdAgree, proof: async () => await import("./hot-and-cold-agree/proof.ts") },
    { check: alteredRowsKeepValues, proof: async () => await import("./altered-rows-keep-values/proof.ts") },
    { check: schemaSurvivesRestart, proof: async () => await import("./schema-survives-restart/proof.ts") },
    { check: ackedRowsSurviveKill, proof: async () => await import("./acked-rows-survive-kill/proof.ts") },
    { check: ackedOffsetsSurviveKill, proof: async () => await import("./acked-offsets-survive-kill/proof.ts") },
    { check: flushChangesNothing, proof: async () => await import("./flush-changes-nothing/proof.ts") },
    { check: lastValueSurvivesKill, proof: async () => await import("./last-value-survives-kill/proof.ts") },
    { check: batchSurvivesWhole, proof: async () => await import("./batch-survives-whole/proof.ts") },
    { check: crashInFlushHarmless, proof: async () => await import("./crash-in-flush-harmless/proof.ts") },
    { check: crashLoopSurvived, proof: async () => await import("./crash-loop-survived/proof.ts") },
    { check: backupRestores, proof: async () => await import("./backup-restores/proof.ts") },
    {
      check: ackedRowsSurvivePowerLoss,
      proof: async () => await import("./acked-rows-survive-power-loss/proof.ts"),
    },
    { check: damageIsNoticed, proof: async () => await import("./damage-is-noticed/proof.ts") },
    { check: olderDataOpens, proof: async () => await import("./older-data-opens/proof.ts") },
  ],
});
