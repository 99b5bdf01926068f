/** Workload identity federation: a token of another system is exchanged for one of Google's. Source: AIP-4117, RFC 8693. */
import * as z from "zod/mini";
import { FormatError } from "../errors.ts";
import { checkDocument, decodeJson } from "../oci/json_document.ts";
import { cloudCall, type CloudServices, type Expiring, formBody } from "./cloud_call.ts";
import { GOOGLE_SCOPE, readGoogleToken } from "./google_token.ts";

/** The token for the `external_account` credentials that `path` holds. Throws BuilderErrors. */
export async function federatedToken(
  document: unknown,
  path: string,
  services: CloudServices,
): Promise<Expiring<string>> {
  const kind = { name: `Google credentials in ${path}`, maxBytes: MAX_BYTES };
  const account = checkDocument(ACCOUNT_SCHEMA, document, kind);
  const fields = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: account.audience,
    scope: GOOGLE_SCOPE,
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token_type: account.subject_token_type,
    subject_token: await subjectToken(account, path, services),
  };
  const operation = "exchange a token at Google";
  const call = { operation, method: "POST", url: account.token_url, ...formBody(fields) } as const;
  const token = readGoogleToken(await cloudCall(call, services), operation, services.now());
  const url = account.service_account_impersonation_url;
  return url === undefined ? token : await impersonate(url, token.value, services);
}

type Account = z.infer<typeof ACCOUNT_SCHEMA>;

async function subjectToken(account: Account, path: string, services: CloudServices): Promise<string> {
  const { file, url, headers, format } = account.credential_source;
  let text: string | undefined;
  if (file !== undefined) text = await services.readTextFile(file);
  else if (url !== undefined && account.credential_source.environment_id === undefined) {
    const operation = "get the token to exchange at Google";
    // The address is a service of the CI system or of the machine; its answer is the secret.
    const isMetadata = url.startsWith("http:");
    text = await cloudCall({ operation, method: "GET", url, headers: headers ?? {}, isMetadata }, services);
  } else {
    throw new FormatError(
      `Cannot use Google credentials in ${path}: only files and URLs are supported as their source`,
    );
  }
  const token = format?.type === "json" ? jsonField(text ?? "", format.subject_token_field_name ?? "", path) : text;
  if (token === undefined || token.trim() === "") {
    throw new FormatError(`Cannot use Google credentials in ${path}: "${file ?? "their URL"}" has no token`);
  }
  return token.trim();
}

function jsonField(text: string, field: string, path: string): string | undefined {
  const kind = { name: `the token that ${path} names`, maxBytes: MAX_BYTES };
  const document = checkDocument(
    z.record(z.string(), z.unknown()),
    decodeJson(new TextEncoder().encode(text), kind),
    kind,
  );
  const value = document[field];
  return typeof value === "string" ? value : undefined;
}

async function impersonate(url: string, token: string, services: CloudServices): Promise<Expiring<string>> {
  const operation = "get a Google token of a service account";
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const body = JSON.stringify({ scope: [GOOGLE_SCOPE] });
  const answer = await cloudCall({ operation, method: "POST", url, headers, body }, services);
  const kind = { name: `the answer to "${operation}"`, maxBytes: MAX_BYTES };
  const document = checkDocument(IMPERSONATION_SCHEMA, decodeJson(new TextEncoder().encode(answer), kind), kind);
  return { value: document.accessToken, expiresAtMs: Date.parse(document.expireTime) || 0 };
}

const MAX_BYTES = 1024 * 1024;
const ACCOUNT_SCHEMA = z.object({
  audience: z.string(),
  subject_token_type: z.string(),
  token_url: z.string(),
  service_account_impersonation_url: z.exactOptional(z.string()),
  credential_source: z.object({
    file: z.exactOptional(z.string()),
    url: z.exactOptional(z.string()),
    environment_id: z.exactOptional(z.string()),
    headers: z.exactOptional(z.record(z.string(), z.string())),
    format: z.exactOptional(z.object({
      type: z.string(),
      subject_token_field_name: z.exactOptional(z.string()),
    })),
  }),
});
const IMPERSONATION_SCHEMA = z.object({ accessToken: z.string(), expireTime: z.string() });
