export { createCallBudget } from './call-budget.ts';
export { type CallTrouble, openProcore } from './open-procore.ts';
