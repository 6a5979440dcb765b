import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { isAddress, isElsewhere, placeOf } from "../../vocabulary/told-address.ts";
import { life } from "../snapshot-then-changes/observation.ts";

export const toldAddressMatches = defineCheckOf(life, {
  id: "subscriptions/told-address-matches",
  title: "SUBSCRIBE TO returns the address where clients reach it",
  failureTitle: "SUBSCRIBE TO returns an address that clients may not reach",
  description:
    "SUBSCRIBE TO over HTTP returns the address of the live connection. Its host, port and protocol are compared with those where kalam-ready reaches the server: behind a proxy or a published port they differ unless the server has been told its public address.",
  blindTo:
    "An address on another host is taken for the public one. subscriptions/snapshot-then-changes tries the path.",
  risk: "Clients that connect where SUBSCRIBE TO sends them get no live query, or bypass the proxy in front.",
  remedy:
    "Set server.public_origin to the address that clients use, or let clients connect to /v1/ws at that address whatever SUBSCRIBE TO returns.",
  covers: [],
  level: "warn",
  findings: {
    otherAddress: {
      say: (d: { address: string; told: string; reached: string }) =>
        `SUBSCRIBE TO over HTTP told ${d.told} (${d.address}); the server was reached at ${d.reached}`,
    },
  },
  judge({ told }, { found }) {
    if (told.said.kind !== "ok")
      return unknown(`SUBSCRIBE TO over HTTP was answered with ${told.said.code} ${told.said.message}`);
    const { address } = told;
    if (!isAddress(address))
      return unknown(`it returned no address of a WebSocket: ${address}; see subscriptions/snapshot-then-changes`);
    if (isElsewhere(told)) return pass(`it returned an address on another host: ${address}`);
    const place = placeOf(told);
    if (place !== undefined) found.otherAddress({ address, ...place }, { sent: told.said });
    return pass(`${address}, reached at ${told.ours}`);
  },
});
