import { signal } from '@preact/signals';

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const KEPT_AS = 'dss-theme';

const theme = signal<Theme>(
  THEMES.find((name) => name === localStorage.getItem(KEPT_AS)) ?? 'system',
);

/** What draws by itself, such as a canvas, draws again when this changes. */
export const drawnTheme = signal(0);

export function followTheme(): void {
  theme.subscribe((name) => {
    if (name === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    drawnTheme.value = drawnTheme.peek() + 1;
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    drawnTheme.value += 1;
  });
}

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };

export function ThemeSwitch() {
  const name = theme.value;
  const next = NEXT[name];
  const change = (): void => {
    localStorage.setItem(KEPT_AS, next);
    theme.value = next;
  };
  const label = `Theme: ${name}. Change to ${next}`;
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={change}>
      <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
        <circle cx="10" cy="10" r="6.2" fill="none" stroke="currentColor" stroke-width="1.5" />
        {name === 'system' && <path d="M10 3.8a6.2 6.2 0 0 1 0 12.4z" fill="currentColor" />}
        {name === 'dark' && <circle cx="10" cy="10" r="6.2" fill="currentColor" />}
        {name === 'light' && <circle cx="10" cy="10" r="2" fill="currentColor" />}
      </svg>
    </button>
  );
}
