/** Short forms for evidence in proofs. */
import type { Said } from "../../src/server/target.ts";

export function yes(message = "done"): Said {
  return { kind: "ok", status: 200, code: "", message, why: "", exchange: 1 };
}

export function no(code: string, message: string, why: string, status = 400): Said {
  return { kind: "refused", status, code, message, why, exchange: 1 };
}

/** No answer came. */
export function nothing(why = "timeout"): Said {
  return { kind: "unsure", status: null, code: "", message: "no answer within 15000 ms", why, exchange: 1 };
}
