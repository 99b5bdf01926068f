/**
 * Google's registries (gcr.io, Artifact Registry): which hosts they are, and an access token for them, from a service
 * account's key, workload identity federation, a user's login, or the metadata server.
 */
import * as z from "zod/mini";
import { FormatError } from "../errors.ts";
import { checkDocument, decodeJson } from "../oci/json_document.ts";
import { cloudCall, type CloudServices, type Expiring, formBody } from "./cloud_call.ts";
import type { FoundCredential } from "./credentials.ts";
import { federatedToken } from "./google_federation.ts";
import { GOOGLE_SCOPE, readGoogleToken } from "./google_token.ts";

/** Whether `host` is one of Google's registries: gcr.io and its regions, and `<region>-docker.pkg.dev`. */
export function isGoogleRegistry(host: string): boolean {
  return /^(?:[a-z0-9-]+\.)?gcr\.io$/.test(host) || /^[a-z0-9-]+\.pkg\.dev$/.test(host);
}

/** A token for Google's registries as a login. Throws BuilderErrors. */
export async function googleLogin(services: CloudServices): Promise<Expiring<FoundCredential>> {
  const file = await credentialFile(services);
  const { value, expiresAtMs } = file === undefined ? await metadataToken(services) : await fileToken(file, services);
  const origin = `Google (${file === undefined ? "metadata server" : file.path})`;
  return {
    value: { credential: { kind: "basic", username: "oauth2accesstoken", password: value }, origin },
    expiresAtMs,
  };
}

interface CredentialFile {
  readonly path: string;
  readonly document: unknown;
}

async function credentialFile({ env, readTextFile }: CloudServices): Promise<CredentialFile | undefined> {
  const named = env.GOOGLE_APPLICATION_CREDENTIALS;
  const home = env.CLOUDSDK_CONFIG || (env.HOME && `${env.HOME}/.config/gcloud`);
  const path = named || (home && `${home}/application_default_credentials.json`);
  if (!path) return undefined;
  const text = await readTextFile(path);
  if (text === undefined) {
    if (!named) return undefined;
    throw new FormatError(`Cannot read "${path}", named by GOOGLE_APPLICATION_CREDENTIALS: it does not exist`);
  }
  const kind = { name: `Google credentials in ${path}`, maxBytes: MAX_FILE_BYTES };
  return { path, document: decodeJson(new TextEncoder().encode(text), kind) };
}

async function fileToken({ path, document }: CredentialFile, services: CloudServices): Promise<Expiring<string>> {
  const kind = { name: `Google credentials in ${path}`, maxBytes: MAX_FILE_BYTES };
  const { type } = checkDocument(z.object({ type: z.string() }), document, kind);
  switch (type) {
    case "service_account":
      return await serviceAccountToken(checkDocument(SERVICE_ACCOUNT_SCHEMA, document, kind), services);
    case "external_account":
      return await federatedToken(document, path, services);
    case "authorized_user":
      return await userToken(checkDocument(USER_SCHEMA, document, kind), services);
    default:
      throw new FormatError(`Cannot use Google credentials in ${path}: type "${type.slice(0, 50)}" is not supported`);
  }
}

/** RFC 7523: a token signed with the account's key is exchanged for an access token. */
async function serviceAccountToken(
  account: z.infer<typeof SERVICE_ACCOUNT_SCHEMA>,
  services: CloudServices,
): Promise<Expiring<string>> {
  const url = account.token_uri;
  const nowSeconds = Math.floor(services.now() / 1000);
  const header = { alg: "RS256", typ: "JWT", ...(account.private_key_id && { kid: account.private_key_id }) };
  const claims = {
    iss: account.client_email,
    scope: GOOGLE_SCOPE,
    aud: url,
    iat: nowSeconds,
    exp: nowSeconds + 3600,
  };
  const signed = `${base64Url(JSON.stringify(header))}.${base64Url(JSON.stringify(claims))}`;
  const signature = await signWith(account.private_key, signed);
  const fields = { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: `${signed}.${signature}` };
  const operation = `get a Google token for ${account.client_email}`;
  const answer = await cloudCall({ operation, method: "POST", url, ...formBody(fields) }, services);
  return readGoogleToken(answer, operation, services.now());
}

async function userToken(user: z.infer<typeof USER_SCHEMA>, services: CloudServices): Promise<Expiring<string>> {
  const { client_id, client_secret, refresh_token } = user;
  const fields = { grant_type: "refresh_token", client_id, client_secret, refresh_token };
  const operation = "get a Google token for the user's login";
  const url = "https://oauth2.googleapis.com/token";
  const answer = await cloudCall({ operation, method: "POST", url, ...formBody(fields) }, services);
  return readGoogleToken(answer, operation, services.now());
}

/** The token of the machine's, or the pod's, own service account. */
async function metadataToken(services: CloudServices): Promise<Expiring<string>> {
  const operation = "get a Google token of the metadata server";
  const host = services.env.GCE_METADATA_HOST || "metadata.google.internal";
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
  const headers = { "metadata-flavor": "Google" };
  const answer = await cloudCall({ operation, method: "GET", url, headers, isMetadata: true }, services);
  return readGoogleToken(answer, operation, services.now());
}

async function signWith(pem: string, text: string): Promise<string> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  let key: CryptoKey;
  try {
    const base64 = pem.replace(/-----(?:BEGIN|END) PRIVATE KEY-----/g, "").replace(/\s+/g, "");
    const der = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    key = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  } catch (error: unknown) {
    throw new FormatError("Cannot use Google credentials: the private key is not a PKCS #8 PEM", { cause: error });
  }
  const signature = await crypto.subtle.sign(algorithm, key, new TextEncoder().encode(text));
  return base64Url(new Uint8Array(signature));
}

function base64Url(value: string | Uint8Array): string {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

const MAX_FILE_BYTES = 1024 * 1024;
const SERVICE_ACCOUNT_SCHEMA = z.object({
  client_email: z.string(),
  private_key: z.string(),
  private_key_id: z.exactOptional(z.string()),
  token_uri: z._default(z.string(), "https://oauth2.googleapis.com/token"),
});
const USER_SCHEMA = z.object({ client_id: z.string(), client_secret: z.string(), refresh_token: z.string() });
