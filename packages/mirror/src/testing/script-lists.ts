import type { ScriptedProcore } from './test-mirror.ts';

/** Lists of these ids, by how their paths end, in pages as they are asked for; of others nothing. */
export function scriptLists(ids: Record<string, readonly number[]>): ScriptedProcore['answer'] {
  return (path, search) => {
    const [, all = null] = Object.entries(ids).find(([end]) => path.endsWith(end)) ?? [];
    if (all === null) return { status: 404 };
    const [size, number] = [Number(search.get('per_page')), Number(search.get('page') ?? 1)];
    const next = `<${path}?page=${number + 1}&per_page=${size}>; rel="next"`;
    const body = all.slice((number - 1) * size, number * size).map((id) => ({ id, subject: `subject ${id}` }));
    return { body, headers: { total: String(all.length), ...(number * size < all.length && { link: next }) } };
  };
}
