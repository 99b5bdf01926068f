import { deepEqual, equal, rejects } from "node:assert/strict";
import { ecrLogin, ecrRegistry } from "../../../src/registry/aws_registry.ts";
import {
  AWS_SECRETS,
  type CloudRoute,
  ECR_PASSWORD,
  ecrAnswer,
  fakeClouds,
  signedAws,
} from "../../support/fake_clouds.ts";

const ENV = { AWS_ACCESS_KEY_ID: "AKIASTATIC", AWS_SECRET_ACCESS_KEY: AWS_SECRETS.AKIASTATIC ?? "" };

Deno.test("ecrRegistry knows ECR's hosts as a whole, and none that look like them", () => {
  const own: readonly [host: string, region: string, isPublic: boolean, isFips: boolean][] = [
    ["123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1", false, false],
    ["123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", false, true],
    ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", false, false],
    ["123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1", false, false],
    ["public.ecr.aws", "us-east-1", true, false],
  ];
  for (const [host, region, isPublic, isFips] of own) deepEqual(ecrRegistry(host), { region, isPublic, isFips }, host);
  const foreign = [
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
    "evil.example/123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "x123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "12345.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com:443",
    "123456789012.dkr.ecr.evil.example.amazonaws.com",
    "123456789012.dkrxecr.eu-west-1.amazonaws.com",
    "public.ecr.aws.evil.example",
    "evilpublic.ecr.aws",
  ];
  for (const host of foreign) equal(ecrRegistry(host), undefined, host);
});

Deno.test("ecrLogin signs its call, for private and public registries", async () => {
  const isFor = (request: Request, prefix: string): boolean =>
    request.headers.get("x-amz-target") === `${prefix}.GetAuthorizationToken`;
  const routes: CloudRoute[] = [
    [
      "POST https://api.ecr.eu-west-1.amazonaws.com/",
      signedAws("ecr", "eu-west-1", (body, request) => {
        const isRight = body === "{}" && isFor(request, "AmazonEC2ContainerRegistry_V20150921");
        return isRight ? ecrAnswer(1_800_043_200) : new Response(null, { status: 400 });
      }),
    ],
    [
      "POST https://api.ecr-public.us-east-1.amazonaws.com/",
      signedAws("ecr-public", "us-east-1", (_body, request) => {
        if (!isFor(request, "SpencerFrontendService")) return new Response(null, { status: 400 });
        return Response.json({
          authorizationData: { authorizationToken: btoa("AWS:public"), expiresAt: 1_800_000_001 },
        });
      }),
    ],
  ];
  using clouds = fakeClouds(routes, { env: ENV });
  const registry = { region: "eu-west-1", isPublic: false, isFips: false };
  deepEqual(await ecrLogin(registry, clouds.services), {
    value: {
      credential: { kind: "basic", username: "AWS", password: ECR_PASSWORD },
      origin: "Amazon ECR (AWS_ACCESS_KEY_ID)",
    },
    expiresAtMs: 1_800_043_200_000,
  });
  const open = await ecrLogin({ region: "us-east-1", isPublic: true, isFips: false }, clouds.services);
  deepEqual(open.value.credential, { kind: "basic", username: "AWS", password: "public" });
});

Deno.test("ecrLogin refuses answers that are no login, and a wrong secret is refused by the service", async () => {
  const registry = { region: "eu-west-1", isPublic: false, isFips: false };
  for (const token of ["", "!", btoa("AWS:"), btoa("nothing")]) {
    const answer = (): Response => Response.json({ authorizationData: [{ authorizationToken: token }] });
    using clouds = fakeClouds([["POST https://api.ecr.", answer]], { env: ENV });
    await rejects(ecrLogin(registry, clouds.services), /the answer has no login/, token);
  }
  const env = { ...ENV, AWS_SECRET_ACCESS_KEY: "wrong" };
  const route: CloudRoute = ["POST https://api.ecr.", signedAws("ecr", "eu-west-1", () => ecrAnswer(0))];
  using clouds = fakeClouds([route], { env });
  await rejects(ecrLogin(registry, clouds.services), /Cannot get a login of Amazon ECR in eu-west-1: .*\(403\)/);
});
