import { z } from 'zod';
import { variableSections } from './every-variable.ts';
import { variableOf } from './variable.ts';

const WIDEST = 118;

/** The text of `.env.example`: every variable with its meaning, those with a default commented out. */
export function envExample(): string {
  const head = [
    '# Copy to .env and fill in. What is set in the environment wins over .env; an empty value counts as unset.',
    '# Lines that are commented out show the default. A value with a # or blanks in it stands in quotes.',
  ];
  const body = Object.entries(variableSections).flatMap(([title, shape]) => ['', `## ${title}`, ...linesOf(shape)]);
  return `${[...head, ...body].join('\n')}\n`;
}

function linesOf(shape: z.core.$ZodShape): string[] {
  return Object.entries(shape).flatMap(([key, field]) => {
    const { description, file } = variableOf(field);
    const orFile = file ? ` ${key}_FILE may name a file that holds it instead.` : '';
    return [...wrapped(description + orFile), assignment(key, field)];
  });
}

function assignment(key: string, field: z.core.$ZodType): string {
  const unset = z.safeParse(field, undefined);
  if (!unset.success) return `${key}=`;
  return `#${key}=${['string', 'number'].includes(typeof unset.data) || Array.isArray(unset.data) ? unset.data : ''}`;
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > WIDEST) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
