import { deepEqual, equal, rejects } from "node:assert/strict";
import { federatedToken } from "../../../src/registry/google_federation.ts";
import { type CloudRoute, fakeClouds } from "../../support/fake_clouds.ts";

const ACCOUNT = {
  type: "external_account",
  audience: "//iam.googleapis.com/projects/1/providers/p",
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  token_url: "https://sts.googleapis.com/v1/token",
  credential_source: { file: "/token" },
};
const ROUTES: readonly CloudRoute[] = [
  ["POST https://sts.googleapis.com/v1/token", async (request) => {
    const form = Object.fromEntries(new URLSearchParams(await request.text()));
    const isRight = form.grant_type === "urn:ietf:params:oauth:grant-type:token-exchange" &&
      form.audience === ACCOUNT.audience && form.requested_token_type?.endsWith(":access_token");
    return isRight
      ? Response.json({ access_token: `federated ${form.subject_token}`, expires_in: 60 })
      : new Response(null, { status: 400 });
  }],
  ["POST https://iamcredentials.googleapis.com/v1/sa:generateAccessToken", (request) => {
    return request.headers.get("authorization") === "Bearer federated jwt"
      ? Response.json({ accessToken: "impersonated", expireTime: "2027-01-15T08:00:00Z" })
      : new Response(null, { status: 401 });
  }],
  ["GET https://ci.example/token", (request) => {
    return request.headers.get("x-ci") === "1"
      ? Response.json({ value: "from-url" })
      : new Response(null, { status: 401 });
  }],
];

Deno.test("federatedToken exchanges the token of a file, and takes on a service account", async () => {
  using clouds = fakeClouds(ROUTES, { files: { "/token": "jwt\n" } });
  deepEqual(await federatedToken(ACCOUNT, "/c.json", clouds.services), {
    value: "federated jwt",
    expiresAtMs: 1_800_000_060_000,
  });
  const url = "https://iamcredentials.googleapis.com/v1/sa:generateAccessToken";
  const token = await federatedToken(
    { ...ACCOUNT, service_account_impersonation_url: url },
    "/c.json",
    clouds.services,
  );
  deepEqual(token, { value: "impersonated", expiresAtMs: Date.parse("2027-01-15T08:00:00Z") });
});

Deno.test("federatedToken takes a token from a URL, out of its JSON", async () => {
  using clouds = fakeClouds(ROUTES);
  const format = { type: "json", subject_token_field_name: "value" };
  const source = { url: "https://ci.example/token", headers: { "x-ci": "1" }, format };
  const token = await federatedToken({ ...ACCOUNT, credential_source: source }, "/c.json", clouds.services);
  equal(token.value, "federated from-url");
});

Deno.test("federatedToken says what is missing or not supported", async () => {
  using clouds = fakeClouds(ROUTES);
  const cases: readonly [changes: Readonly<Record<string, unknown>>, reason: RegExp][] = [
    [{}, /"\/token" has no token/],
    [{ credential_source: { environment_id: "aws1", url: "http://169.254.169.254/x" } }, /only files and URLs/],
    [{ credential_source: {} }, /only files and URLs/],
    [{ audience: undefined }, /"audience" is missing/],
  ];
  for (const [changes, reason] of cases) {
    await rejects(federatedToken({ ...ACCOUNT, ...changes }, "/c.json", clouds.services), reason);
  }
});
