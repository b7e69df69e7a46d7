// Options that name a part of the mirror, and what a part is called of which nothing is known: a slip of the pen answered with
// "nothing is wrong" would look like good news.
import { nearestNames, probableName, unknownResource } from '@procore-mirror/catalogue';
import {
  type Database,
  isMentioned,
  listNamedResources,
  listNotedPlaces,
  listPlaces,
  type Place,
} from '@procore-mirror/database';
import { printable } from '@procore-mirror/runtime';
import type { Context } from './context.ts';
import { companiesSchema } from './env.ts';
import { UsageError } from './errors.ts';

export type PartOptions = { company?: string; project?: string; resource?: string };

const MOST_NAMED = 5;

/**
 * Throws a UsageError that names the resource, company and project of which nothing is known, each with the nearest that is. A
 * configured company is known.
 */
export async function checkPart(context: Context, database: Database, part: PartOptions): Promise<void> {
  const problems = [
    ...(part.resource === undefined ? [] : await problemsOfResource(context, database, part.resource)),
    ...(part.company === undefined && part.project === undefined ? [] : await problemsOfPlace(context, database, part)),
  ];
  if (problems.length > 0) throw new UsageError(problems);
}

async function problemsOfResource(context: Context, database: Database, resource: string): Promise<string[]> {
  const { catalogue } = context.catalogue();
  if (unknownResource(catalogue, resource) === null) return [];
  const problem = unknownResource(catalogue, resource, await listNamedResources(database.pool));
  return problem === null ? [] : [printable(problem)];
}

async function problemsOfPlace(
  context: Context,
  database: Database,
  { company, project }: PartOptions,
): Promise<string[]> {
  if (isAmong(await listNotedPlaces(database.pool), { company, project })) return []; // mostly
  const { PROCORE_COMPANY_IDS: configured = [] } = context.read(companiesSchema);
  const places = [
    ...configured.map((companyId) => ({ companyId, projectId: null })),
    ...(await listPlaces(database.pool)),
  ];
  const companyIds = [...new Set(places.map(({ companyId }) => companyId))];
  const knowsCompany =
    company === undefined || companyIds.includes(company) || (await isMentioned(database, { companyId: company }));
  const problems = knowsCompany ? [] : [`the mirror knows no company ${company}${hint(company, companyIds)}`];
  if (project === undefined) return problems;
  const of = knowsCompany ? company : undefined; // of a company that is unknown each project is
  return [...problems, ...(await problemsOfProject(database, project, of, places))];
}

function isAmong(
  places: readonly Place[],
  { company, project }: { company: string | undefined; project: string | undefined },
): boolean {
  return places.some(
    ({ companyId, projectId }) =>
      (company === undefined || companyId === company) && (project === undefined || projectId === project),
  );
}

async function problemsOfProject(
  database: Database,
  projectId: string,
  companyId: string | undefined,
  places: readonly Place[],
): Promise<string[]> {
  const own = places.filter((place) => companyId === undefined || place.companyId === companyId);
  if (own.some((place) => place.projectId === projectId)) return [];
  if (await isMentioned(database, { companyId, projectId })) return [];
  const others = [...new Set(places.filter((place) => place.projectId === projectId).map((place) => place.companyId))];
  if (others.length > 0) return [`project ${projectId} is of company ${others.join(' and ')}, not ${companyId}`];
  const known = [...new Set(own.flatMap((place) => place.projectId ?? []))];
  const where = companyId === undefined ? '' : ` of company ${companyId}`;
  return [`the mirror knows no project ${projectId}${where}${hint(projectId, known)}`];
}

function hint(id: string, known: readonly string[]): string {
  if (known.length === 0) return '; it knows none yet';
  const meant = probableName(id, known);
  if (meant !== undefined) return `, did you mean ${meant}?`;
  const named = nearestNames(id, known).slice(0, MOST_NAMED).join(', ');
  return `; it knows ${named}${known.length > MOST_NAMED ? ` and ${known.length - MOST_NAMED} more` : ''}`;
}
