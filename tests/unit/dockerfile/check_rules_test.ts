/** The table of build checks. */
import assert from "node:assert/strict";
import { CHECK_RULES, checkMessage, findRule, ruleUrl } from "../../../src/dockerfile/check_rules.ts";

Deno.test("CHECK_RULES has BuildKit's 22 rules, each once and whole", () => {
  assert.equal(CHECK_RULES.length, 22);
  assert.equal(new Set(CHECK_RULES.map(({ name }) => name)).size, 22);
  assert.equal(new Set(CHECK_RULES.map(({ page }) => page)).size, 22);
  for (const { name, description, message, page } of CHECK_RULES) {
    assert.ok(description.length > 20 && message.length > 10, name);
    assert.equal(page.replaceAll("-", ""), name.toLowerCase());
  }
});

Deno.test("findRule finds a rule in any case", () => {
  assert.equal(findRule("jsonargsrecommended")?.name, "JSONArgsRecommended");
  assert.equal(findRule("UnknownRule"), undefined);
});

Deno.test("checkMessage puts the words in their places, quoted where the rule says so", () => {
  assert.equal(checkMessage("FromAsCasing", "as", "FROM"), "'as' and 'FROM' keywords' casing do not match");
  assert.equal(
    checkMessage("CopyIgnoredFile", "Copy", 'a"b'),
    'Attempting to Copy file "a\\"b" that is excluded by .dockerignore',
  );
  assert.equal(checkMessage("UndefinedVar", "x%s", ""), "Usage of undefined variable '$x%s'");
});

Deno.test("ruleUrl gives the page of the documentation", () => {
  const rule = findRule("JSONArgsRecommended");
  assert.ok(rule !== undefined);
  assert.equal(ruleUrl(rule), "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/");
});
