export { type CallBudget, createCallBudget } from './call-budget.ts';
export { type CallCounter, createCallCounter } from './call-counter.ts';
