/**
 * Azure's container registry: which hosts it has, and its refresh token, exchanged for a token of Entra ID that comes from
 * a client secret, a workload identity or a managed identity.
 */
import * as z from "zod/mini";
import { FormatError } from "../errors.ts";
import { checkDocument, decodeJson } from "../oci/json_document.ts";
import { cloudCall, type CloudServices, type Expiring, formBody } from "./cloud_call.ts";
import type { FoundCredential } from "./credentials.ts";

/** One of Azure's clouds, by the end of its registries' names. */
export interface AzureCloud {
  readonly authority: string;
  /** What tokens are asked for. */
  readonly resource: string;
}

/** The cloud of the registry that `host` is, or undefined. The whole host counts: no other host ever gets a token. */
export function azureCloud(host: string): AzureCloud | undefined {
  const ending = /^[a-z0-9]{1,50}(?:-[a-z0-9]{1,50})?\.azurecr\.(io|cn|us|de)$/.exec(host)?.[1];
  return ending === undefined ? undefined : CLOUDS[ending];
}

/** The login for the registry `host`. Throws BuilderErrors. */
export async function azureLogin(
  host: string,
  cloud: AzureCloud,
  services: CloudServices,
): Promise<Expiring<FoundCredential>> {
  const { token, origin } = await entraToken(cloud, services);
  const tenant = services.env.AZURE_TENANT_ID;
  const fields = { grant_type: "access_token", service: host, access_token: token, ...(tenant && { tenant }) };
  const operation = `exchange a token of Entra ID at ${host}`;
  const call = { operation, method: "POST", url: `https://${host}/oauth2/exchange`, ...formBody(fields) } as const;
  const { refresh_token } = read(REFRESH_SCHEMA, await cloudCall(call, services), operation);
  const value = { credential: { kind: "identity-token", token: refresh_token }, origin: `Azure (${origin})` } as const;
  return { value, expiresAtMs: services.now() + REFRESH_TOKEN_MS };
}

interface EntraToken {
  readonly token: string;
  readonly origin: string;
}

async function entraToken(cloud: AzureCloud, services: CloudServices): Promise<EntraToken> {
  const { AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_CLIENT_SECRET, AZURE_FEDERATED_TOKEN_FILE } = services.env;
  if (AZURE_CLIENT_ID && AZURE_TENANT_ID && AZURE_CLIENT_SECRET) {
    const fields = { client_secret: AZURE_CLIENT_SECRET };
    return { token: await clientToken(cloud, fields, services), origin: "client secret" };
  }
  const assertion = AZURE_FEDERATED_TOKEN_FILE
    ? await services.readTextFile(AZURE_FEDERATED_TOKEN_FILE)
    : services.env.AZURE_FEDERATED_TOKEN;
  if (AZURE_CLIENT_ID && AZURE_TENANT_ID && assertion) {
    const fields = {
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: assertion.trim(),
    };
    return { token: await clientToken(cloud, fields, services), origin: "workload identity" };
  }
  if (AZURE_FEDERATED_TOKEN_FILE) {
    throw new FormatError(
      `Cannot use Azure's workload identity: "${AZURE_FEDERATED_TOKEN_FILE}" has no token, or ` +
        "AZURE_CLIENT_ID or AZURE_TENANT_ID is not set",
    );
  }
  return { token: await managedToken(cloud, services), origin: "managed identity" };
}

async function clientToken(
  cloud: AzureCloud,
  proof: Readonly<Record<string, string>>,
  services: CloudServices,
): Promise<string> {
  const { AZURE_CLIENT_ID = "", AZURE_TENANT_ID = "", AZURE_AUTHORITY_HOST } = services.env;
  const authority = (AZURE_AUTHORITY_HOST || cloud.authority).replace(/\/+$/, "");
  const operation = `get a token of Entra ID for client ${AZURE_CLIENT_ID}`;
  const fields = {
    grant_type: "client_credentials",
    client_id: AZURE_CLIENT_ID,
    scope: `${cloud.resource}/.default`,
    ...proof,
  };
  const url = `${authority}/${encodeURIComponent(AZURE_TENANT_ID)}/oauth2/v2.0/token`;
  const answer = await cloudCall({ operation, method: "POST", url, ...formBody(fields) }, services);
  return read(TOKEN_SCHEMA, answer, operation).access_token;
}

/** The machine's own identity: App Service and Container Apps name an address, virtual machines have a fixed one. */
async function managedToken(cloud: AzureCloud, services: CloudServices): Promise<string> {
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER, AZURE_CLIENT_ID } = services.env;
  const isApp = Boolean(IDENTITY_ENDPOINT && IDENTITY_HEADER);
  const url = new URL(isApp ? IDENTITY_ENDPOINT ?? "" : "http://169.254.169.254/metadata/identity/oauth2/token");
  url.searchParams.set("api-version", isApp ? "2019-08-01" : "2018-02-01");
  url.searchParams.set("resource", cloud.resource);
  if (AZURE_CLIENT_ID) url.searchParams.set("client_id", AZURE_CLIENT_ID);
  const headers: Record<string, string> = isApp ? { "x-identity-header": IDENTITY_HEADER ?? "" } : { metadata: "true" };
  const operation = "get a token of Azure's managed identity";
  const answer = await cloudCall({ operation, method: "GET", url: url.href, headers, isMetadata: true }, services);
  return read(TOKEN_SCHEMA, answer, operation).access_token;
}

function read<T>(schema: z.ZodMiniType<T>, answer: string, operation: string): T {
  const kind = { name: `the answer to "${operation}"`, maxBytes: MAX_ANSWER_BYTES };
  return checkDocument(schema, decodeJson(new TextEncoder().encode(answer), kind), kind);
}

/** Registries give refresh tokens for three hours; a new one is asked for well before. */
const REFRESH_TOKEN_MS = 60 * 60 * 1000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const CLOUDS: Readonly<Record<string, AzureCloud>> = {
  io: { authority: "https://login.microsoftonline.com", resource: "https://containerregistry.azure.net" },
  cn: { authority: "https://login.chinacloudapi.cn", resource: "https://management.chinacloudapi.cn" },
  us: { authority: "https://login.microsoftonline.us", resource: "https://management.usgovcloudapi.net" },
  de: { authority: "https://login.microsoftonline.de", resource: "https://management.microsoftazure.de" },
};
const TOKEN_SCHEMA = z.object({ access_token: z.string().check(z.minLength(1)) });
const REFRESH_SCHEMA = z.object({ refresh_token: z.string().check(z.minLength(1)) });
