import { deepEqual, equal, rejects } from "node:assert/strict";
import { awsDomain, awsEndpoint, findAwsKeys, type FoundAwsKeys } from "../../../src/registry/aws_credentials.ts";
import { AWS_SECRETS, AWS_SESSION_TOKEN, type CloudRoute, fakeClouds, signedAws } from "../../support/fake_clouds.ts";

const SESSION = {
  accessKeyId: "ASIASESSION",
  secretAccessKey: AWS_SECRETS.ASIASESSION,
  sessionToken: AWS_SESSION_TOKEN,
};
const STATIC = `aws_access_key_id = AKIASTATIC\naws_secret_access_key = ${AWS_SECRETS.AKIASTATIC}\n`;
const STS = "https://sts.eu-west-1.amazonaws.com/";
const KEYS_JSON = {
  AccessKeyId: SESSION.accessKeyId,
  SecretAccessKey: SESSION.secretAccessKey,
  Token: SESSION.sessionToken,
};
const KEYS_XML = `<AssumeRoleResponse><Credentials><AccessKeyId>${SESSION.accessKeyId}</AccessKeyId>
  <SecretAccessKey> ${SESSION.secretAccessKey} </SecretAccessKey><SessionToken>${SESSION.sessionToken}</SessionToken>
  </Credentials></AssumeRoleResponse>`;

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly routes?: readonly CloudRoute[];
}

async function find({ env, files, routes = [] }: Given): Promise<FoundAwsKeys> {
  using clouds = fakeClouds(routes, { ...(env && { env }), ...(files && { files }) });
  return await findAwsKeys("eu-west-1", clouds.services);
}

Deno.test("findAwsKeys takes the environment first", async () => {
  const env = {
    AWS_ACCESS_KEY_ID: "A",
    AWS_SECRET_ACCESS_KEY: "B",
    AWS_WEB_IDENTITY_TOKEN_FILE: "/t",
    AWS_ROLE_ARN: "r",
  };
  deepEqual((await find({ env })).keys, { accessKeyId: "A", secretAccessKey: "B" });
  equal((await find({ env: { ...env, AWS_SESSION_TOKEN: "C" } })).keys.sessionToken, "C");
});

Deno.test("findAwsKeys exchanges a web identity token at the region's token service", async () => {
  const form: Record<string, string> = {};
  const routes: CloudRoute[] = [[`POST ${STS}`, async (request) => {
    equal(request.headers.has("authorization"), false);
    Object.assign(form, Object.fromEntries(new URLSearchParams(await request.text())));
    return new Response(KEYS_XML);
  }]];
  const env = { AWS_WEB_IDENTITY_TOKEN_FILE: "/token", AWS_ROLE_ARN: "arn:aws:iam::1:role/r" };
  const found = await find({ env, routes, files: { "/token": "jwt\n" } });
  deepEqual(found, { keys: SESSION, origin: "web identity as arn:aws:iam::1:role/r" });
  deepEqual(form, {
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: "arn:aws:iam::1:role/r",
    RoleSessionName: "kiln",
    WebIdentityToken: "jwt",
  });
  await rejects(find({ env, routes, files: {} }), /"\/token" has no token/);
});

Deno.test("findAwsKeys takes a profile's keys, and assumes its role with a signed call", async () => {
  const files = {
    "/h/.aws/credentials": `[base]\n${STATIC}`,
    "/h/.aws/config": "[profile ci]\nrole_arn = arn:r\nsource_profile = base\nexternal_id = e",
  };
  deepEqual((await find({ env: { HOME: "/h", AWS_PROFILE: "base" }, files })).keys.accessKeyId, "AKIASTATIC");
  const routes: CloudRoute[] = [[
    `POST ${STS}`,
    signedAws("sts", "eu-west-1", (body) => {
      const form = new URLSearchParams(body);
      return form.get("RoleArn") === "arn:r" && form.get("ExternalId") === "e"
        ? new Response(KEYS_XML)
        : new Response(body, { status: 400 });
    }),
  ]];
  deepEqual(await find({ env: { HOME: "/h", AWS_PROFILE: "ci" }, files, routes }), {
    keys: SESSION,
    origin: "AWS profile ci",
  });
});

Deno.test("findAwsKeys says what it cannot use in a profile", async () => {
  const cases: readonly [config: string, reason: RegExp][] = [
    ["", /profile "p": it has no keys/],
    ["[profile p]\nsso_session = x", /sso_session is not supported/],
    ["[profile p]\ncredential_process = x", /credential_process is not supported/],
    ["[profile p]\nrole_arn=r\nsource_profile=q", /profile "q" has no keys/],
    ["[profile p]\nrole_arn=r\nsource_profile=q\n[profile q]\nrole_arn=r\nsource_profile=p", /has no end/],
  ];
  for (const [config, reason] of cases) {
    const files = { "/h/.aws/config": config };
    await rejects(find({ env: { HOME: "/h", AWS_PROFILE: "p" }, files }), reason, config);
  }
});

Deno.test("findAwsKeys asks the container's agent with its token, and no other host", async () => {
  const routes: CloudRoute[] = [["GET http://169.254.170.", (request) => {
    return request.headers.get("authorization") === "pod-token"
      ? Response.json(KEYS_JSON)
      : new Response(null, { status: 401 });
  }]];
  const url = "http://169.254.170.23/v1/credentials";
  const pod = { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/token" };
  deepEqual((await find({ env: pod, routes, files: { "/token": "pod-token\n" } })).keys, SESSION);
  const ecs = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/x", AWS_CONTAINER_AUTHORIZATION_TOKEN: "pod-token" };
  deepEqual((await find({ env: ecs, routes })).keys, SESSION);
  for (const host of ["evil.example", "169.254.170.230", "127.0.0.1.evil.example"]) {
    const env = { ...pod, AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${host}/` };
    await rejects(find({ env, routes, files: { "/token": "pod-token" } }), /is no agent of this machine/, host);
  }
});

Deno.test("findAwsKeys asks the instance with a session of IMDSv2", async () => {
  const origin = "http://169.254.169.254/latest";
  const hasToken = (request: Request): boolean => request.headers.get("x-aws-ec2-metadata-token") === "imds";
  const routes: CloudRoute[] = [
    [
      `PUT ${origin}/api/token`,
      ({ headers }) => new Response(headers.has("x-aws-ec2-metadata-token-ttl-seconds") ? "imds" : ""),
    ],
    [
      `GET ${origin}/meta-data/iam/security-credentials/my-role`,
      (request) => hasToken(request) ? Response.json(KEYS_JSON) : new Response(null, { status: 401 }),
    ],
    [
      `GET ${origin}/meta-data/iam/security-credentials/`,
      (request) => new Response(hasToken(request) ? "my-role\n" : ""),
    ],
  ];
  deepEqual(await find({ routes }), { keys: SESSION, origin: "AWS instance metadata" });
  await rejects(find({ env: { AWS_EC2_METADATA_DISABLED: "true" }, routes }), /Cannot find AWS credentials/);
  await rejects(find({}), /no connection to 169\.254\.169\.254/);
});

Deno.test("awsEndpoint and awsDomain follow environment and region", () => {
  equal(awsEndpoint({}, "sts", "https://x/"), "https://x/");
  equal(awsEndpoint({ AWS_ENDPOINT_URL: "https://all" }, "sts", "https://x/"), "https://all/");
  equal(awsEndpoint({ AWS_ENDPOINT_URL_ECR_PUBLIC: "https://p" }, "ecr-public", "https://x/"), "https://p/");
  equal(awsDomain("cn-north-1"), "amazonaws.com.cn");
  equal(awsDomain("eu-west-1"), "amazonaws.com");
});
