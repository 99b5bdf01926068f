/** Access tokens of Google: what they are asked for, and how the token services answer. */
import * as z from "zod/mini";
import { checkDocument, decodeJson } from "../oci/json_document.ts";
import type { Expiring } from "./cloud_call.ts";

/** What a token service of Google answers. */
export function readGoogleToken(answer: string, operation: string, nowMs: number): Expiring<string> {
  const kind = { name: `the answer to "${operation}"`, maxBytes: MAX_ANSWER_BYTES };
  const token = checkDocument(TOKEN_SCHEMA, decodeJson(new TextEncoder().encode(answer), kind), kind);
  return { value: token.access_token, expiresAtMs: nowMs + (token.expires_in ?? 0) * 1000 };
}

/** What Google's tokens are asked for. */
export const GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform";

const MAX_ANSWER_BYTES = 1024 * 1024;
const TOKEN_SCHEMA = z.object({
  access_token: z.string().check(z.minLength(1)),
  expires_in: z.exactOptional(z.number()),
});
