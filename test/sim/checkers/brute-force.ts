import { isUnknown, type Operation } from './history.ts';
import { EMPTY_REGISTER, type Register, step, versionsOf } from './register.ts';

/**
 * The definition of linearizability, tried out: every order that respects who returned before whom was called,
 * with every choice of the operations of unknown outcome. For short histories only; what `linearize` is held to.
 */
export function linearizesByBruteForce(operations: readonly Operation[]): boolean {
  const versions = versionsOf(operations);
  const placed = new Set<Operation>();
  const canGoOn = (register: Register): boolean => {
    const left = operations.filter((operation) => !placed.has(operation));
    if (left.every(isUnknown)) return true;
    const firstReturn = Math.min(...left.map(({ returnedAt }) => returnedAt));
    return left.some((operation) => {
      if (operation.calledAt > firstReturn) return false;
      placed.add(operation);
      const version = versions[operations.indexOf(operation)] as number;
      const found = step(register, operation, version).some(canGoOn);
      placed.delete(operation);
      return found;
    });
  };
  return canGoOn(EMPTY_REGISTER);
}
