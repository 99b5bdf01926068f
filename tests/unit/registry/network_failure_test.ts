import { deepEqual, equal, ok } from "node:assert/strict";
import { networkFailure } from "../../../src/registry/network_failure.ts";
import { StallError } from "../../../src/registry/stall.ts";

Deno.test("networkFailure names the innermost cause without secrets", () => {
  const cause = new TypeError("error sending request for url (https://u:p@r.io/x?sig=1): tcp connect error: refused");
  deepEqual(networkFailure(new TypeError("outer", { cause }), "r.io"), {
    reason: "no connection to r.io: tcp connect error: refused",
    retryable: true,
  });
  equal(
    networkFailure(new TypeError("lost https://u:p@r.io/x?sig=1 on the way"), "r.io").reason,
    "no connection to r.io: lost https://r.io/x?sig=*** on the way",
  );
});

Deno.test("networkFailure tells silence, plain HTTP and untrusted certificates apart", () => {
  deepEqual(networkFailure(new StallError(60_000), "r.io"), {
    reason: "no byte from r.io for 60 seconds",
    retryable: true,
  });
  const cases: readonly [text: string, hint: RegExp][] = [
    ["client error (Connect): received corrupt message of type InvalidContentType", /--insecure-registry=r\.io$/],
    ["client error (Connect): invalid peer certificate: UnknownIssuer", /--registry-certificate=r\.io=/],
    ["self-signed certificate in certificate chain", /--skip-tls-verify-registry=r\.io$/],
  ];
  for (const [text, hint] of cases) {
    const failure = networkFailure(new TypeError(text), "r.io");
    equal(failure.retryable, false);
    ok(hint.test(failure.hint ?? ""), failure.hint);
  }
});
