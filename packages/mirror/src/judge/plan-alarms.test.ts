import { expect, test } from 'vitest';
import type { Judged } from './judged.ts';
import { type Alarms, GONE_AFTER_MS, planAlarms } from './plan-alarms.ts';

const finding = (change: Partial<Judged> = {}): Judged => ({
  ...{ code: 'hook-missing', severity: 'warning', companyId: '7', projectId: null, resource: null, since: null },
  ...{ message: 'A hook is missing.', fix: null, until: null, step: 0, ...change },
});
const inShort = ({ raised, gone }: Alarms) => [
  ...raised.map(({ code, severity, companyId, projectId }) => `${severity} ${code} ${companyId} ${projectId}`),
  ...gone.map(({ code, companyId, projectId }) => `gone ${code} ${companyId} ${projectId}`),
];

/** What is told when one judgement follows the other, each so many ms after the one before. */
function play(...judgements: readonly (readonly Judged[])[]): string[][] {
  let told: Alarms['told'] = [];
  return judgements.map((judged, index) => {
    const alarms = planAlarms(told, judged, index * STEP_MS);
    told = alarms.told;
    return inShort(alarms);
  });
}
const STEP_MS = GONE_AFTER_MS / 2;

test.each<[what: string, judgements: Judged[][], told: string[][]]>([
  ['nothing', [[], []], [[], []]],
  ['one that lasts is told once', [[finding()], [finding()]], [['warning hook-missing 7 null'], []]],
  [
    'one that gets worse is told again, one that gets better is not',
    [[finding()], [finding({ severity: 'error' })], [finding()]],
    [['warning hook-missing 7 null'], ['error hook-missing 7 null'], []],
  ],
  [
    'one whose step grows, too',
    [
      [finding({ step: 2 })],
      [finding({ step: 2 })],
      [finding({ step: 6 })],
      [finding({ severity: 'error', step: 11 })],
    ],
    [['warning hook-missing 7 null'], [], ['warning hook-missing 7 null'], ['error hook-missing 7 null']],
  ],
  [
    'one is gone when it was not seen for a minute, and told anew after that',
    [[finding()], [], [], [], [finding()]],
    [['warning hook-missing 7 null'], [], ['gone hook-missing 7 null'], [], ['warning hook-missing 7 null']],
  ],
  [
    'one that comes and goes is told once',
    [[finding()], [], [finding()], [], [finding()], []],
    [['warning hook-missing 7 null'], [], [], [], [], []],
  ],
  [
    'what narrows is the same, what widens is told, and neither is gone',
    [[finding()], [finding({ projectId: '5' })], [finding({ projectId: '5' })], [finding({ companyId: null })], [], []],
    [['warning hook-missing 7 null'], [], [], ['warning hook-missing null null'], [], ['gone hook-missing null null']],
  ],
  [
    'companies are told apart, and codes are',
    [
      [finding()],
      [finding(), finding({ companyId: '8' })],
      [finding({ code: 'hook-wrong' }), finding({ companyId: '8' })],
    ],
    [['warning hook-missing 7 null'], ['warning hook-missing 8 null'], ['warning hook-wrong 7 null']],
  ],
  [
    'several of one scope that differ in how bad they are stay told',
    [[finding(), finding({ severity: 'error' })], [finding({ severity: 'error' }), finding()], [finding()]],
    [['warning hook-missing 7 null', 'error hook-missing 7 null'], [], []],
  ],
])('%s', (_, judgements, told) => {
  expect(play(...judgements)).toEqual(told);
});
