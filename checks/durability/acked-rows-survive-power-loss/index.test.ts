import { expect, test } from "vitest";
import { proveOnPaper } from "../../../src/proof.ts";
import proof from "./proof.ts";
test("paper", () => { expect(proveOnPaper(proof)).toEqual([]); });
