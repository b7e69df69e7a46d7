// What 0.2.0 called otherwise. One version reads both names; the one after it goes without this file.
import { z } from 'zod';

type Fields = Readonly<Record<string, unknown>>;
type Tell = (change: string) => void;

const fields = z.record(z.string(), z.unknown());

/** An operator's entry with each field under its name of today. `tell` hears of each that has its old one. */
export function underNewKeys(entry: Fields, tell: Tell): Fields {
  const renamed = rename(entry, 'showEnvelopes', 'showWrappers', tell);
  const list = fields.safeParse(renamed.list);
  if (!list.success) return renamed;
  return { ...renamed, list: rename(list.data, 'envelopes', 'wrappers', (change) => tell(`list: ${change}`)) };
}

/** Where both names are there the old one stays, to be refused. */
function rename(entry: Fields, oldName: string, name: string, tell: Tell): Fields {
  if (!Object.hasOwn(entry, oldName) || Object.hasOwn(entry, name)) return entry;
  tell(`${oldName} is called ${name} now, and the next version reads only that`);
  const { [oldName]: value, ...others } = entry;
  return { ...others, [name]: value };
}
