/**
 * The first pass over a Dockerfile: bytes -> parser directives and logical lines, with comments dropped, continuations
 * joined and heredoc bodies attached. Source: Dockerfile reference, format; BuildKit where that is silent.
 */
import { detectForeignSyntax } from "./detect_syntax.ts";
import { type Directive, isKnownFrontend, parseDirective, parseEscape } from "./directives.ts";
import { findHeredocs, findOpenQuote, type HeredocWord } from "./heredoc.ts";
import { DockerfileError, type Heredoc, type SourceRange } from "./instruction.ts";
import { type PhysicalLine, splitPhysicalLines } from "./physical_lines.ts";
import { type EscapeCharacter, parseJsonForm, splitFlags, splitOnce, trimSpace, trimStart } from "./words.ts";

/** One instruction as text. */
export interface LogicalLine {
  /** As written, in any case. */
  readonly keyword: string;
  /** The words that begin with `--`, unquoted. */
  readonly flags: readonly string[];
  /** What follows, trimmed. */
  readonly rest: string;
  /** All of it as joined, heredoc bodies excepted. */
  readonly raw: string;
  readonly heredocs: readonly Heredoc[];
  /** The comments right above, without `#`; an empty comment starts them anew. */
  readonly comments: readonly string[];
  /** A blank line stood within a continuation. */
  readonly hasEmptyContinuation: boolean;
  readonly range: SourceRange;
}

/** A Dockerfile as lines. */
export interface ScannedLines {
  readonly escape: EscapeCharacter;
  readonly directives: readonly Directive[];
  readonly lines: readonly LogicalLine[];
}

/** Instructions that take heredocs. */
const HEREDOC_KEYWORDS: readonly string[] = ["ADD", "COPY", "RUN"];

/**
 * Scans a whole Dockerfile; a string counts as its UTF-8 bytes. Gives no lines for a file of comments.
 * Throws DockerfileError for bad directives, lines too long or not UTF-8, and unterminated heredocs.
 */
export function scanLines(source: Uint8Array | string): ScannedLines {
  const bytes = typeof source === "string" ? new TextEncoder().encode(source) : source;
  const reader = new LineReader(splitPhysicalLines(bytes));
  const directives = readDirectives(reader);
  const escapeDirective = directives.find(({ key }) => key === "escape");
  const escape = escapeDirective === undefined ? "\\" : parseEscape(escapeDirective);
  const lines: LogicalLine[] = [];
  let comments: string[] = [];
  for (let line = reader.read(); line !== undefined; line = reader.read()) {
    const text = trimStart(line.text);
    if (text.startsWith("#")) {
      const comment = trimSpace(text.slice(1));
      if (comment === "") comments = [];
      else comments.push(comment);
      continue;
    }
    if (text !== "") lines.push(readInstruction(reader, line, { escape, comments }));
    comments = [];
  }
  return { escape, directives, lines };
}

/** The physical lines and how far they have been read. Owned by one {@link scanLines}. */
class LineReader {
  readonly #lines: readonly PhysicalLine[];
  /** Lines read so far, which is also the 1-based number of the last one. */
  count = 0;

  constructor(lines: readonly PhysicalLine[]) {
    this.#lines = lines;
  }

  /** The lines that are left. */
  rest(): readonly PhysicalLine[] {
    return this.#lines.slice(this.count);
  }

  peek(): PhysicalLine | undefined {
    return this.#lines[this.count];
  }

  read(): PhysicalLine | undefined {
    const line = this.peek();
    if (line !== undefined) this.count++;
    return line;
  }
}

/** After a first line that begins with `#!` the escape directive is a comment, as in BuildKit. */
function readDirectives(reader: LineReader): readonly Directive[] {
  const directives: Directive[] = [];
  const isScript = reader.peek()?.text.startsWith("#!") === true;
  if (isScript) reader.read();
  refuseForeignSyntax(reader);
  for (let line = reader.peek(); line !== undefined; line = reader.peek()) {
    const number = reader.count + 1;
    const directive = parseDirective(trimStart(line.text), { startLine: number, endLine: number });
    if (directive === undefined || (isScript && directive.key === "escape")) break;
    if (directives.some(({ key }) => key === directive.key)) {
      throw new DockerfileError(
        `Cannot use parser directive ${
          JSON.stringify(directive.key)
        }: only one ${directive.key} parser directive can be used`,
        directive.range,
      );
    }
    directives.push(directive);
    reader.read();
  }
  return directives;
}

/** Another language would give nothing but faults, so its frontend's name is the better answer. */
function refuseForeignSyntax(reader: LineReader): void {
  const foreign = detectForeignSyntax(reader.rest(), reader.count + 1);
  if (foreign === undefined || isKnownFrontend(foreign.value)) return;
  throw new DockerfileError(
    `Cannot parse Dockerfile: it is written for the frontend image ${JSON.stringify(foreign.value)}`,
    foreign.range,
    { hint: "kiln reads the language of docker/dockerfile and runs no frontend images" },
  );
}

interface LineContext {
  readonly escape: EscapeCharacter;
  readonly comments: readonly string[];
}

function readInstruction(reader: LineReader, first: PhysicalLine, context: LineContext): LogicalLine {
  const { escape, comments } = context;
  const startLine = reader.count;
  const { raw, hasEmptyContinuation } = joinContinuations(reader, first, escape);
  const { first: keyword, rest: tail = "" } = splitOnce(trimSpace(raw));
  const { flags, rest } = splitFlags(tail, escape);
  const words = canHoldHeredocs(keyword, rest, escape) ? heredocWords(raw, startLine, reader.count) : [];
  const heredocs = words.map((word) => readHeredoc(reader, word, startLine));
  const range = { startLine, endLine: reader.count };
  return { keyword, flags, rest, raw, heredocs, comments, hasEmptyContinuation, range };
}

/** Joins the lines of an instruction; comment lines vanish, blank ones are noted. */
function joinContinuations(
  reader: LineReader,
  first: PhysicalLine,
  escape: EscapeCharacter,
): { readonly raw: string; readonly hasEmptyContinuation: boolean } {
  let piece = cutContinuation(trimStart(requireText(first, reader.count)), escape);
  const pieces = [piece.text];
  let hasEmptyContinuation = false;
  while (piece.continues) {
    const line = reader.read();
    if (line === undefined) break;
    const text = trimStart(line.text);
    if (text.startsWith("#")) continue;
    if (text === "") {
      hasEmptyContinuation = true;
      continue;
    }
    piece = cutContinuation(requireText(line, reader.count), escape);
    pieces.push(piece.text);
  }
  return { raw: pieces.join(""), hasEmptyContinuation };
}

/**
 * Takes a continuation mark off the end of a line: the escape character, with nothing but spaces and tabs behind it and
 * no other escape character before it.
 */
function cutContinuation(
  line: string,
  escape: EscapeCharacter,
): { readonly text: string; readonly continues: boolean } {
  let end = line.length;
  while (end > 0 && (line[end - 1] === " " || line[end - 1] === "\t")) end--;
  const continues = end > 0 && line[end - 1] === escape && line[end - 2] !== escape;
  return continues ? { text: line.slice(0, end - 1), continues } : { text: line, continues };
}

function canHoldHeredocs(keyword: string, rest: string, escape: EscapeCharacter): boolean {
  const upper = keyword.toUpperCase();
  if (upper === "ONBUILD") {
    const { first, rest: tail = "" } = splitOnce(rest);
    return first.toUpperCase() !== "ONBUILD" && canHoldHeredocs(first, splitFlags(tail, escape).rest, escape);
  }
  return HEREDOC_KEYWORDS.includes(upper) && parseJsonForm(rest).kind === "none";
}

/** Throws DockerfileError where the line ends within the quotes of a delimiter: its body would be read as instructions. */
function heredocWords(raw: string, startLine: number, endLine: number): readonly HeredocWord[] {
  const open = findOpenQuote(raw);
  if (open === undefined) return findHeredocs(raw);
  throw new DockerfileError(
    `Cannot parse heredoc ${JSON.stringify(open)}: the quote of its delimiter is not closed`,
    { startLine, endLine },
  );
}

function readHeredoc(reader: LineReader, word: HeredocWord, startLine: number): Heredoc {
  const body: string[] = [];
  for (let line = reader.read(); line !== undefined; line = reader.read()) {
    if (isTerminator(line.text, word)) return { ...word, content: body.join("") };
    body.push(requireText(line, reader.count) + line.ending);
  }
  throw new DockerfileError(
    `Cannot parse heredoc ${JSON.stringify(word.name)}: unterminated heredoc, no line consists of its delimiter`,
    { startLine, endLine: reader.count },
  );
}

function isTerminator(line: string, word: HeredocWord): boolean {
  let start = 0;
  while (word.stripTabs && line[start] === "\t") start++;
  return line.slice(start) === word.name;
}

/** The text of a line that is part of the build, where bytes that are no text would be changed silently. */
function requireText(line: PhysicalLine, number: number): string {
  if (line.isText) return line.text;
  throw new DockerfileError(`Cannot read line ${number}: it is not valid UTF-8`, {
    startLine: number,
    endLine: number,
  });
}
