import { equal } from "node:assert/strict";
import { BuilderError } from "../../../src/errors.ts";
import { isRetryable, redactUrl, RegistryAuthError, RegistryError } from "../../../src/registry/registry_error.ts";

const FAILURE = { operation: "pull r/x:1", method: "GET", url: "https://r/", errorCodes: [], retryable: true };

Deno.test("RegistryError reads as one sentence and carries its class's code", () => {
  const error = new RegistryError(FAILURE, "manifest unknown (404)");
  equal(error.message, "Cannot pull r/x:1: manifest unknown (404)");
  equal(error.code, "registry");
  const refused = new RegistryAuthError({ ...FAILURE, retryable: false }, "denied (403)", { hint: "log in" });
  equal(refused.code, "registry-auth");
  equal(refused.hint, "log in");
  equal(refused instanceof RegistryError && refused instanceof BuilderError, true);
  equal(isRetryable(error), true);
  equal(isRetryable(refused), false);
  equal(isRetryable(new Error("x")), false);
});

Deno.test("redactUrl hides logins and values of the query", () => {
  const cases: readonly [url: string, expected: string][] = [
    ["https://u:p@h/a", "https://h/a"],
    ["https://h/a?X-Amz-Signature=s&digest=sha256:1#f", "https://h/a?X-Amz-Signature=***&digest=sha256:1"],
    ["http://h:1/t?service=s&scope=repository:a:pull", "http://h:1/t?service=s&scope=repository:a:pull"],
    ["not a url with secret", "(an address that is not a URL)"],
  ];
  for (const [url, expected] of cases) equal(redactUrl(url), expected);
});
