/** The lexers of instruction text. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  isSpace,
  lexWords,
  parseJsonForm,
  splitBlanks,
  splitFlags,
  splitOnce,
  trimSpace,
} from "../../../src/dockerfile/words.ts";

for (
  const { text, flags, rest } of [
    { text: "a b", flags: [], rest: "a b" },
    { text: "  --a=1   --b  c  ", flags: ["--a=1", "--b"], rest: "c" },
    { text: `--a="x y" --b='q"' c`, flags: ["--a=x y", `--b=q"`], rest: "c" },
    { text: String.raw`--a=x\ y\"z --b="\"" c`, flags: ['--a=x y"z', '--b="'], rest: "c" },
    { text: "--a -- --b", flags: ["--a"], rest: "--b" },
    { text: "--a b --c", flags: ["--a"], rest: "b --c" },
    { text: "- --a", flags: [], rest: "- --a" },
    { text: "--", flags: [], rest: "" },
    { text: "--a=\\", flags: ["--a="], rest: "" },
    { text: '--a="open x', flags: ["--a=open x"], rest: "" },
    { text: "--a=é\u00a0b", flags: ["--a=é"], rest: "b" },
    { text: "", flags: [], rest: "" },
  ]
) {
  Deno.test(`splitFlags gives ${JSON.stringify(flags)} when the text is ${JSON.stringify(text)}`, () => {
    assert.deepEqual(splitFlags(text, "\\"), { flags, rest });
  });
}

Deno.test("splitFlags honours the backtick when it is the escape character", () => {
  assert.deepEqual(splitFlags("--a=C:\\x` y b", "`"), { flags: ["--a=C:\\x y"], rest: "b" });
});

for (
  const { text, form } of [
    { text: '["a", "b c"]', form: { kind: "strings", values: ["a", "b c"] } },
    { text: "[]", form: { kind: "strings", values: [] } },
    { text: '["\\u00e9\\n\\/", "\\ud800"]', form: { kind: "strings", values: ["é\n/", "\ufffd"] } },
    { text: '["a", 1]', form: { kind: "mixed" } },
    { text: "[null]", form: { kind: "mixed" } },
    { text: '[["a"]]', form: { kind: "mixed" } },
    { text: "['a']", form: { kind: "none" } },
    { text: '["a",]', form: { kind: "none" } },
    { text: '["a"] b', form: { kind: "none" } },
    { text: "[ -f x ]", form: { kind: "none" } },
    { text: '"a"', form: { kind: "none" } },
    { text: "", form: { kind: "none" } },
  ]
) {
  Deno.test(`parseJsonForm gives ${form.kind} when the text is ${text}`, () => {
    assert.deepEqual(parseJsonForm(text), form);
  });
}

for (
  const { text, words } of [
    { text: "a=1 b", words: ["a=1", "b"] },
    { text: `a="x y" b='z "'`, words: [`a="x y"`, `b='z "'`] },
    { text: String.raw`a=x\ y b="\" c"`, words: [String.raw`a=x\ y`, String.raw`b="\" c"`] },
    { text: String.raw`'a\' b`, words: [String.raw`'a\'`, "b"] },
    { text: "a\u2003b\u00a0c\ufeffd", words: ["a", "b", "c\ufeffd"] },
    { text: "a\\", words: ["a"] },
    { text: "\\", words: [] },
    { text: `"open x`, words: [`"open x`] },
    { text: "  ", words: [] },
  ]
) {
  Deno.test(`lexWords gives ${JSON.stringify(words)} when the text is ${JSON.stringify(text)}`, () => {
    assert.deepEqual(lexWords(text, "\\"), words);
  });
}

Deno.test("lexWords takes words apart that were joined when none of them has blanks", () => {
  const word = fc.stringMatching(/^[a-z0-9=$]{1,9}$/);
  fc.assert(fc.property(fc.array(word), (words) => assert.deepEqual(lexWords(words.join(" \t "), "`"), words)));
});

Deno.test("splitBlanks and splitOnce part at ASCII blanks alone when other spaces are there", () => {
  assert.deepEqual(splitBlanks("a\u00a0b \t\v\f\r c"), ["a\u00a0b", "c"]);
  assert.deepEqual(splitBlanks(""), []);
  assert.deepEqual(splitOnce("a  b  c"), { first: "a", rest: "b  c" });
  assert.deepEqual(splitOnce("a"), { first: "a" });
});

Deno.test("trimSpace takes white space off both ends when it is Unicode's", () => {
  assert.equal(trimSpace("\u3000\t a b\u0085\n "), "a b");
  assert.equal(trimSpace(" \u2028"), "");
  assert.ok(!isSpace("\ufeff"));
  assert.ok(!isSpace(""));
});
