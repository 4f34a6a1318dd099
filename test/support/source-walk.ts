import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const root = path.resolve(import.meta.dirname, '../..');

/** Where code (not a comment, not a string) of these files holds a node of this kind, as `file:line: text`. */
export function findInCode(files: readonly string[], isWanted: (node: ts.Node) => boolean): string[] {
  return files.flatMap((file) => {
    const source = ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.ES2023, true);
    const found: string[] = [];
    const walk = (node: ts.Node): void => {
      if (isWanted(node)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        found.push(`${file}:${line + 1}: ${node.getText().split('\n')[0]}`);
      }
      ts.forEachChild(node, walk);
    };
    walk(source);
    return found;
  });
}

/** `Date.now`, `process.env` and so on, as written. */
export const isAccessTo =
  (...names: readonly string[]) =>
  (node: ts.Node): boolean =>
    ts.isPropertyAccessExpression(node) && names.includes(node.getText());

/** `new Date()`: the same words with an argument only convert. */
export const isDateOfNow = (node: ts.Node): boolean =>
  ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments ?? []).length === 0;

/** Anything that would make a rule wait or speak. */
export const isNotPlain = (node: ts.Node): boolean =>
  node.kind === ts.SyntaxKind.AsyncKeyword ||
  ts.isAwaitExpression(node) ||
  (ts.isIdentifier(node) && ['Promise', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'console'].includes(node.text));
