/** Amazon ECR: which hosts are its registries, private and public, and the login that it gives for twelve hours. */
import * as z from "zod/mini";
import { FormatError } from "../errors.ts";
import { checkDocument, decodeJson } from "../oci/json_document.ts";
import { awsDomain, awsEndpoint, findAwsKeys } from "./aws_credentials.ts";
import { signAwsRequest } from "./aws_signature.ts";
import { cloudCall, type CloudServices, type Expiring } from "./cloud_call.ts";
import type { FoundCredential } from "./credentials.ts";

/** One registry of ECR. */
export interface EcrRegistry {
  readonly region: string;
  readonly isPublic: boolean;
  readonly isFips: boolean;
}

/** The registry of ECR that `host` is, or undefined. The whole host counts: no other host ever gets a login. */
export function ecrRegistry(host: string): EcrRegistry | undefined {
  if (host === "public.ecr.aws" || host === "ecr-public.aws.com") {
    return { region: "us-east-1", isPublic: true, isFips: false };
  }
  const match = PRIVATE_HOST.exec(host);
  return match?.[2] === undefined ? undefined : { region: match[2], isPublic: false, isFips: match[1] !== undefined };
}

/** The login for `registry`. Throws BuilderErrors. */
export async function ecrLogin(registry: EcrRegistry, services: CloudServices): Promise<Expiring<FoundCredential>> {
  const { region, isPublic } = registry;
  const { keys, origin } = await findAwsKeys(region, services);
  const operation = `get a login of Amazon ECR in ${region}`;
  const service = isPublic ? "ecr-public" : "ecr";
  const url = awsEndpoint(services.env, service, usualEndpoint(registry));
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": isPublic
      ? "SpencerFrontendService.GetAuthorizationToken"
      : "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
  };
  const request = { method: "POST", url, headers, body: "{}", region, service } as const;
  const signed = await signAwsRequest(request, keys, services.now());
  const answer = await cloudCall({ operation, method: "POST", url, headers: signed, body: "{}" }, services);
  return readLogin(answer, operation, `Amazon ECR (${origin})`);
}

function usualEndpoint({ region, isPublic, isFips }: EcrRegistry): string {
  if (isPublic) return "https://api.ecr-public.us-east-1.amazonaws.com/";
  return `https://${isFips ? "ecr-fips" : "api.ecr"}.${region}.${awsDomain(region)}/`;
}

function readLogin(answer: string, operation: string, origin: string): Expiring<FoundCredential> {
  const kind = { name: `the answer to "${operation}"`, maxBytes: MAX_ANSWER_BYTES };
  const document = checkDocument(ANSWER_SCHEMA, decodeJson(new TextEncoder().encode(answer), kind), kind);
  const list = Array.isArray(document.authorizationData) ? document.authorizationData : [document.authorizationData];
  const data: z.infer<typeof DATA_SCHEMA> | undefined = list[0];
  const [username = "", password = ""] = decode(data?.authorizationToken ?? "").split(/:(.*)/s);
  if (data === undefined || password === "") throw new FormatError(`Cannot ${operation}: the answer has no login`);
  const expiresAtMs = (data.expiresAt ?? 0) * 1000;
  return { value: { credential: { kind: "basic", username, password }, origin }, expiresAtMs };
}

function decode(base64: string): string {
  try {
    return atob(base64);
  } catch {
    // Not base64, so no login; the caller says so.
    return "";
  }
}

/** Account, region and domain: `<account>.dkr.ecr[-fips].<region>.amazonaws.com[.cn]` or `.dkr-ecr[-fips].<region>.on.aws`. */
const PRIVATE_HOST =
  /^\d{12}\.(?:dkr\.ecr|dkr-ecr)(-fips)?\.([a-z]{2,}(?:-[a-z]+)+-\d+)\.(?:amazonaws\.com|amazonaws\.com\.cn|on\.aws|on\.amazonwebservices\.com\.cn)$/;
const MAX_ANSWER_BYTES = 1024 * 1024;
const DATA_SCHEMA = z.object({ authorizationToken: z.string(), expiresAt: z.exactOptional(z.number()) });
const ANSWER_SCHEMA = z.object({ authorizationData: z.union([z.array(DATA_SCHEMA), DATA_SCHEMA]) });
