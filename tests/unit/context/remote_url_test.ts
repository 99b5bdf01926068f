import { deepEqual, equal } from "node:assert/strict";
import {
  redactCredentials,
  redactUrl,
  splitLogin,
  UNNAMED_FILE,
  urlFileName,
} from "../../../src/context/remote_url.ts";

const REDACTIONS: readonly (readonly [text: string, credentials: string, url: string])[] = [
  ["https://h/f", "https://h/f", "https://h/f"],
  ["https://u:p@h/f", "https://xxxxx:xxxxx@h/f", "https://xxxxx:xxxxx@h/f"],
  ["https://token@h/f", "https://xxxxx@h/f", "https://xxxxx@h/f"],
  ["HTTP://u:p@ss@h/f?a=b", "HTTP://xxxxx:xxxxx@h/f?a=b", "HTTP://xxxxx:xxxxx@h/f?***"],
  ["ssh://git@h/r", "ssh://git@h/r", "ssh://git@h/r"],
  ["ssh://git:p@h/r", "ssh://xxxxx:xxxxx@h/r", "ssh://xxxxx:xxxxx@h/r"],
  ["git@h:r", "git@h:r", "git@h:r"],
  ["https://h/a@b", "https://h/a@b", "https://h/a@b"],
  ["https://h/f#x", "https://h/f#x", "https://h/f#***"],
];

for (const [text, credentials, url] of REDACTIONS) {
  Deno.test(`redactCredentials and redactUrl hide the secrets of ${text}`, () => {
    equal(redactCredentials(text), credentials);
    equal(redactUrl(text), url);
  });
}

Deno.test("redactCredentials masks every URL in a longer text", () => {
  equal(redactCredentials("ADD http://a:b@h/ git://c@i/ /"), "ADD http://xxxxx:xxxxx@h/ git://xxxxx@i/ /");
});

const NAMES: readonly (readonly [url: string, name: string])[] = [
  ["http://h/a/b.tgz", "b.tgz"],
  ["http://h/a/b.tgz?c=d/e#f/g", "b.tgz"],
  ["http://h/a/", "a"],
  ["http://h/", UNNAMED_FILE],
  ["http://h", UNNAMED_FILE],
  ["http://h?x=/y", UNNAMED_FILE],
  ["http://h/a%20b", "a b"],
  ["http://h/..%2F..%2Fetc", "etc"],
  ["http://h/a/..", UNNAMED_FILE],
  ["http://h/%zz", "%zz"],
];

for (const [url, name] of NAMES) {
  Deno.test(`urlFileName gives ${name} when the URL is ${url}`, () => equal(urlFileName(url), name));
}

Deno.test("splitLogin takes the login out, decoded", () => {
  deepEqual(splitLogin("https://me:p%40ss@h/f?x"), { url: "https://h/f?x", login: { user: "me", password: "p@ss" } });
  deepEqual(splitLogin("https://h/f"), { url: "https://h/f", login: undefined });
});
