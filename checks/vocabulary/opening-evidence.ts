/** Short forms for evidence in proofs: how a subscription began. */
import { reasonOf, type Opening } from "./opening.ts";

export function ready(): Opening {
  return { kind: "ready", code: "", message: "", reason: "", exchange: 2 };
}

export function refusal(code: string, message = ""): Opening {
  return { kind: "refused", code, message, reason: reasonOf(code, message), exchange: 2 };
}

/** Neither acknowledged nor refused in time. */
export function noOpening(): Opening {
  return {
    kind: "unsure",
    code: "",
    message: "neither acknowledged nor refused within 15000 ms",
    reason: "",
    exchange: 2,
  };
}
