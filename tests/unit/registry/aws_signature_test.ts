import { equal, match } from "node:assert/strict";
import { signAwsRequest } from "../../../src/registry/aws_signature.ts";

const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const NOW = Date.parse("2015-08-30T12:36:00Z");
const REQUEST = {
  method: "GET",
  url: "https://example.amazonaws.com/",
  headers: {},
  body: "",
  region: "us-east-1",
  service: "service",
} as const;

Deno.test("signAwsRequest gives the signatures of AWS's test suite", async () => {
  const cases: readonly [url: string, method: "GET" | "POST", signature: string][] = [
    ["https://example.amazonaws.com/", "GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    ["https://example.amazonaws.com/", "POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
    [
      "https://example.amazonaws.com/?Param2=value2&Param1=value1",
      "GET",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
  ];
  for (const [url, method, signature] of cases) {
    const { authorization } = await signAwsRequest({ ...REQUEST, url, method }, KEYS, NOW);
    equal(
      authorization,
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
        `SignedHeaders=host;x-amz-date, Signature=${signature}`,
      url,
    );
  }
});

Deno.test("signAwsRequest signs the session token and the given headers", async () => {
  const headers = { "Content-Type": " text/plain " };
  const signed = await signAwsRequest({ ...REQUEST, headers }, { ...KEYS, sessionToken: "t" }, NOW);
  match(signed.authorization ?? "", /SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,/);
  equal(signed["content-type"], "text/plain");
  equal(signed["x-amz-security-token"], "t");
  equal(signed["x-amz-date"], "20150830T123600Z");
});
