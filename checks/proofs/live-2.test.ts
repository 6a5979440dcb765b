import { proveShare } from "../../test/proofs.ts";

await proveShare(1);
