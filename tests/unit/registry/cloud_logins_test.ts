import { deepEqual, equal, match } from "node:assert/strict";
import { createCloudLogins } from "../../../src/registry/cloud_logins.ts";
import { CREDENTIAL_HELPERS, type CredentialHelper } from "../../../src/registry/registry_options.ts";
import { AWS_SECRETS, type CloudRoute, ecrAnswer, fakeClouds, signedAws } from "../../support/fake_clouds.ts";

const ALL: ReadonlySet<CredentialHelper> = new Set(CREDENTIAL_HELPERS);
const HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const ENV = { AWS_ACCESS_KEY_ID: "AKIASTATIC", AWS_SECRET_ACCESS_KEY: AWS_SECRETS.AKIASTATIC ?? "" };
const ECR: CloudRoute = ["POST https://api.ecr.", signedAws("ecr", "eu-west-1", () => ecrAnswer(1_800_000_600))];

Deno.test("createCloudLogins asks a cloud once until the login nears its end", async () => {
  using clouds = fakeClouds([ECR], { env: ENV });
  const logins = createCloudLogins(clouds.services);
  const found = await Promise.all([logins.find(HOST, ALL, []), logins.find(HOST, ALL, [])]);
  equal(found[0]?.credential.kind, "basic");
  await logins.find(HOST, ALL, []);
  const before = clouds.calls.length;
  equal(before, 1);
  clouds.advance(7 * 60_000);
  await logins.find(HOST, ALL, []);
  equal(clouds.calls.length, before, "the login is still good");
  clouds.advance(2 * 60_000);
  await logins.find(HOST, ALL, []);
  equal(clouds.calls.length, before + 1);
});

Deno.test("createCloudLogins notes a failure in words and asks again a minute later", async () => {
  using clouds = fakeClouds([ECR], { env: { ...ENV, AWS_SECRET_ACCESS_KEY: "wrong" } });
  const logins = createCloudLogins(clouds.services);
  const notes: string[] = [];
  equal(await logins.find(HOST, ALL, notes), undefined);
  equal(await logins.find(HOST, ALL, notes), undefined);
  equal(clouds.calls.length, 1);
  match(notes[0] ?? "", /Cannot get a login of Amazon ECR in eu-west-1: .*403/);
  equal(notes.join().includes("wrong"), false);
  clouds.advance(61_000);
  await logins.find(HOST, ALL, notes);
  equal(clouds.calls.length, 2);
});

Deno.test("createCloudLogins asks nobody for other hosts, or when the helper is turned off", async () => {
  using clouds = fakeClouds([ECR], { env: ENV });
  const logins = createCloudLogins(clouds.services);
  for (
    const host of [
      "r.io",
      "index.docker.io",
      `${HOST}.evil.example`,
      "gcr.io.evil",
      "x.azurecr.io.evil",
      "127.0.0.1:5000",
    ]
  ) {
    equal(await logins.find(host, ALL, []), undefined, host);
  }
  equal(await logins.find(HOST, new Set<CredentialHelper>(["env", "google", "acr", "gitlab"]), []), undefined);
  deepEqual(clouds.calls, []);
});
