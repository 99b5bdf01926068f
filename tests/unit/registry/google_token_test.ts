import { deepEqual, match, throws } from "node:assert/strict";
import { GOOGLE_SCOPE, readGoogleToken } from "../../../src/registry/google_token.ts";

Deno.test("readGoogleToken reads token and life, and refuses what has none", () => {
  match(GOOGLE_SCOPE, /^https:/);
  deepEqual(readGoogleToken('{"access_token":"t","expires_in":10}', "x", 5), { value: "t", expiresAtMs: 10_005 });
  deepEqual(readGoogleToken('{"access_token":"t"}', "x", 5), { value: "t", expiresAtMs: 5 });
  for (const text of ["{}", '{"access_token":""}', "<html>"]) {
    throws(() => readGoogleToken(text, "x", 5), /answer to "x"/);
  }
});
