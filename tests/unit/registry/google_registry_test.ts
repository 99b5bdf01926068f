import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { googleLogin, isGoogleRegistry } from "../../../src/registry/google_registry.ts";
import { type CloudRoute, fakeClouds, GOOGLE_KEYS, googleClaims } from "../../support/fake_clouds.ts";

const ACCOUNT = {
  type: "service_account",
  client_email: "ci@p.iam.gserviceaccount.com",
  private_key: GOOGLE_KEYS.privateKey,
  private_key_id: "k1",
  token_uri: "https://oauth2.googleapis.com/token",
};
const NAMED = { GOOGLE_APPLICATION_CREDENTIALS: "/key.json" };

Deno.test("isGoogleRegistry knows Google's hosts as a whole, and none that look like them", () => {
  for (const host of ["gcr.io", "eu.gcr.io", "europe-west1-docker.pkg.dev", "docker.pkg.dev"]) {
    equal(isGoogleRegistry(host), true, host);
  }
  const foreign = [
    "evilgcr.io",
    "gcr.io.evil.example",
    "a.b.gcr.io",
    "gcr.io:443",
    "x.pkg.dev.evil",
    "pkg.dev",
    "xgcrxio",
  ];
  for (const host of foreign) equal(isGoogleRegistry(host), false, host);
});

Deno.test("googleLogin signs for a service account", async () => {
  const seen: unknown[] = [];
  const routes: CloudRoute[] = [["POST https://oauth2.googleapis.com/token", async (request) => {
    const form = new URLSearchParams(await request.text());
    equal(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    seen.push(googleClaims(form.get("assertion") ?? ""));
    return Response.json({ access_token: "ya29.x", expires_in: 3600 });
  }]];
  using clouds = fakeClouds(routes, { env: NAMED, files: { "/key.json": JSON.stringify(ACCOUNT) } });
  deepEqual(await googleLogin(clouds.services), {
    value: {
      credential: { kind: "basic", username: "oauth2accesstoken", password: "ya29.x" },
      origin: "Google (/key.json)",
    },
    expiresAtMs: 1_800_003_600_000,
  });
  deepEqual(seen, [{
    iss: ACCOUNT.client_email,
    scope: "https://www.googleapis.com/auth/cloud-platform",
    aud: ACCOUNT.token_uri,
    iat: 1_800_000_000,
    exp: 1_800_003_600,
  }]);
});

Deno.test("googleLogin uses the user's login of gcloud, else the metadata server", async () => {
  const user = { type: "authorized_user", client_id: "c", client_secret: "s", refresh_token: "r" };
  const routes: CloudRoute[] = [
    ["POST https://oauth2.googleapis.com/token", async (request) => {
      const form = new URLSearchParams(await request.text());
      return Response.json({ access_token: `for ${form.get("refresh_token")}`, expires_in: 1 });
    }],
    [
      "GET http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
      ({ headers }) => {
        const isRight = headers.get("metadata-flavor") === "Google";
        return isRight ? Response.json({ access_token: "meta", expires_in: 1 }) : new Response(null, { status: 403 });
      },
    ],
  ];
  const files = { "/h/.config/gcloud/application_default_credentials.json": JSON.stringify(user) };
  using byUser = fakeClouds(routes, { env: { HOME: "/h" }, files });
  const { credential } = (await googleLogin(byUser.services)).value;
  equal(credential.kind === "basic" && credential.password, "for r");
  using byMachine = fakeClouds(routes, { env: { HOME: "/h" } });
  match((await googleLogin(byMachine.services)).value.origin, /metadata server/);
});

Deno.test("googleLogin refuses broken files, other kinds, and token services without TLS", async () => {
  const cases: readonly [file: unknown, reason: RegExp][] = [
    [{ ...ACCOUNT, private_key: "x" }, /the private key is not a PKCS #8 PEM/],
    [{ ...ACCOUNT, token_uri: "http://oauth2.googleapis.com/token" }, /is not https/],
    [{ type: "impersonated_service_account" }, /type "impersonated_service_account" is not supported/],
    [{}, /Google credentials in \/key\.json: "type" is missing/],
    [{ type: "service_account" }, /"client_email" is missing/],
  ];
  for (const [file, reason] of cases) {
    using clouds = fakeClouds([], { env: NAMED, files: { "/key.json": JSON.stringify(file) } });
    await rejects(googleLogin(clouds.services), reason);
  }
  using missing = fakeClouds([], { env: NAMED });
  await rejects(googleLogin(missing.services), /it does not exist/);
});
