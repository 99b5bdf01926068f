import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { RegistryAuthError } from "../../../src/registry/registry_error.ts";
import { discard, readBody, type Reply, replyError } from "../../../src/registry/reply.ts";

const CALL = { operation: "pull r/x:1", method: "GET" };

function reply(status: number, body: string | null): Reply {
  return { status, headers: new Headers(), url: "https://r/v2/?token=s", body: new Response(body).body };
}

Deno.test("readBody reads up to the limit and throws RegistryError above it", async () => {
  equal(new TextDecoder().decode(await readBody(reply(200, "12345"), 5, CALL)), "12345");
  equal((await readBody(reply(200, null), 5, CALL)).length, 0);
  await rejects(readBody(reply(200, "123456"), 5, CALL), /Cannot pull r\/x:1: the answer is larger than 5 bytes/);
});

Deno.test("replyError says what the registry said", async () => {
  const cases: readonly [status: number, body: string, message: string, codes: string[]][] = [
    [404, '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}', "manifest unknown (404)", [
      "MANIFEST_UNKNOWN",
    ]],
    [404, '{"errors":[{"code":"NAME_UNKNOWN"}]}', "name unknown (404)", ["NAME_UNKNOWN"]],
    [502, "<html>oops</html>", "bad gateway (502)", []],
    [418, '{"errors":5}', "unexpected answer (418)", []],
    [400, '{"errors":[{"message":"a\\u001b[31m\\nb"}]}', "a [31m b (400)", [""]],
    [400, `{"errors":[{"message":"${"x".repeat(100_000)}"}]}`, "bad request (400)", []],
  ];
  for (const [status, body, message, codes] of cases) {
    const error = await replyError(reply(status, body), CALL);
    equal(error.message, `Cannot pull r/x:1: ${message}`);
    deepEqual(error.failure.errorCodes, codes);
    equal(error.failure.retryable, status === 502);
    equal(error.failure.url, "https://r/v2/?token=***");
  }
  const refused = await replyError(reply(403, ""), CALL, "log in");
  ok(refused instanceof RegistryAuthError);
  equal(refused.hint, "log in");
});

Deno.test("discard cancels the body and ignores its failure", async () => {
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    cancel(): never {
      isCancelled = true;
      throw new TypeError("already broken");
    },
  });
  await discard({ ...reply(200, null), body });
  ok(isCancelled);
});
