import { proveDialect } from "../../test/proofs.ts";

await proveDialect("0.8");
