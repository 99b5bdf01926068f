/** Reads the project's own sources for the architecture tests: which files there are, what they import and export. */
import type { ImportEdge } from "../../.ci/house_rules.ts";
import { isTypeImport } from "../../.ci/lint_plugin.ts";

/** One TypeScript file: path relative to the project, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What a file imports, and whether anything that it exports exists at run time. */
export interface ModuleShape {
  readonly imports: readonly ImportEdge[];
  readonly hasRuntimeExports: boolean;
}

/** The project's folder, with a slash at the end. */
export const PROJECT_ROOT = new URL("../../", import.meta.url).pathname;

/** All files ending in `suffix` below `folder` (relative to the project), sorted by path. A missing folder has none. */
export async function listFiles(folder: string, suffix: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readFolder(`${PROJECT_ROOT}${folder}`)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await listFiles(path, suffix));
    else if (entry.name.endsWith(suffix)) found.push(path);
  }
  return found.sort();
}

async function readFolder(path: string): Promise<readonly Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (error: unknown) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Every file of the program: `src/` whole, and `main.ts` once it is there. */
export async function readSources(): Promise<readonly SourceFile[]> {
  const paths = [...await listFiles("src", ".ts")];
  if ((await readFolder(PROJECT_ROOT)).some((entry) => entry.name === "main.ts")) paths.push("main.ts");
  return await Promise.all(
    paths.map(async (path) => ({ path, text: await Deno.readTextFile(`${PROJECT_ROOT}${path}`) })),
  );
}

/** Parses a file and tells its imports (workers started by URL included) and whether it exports values. */
export function moduleShape(file: SourceFile): ModuleShape {
  const imports: ImportEdge[] = [];
  let hasRuntimeExports = false;
  function add(specifier: unknown, isTypeOnly: boolean): void {
    if (typeof specifier === "string") imports.push({ from: file.path, specifier, isTypeOnly });
  }
  visit(file, {
    ImportDeclaration: (node) => add(node.source.value, isTypeImport(node)),
    ImportExpression: (node) => node.source.type === "Literal" && add(node.source.value, false),
    ExportAllDeclaration(node): void {
      add(node.source.value, node.exportKind === "type");
      hasRuntimeExports ||= node.exportKind !== "type";
    },
    ExportNamedDeclaration(node): void {
      add(node.source?.value, node.exportKind === "type");
      hasRuntimeExports ||= exportsValue(node);
    },
    ExportDefaultDeclaration(): void {
      hasRuntimeExports = true;
    },
    NewExpression(node): void {
      const [first, second] = node.arguments;
      const isUrl = node.callee.type === "Identifier" && node.callee.name === "URL" && second !== undefined;
      if (isUrl && first?.type === "Literal" && String(first.value).endsWith(".ts")) add(first.value, false);
    },
  });
  return { imports, hasRuntimeExports };
}

function exportsValue(node: Deno.lint.ExportNamedDeclaration): boolean {
  const declared = node.declaration;
  if (declared === null) {
    return node.exportKind !== "type" && node.specifiers.some((specifier) => specifier.exportKind !== "type");
  }
  return declared.type !== "TSInterfaceDeclaration" && declared.type !== "TSTypeAliasDeclaration";
}

function visit(file: SourceFile, visitor: Deno.lint.LintVisitor): void {
  Deno.lint.runPlugin({ name: "shape", rules: { shape: { create: () => visitor } } }, file.path, file.text);
}
