import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { azureCloud, azureLogin } from "../../../src/registry/azure_registry.ts";
import type { FoundCredential } from "../../../src/registry/credentials.ts";
import { type CloudRoute, fakeClouds } from "../../support/fake_clouds.ts";

const HOST = "team.azurecr.io";
const CLIENT = { AZURE_CLIENT_ID: "client", AZURE_TENANT_ID: "tenant" };

/** The registry's exchange for a token of Entra ID that `wanted` names. */
function exchange(wanted: string): CloudRoute {
  return [`POST https://${HOST}/oauth2/exchange`, async (request) => {
    const form = Object.fromEntries(new URLSearchParams(await request.text()));
    const isRight = form.grant_type === "access_token" && form.service === HOST && form.access_token === wanted;
    return isRight ? Response.json({ refresh_token: "refresh" }) : new Response(null, { status: 401 });
  }];
}

async function login(
  routes: readonly CloudRoute[],
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): Promise<FoundCredential> {
  using clouds = fakeClouds(routes, { env, files });
  const cloud = azureCloud(HOST);
  ok(cloud);
  return (await azureLogin(HOST, cloud, clouds.services)).value;
}

Deno.test("azureCloud knows Azure's hosts as a whole, and none that look like them", () => {
  equal(azureCloud(HOST)?.authority, "https://login.microsoftonline.com");
  equal(azureCloud("team.azurecr.cn")?.authority, "https://login.chinacloudapi.cn");
  ok(azureCloud("team-abc123.azurecr.us"));
  const foreign = [
    "team.azurecr.io.evil.example",
    "evil.example.azurecr.io",
    "teamazurecr.io",
    "team.azurecrxio",
    "azurecr.io",
    "team.azurecr.io:443",
    "team.azurecr.com",
  ];
  for (const host of foreign) equal(azureCloud(host), undefined, host);
});

Deno.test("azureLogin proves the client by secret or by federated token", async () => {
  const route: CloudRoute = ["POST https://login.microsoftonline.com/tenant/oauth2/v2.0/token", async (request) => {
    const form = Object.fromEntries(new URLSearchParams(await request.text()));
    equal(form.grant_type, "client_credentials");
    equal(form.scope, "https://containerregistry.azure.net/.default");
    const proof = form.client_secret ??
      (form.client_assertion_type?.endsWith(":jwt-bearer") ? form.client_assertion : undefined);
    return Response.json({ access_token: `${form.client_id} by ${proof}` });
  }];
  deepEqual(await login([route, exchange("client by s3cret")], { ...CLIENT, AZURE_CLIENT_SECRET: "s3cret" }), {
    credential: { kind: "identity-token", token: "refresh" },
    origin: "Azure (client secret)",
  });
  const env = { ...CLIENT, AZURE_FEDERATED_TOKEN_FILE: "/token" };
  const { origin } = await login([route, exchange("client by jwt")], env, { "/token": "jwt\n" });
  equal(origin, "Azure (workload identity)");
  await rejects(login([route], env), /"\/token" has no token/);
});

Deno.test("azureLogin asks the machine's own identity where it lives", async () => {
  const machine: CloudRoute = ["GET http://169.254.169.254/metadata/identity/oauth2/token?", ({ headers, url }) => {
    const { searchParams } = new URL(url);
    const isRight = headers.get("metadata") === "true" &&
      searchParams.get("resource") === "https://containerregistry.azure.net" && searchParams.get("client_id") === "me";
    return isRight ? Response.json({ access_token: "vm" }) : new Response(null, { status: 400 });
  }];
  equal((await login([machine, exchange("vm")], { AZURE_CLIENT_ID: "me" })).origin, "Azure (managed identity)");
  const app: CloudRoute = ["GET http://127.0.0.1:41/msi?", ({ headers }) => {
    return Response.json({ access_token: headers.get("x-identity-header") });
  }];
  const env = { IDENTITY_ENDPOINT: "http://127.0.0.1:41/msi", IDENTITY_HEADER: "secret" };
  equal((await login([app, exchange("secret")], env)).origin, "Azure (managed identity)");
});
