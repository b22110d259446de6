import type { SimulationViolation } from '../simulation.ts';
import type { Job, Outcome } from './worker.ts';

const PROGRESS_MS = process.stdout.isTTY ? 1_000 : 15_000;

/** What the runner prints; docs/SIMULATOR.md explains the columns. */
export class Report {
  violations = 0;
  readonly #startedMs = Date.now();
  readonly #faults = new Map<string, number>();
  readonly #timer = setInterval(() => this.#progress(), PROGRESS_MS);
  #seeds = 0;
  #simulatedMs = 0;
  #operations = 0;
  #undecided = 0;
  #slowestRecoveryMs = 0;

  finished({ job, result, faults }: Outcome): void {
    this.#seeds += 1;
    this.#simulatedMs += result.simulatedMs;
    this.#operations += result.operations;
    this.#undecided += result.undecided;
    this.#slowestRecoveryMs = Math.max(this.#slowestRecoveryMs, result.recoveryMs);
    for (const [name, count] of faults)
      this.#faults.set(name, (this.#faults.get(name) ?? 0) + count);
    if (job.verbose) {
      const trace = result.trace.toString(16).padStart(8, '0');
      this.#print(`${result.diary.join('\n')}\nseed ${job.seed}, mix ${job.mix}: trace ${trace}`);
    }
    if (result.violation !== undefined) this.#violated(job, result.violation);
  }

  died(job: Job, message: string): void {
    this.#seeds += 1;
    this.#violated(job, { property: 'the simulator', message, atMs: 0, picture: undefined });
  }

  end(): void {
    clearInterval(this.#timer);
    this.#progress();
    if (process.stdout.isTTY) process.stdout.write('\n');
  }

  #violated(job: Job, { property, message, atMs, picture }: SimulationViolation): void {
    this.violations += 1;
    const replay = `npm run sim -- --seeds ${job.seed} --mix '${job.mix}' --verbose`;
    const drawn = picture === undefined ? '' : `\n${picture}`;
    this.#print(`\nVIOLATION of ${property} at ${atMs} ms: ${message}${drawn}\nagain: ${replay}\n`);
  }

  #progress(): void {
    const seconds = (Date.now() - this.#startedMs) / 1_000;
    const faults = [...this.#faults].sort((a, b) => b[1] - a[1]);
    const line = [
      `${this.#seeds} seeds`,
      `${(this.#seeds / seconds).toFixed(1)}/s`,
      `${(this.#simulatedMs / 3_600_000).toFixed(1)} h simulated`,
      `${this.#operations} operations`,
      `recovery ${(this.#slowestRecoveryMs / 1_000).toFixed(1)} s`,
      faults.map(([name, count]) => `${name} ${count}`).join(', '),
      `${this.#undecided} undecided`,
      `${this.violations} violations`,
    ].join(' · ');
    if (process.stdout.isTTY)
      process.stdout.write(`\r\u001b[2K${line.slice(0, process.stdout.columns - 1)}`);
    else console.log(line);
  }

  #print(text: string): void {
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[2K');
    console.log(text);
  }
}
