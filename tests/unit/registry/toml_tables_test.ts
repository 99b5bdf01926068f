import { deepEqual, throws } from "node:assert/strict";
import { parseTomlTables, type TomlValue } from "../../../src/registry/toml_tables.ts";

function tables(text: string): readonly (readonly [name: string, line: number, values: Record<string, TomlValue>])[] {
  return parseTomlTables(text, "/c.conf").map(({ name, line, values }) => [name, line, Object.fromEntries(values)]);
}

Deno.test("parseTomlTables reads tables, arrays of tables and their values", () => {
  const text = `# a comment
search = ["a.io", 'b\\n', # inside
  "c"]
"quoted key" = "tab\\tquote\\"" # behind

[[registry]]
on = true
count = -12
[ registry . mirror ]\r
off = false`;
  deepEqual(tables(text), [
    ["", 1, { search: ["a.io", "b\\n", "c"], "quoted key": 'tab\tquote"' }],
    ["registry", 6, { on: true, count: -12 }],
    ["registry.mirror", 9, { off: false }],
  ]);
  deepEqual(tables(""), [["", 1, {}]]);
});

Deno.test("parseTomlTables names file and line when the text is not of the part it knows", () => {
  const cases: readonly [text: string, reason: RegExp][] = [
    ["a", /\/c.conf, line 1: "=" is expected/],
    ["\na = 1979-05-27", /line 2: only strings/],
    ["a = { b = 1 }", /only strings/],
    ['a = """b"""', /over several lines/],
    ['a = "b', /not closed/],
    ["a = [1]", /only arrays of strings/],
    ['a = ["b"', /array is not closed/],
    ['a = ["b" "c"]', /separated/],
    ["a = true b", /where it should end/],
    ["a = true\na = true", /line 2: "a" is there twice/],
    ["[[a]", /"]" is expected/],
    ["= 1", /a key or a \[table\]/],
    ['a = "\\x"', /"\\x" is not understood/],
  ];
  for (const [text, reason] of cases) throws(() => parseTomlTables(text, "/c.conf"), reason, text);
});
