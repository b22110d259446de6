import { signal } from '@preact/signals';
import { formatRoute, type PageName, parseRoute } from './model/route.ts';

/** Where one is. Pages link to one another by plain links. */
export const route = signal(parseRoute(location.hash));

addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash);
});

/** `isStep`: one comes back here with the browser's back button. */
export function go(
  page: PageName,
  subject?: string,
  query?: URLSearchParams,
  { isStep = true }: { readonly isStep?: boolean } = {},
): void {
  const hash = formatRoute(page, subject, query);
  if (isStep) {
    location.hash = hash;
    return;
  }
  history.replaceState(null, '', hash);
  route.value = parseRoute(hash);
}
