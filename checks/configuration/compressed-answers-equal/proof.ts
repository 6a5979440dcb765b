import { gzipSync } from "node:zlib";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { compressedAnswersEqual } from "./index.ts";

type Seen = Parameters<typeof compressedAnswersEqual.judge>[0];
type Asked = Seen["asked"][number];

const asked: readonly Asked[] = ["rows of every kind", "a result without rows", "a long error", "no SQL"].map(
  (name, at) => ({
    case: name,
    plain: { status: at < 2 ? 200 : 400, encoding: "identity", bytes: 70_000, why: "", exchange: 3 * at },
    packed: { status: at < 2 ? 200 : 400, encoding: "gzip", bytes: 900, why: "", exchange: 3 * at + 1 },
    difference: null,
    stable: true,
  }),
);
const sound: Seen = { asked };
const having = (change: (one: Asked) => Partial<Asked>): Seen => ({
  asked: asked.map((one, at) => (at === 0 ? { ...one, ...change(one) } : one)),
});

/** Compresses the answer to the rows, and then does this to it. */
function packedFault(
  name: string,
  pack: (body: Uint8Array) => Uint8Array,
  when: (accepts: string) => boolean = (accepts) => accepts.includes("gzip"),
): Fault {
  return {
    name,
    wrap: (wire, fired) => ({
      ...wire,
      async exchange(request) {
        const accepts = request.headers["accept-encoding"] ?? "";
        if (!when(accepts) || !String(request.body).includes("ORDER BY id")) return await wire.exchange(request);
        const answer = await wire.exchange({
          ...request,
          headers: { ...request.headers, "accept-encoding": "identity" },
        });
        if (answer.kind !== "answered") return answer;
        fired();
        return { ...answer, headers: { ...answer.headers, "content-encoding": "gzip" }, body: pack(answer.body) };
      },
    }),
  };
}

export default proveCheck(compressedAnswersEqual, {
  holds: [sound, { asked: asked.map((one) => ({ ...one, packed: { ...one.packed, encoding: "identity" } })) }],
  cannotTell: [
    { asked: asked.slice(1) },
    having(() => ({ stable: false, difference: "from character 5 on" })),
    having(({ packed }) => ({ packed: { ...packed, status: null, why: "no answer: reset" }, difference: "all" })),
  ],
  breaks: {
    unreadable: {
      seen: having(({ packed }) => ({
        packed: { ...packed, why: "it is not valid gzip: incorrect header check" },
        difference: "all",
      })),
      fault: packedFault("labelWithoutCompressing", (body) => body),
    },
    differs: {
      seen: having(() => ({ difference: 'from character 40 on "b" instead of "a"' })),
      fault: packedFault("compressOtherRows", (body) =>
        gzipSync(Buffer.from(body).toString("utf8").replace("worth compressing", "worth nothing")),
      ),
    },
    notAskedFor: {
      seen: having(({ plain }) => ({ plain: { ...plain, encoding: "gzip" } })),
      fault: packedFault(
        "compressAlways",
        (body) => gzipSync(body),
        (accepts) => accepts === "identity",
      ),
    },
  },
});
