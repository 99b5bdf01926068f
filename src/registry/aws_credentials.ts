/**
 * Who we are at AWS, in the order of its SDKs: environment, web identity (IRSA), profile, container (ECS, EKS pod
 * identity), instance (IMDSv2).
 */
import * as z from "zod/mini";
import { FormatError } from "../errors.ts";
import { checkDocument, decodeJson } from "../oci/json_document.ts";
import { type AwsProfile, readAwsProfile } from "./aws_profile.ts";
import { type AwsKeys, signAwsRequest } from "./aws_signature.ts";
import { cloudCall, type CloudServices, formBody } from "./cloud_call.ts";

/** Keys, and in words where they came from. */
export interface FoundAwsKeys {
  readonly keys: AwsKeys;
  readonly origin: string;
}

/** The keys. `region` is that of the registry, for the token service beside it. Throws BuilderErrors, saying what failed. */
export async function findAwsKeys(region: string, services: CloudServices): Promise<FoundAwsKeys> {
  const { env } = services;
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = env;
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    const keys = makeKeys(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN);
    return { keys, origin: "AWS_ACCESS_KEY_ID" };
  }
  const roleArn = env.AWS_ROLE_ARN;
  if (env.AWS_WEB_IDENTITY_TOKEN_FILE && roleArn) {
    const role = { roleArn, tokenFile: env.AWS_WEB_IDENTITY_TOKEN_FILE, session: env.AWS_ROLE_SESSION_NAME };
    return { keys: await assumeWithToken(role, region, services), origin: `web identity as ${roleArn}` };
  }
  const name = env.AWS_PROFILE || "default";
  const profile = await readAwsProfile(name, services);
  if (profile.size > 0 || env.AWS_PROFILE) {
    const keys = await profileKeys(name, profile, { region, services, depth: 0 });
    if (keys !== undefined) return { keys, origin: `AWS profile ${name}` };
    if (env.AWS_PROFILE) throw new FormatError(`Cannot use AWS profile "${name}": it has no keys that kiln can use`);
  }
  const container = await containerKeys(services);
  if (container !== undefined) return { keys: container, origin: "AWS container credentials" };
  if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === "true") throw new FormatError("Cannot find AWS credentials");
  return { keys: await instanceKeys(services), origin: "AWS instance metadata" };
}

/** The address of an AWS service, which AWS_ENDPOINT_URL_<SERVICE> and AWS_ENDPOINT_URL replace. */
export function awsEndpoint(env: CloudServices["env"], service: string, usual: string): string {
  const name = service.toUpperCase().replaceAll("-", "_");
  const url = env[`AWS_ENDPOINT_URL_${name}`] || env.AWS_ENDPOINT_URL || usual;
  return url.endsWith("/") ? url : `${url}/`;
}

/** The domain of a region's services. */
export function awsDomain(region: string): string {
  return region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

interface ProfileSearch {
  readonly region: string;
  readonly services: CloudServices;
  /** How many `source_profile` were followed. */
  readonly depth: number;
}

async function profileKeys(name: string, profile: AwsProfile, search: ProfileSearch): Promise<AwsKeys | undefined> {
  const { region, services, depth } = search;
  const roleArn = profile.get("role_arn");
  const tokenFile = profile.get("web_identity_token_file");
  const session = profile.get("role_session_name");
  if (roleArn !== undefined && tokenFile !== undefined) {
    return await assumeWithToken({ roleArn, tokenFile, session }, region, services);
  }
  const source = profile.get("source_profile");
  if (roleArn !== undefined && source !== undefined && source !== name) {
    if (depth >= MAX_SOURCES) throw new FormatError(`Cannot use AWS profile "${name}": its source_profile has no end`);
    const sourceProfile = await readAwsProfile(source, services);
    const keys = await profileKeys(source, sourceProfile, { ...search, depth: depth + 1 });
    if (keys === undefined) throw new FormatError(`Cannot use AWS profile "${name}": profile "${source}" has no keys`);
    const externalId = profile.get("external_id");
    return await assumeRole({ roleArn, session, externalId }, keys, { region, services });
  }
  const id = profile.get("aws_access_key_id");
  const secret = profile.get("aws_secret_access_key");
  if (id && secret) {
    const keys = makeKeys(id, secret, profile.get("aws_session_token"));
    return roleArn === undefined ? keys : await assumeRole({ roleArn, session }, keys, { region, services });
  }
  const other = ["credential_process", "sso_start_url", "sso_session"].find((key) => profile.has(key));
  if (other !== undefined) throw new FormatError(`Cannot use AWS profile "${name}": ${other} is not supported`);
  return undefined;
}

/** STS AssumeRoleWithWebIdentity: the token of a Kubernetes service account or a CI job stands for a role. */
async function assumeWithToken(
  role: { readonly roleArn: string; readonly tokenFile: string; readonly session: string | undefined },
  region: string,
  services: CloudServices,
): Promise<AwsKeys> {
  const token = (await services.readTextFile(role.tokenFile))?.trim();
  if (!token) throw new FormatError(`Cannot use AWS web identity: "${role.tokenFile}" has no token`);
  const fields = {
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: role.roleArn,
    RoleSessionName: role.session || SESSION_NAME,
    WebIdentityToken: token,
  };
  const operation = `assume the AWS role ${role.roleArn} by web identity`;
  const call = { operation, method: "POST", url: stsUrl(region, services), ...formBody(fields) } as const;
  return readStsKeys(await cloudCall(call, services), operation);
}

async function assumeRole(
  role: { readonly roleArn: string; readonly session: string | undefined; readonly externalId?: string | undefined },
  keys: AwsKeys,
  { region, services }: Pick<ProfileSearch, "region" | "services">,
): Promise<AwsKeys> {
  const { headers = {}, body = "" } = formBody({
    Action: "AssumeRole",
    Version: "2011-06-15",
    RoleArn: role.roleArn,
    RoleSessionName: role.session || SESSION_NAME,
    ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
  });
  const url = stsUrl(region, services);
  const request = { method: "POST", url, headers, body, region, service: "sts" } as const;
  const operation = `assume the AWS role ${role.roleArn}`;
  const signed = await signAwsRequest(request, keys, services.now());
  return readStsKeys(await cloudCall({ operation, method: "POST", url, headers: signed, body }, services), operation);
}

function stsUrl(region: string, { env }: CloudServices): string {
  return awsEndpoint(env, "sts", `https://sts.${region}.${awsDomain(region)}/`);
}

/** STS answers in XML of a fixed form; asked for JSON, some of its doubles give the same names in JSON. */
function readStsKeys(answer: string, operation: string): AwsKeys {
  const field = (name: string): string =>
    new RegExp(`<${name}>\\s*([^<]+?)\\s*</${name}>`).exec(answer)?.[1] ??
      new RegExp(`"${name}"\\s*:\\s*"([^"]+)"`).exec(answer)?.[1] ?? "";
  const [id, secret, token] = [field("AccessKeyId"), field("SecretAccessKey"), field("SessionToken")];
  if (id === "" || secret === "" || token === "") throw new FormatError(`Cannot ${operation}: the answer has no keys`);
  return makeKeys(id, secret, token);
}

/** ECS tasks and EKS pod identity: an agent on the machine, asked with a token that it gave out before. */
async function containerKeys(services: CloudServices): Promise<AwsKeys | undefined> {
  const { env, readTextFile } = services;
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const url = relative ? new URL(relative, "http://169.254.170.2").href : env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  if (!url) return undefined;
  const operation = "get AWS container credentials";
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  if (!url.startsWith("https:") && !AGENT_HOSTS.test(host)) {
    throw new FormatError(`Cannot ${operation}: "${host}" is no agent of this machine`);
  }
  const tokenFile = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  const token = tokenFile ? (await readTextFile(tokenFile))?.trim() : env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  const headers: Record<string, string> = token ? { authorization: token } : {};
  return readKeys(await cloudCall({ operation, method: "GET", url, headers, isMetadata: true }, services), operation);
}

/** IMDSv2: a session token first, then the role of the instance, then its keys. */
async function instanceKeys(services: CloudServices): Promise<AwsKeys> {
  const operation = "get AWS credentials of this instance";
  const origin = (services.env.AWS_EC2_METADATA_SERVICE_ENDPOINT || "http://169.254.169.254").replace(/\/+$/, "");
  const call = { operation, isMetadata: true } as const;
  const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": "300" };
  const token = await cloudCall({ ...call, method: "PUT", url: `${origin}/latest/api/token`, headers: ttl }, services);
  const get = { ...call, method: "GET", headers: { "x-aws-ec2-metadata-token": token.trim() } } as const;
  const roles = `${origin}/latest/meta-data/iam/security-credentials/`;
  const role = (await cloudCall({ ...get, url: roles }, services)).trim().split("\n")[0] ?? "";
  return readKeys(await cloudCall({ ...get, url: `${roles}${encodeURIComponent(role)}` }, services), operation);
}

function readKeys(answer: string, operation: string): AwsKeys {
  const kind = { name: `the answer to "${operation}"`, maxBytes: MAX_ANSWER_BYTES };
  const keys = checkDocument(KEYS_SCHEMA, decodeJson(new TextEncoder().encode(answer), kind), kind);
  return makeKeys(keys.AccessKeyId, keys.SecretAccessKey, keys.Token);
}

function makeKeys(accessKeyId: string, secretAccessKey: string, sessionToken: string | undefined): AwsKeys {
  return sessionToken ? { accessKeyId, secretAccessKey, sessionToken } : { accessKeyId, secretAccessKey };
}

const SESSION_NAME = "kiln";
const MAX_SOURCES = 5;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** The link-local addresses of the agents, and loopback. */
const AGENT_HOSTS = /^(?:169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\]|localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const KEYS_SCHEMA = z.object({
  AccessKeyId: z.string(),
  SecretAccessKey: z.string(),
  Token: z.exactOptional(z.string()),
});
