/** Heredoc words. */
import assert from "node:assert/strict";
import { findHeredocs, parseHeredocWord, stripLeadingTabs } from "../../../src/dockerfile/heredoc.ts";

function word(name: string, changes: object = {}): object {
  return { name, expand: true, stripTabs: false, fd: 0, ...changes };
}

for (
  const { text, heredoc } of [
    { text: "<<EOF", heredoc: word("EOF") },
    { text: "<<-EOF", heredoc: word("EOF", { stripTabs: true }) },
    { text: "3<<EOF", heredoc: word("EOF", { fd: 3 }) },
    { text: "<<'EOF'", heredoc: word("EOF", { expand: false }) },
    { text: '<<-"E F"', heredoc: word("E F", { expand: false, stripTabs: true }) },
    { text: '<<E"O"F', heredoc: word("EOF", { expand: false }) },
    { text: "<<eo\\'f", heredoc: word("eo'f") },
    { text: "<<'e'o\\'f", heredoc: word("eo'f", { expand: false }) },
    { text: "<<$EOF", heredoc: word("$EOF") },
    { text: "<<${EOF}", heredoc: word("${EOF}") },
    { text: "<< EOF", heredoc: word("EOF") },
    { text: "<<-\tEOF", heredoc: word("EOF", { stripTabs: true }) },
    { text: "<<.hidden/x", heredoc: word(".hidden/x") },
    { text: "<<", heredoc: undefined },
    { text: "<<-", heredoc: undefined },
    { text: "<<<EOF", heredoc: undefined },
    { text: "<EOF", heredoc: undefined },
    { text: "EOF", heredoc: undefined },
    { text: "", heredoc: undefined },
    { text: "<<''", heredoc: undefined },
    { text: "<<'open", heredoc: undefined },
    { text: "<<one two", heredoc: undefined },
    { text: "x<<EOF", heredoc: undefined },
    { text: '"<<EOF"', heredoc: undefined },
  ]
) {
  Deno.test(`parseHeredocWord gives ${JSON.stringify(heredoc)} when the word is ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseHeredocWord(text), heredoc);
  });
}

for (
  const { line, names } of [
    { line: "RUN <<A cat <<-B 3<< C", names: ["A", "B", "C"] },
    { line: "COPY <<A <<A /x", names: ["A", "A"] },
    { line: `RUN cat <<"a b" x`, names: ["a b"] },
    { line: `RUN echo "<<A" '<<B' \\<<C`, names: [] },
    { line: "RUN echo $((1 << 2))", names: [] },
    { line: "RUN it's <<EOF", names: [] },
    { line: "RUN cat < a", names: [] },
  ]
) {
  Deno.test(`findHeredocs gives ${JSON.stringify(names)} when the line is ${line}`, () => {
    assert.deepEqual(findHeredocs(line).map(({ name }) => name), names);
  });
}

Deno.test("stripLeadingTabs strips tabs at the start of each line when there are any, and no blanks", () => {
  assert.equal(stripLeadingTabs("\t\ta\tb\n \tc\n\n\td\r\n\t"), "a\tb\n \tc\n\nd\r\n");
});
