import { expect, test } from 'vitest';
import { stillSelected } from './still-selected.ts';

const company = { companyId: '1', projectId: null };
const project = { companyId: '1', projectId: '7' };
const active = 'active' as const;
const nothing = { isSelected: null, isActive: null, isWorkerThere: false };

test.each([
  [
    'a company that is configured',
    company,
    { companyIds: ['2', '1'], projects: active },
    nothing,
    'PROCORE_COMPANY_IDS',
  ],
  ['any company where none is named', company, { companyIds: null, projects: active }, nothing, 'is not set'],
  ['any project where no company is named', project, { companyIds: null, projects: [] }, nothing, 'is not set'],
  ['a project that is named', project, { companyIds: ['1'], projects: ['8', '7'] }, nothing, 'MIRROR_PROJECTS'],
  ['a project of which nothing is known', project, { companyIds: ['1'], projects: active }, nothing, 'is active'],
  [
    'a project that the worker noted as selected',
    project,
    { companyIds: ['1'], projects: active },
    { isSelected: true, isActive: false, isWorkerThere: false },
    'is active',
  ],
  [
    'a project that is active by its row',
    project,
    { companyIds: ['1'], projects: active },
    { isSelected: null, isActive: true, isWorkerThere: false },
    'is active',
  ],
  [
    'a company that is not configured here, and is where a worker runs',
    company,
    { companyIds: ['2'], projects: active },
    { isSelected: true, isActive: null, isWorkerThere: true },
    'workers that run',
  ],
  [
    'a project of such a company',
    project,
    { companyIds: ['2'], projects: ['8'] },
    { isSelected: true, isActive: true, isWorkerThere: true },
    'workers that run',
  ],
] as const)('%s is selected', (_, place, wanted, known, reason) => {
  expect(stillSelected(place, wanted, known)).toContain(reason);
});

test.each([
  ['a company that is not configured', company, { companyIds: ['2'], projects: active }, nothing],
  [
    'a project of such a company',
    project,
    { companyIds: ['2'], projects: ['7'] },
    { isSelected: true, isActive: true, isWorkerThere: false },
  ],
  [
    'a project beside those that are named',
    project,
    { companyIds: ['1'], projects: ['8'] },
    { isSelected: true, isActive: true, isWorkerThere: false },
  ],
  [
    'a project that the worker noted as left',
    project,
    { companyIds: ['1'], projects: active },
    { isSelected: false, isActive: true, isWorkerThere: true },
  ],
  [
    'a project that is not active by its row',
    project,
    { companyIds: ['1'], projects: active },
    { isSelected: null, isActive: false, isWorkerThere: true },
  ],
] as const)('%s is not', (_, place, wanted, known) => {
  expect(stillSelected(place, wanted, known)).toBeNull();
});
