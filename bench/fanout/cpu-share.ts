/** How much of one core this process uses: near 1 it is the limit, and not what it measures. */
export class CpuShare {
  #before = process.cpuUsage();
  #sinceMs = performance.now();

  begin(): void {
    this.#before = process.cpuUsage();
    this.#sinceMs = performance.now();
  }

  end(): number {
    const { user, system } = process.cpuUsage(this.#before);
    return (user + system) / 1000 / (performance.now() - this.#sinceMs);
  }
}
